/** Small files made of numbers, for the phone: nothing is downloaded and nobody's picture is shown. */
import { deflateSync } from "node:zlib";
import type { SimulatedFile } from "@omniops/whatsapp/simulator";

type Colour = readonly [number, number, number];

/** What the demo's phone shows at the addresses that the bot sends, which are nobody's. */
export function sampleFile(link: string): SimulatedFile | null {
  switch (/\.(\w+)$/.exec(link)?.[1]) {
    case "jpg":
    case "webp":
      return { bytes: samplePicture(480, 300, link), mime: "image/png" };
    case "ogg":
      return { bytes: sampleSound(3), mime: "audio/wav" };
    case "pdf":
      return { bytes: Buffer.from("%PDF-1.4\n% An empty menu, for the demo.\n%%EOF\n"), mime: "application/pdf" };
    default:
      return null;
  }
}

/** A PNG: a tart on a plate, as far as circles can say so; for a plan, the people whom it is for. */
export function samplePicture(width: number, height: number, name = ""): Uint8Array {
  const plan = /\/(solo|team)\./.exec(name)?.[1];
  const places = plan === "solo" ? [0] : plan === "team" ? [-0.4, 0, 0.4] : null;
  const rows = Buffer.alloc((width * 3 + 1) * height);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) {
      const at = [(x - width / 2) / height, (y - height / 2) / height] as const;
      const [red, green, blue] = places === null ? colourOfTart(...at) : colourOfPeople(places, ...at);
      rows.set([red, green, blue], y * (width * 3 + 1) + 1 + x * 3);
    }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk("IHDR", head),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** A WAV of so many seconds: a low tone that fades. */
export function sampleSound(seconds: number): Uint8Array {
  const rate = 8_000;
  const length = rate * seconds;
  const bytes = Buffer.alloc(44 + length, 128);
  bytes.write("RIFF", 0);
  bytes.writeUInt32LE(36 + length, 4);
  bytes.write("WAVEfmt ", 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(rate, 24);
  bytes.writeUInt32LE(rate, 28);
  bytes.writeUInt16LE(1, 32);
  bytes.writeUInt16LE(8, 34);
  bytes.write("data", 36);
  bytes.writeUInt32LE(length, 40);
  for (let at = 0; at < length; at += 1)
    bytes[44 + at] = 128 + Math.round(60 * (1 - at / length) * Math.sin((2 * Math.PI * 220 * at) / rate));
  return bytes;
}

function colourOfTart(x: number, y: number): Colour {
  const radius = Math.hypot(x, y * 1.25);
  const angle = Math.atan2(y, x);
  if (radius < 0.26) return Math.abs(((angle * 8) / Math.PI) % 2) < 0.12 ? [255, 245, 190] : [250, 214, 92];
  if (radius < 0.31 + 0.012 * Math.sin(angle * 28)) return [196, 140, 74];
  if (radius < 0.42) return [247, 247, 244];
  if (radius < 0.43) return [214, 216, 214];
  return [122, 146, 140];
}

function colourOfPeople(places: readonly number[], x: number, y: number): Colour {
  const isIn = places.some((at) => {
    const isHead = Math.hypot(x - at, y + 0.12) < 0.12;
    return isHead || (y < 0.3 && Math.hypot(x - at, y - 0.3) < 0.2);
  });
  return isIn ? [247, 247, 244] : [122, 146, 140];
}

function chunk(name: string, data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(12 + data.byteLength);
  bytes.writeUInt32BE(data.byteLength, 0);
  bytes.write(name, 4);
  bytes.set(data, 8);
  bytes.writeUInt32BE(sumOf(bytes.subarray(4, 8 + data.byteLength)), 8 + data.byteLength);
  return bytes;
}

/** The check sum of PNG. */
function sumOf(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}
