/** Opus as browsers record it, in WebM → Opus as WhatsApp has it, in Ogg. The sound itself is not touched. @see https://www.rfc-editor.org/rfc/rfc7845 */

/** Elements that only hold others: Segment, Cluster, Tracks, TrackEntry, BlockGroup. */
const MASTERS = [0x18538067, 0x1f43b675, 0x1654ae6b, 0xae, 0xa0];
const CODEC_PRIVATE = 0x63a2;
const BLOCKS = [0xa3, 0xa1];
/** Track, time and flags stand before what a block holds. */
const BLOCK_HEAD = 4;
const FIRST = 2;
const LAST = 4;
const MOST_SEGMENTS = 255;

/**
 * @param {Uint8Array} webm
 * @returns {Uint8Array<ArrayBuffer> | null} null: there is no Opus in it
 */
export function oggFromWebm(webm) {
  const { head, packets } = read(webm);
  if (head === null || packets.length === 0) return null;
  const pages = [
    pageOf([head], { kind: FIRST, samples: 0, number: 0 }),
    pageOf([TAGS], { kind: 0, samples: 0, number: 1 }),
  ];
  let samples = 0;
  /** @type {Uint8Array[]} */
  let together = [];
  for (const [index, packet] of packets.entries()) {
    together.push(packet);
    samples += samplesIn(packet);
    const next = packets[index + 1];
    if (next !== undefined && segmentsOf([...together, next]).length <= MOST_SEGMENTS) continue;
    pages.push(pageOf(together, { kind: next === undefined ? LAST : 0, samples, number: pages.length }));
    together = [];
  }
  return joined(pages);
}

const TAGS = new TextEncoder().encode("OpusTags\x05\0\0\0phone\0\0\0\0");

/** @param {Uint8Array} webm */
function read(webm) {
  /** @type {Uint8Array | null} */
  let head = null;
  /** @type {Uint8Array[]} */
  const packets = [];
  let at = 0;
  while (at < webm.length) {
    const id = numberAt(webm, at, { keepsLength: true });
    const size = numberAt(webm, at + id.length, { keepsLength: false });
    const from = at + id.length + size.length;
    // What is in it is read as if it stood here, so that nobody has to know where it ends.
    at = MASTERS.includes(id.value) ? from : from + size.value;
    if (id.value === CODEC_PRIVATE) head = webm.subarray(from, at);
    if (BLOCKS.includes(id.value)) packets.push(webm.subarray(from + BLOCK_HEAD, at));
  }
  const isOpus = head !== null && new TextDecoder().decode(head.subarray(0, 8)) === "OpusHead";
  return { head: isOpus ? head : null, packets };
}

/**
 * EBML's numbers say in their first byte how long they are.
 * @param {Uint8Array} bytes
 * @param {number} at
 * @param {{ readonly keepsLength: boolean }} how an id keeps the mark of its length, a size does not
 */
function numberAt(bytes, at, { keepsLength }) {
  const first = bytes[at] ?? 0;
  const length = Math.clz32(first) - 23;
  let value = keepsLength ? first : first & (0xff >> length);
  for (let index = 1; index < length; index += 1) value = value * 256 + (bytes[at + index] ?? 0);
  return { value, length };
}

/** At 48 kHz. @param {Uint8Array} packet @see https://www.rfc-editor.org/rfc/rfc6716#section-3.1 */
function samplesIn(packet) {
  const [toc = 0, frames = 0] = packet;
  const config = toc >> 3;
  const sizes = config < 12 ? [480, 960, 1920, 2880] : config < 16 ? [480, 960] : [120, 240, 480, 960];
  const count = [1, 2, 2, frames & 63][toc & 3] ?? 1;
  return (sizes[config % sizes.length] ?? 960) * count;
}

/**
 * @param {readonly Uint8Array[]} packets
 * @param {{ readonly kind: number, readonly samples: number, readonly number: number }} about `samples`: up to its end
 */
function pageOf(packets, { kind, samples, number }) {
  const segments = segmentsOf(packets);
  const head = new Uint8Array(27);
  const view = new DataView(head.buffer);
  head.set(new TextEncoder().encode("OggS"));
  head[5] = kind;
  view.setBigUint64(6, BigInt(samples), true);
  view.setUint32(14, 1, true);
  view.setUint32(18, number, true);
  head[26] = segments.length;
  const page = joined([head, Uint8Array.from(segments), ...packets]);
  new DataView(page.buffer).setUint32(22, sumOf(page), true);
  return page;
}

/** 255 for as long as a packet goes on, and less where it ends. @param {readonly Uint8Array[]} packets */
function segmentsOf(packets) {
  return packets.flatMap(({ length }) => [...Array(Math.floor(length / 255)).fill(255), length % 255]);
}

/** @param {Uint8Array} page with zeros where the sum will stand */
function sumOf(page) {
  let sum = 0;
  for (const byte of page) {
    sum ^= byte << 24;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum << 1) ^ (sum < 0 ? 0x04c11db7 : 0);
  }
  return sum >>> 0;
}

/** @param {readonly Uint8Array[]} parts */
function joined(parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
