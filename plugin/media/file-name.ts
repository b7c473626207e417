/** Names that strangers have given: made harmless, and put where a browser looks for them. */

/** Longer ones are refused by file systems. */
const MAX_BYTES = 200;
const DEFAULT = "file";

/** Control characters, what turns a text around or hides in it, and what would lead out of a folder or is none in Windows. */
const UNWANTED =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffd/\\:*?"<>|]|\p{Cn}|\p{Co}|\p{Cs}/gu;

/** One that is sure to fit its type: a saved picture that is called .html would be opened as a page. */
const EXTENSIONS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  "image/jpeg": [".jpg", ".jpeg"],
  "image/png": [".png"],
  "image/webp": [".webp"],
  "image/gif": [".gif"],
  "image/heic": [".heic", ".heif"],
  "audio/aac": [".aac"],
  "audio/amr": [".amr"],
  "audio/mpeg": [".mp3"],
  "audio/mp4": [".m4a", ".mp4"],
  "audio/3gpp": [".3gp"],
  "audio/ogg": [".ogg", ".oga", ".opus"],
  "video/mp4": [".mp4", ".m4v"],
  "video/3gpp": [".3gp"],
  "video/quicktime": [".mov"],
  "application/pdf": [".pdf"],
};

/** @returns a name without a path, for a file of this type. */
export function safeFileName(given: string | null, mime: string): string {
  const cleaned = (given ?? "")
    .normalize("NFC")
    .replaceAll(UNWANTED, "_")
    .replaceAll(/\s+/g, " ")
    .replace(/^[. ]+/, "")
    .replace(/[. ]+$/, "");
  const name = /^_*$/.test(cleaned) ? DEFAULT : cleaned;
  const known = EXTENSIONS[mime];
  const dot = name.lastIndexOf(".");
  const own = dot > 0 && name.length - dot <= 10 ? name.slice(dot) : "";
  const fits = known === undefined || known.includes(own.toLowerCase());
  const [stem, extension] = fits ? [name.slice(0, name.length - own.length), own] : [name, known[0]];
  return `${shortened(stem, MAX_BYTES - Buffer.byteLength(extension))}${extension}`;
}

/** @see https://www.rfc-editor.org/rfc/rfc6266 */
export function contentDisposition(type: "inline" | "attachment", given: string | null, mime: string): string {
  const name = safeFileName(given, mime);
  const ascii = name
    .normalize("NFD")
    .replaceAll(/(?<=[A-Za-z])\p{M}+/gu, "")
    .replaceAll(/[^ -~]/g, "_")
    .replaceAll(/[%"\\]/g, "_");
  const encoded = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return ascii === name ? `${type}; filename="${name}"` : `${type}; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}

/** Whole characters only. */
function shortened(text: string, maxBytes: number): string {
  let bytes = 0;
  let kept = "";
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > maxBytes) break;
    kept += character;
  }
  return kept;
}
