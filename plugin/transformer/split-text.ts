/** A long WhatsApp text → parts under the limit, each of them readable by itself. */
import { readWhatsApp, type Structure, type Wrap } from "./read-whatsapp.ts";

/** `start` is where the part began in the whole text. */
export type TextPart = { readonly text: string; readonly start: number };

/** A part ends before `end`; the next one begins at `next`, past the white space between them. */
type Cut = { readonly end: number; readonly next: number };
type Window = { readonly start: number; readonly max: number };

/** Room for everything that a cut may have to close: three marks and a code block. */
const CLOSING_ROOM = 8;
/** A part that would be emptier than this is a worse sight than a cut at a lesser place. */
const LEAST_FILL = { paragraph: 0.25, line: 0.5, sentence: 0.5, word: 0.5 } as const;

const SENTENCE_END = /[.!?…。！？]/;
const CJK_SENTENCE_END = /[。！？]/;
// What joins the character before it into one that a reader sees; see UAX #29.
const JOINS_PREVIOUS = /[\p{Grapheme_Extend}\p{M}\p{Emoji_Modifier}\u200d]/u;
const segmenter = new Intl.Segmenter("und", { granularity: "grapheme" });

export function splitText(text: string, limit: number): readonly TextPart[] {
  if (text.trim() === "") return [];
  if (text.length <= limit) return [{ text, start: 0 }];

  const structure = readWhatsApp(text);
  const parts: TextPart[] = [];
  let start = 0;
  let opening = "";
  while (opening.length + text.length - start > limit) {
    const room = Math.max(1, limit - opening.length - CLOSING_ROOM);
    const { end, next } = chooseCut(text, { start, max: start + room }, structure);
    const open = openAt(structure.wraps, end);
    const closing = open.map((wrap) => wrap.close).reverse();
    parts.push({ text: opening + text.slice(start, end) + closing.join(""), start });
    opening = open.map((wrap) => wrap.open).join("");
    start = next;
  }
  parts.push({ text: opening + text.slice(start), start });
  return parts.filter((part) => part.text.trim() !== "");
}

function openAt(wraps: readonly Wrap[], cut: number): readonly Wrap[] {
  return wraps.filter((wrap) => isInside(wrap, cut));
}

function isInside({ start, end, open, close }: Wrap, cut: number): boolean {
  return start + open.length < cut && cut < end - close.length;
}

function chooseCut(text: string, window: Window, structure: Structure): Cut {
  const forbidden = forbiddenIn(window, structure);
  const blocks = structure.wraps.filter(({ open, start, end }) => open === "```\n" && overlaps(window, { start, end }));
  const inBlock = (at: number): boolean => blocks.some((wrap) => isInside(wrap, at));
  const fits: Record<keyof typeof LEAST_FILL, (at: number) => boolean> = {
    paragraph: (at) => text[at] === "\n" && text[at + 1] === "\n" && !inBlock(at),
    line: (at) => text[at] === "\n",
    sentence: (at) => isSentenceEnd(text, at) && !inBlock(at),
    word: (at) => /\s/.test(text.charAt(at)) && !JOINS_PREVIOUS.test(text.charAt(at + 1)),
  };
  const room = text.slice(window.start, window.max);
  const firstText = window.start + room.length - room.trimStart().length;
  const find = (kind: keyof typeof LEAST_FILL, least: number): number | undefined => {
    for (let at = window.max; at > Math.max(firstText, window.start + least); at -= 1) {
      if (!forbidden.has(at) && fits[kind](at)) return at;
    }
    return undefined;
  };
  const size = window.max - window.start;
  for (const kind of ["paragraph", "line", "sentence", "word"] as const) {
    const at = find(kind, size * LEAST_FILL[kind]);
    if (at !== undefined) return cutAt(text, at, inBlock(at));
  }
  const at = find("line", 0) ?? find("word", 0) ?? graphemeEnd(text, window, forbidden);
  return cutAt(text, at, inBlock(at));
}

function overlaps(window: Window, { start, end }: { readonly start: number; readonly end: number }): boolean {
  return start <= window.max && end > window.start;
}

/** Inside URLs that a part could hold, and inside the marks themselves. */
function forbiddenIn(window: Window, { urls, wraps }: Structure): ReadonlySet<number> {
  const forbidden = new Set<number>();
  const forbid = (from: number, to: number): void => {
    for (let at = Math.max(from, window.start); at <= Math.min(to, window.max); at += 1) forbidden.add(at);
  };
  const room = window.max - window.start;
  for (const { start, end } of urls) if (end - start <= room) forbid(start + 1, end - 1);
  for (const { start, end, open, close } of wraps) {
    if (!overlaps(window, { start, end })) continue;
    forbid(start + 1, start + open.length);
    if (close !== "") forbid(end - close.length, end - 1);
  }
  return forbidden;
}

function isSentenceEnd(text: string, at: number): boolean {
  const last = text.charAt(at - 1);
  if (!SENTENCE_END.test(last)) return false;
  return /\s/.test(text.charAt(at)) || (CJK_SENTENCE_END.test(last) && !JOINS_PREVIOUS.test(text.charAt(at)));
}

/** Code keeps its blank lines and indentation, text only its indentation. */
function cutAt(text: string, at: number, isInBlock: boolean): Cut {
  if (isInBlock) return { end: at, next: text[at] === "\n" ? at + 1 : at };
  let next = at;
  while (next < text.length && /\s/.test(text.charAt(next))) next += 1;
  const lineBreak = text.slice(at, next).lastIndexOf("\n");
  return { end: at, next: lineBreak === -1 ? next : at + lineBreak + 1 };
}

/** Nothing but one unbroken word: between two characters as a reader counts them. */
function graphemeEnd(text: string, window: Window, forbidden: ReadonlySet<number>): number {
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
