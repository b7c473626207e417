/** What a file is, by its own first bytes: what somebody has called it counts for nothing. */

import { UNKNOWN_TYPE } from "./mime-type.ts";

/** So many of the first bytes are looked at; fewer are fine when there are no more. */
export const HEAD_BYTES = 4_096;

type Signature = { readonly mime: string; readonly at?: number; readonly bytes: readonly number[] | string };

/** In this order; the first that fits. */
const SIGNATURES: readonly Signature[] = [
  { mime: "image/jpeg", bytes: [0xff, 0xd8, 0xff] },
  { mime: "image/png", bytes: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] },
  { mime: "image/gif", bytes: "GIF87a" },
  { mime: "image/gif", bytes: "GIF89a" },
  { mime: "audio/amr", bytes: "#!AMR" },
  { mime: "audio/mpeg", bytes: "ID3" },
  { mime: "application/pdf", bytes: "%PDF-" },
  { mime: "application/x-ole-storage", bytes: [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1] },
];

/** The brand of an ISO base media file. @see https://mp4ra.org/registered-types/brands */
const BRANDS: Readonly<Record<string, string>> = {
  "M4A ": "audio/mp4",
  "M4B ": "audio/mp4",
  "M4V ": "video/mp4",
  MSNV: "video/mp4",
  avc1: "video/mp4",
  dash: "video/mp4",
  mp41: "video/mp4",
  mp42: "video/mp4",
  "qt  ": "video/quicktime",
  heic: "image/heic",
  heix: "image/heic",
  mif1: "image/heic",
  avif: "image/avif",
};

/** The folder inside of an Office document that says which it is. */
const OFFICE: Readonly<Record<string, string>> = {
  "word/": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  "xl/": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  "ppt/": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
};

/** Where the bytes are a container that holds one of several, what somebody says decides among these, and nothing else. */
const OPEN: Readonly<Record<string, readonly string[]>> = {
  "application/x-ole-storage": ["application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint"],
  "application/zip": Object.values(OFFICE),
  "video/mp4": ["audio/mp4"],
  "video/3gpp": ["audio/3gpp"],
};

/** A browser shows or plays them and carries out nothing of them. */
const INLINE: ReadonlySet<string> = new Set([
  "image/jpeg",
  "image/png",
  "image/webp",
  "image/gif",
  "audio/aac",
  "audio/amr",
  "audio/mpeg",
  "audio/mp4",
  "audio/3gpp",
  "audio/ogg",
  "video/mp4",
  "video/3gpp",
]);

/** Those that a browser carries out nothing of either, once they are downloads. */
const INERT: ReadonlySet<string> = new Set([
  ...INLINE,
  "application/pdf",
  "application/zip",
  "image/heic",
  "text/plain",
  "video/quicktime",
  ...Object.values(OPEN).flat(),
]);

/** @param head the first {@link HEAD_BYTES}. @returns a type of a closed list; `application/octet-stream` for everything else. */
export function sniffType(head: Uint8Array): string {
  const signature = SIGNATURES.find(({ at = 0, bytes }) => startsWith(head, bytes, at));
  if (signature !== undefined) return signature.mime;
  if (startsWith(head, "RIFF") && startsWith(head, "WEBP", 8)) return "image/webp";
  if (startsWith(head, "OggS")) return oggType(head);
  if (startsWith(head, "ftyp", 4)) return brandType(text(head, 8, 12));
  if (startsWith(head, "PK\u0003\u0004")) return zipType(head);
  const [first = 0, second = 0] = head;
  // Frames of MPEG audio: layer III, and AAC in its own frames.
  if (first === 0xff && (second & 0xe6) === 0xe2) return "audio/mpeg";
  if (first === 0xff && (second & 0xf6) === 0xf0) return "audio/aac";
  return isText(head) ? "text/plain" : UNKNOWN_TYPE;
}

/** @param said as a sender or a caller names it: chooses only where the bytes leave it open, such as Word or Excel of old. */
export function typeOf(head: Uint8Array, said: string | null): string {
  const sniffed = sniffType(head);
  const named = said?.split(";")[0]?.trim().toLowerCase() ?? "";
  return OPEN[sniffed]?.includes(named) === true ? named : sniffed;
}

export function isSafeInline(mime: string): boolean {
  return INLINE.has(mime);
}

/** @returns what a stored file is served as: never a type that a browser would carry out, whatever the row says. */
export function inertType(mime: string): string {
  return INERT.has(mime) ? mime : UNKNOWN_TYPE;
}

function startsWith(head: Uint8Array, bytes: Signature["bytes"], at = 0): boolean {
  const wanted = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
  return wanted.length > 0 && Array.from(wanted).every((byte, i) => head[at + i] === byte);
}

function text(head: Uint8Array, from: number, to: number): string {
  return Buffer.from(head.subarray(from, to)).toString("latin1");
}

/** WhatsApp plays Opus and nothing else that is in Ogg. */
function oggType(head: Uint8Array): string {
  const page = text(head, 0, 200);
  if (page.includes("OpusHead")) return "audio/ogg";
  return page.includes("\u0001vorbis") ? "audio/x-vorbis+ogg" : UNKNOWN_TYPE;
}

function brandType(brand: string): string {
  if (brand.startsWith("3gp") || brand.startsWith("3g2")) return "video/3gpp";
  if (brand.startsWith("iso")) return "video/mp4";
  return Object.hasOwn(BRANDS, brand) ? (BRANDS[brand] ?? UNKNOWN_TYPE) : UNKNOWN_TYPE;
}

/** Office documents are zip files; the names of their first entries tell which. */
function zipType(head: Uint8Array): string {
  const all = text(head, 0, HEAD_BYTES);
  for (let at = 0; at !== -1; at = all.indexOf("PK\u0003\u0004", at + 4)) {
    const length = (head[at + 26] ?? 0) + 256 * (head[at + 27] ?? 0);
    const name = all.slice(at + 30, at + 30 + length);
    const folder = Object.keys(OFFICE).find((one) => name.startsWith(one));
    if (folder !== undefined) return OFFICE[folder] as string;
  }
  return "application/zip";
}

/** Of whatever alphabet: bytes that a text has no use for are what tells. */
function isText(head: Uint8Array): boolean {
  return (
    head.length > 0 && head.every((byte) => byte >= 0x20 || byte === 9 || byte === 10 || byte === 12 || byte === 13)
  );
}
