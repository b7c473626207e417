/** Opus in WebM, as Chromium records it, becomes Opus in Ogg with every packet as it was. */
import { describe, expect, it } from "vitest";
import { oggFromWebm } from "../../../simulator/phone/ogg-opus.js";

const HEAD = Buffer.from("OpusHead\x01\x01\0\0\x80\xbb\0\0\0\0\0", "latin1");

function element(id: string, content: Uint8Array, size = sizeOf(content.length)): Buffer {
  return Buffer.concat([Buffer.from(id, "hex"), size, content]);
}

/** In eight bytes, as recorders write it. */
function sizeOf(length: number): Buffer {
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(2n ** 56n + BigInt(length));
  return size;
}

const UNKNOWN = Buffer.from("01ffffffffffffff", "hex");

function webm(packets: readonly Uint8Array[], size?: Buffer): Uint8Array {
  const blocks = packets.map((packet) =>
    element("a3", Buffer.concat([Buffer.from([0x81, 0, 0, 0x80]), packet]), Buffer.from(smallSize(packet.length + 4))),
  );
  const tracks = element("1654ae6b", element("ae", element("63a2", HEAD)));
  return Buffer.concat([
    element("1a45dfa3", Buffer.from("4282847765626d", "hex")),
    element("18538067", Buffer.concat([tracks, element("1f43b675", Buffer.concat(blocks), size)]), size),
  ]);
}

function smallSize(length: number): readonly number[] {
  return length < 127 ? [0x80 | length] : [0x40 | (length >> 8), length & 0xff];
}

/** Reads it as RFC 3533 says, sums and all. */
function pagesOf(ogg: Uint8Array) {
  const pages = [];
  for (let at = 0; at < ogg.length; ) {
    const view = Buffer.from(ogg.buffer, ogg.byteOffset + at);
    expect(view.toString("latin1", 0, 4)).toBe("OggS");
    const segments = [...view.subarray(27, 27 + view.readUInt8(26))];
    const from = 27 + segments.length;
    const end = from + segments.reduce((sum, one) => sum + one, 0);
    const page = Buffer.from(view.subarray(0, end));
    const sum = page.readUInt32LE(22);
    page.writeUInt32LE(0, 22);
    expect(sum).toBe(sumOf(page));
    const packets: Buffer[] = [];
    let start = from;
    let length = 0;
    for (const segment of segments) {
      length += segment;
      if (segment === 255) continue;
      packets.push(view.subarray(start, start + length));
      start += length;
      length = 0;
    }
    pages.push({
      kind: view.readUInt8(5),
      samples: Number(view.readBigUInt64LE(6)),
      number: view.readUInt32LE(18),
      packets,
    });
    at += end;
  }
  return pages;
}

/** By the book, bit after bit. */
function sumOf(bytes: Uint8Array): number {
  let sum = 0n;
  for (const byte of bytes)
    for (let bit = 7n; bit >= 0n; bit -= 1n) {
      const isOne = ((sum >> 31n) & 1n) !== ((BigInt(byte) >> bit) & 1n);
      sum = ((sum << 1n) & 0xffffffffn) ^ (isOne ? 0x04c11db7n : 0n);
    }
  return Number(sum);
}

/** 20 ms of full band in one frame, and three of them in one packet. */
const short = Buffer.from([0xf8, 1, 2, 3]);
const long = Buffer.concat([Buffer.from([0xfb, 3]), Buffer.alloc(508, 7)]);

describe("a voice note", () => {
  it.each([
    ["whose length is known", undefined],
    ["whose length is not", UNKNOWN],
  ])("%s keeps every packet and its time", (_, size) => {
    const packets = [...Array<Buffer>(100).fill(long), short, Buffer.concat([Buffer.from([0x08]), Buffer.alloc(254)])];

    const pages = pagesOf(oggFromWebm(webm(packets, size)) ?? new Uint8Array());

    expect(pages[0]).toMatchObject({ kind: 2, samples: 0, packets: [HEAD] });
    expect(pages[1]?.packets.map(String)).toEqual([expect.stringMatching(/^OpusTags/)]);
    expect(pages.slice(2).flatMap((page) => page.packets)).toEqual(packets);
    expect(pages.map(({ number }) => number)).toEqual(pages.map((_page, index) => index));
    expect(pages.slice(1).map(({ kind }) => kind)).toEqual([...Array(pages.length - 2).fill(0), 4]);
    // 100 packets of three frames of 20 ms, one of 20 ms, one of 20 ms of speech, at 48 kHz.
    expect(pages.at(-1)?.samples).toBe(100 * 2_880 + 960 + 960);
    expect(pages.length).toBeGreaterThan(3);
  });

  it("is none where there is no Opus", () => {
    expect(oggFromWebm(new Uint8Array())).toBeNull();
    expect(oggFromWebm(webm([]))).toBeNull();
    expect(oggFromWebm(Buffer.from("RIFF and something else that is no WebM"))).toBeNull();
  });
});
