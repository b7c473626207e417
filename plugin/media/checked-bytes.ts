/** Bytes on their way into the store, watched: none too many, and after the last one whether they are what was announced. */
import { createHash } from "node:crypto";
import type { ByteStream } from "../ports.ts";
import { HEAD_BYTES, typeOf } from "./sniff-type.ts";

export type Announced = {
  /** Each that is known must be right: `Content-Length`, `file_size`. */
  readonly sizes: readonly (number | null)[];
  /** SHA-256 in base64 or hex, each that is known. */
  readonly sums: readonly (string | null)[];
  readonly maxBytes: number;
  /** The type, as the sender's WhatsApp says: it decides only where the bytes leave it open. */
  readonly mime: string | null;
};

export type CheckedBytes = {
  /** By the first bytes. */
  readonly mime: string;
  /** To be read once. Throws {@link BytesAreWrong} instead of ending when they are not what was announced. */
  readonly bytes: ByteStream;
  /** Once all are read. `sha256`: hex. */
  seen(): { readonly size: number; readonly sha256: string; readonly hasSum: boolean };
};

export class BytesAreWrong extends Error {
  override readonly name = "BytesAreWrong";
  readonly why: "too large" | "length" | "sum";
  constructor(why: "too large" | "length" | "sum") {
    super(`the bytes are not what was announced: ${why}`);
    this.why = why;
  }
}

/** @param source read from the beginning; its own errors pass through. */
export async function checkBytes(
  source: ByteStream,
  { sizes, sums, maxBytes, mime }: Announced,
): Promise<CheckedBytes> {
  const wanted = sums.map(readSum).filter((sum) => sum !== null);
  const hash = createHash("sha256");
  const pieces = source[Symbol.asyncIterator]();
  let size = 0;
  let sha256 = "";

  async function next(): Promise<Uint8Array | null> {
    const { done, value } = await pieces.next();
    if (done === true) return null;
    size += value.byteLength;
    if (size > maxBytes) {
      await pieces.return?.();
      throw new BytesAreWrong("too large");
    }
    hash.update(value);
    return value;
  }

  const first: Uint8Array[] = [];
  let isOver = false;
  while (!isOver && size < HEAD_BYTES) {
    const piece = await next();
    if (piece === null) isOver = true;
    else first.push(piece);
  }
  const head = Buffer.concat(first);

  async function* rest(): AsyncGenerator<Uint8Array> {
    try {
      if (head.byteLength > 0) yield head;
      while (!isOver) {
        const piece = await next();
        if (piece === null) isOver = true;
        else yield piece;
      }
      // An empty file is what a broken answer looks like; nobody sends one.
      if (size === 0 || sizes.some((said) => said !== null && said !== size)) throw new BytesAreWrong("length");
      sha256 = hash.digest("hex");
      if (wanted.some((sum) => sum !== sha256)) throw new BytesAreWrong("sum");
    } finally {
      if (!isOver) await pieces.return?.();
    }
  }

  return { mime: typeOf(head, mime), bytes: rest(), seen: () => ({ size, sha256, hasSum: wanted.length > 0 }) };
}

/** Webhooks have it in base64, answers in hex; what is neither says nothing. @returns hex. */
function readSum(sum: string | null): string | null {
  if (sum === null) return null;
  if (/^[0-9a-f]{64}$/i.test(sum)) return sum.toLowerCase();
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(sum)) return null;
  return Buffer.from(sum, "base64").toString("hex");
}
