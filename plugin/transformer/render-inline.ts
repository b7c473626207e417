/** Text with emphasis → lines with WhatsApp's marks, put only where WhatsApp will render them. */

import { characterAt, characterBefore, defuse, isWordCharacter } from "../messages/whatsapp-marks.ts";
import type { Inline, Range, Span } from "./read-inline.ts";

/** Something to put between the characters at `at`: a mark of ours, or the author's own `*` that was no emphasis. */
type Insertion = {
  readonly at: number;
  readonly text: string;
  readonly isOpening: boolean;
  readonly isLiteral: boolean;
  readonly level: number;
};

type Line = { readonly start: number; readonly end: number; readonly insertions: Insertion[] };

// Scripts written without spaces: letters around an emphasis there are no sign of arithmetic.
const UNSPACED_SCRIPT =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const DIGIT = /\p{N}/u;

/** One entry per line, without trailing white space. */
export function renderInline(inline: Inline): string[] {
  return placeMarks(inline).map((line) => renderLine(inline, line));
}

/** The same text without any marks, for a monospace block. */
export function renderMonospace(inline: Inline): string {
  const literal = inline.spans.filter((span) => isArithmetic(inline.text, span));
  const stars = literal.flatMap(({ start, end, source }) => [
    { at: start, text: source },
    { at: end, text: source },
  ]);
  return insert(
    inline.text,
    stars.sort((a, b) => a.at - b.at),
  )
    .replace(/\s+/g, " ")
    .trim();
}

function placeMarks(inline: Inline): Line[] {
  const lines = splitLines(inline.text);
  const edges = urlEdges(inline.untouchable);
  const lastEnd = { "*": -1, _: -1, "~": -1 };
  let first = 0;
  for (const span of inline.spans) {
    while (first < lines.length - 1 && (lines[first + 1]?.start ?? 0) <= span.start) first += 1;
    if (isArithmetic(inline.text, span)) {
      lines[first]?.insertions.push(insertion({ span, at: span.start, isOpening: true, isLiteral: true }));
      const last = countUntil(lines, ({ start }) => start > span.end) - 1;
      lines[last]?.insertions.push(insertion({ span, at: span.end, isOpening: false, isLiteral: true }));
      continue;
    }
    for (let index = first; index < lines.length; index += 1) {
      const line = lines[index];
      if (line === undefined || line.start >= span.end) break;
      const { start, end } = hug(inline.text, Math.max(span.start, line.start), Math.min(span.end, line.end));
      // A mark glued to a URL would become part of it, and two marks of a kind side by side are no marks.
      if (start >= end || edges.has(start) || edges.has(end) || lastEnd[span.mark] === start) continue;
      if (start > line.start && isWordCharacter(characterBefore(inline.text, start))) continue;
      if (end < line.end && isWordCharacter(characterAt(inline.text, end))) continue;
      lastEnd[span.mark] = end;
      line.insertions.push(insertion({ span, at: start, isOpening: true, isLiteral: false }));
      line.insertions.push(insertion({ span, at: end, isOpening: false, isLiteral: false }));
    }
  }
  return lines;
}

function insertion(place: { span: Span; at: number; isOpening: boolean; isLiteral: boolean }): Insertion {
  const { span, at, isOpening, isLiteral } = place;
  return { at, text: isLiteral ? span.source : span.mark, isOpening, isLiteral, level: span.level };
}

function splitLines(text: string): Line[] {
  const lines: Line[] = [];
  let start = 0;
  for (const part of text.split("\n")) {
    lines.push({ start, end: start + part.trimEnd().length, insertions: [] });
    start += part.length + 1;
  }
  return lines;
}

function urlEdges(ranges: readonly Range[]): ReadonlySet<number> {
  return new Set(ranges.filter(({ kind }) => kind === "url").flatMap(({ start, end }) => [start, end]));
}

/** WhatsApp wants text, not white space, right inside a mark. */
function hug(text: string, start: number, end: number): { start: number; end: number } {
  const part = text.slice(start, end);
  return { start: end - part.trimStart().length, end: start + part.trimEnd().length };
}

