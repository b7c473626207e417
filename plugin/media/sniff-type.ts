/** The first bytes of a file → its type, from a closed list. */
export function sniffType(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString("latin1");
  if (text.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (text.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
  if (text.startsWith("GIF8")) return "image/gif";
  if (text.startsWith("RIFF") && text.slice(8, 12) === "WEBP") return "image/webp";
  if (text.startsWith("OggS")) return "audio/ogg";
  if (text.startsWith("ID3")) return "audio/mpeg";
  if (text.slice(4, 8) === "ftyp") return "video/mp4";
  if (text.startsWith("%PDF-")) return "application/pdf";
  return "application/octet-stream";
}
