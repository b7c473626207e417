/** Addresses as an AI writes them: which of them Meta can fetch, and what kind of file they end in. */
import type { MediaKind } from "../contract.ts";
import { httpsUrl } from "../messages/text-rules.ts";
import { sanitize } from "./sanitize.ts";

const KIND_OF_EXTENSION: Readonly<Record<string, readonly MediaKind[]>> = {
  jpg: ["image"],
  jpeg: ["image"],
  png: ["image"],
  webp: ["sticker"],
  mp4: ["video", "audio"],
  "3gp": ["video"],
  "3gpp": ["video"],
  mp3: ["audio"],
  ogg: ["audio"],
  opus: ["audio"],
  m4a: ["audio"],
  aac: ["audio"],
  amr: ["audio"],
};
const DOCUMENTS = new Set(
  "pdf doc docx xls xlsx ppt pptx odt ods odp rtf txt csv json xml zip ics epub gif svg heic avif bmp tif tiff mov avi mkv webm wav flac html htm".split(
    " ",
  ),
);

/** Without what no address holds; blank when there is none. */
export function toAddress(url: string | undefined): string {
  return sanitize(url ?? "")
    .replace(/[\n\t]/g, "")
    .trim();
}

export function isHttps(address: string): boolean {
  return httpsUrl(address) === null;
}

/** The file is in the address itself; nobody can read it. */
export function isInlineData(address: string): boolean {
  return /^data:/i.test(address);
}

/** The host's name, the shortest honest label of a link. */
export function hostOf(address: string): string {
  return URL.canParse(address) ? new URL(address).hostname.replace(/^www\./, "") : "";
}

export function filenameOf(address: string): string {
  const name = pathOf(address).split("/").at(-1) ?? "";
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** What the file can be sent as: as asked where its name does not say otherwise; any file can be a document. */
export function kindFor(address: string, asked: MediaKind): MediaKind {
  const extension = /\.([a-z0-9]{2,5})$/i.exec(pathOf(address))?.[1]?.toLowerCase() ?? "";
  if (asked === "document") return asked;
  const kinds = Object.hasOwn(KIND_OF_EXTENSION, extension) ? KIND_OF_EXTENSION[extension] : undefined;
  if (kinds !== undefined) {
    if (kinds.includes(asked)) return asked;
    // A WebP picture is no sticker, and WhatsApp takes it as nothing else.
    return extension === "webp" ? "document" : (kinds[0] ?? asked);
  }
  return DOCUMENTS.has(extension) ? "document" : asked;
}

/** A picture by its name, not only by what somebody calls it. */
export function isPicture(address: string): boolean {
  return isHttps(address) && /\.(?:jpe?g|png)$/i.test(pathOf(address));
}

function pathOf(address: string): string {
  return URL.canParse(address) ? new URL(address).pathname : "";
}
