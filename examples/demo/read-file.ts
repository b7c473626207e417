/** A file of yours, as a phone would send it. */
import { readFileSync } from "node:fs";
import { basename, extname } from "node:path";
import type { SentMedia } from "@omniops/whatsapp/simulator";

const TYPES: Readonly<Record<string, readonly [SentMedia["kind"], string]>> = {
  ".jpg": ["image", "image/jpeg"],
  ".jpeg": ["image", "image/jpeg"],
  ".png": ["image", "image/png"],
  ".webp": ["sticker", "image/webp"],
  ".mp4": ["video", "video/mp4"],
  ".3gp": ["video", "video/3gpp"],
  ".mp3": ["audio", "audio/mpeg"],
  ".m4a": ["audio", "audio/mp4"],
  ".ogg": ["audio", "audio/ogg"],
  ".pdf": ["document", "application/pdf"],
  ".txt": ["document", "text/plain"],
};

/** @throws Error that says what to do. */
export function readFile(path: string): SentMedia {
  const [kind, mime] = TYPES[extname(path).toLowerCase()] ?? ["document", "application/octet-stream"];
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    throw new Error(`There is no file ${path}: /send takes a path, as /send docs/connect/connected.png`);
  }
  const isVoice = mime === "audio/ogg";
  return {
    kind,
    mime,
    bytes,
    ...(kind === "document" ? { filename: basename(path) } : {}),
    ...(isVoice ? { voice: true } : {}),
  };
}
