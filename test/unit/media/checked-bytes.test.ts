/** Bytes are what was announced, or whoever stores them hears of it after the last one. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Announced, checkBytes } from "../../../plugin/media/checked-bytes.ts";

const ALL = { sizes: [], sums: [], maxBytes: 1_000_000, mime: null } satisfies Announced;
const BYTES = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(20_000, 5)]);
const sum = (encoding: "hex" | "base64", bytes: Uint8Array = BYTES) =>
  createHash("sha256").update(bytes).digest(encoding);

async function* inPieces(bytes: Buffer, size = 1_000, onEnd: () => void = () => undefined): AsyncGenerator<Uint8Array> {
  try {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  } finally {
    onEnd();
  }
}

async function read(source: AsyncIterable<Uint8Array>, announced: Partial<Announced> = {}) {
  const checked = await checkBytes(source, { ...ALL, ...announced });
  const pieces: Uint8Array[] = [];
  for await (const piece of checked.bytes) pieces.push(piece);
  return { bytes: Buffer.concat(pieces), mime: checked.mime, ...checked.seen() };
}

describe("checked bytes", () => {
  it("come through as they are, in whatever pieces, with their size, sum and type", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 9_000 }), async (size) => {
        const seen = await read(inPieces(BYTES, size));

        expect(seen.bytes.equals(BYTES)).toBe(true);
        expect(seen).toMatchObject({ size: BYTES.length, sha256: sum("hex"), mime: "image/jpeg", hasSum: false });
      }),
      { numRuns: 30 },
    );
  });

  it.each([
    ["hex", sum("hex")],
    ["hex in capitals", sum("hex").toUpperCase()],
    ["base64", sum("base64")],
    ["base64url without padding", sum("base64").replaceAll("+", "-").replaceAll("/", "_").replace("=", "")],
  ])("may be announced by a sum in %s", async (_, said) => {
    expect(await read(inPieces(BYTES), { sums: [said, null] })).toMatchObject({ hasSum: true });
    const other = Buffer.concat([BYTES.subarray(0, -1), Buffer.from("x")]);
    await expect(read(inPieces(other), { sums: [null, said] })).rejects.toMatchObject({ why: "sum" });
  });

  it("are taken without a sum where what Meta says is none", async () => {
    expect(await read(inPieces(BYTES), { sums: ["aW52ZW50ZWQ=", ""] })).toMatchObject({ hasSum: false });
  });

  it("that are fewer or more than announced are wrong, and so are none", async () => {
    for (const sizes of [[BYTES.length - 1], [BYTES.length + 1], [null, 3]])
      await expect(read(inPieces(BYTES), { sizes })).rejects.toMatchObject({ why: "length" });
    await expect(read(inPieces(Buffer.alloc(0)))).rejects.toMatchObject({ why: "length" });
    expect(await read(inPieces(BYTES), { sizes: [BYTES.length, null] })).toMatchObject({ size: BYTES.length });
  });

  it("end at the cap, and their source is closed", async () => {
    let isClosed = false;
    const endless = inPieces(BYTES, 1_000, () => {
      isClosed = true;
    });

    await expect(read(endless, { maxBytes: 9_999 })).rejects.toMatchObject({ why: "too large" });
    expect(isClosed).toBe(true);
  });

  it("close their source when nobody reads on", async () => {
    let isClosed = false;
    const { bytes } = await checkBytes(
      inPieces(BYTES, 1_000, () => {
        isClosed = true;
      }),
      ALL,
    );

    for await (const _ of bytes) break;

    expect(isClosed).toBe(true);
  });

  it("that break off break with the same error", async () => {
    const broken = async function* () {
      yield BYTES.subarray(0, 10_000);
      throw new Error("cut off");
    };

    await expect(read(broken())).rejects.toThrow("cut off");
  });
});
