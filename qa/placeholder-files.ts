/** A small file of each type, in place of what somebody has sent: a recording holds no bytes of anybody. */

const STARTS: Readonly<Record<string, Uint8Array>> = {
  "image/jpeg": Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16]), Buffer.from("JFIF\0")]),
  "image/png": Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
  "image/webp": Buffer.concat([Buffer.from("RIFF"), Buffer.from([88, 0, 0, 0]), Buffer.from("WEBPVP8 ")]),
  "audio/ogg": Buffer.from("OggS\0\x02"),
  "audio/mpeg": Buffer.from("ID3\x03\0"),
  "audio/amr": Buffer.from("#!AMR\n"),
  "audio/mp4": Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from("ftypM4A ")]),
  "video/mp4": Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from("ftypmp42")]),
  "video/3gpp": Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from("ftyp3gp4")]),
  "application/pdf": Buffer.from("%PDF-1.4\n"),
};

/** @param mime with or without parameters. */
export function placeholderFor(mime: string): Uint8Array {
  const start = STARTS[mime.split(";")[0]?.trim().toLowerCase() ?? ""] ?? Buffer.from("placeholder");
  return Buffer.concat([start, Buffer.alloc(64, start === STARTS["audio/mpeg"] ? 0 : 0x20)]);
}
