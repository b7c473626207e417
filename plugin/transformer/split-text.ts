/** A long WhatsApp text → parts under the limit, each of them readable by itself. */
import { readWhatsApp, type Structure, type Wrap } from "../messages/read-whatsapp.ts";
import { characterAt } from "../messages/whatsapp-marks.ts";

/** `start` is where the part began in the whole text. */
export type TextPart = { readonly text: string; readonly start: number };

/** A part ends before `end`; the next one begins at `next`, past the white space between them. */
type Cut = { readonly end: number; readonly next: number };
type Window = { readonly start: number; readonly max: number };

/** Room for everything that a cut may have to close: three marks and a code block. */
const CLOSING_ROOM = 8;
const BLOCK = "```\n";

const PLACES = ["paragraph", "line", "sentence", "word"] as const;
type Place = (typeof PLACES)[number];
/** A part that would be emptier than this is a worse sight than a cut at a lesser place. */
const LEAST_FILL: Readonly<Record<Place, number>> = { paragraph: 0.25, line: 0.5, sentence: 0.5, word: 0.5 };

const SENTENCE_END = /[.!?…。！？]/;
const CJK_SENTENCE_END = /[。！？]/;
// What joins the character before it into one that a reader sees; see UAX #29.
const JOINS_PREVIOUS = /[\p{Grapheme_Extend}\p{M}\p{Emoji_Modifier}\u200d]/u;
const segmenter = new Intl.Segmenter("und", { granularity: "grapheme" });

export function splitText(text: string, limit: number): readonly TextPart[] {
  if (text.trim() === "") return [];
  if (text.length <= limit) return [{ text, start: 0 }];

  const { wraps, urls } = readWhatsApp(text);
  const wrapsNear = follow(wraps);
  const urlsNear = follow(urls);
  const parts: TextPart[] = [];
  let start = 0;
  let opening = "";
  while (opening.length + text.length - start > limit) {
    const window = { start, max: start + Math.max(1, limit - opening.length - CLOSING_ROOM) };
    const near = { wraps: wrapsNear(window), urls: urlsNear(window) };
    const { end, next } = chooseCut(text, window, near);
    const open = openAt(near.wraps, end);
    const closing = open.map((wrap) => wrap.close).reverse();
    parts.push({ text: opening + text.slice(start, end) + closing.join(""), start });
    opening = open.map((wrap) => wrap.open).join("");
    start = next;
  }
  parts.push({ text: opening + text.slice(start), start });
  return parts.filter((part) => part.text.trim() !== "");
}

/** Those of the ranges, sorted by start, that touch a window; each range is looked at once while the window advances. */
function follow<T extends { readonly start: number; readonly end: number }>(
  ranges: readonly T[],
): (window: Window) => readonly T[] {
  let near: T[] = [];
  let next = 0;
  return (window) => {
    near = near.filter(({ end }) => end > window.start);
    for (let range = ranges[next]; range !== undefined && range.start <= window.max; range = ranges[next]) {
      near.push(range);
      next += 1;
    }
    return near;
  };
}

function openAt(wraps: readonly Wrap[], cut: number): readonly Wrap[] {
  return wraps.filter((wrap) => isInside(wrap, cut));
}

function isInside({ start, end, open, close }: Wrap, cut: number): boolean {
  return start + open.length < cut && cut < end - close.length;
}

function chooseCut(text: string, window: Window, structure: Structure): Cut {
  const forbidden = forbiddenIn(window, structure);
  const blocks = structure.wraps.filter(({ open }) => open === BLOCK);
  const inBlock = (at: number): boolean => blocks.some((wrap) => isInside(wrap, at));
  const room = text.slice(window.start, window.max);
  const firstText = window.start + room.length - room.trimStart().length;

  const last: Partial<Record<Place, number>> = {};
  for (let at = window.max; at > firstText && last.paragraph === undefined; at -= 1) {
    if (forbidden.has(at)) continue;
    for (const place of placesAt(text, at)) {
      if (place === "line" || !inBlock(at)) last[place] ??= at;
    }
  }
  const size = window.max - window.start;
  const good = PLACES.find((place) => (last[place] ?? 0) > window.start + size * LEAST_FILL[place]);
  const any = last.line ?? last.word;
  const at = (good === undefined ? any : last[good]) ?? graphemeEnd(text, window, forbidden);
  return cutAt(text, at, inBlock(at));
}