/**
 * `2*3*4` and `x**2 + y**2` are emphasis to CommonMark and arithmetic to everybody else. It has an operand on both sides of
 * its marks, and a digit or a bracket touches one of them, or it does not look like part of one word. With one end free it
 * is emphasis, as in `**10**km`, but that `*Note: 5*6` begins with a star of its own.
 */
function isArithmetic(text: string, { source, start, end }: Span): boolean {
  if (source !== "*" && source !== "**") return false;
  const [before, first] = [characterBefore(text, start), characterAt(text, start)];
  const [last, after] = [characterBefore(text, end), characterAt(text, end)];
  if ((DIGIT.test(before) && DIGIT.test(first)) || (DIGIT.test(last) && DIGIT.test(after))) return true;
  const isStartInWord = isOperand(before) || before === ")";
  const isEndInWord = isOperand(after) || after === "(";
  const isOneWord = !/\s/.test(text.slice(start, end));
  if (isStartInWord && isEndInWord) {
    if (source === "*" || DIGIT.test(before + first + last + after) || first === "(" || last === ")") return true;
    return !isOneWord && isOperand(before) && isOperand(after);
  }
  if (source === "**" || isOneWord) return false;
  return (isStartInWord && isProduct(before, first)) || (isEndInWord && isProduct(last, after));
}

function isProduct(left: string, right: string): boolean {
  return isOperand(left) && isOperand(right) && (DIGIT.test(left) || DIGIT.test(right));
}

function isOperand(char: string): boolean {
  return isWordCharacter(char) && !UNSPACED_SCRIPT.test(char);
}

function renderLine(inline: Inline, line: Line): string {
  const text = inline.text.slice(line.start, line.end);
  const insertions = line.insertions.sort(inOutputOrder).map((one) => ({ ...one, at: one.at - line.start }));
  const shift = shifts(insertions);
  const ours = new Set<number>();
  let added = 0;
  for (const { at, text: mark, isLiteral } of insertions) {
    if (!isLiteral) ours.add(at + added);
    added += mark.length;
  }
  const untouchable = inside(inline.untouchable, line).map(({ start, end }) => {
    const moved = shift(start - line.start);
    return { start: start - line.start + moved, end: end - line.start + moved };
  });
  const escaped = inline.escaped.size === 0 ? inline.escaped : escapedOn(inline, line, shift);
  return defuse({ line: insert(text, insertions), ours, untouchable, escaped });
}

function escapedOn({ escaped }: Inline, { start, end }: Line, shift: (offset: number) => number): ReadonlySet<number> {
  const found = new Set<number>();
  for (let at = start; at < end; at += 1) if (escaped.has(at)) found.add(at - start + shift(at - start));
  return found;
}

/** At one place the inner mark closes first, and everything closes before the outer mark opens. */
function inOutputOrder(a: Insertion, b: Insertion): number {
  if (a.at !== b.at) return a.at - b.at;
  if (a.isOpening !== b.isOpening) return a.isOpening ? 1 : -1;
  return a.isOpening ? a.level - b.level : b.level - a.level;
}

function insert(text: string, insertions: readonly { readonly at: number; readonly text: string }[]): string {
  let result = "";
  let from = 0;
  for (const { at, text: part } of insertions) {
    result += text.slice(from, at) + part;
    from = at;
  }
  return result + text.slice(from);
}

/** How far the insertions move the character at an offset. */
function shifts(insertions: readonly { readonly at: number; readonly text: string }[]): (offset: number) => number {
  const ends: { at: number; total: number }[] = [];
  for (const { at, text } of insertions) ends.push({ at, total: (ends.at(-1)?.total ?? 0) + text.length });
  return (offset) => ends[countUntil(ends, ({ at }) => at > offset) - 1]?.total ?? 0;
}

function inside(ranges: readonly Range[], line: Line): readonly Range[] {
  const first = countUntil(ranges, ({ end }) => end > line.start);
  return ranges.slice(
    first,
    countUntil(ranges, ({ start }) => start >= line.end),
  );
}

/** Bisection, because a paragraph may have thousands of lines and marks: how many come before the first that passes. */
function countUntil<T>(sorted: readonly T[], passes: (one: T) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const one = sorted[middle];
    if (one !== undefined && passes(one)) high = middle;
    else low = middle + 1;
  }
  return low;
}