/** What ends here; most characters end nothing, so they are told by their code alone. */
function placesAt(text: string, at: number): readonly Place[] {
  const code = text.charCodeAt(at);
  const last = text.charAt(at - 1);
  if (code === 0x0a) return text.charCodeAt(at + 1) === 0x0a ? ["paragraph", "line"] : ["line"];
  const isBlank = code === 0x20 || (code >= 0xa0 && /\s/.test(text.charAt(at)));
  if (!isBlank) return CJK_SENTENCE_END.test(last) && !JOINS_PREVIOUS.test(characterAt(text, at)) ? ["sentence"] : [];
  if (JOINS_PREVIOUS.test(characterAt(text, at + 1))) return [];
  return SENTENCE_END.test(last) ? ["sentence", "word"] : ["word"];
}

/** Where a window must not be cut. */
type Forbidden = { readonly has: (at: number) => boolean };

/** Inside URLs that a part could hold, and inside the marks themselves. */
function forbiddenIn(window: Window, { urls, wraps }: Structure): Forbidden {
  const room = window.max - window.start;
  // A Set of the places would cost more than all the rest where every other character is a mark.
  const forbidden = new Uint8Array(room + 1);
  const forbid = (from: number, to: number): void => {
    forbidden.fill(1, Math.max(from - window.start, 0), Math.max(Math.min(to, window.max) - window.start + 1, 0));
  };
  for (const { start, end } of urls) if (end - start <= room) forbid(start + 1, end - 1);
  for (const { start, end, open, close } of wraps) {
    forbid(start + 1, start + open.length);
    if (close !== "") forbid(end - close.length, end - 1);
  }
  return { has: (at) => forbidden[at - window.start] === 1 };
}

/** Code keeps its blank lines and indentation, text only its indentation. */
function cutAt(text: string, at: number, isInBlock: boolean): Cut {
  if (isInBlock) return { end: at, next: text[at] === "\n" ? at + 1 : at };
  let next = at;
  // A space that carries an accent is a character of its own.
  while (/\s/.test(text.charAt(next)) && !JOINS_PREVIOUS.test(characterAt(text, next + 1))) next += 1;
  const lineBreak = text.slice(at, next).lastIndexOf("\n");
  return { end: at, next: lineBreak === -1 ? next : at + lineBreak + 1 };
}

/** Nothing but one unbroken word: between two characters as a reader counts them. */
function graphemeEnd(text: string, window: Window, forbidden: Forbidden): number {
  for (let at = window.max; at > window.max - 64 && at > window.start; at -= 1) {
    // Between two ASCII characters there is always a boundary, and finding it is much cheaper than asking for all.
    if (text.charCodeAt(at) < 0x7f && text.charCodeAt(at - 1) < 0x7f && !forbidden.has(at)) return at;
    if (text.charCodeAt(at) >= 0x7f) break;
  }
  let best = window.start;
  for (const { index } of segmenter.segment(text.slice(window.start, window.max + 2))) {
    const at = window.start + index;
    if (at <= window.max && !forbidden.has(at)) best = at;
  }
  if (best > window.start) return best;
  // One character longer than a message (stacked accents): whole code points are the most that can be kept.
  const unit = text.charCodeAt(window.max);
  const cutsPair = unit >= 0xdc00 && unit <= 0xdfff && window.max - 1 > window.start;
  return cutsPair ? window.max - 1 : window.max;
}
