/** Where `**` may begin and end, beside CommonMark's rule: that one leaves `**注意：**请看` and `**50%**off` as they are. */
import type { Delimiter, MarkdownIt as Parser, StateInline } from "markdown-it";
import { characterAt, characterBefore } from "../messages/whatsapp-marks.ts";

// Letters and punctuation of scripts without spaces, or with particles glued to the word, as in Korean.
const CJK =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\u3001-\u303f\uff01-\uffee]/u;
const PUNCTUATION = /[\p{P}\p{S}]/u;
const OPENING = /[\p{Ps}\p{Pi}]/u;
const SPACE = /^\s?$/u;
const STAR = 0x2a;

/** CommonMark takes punctuation next to a letter for the outside of a word, which is true where words have spaces. */
export function addEmphasisEdges(parser: Parser): void {
  parser.inline.State = class extends parser.inline.State {
    override scanDelims(start: number, canSplitWord: boolean) {
      const scanned = super.scanDelims(start, canSplitWord);
      if (this.src.charCodeAt(start) !== STAR) return scanned;
      const end = start + scanned.length;
      const [before, after] = [characterBefore(this.src, start), end < this.posMax ? characterAt(this.src, end) : ""];
      if (!CJK.test(before) && !CJK.test(after)) return scanned;
      return { can_open: isFree(before, after), can_close: isFree(after, before), length: scanned.length };
    }
  };
  parser.inline.ruler2.after("balance_pairs", "loose_strong", (state) => {
    pairLoose(state, state.delimiters);
    for (const meta of state.tokens_meta) if (meta?.delimiters) pairLoose(state, meta.delimiters);
    return false;
  });
}

/** CommonMark's condition, with CJK punctuation as letters, and CJK letters as good an outside as a space. */
function isFree(outside: string, inside: string): boolean {
  if (SPACE.test(inside)) return false;
  return !isPunctuation(inside) || SPACE.test(outside) || PUNCTUATION.test(outside) || CJK.test(outside);
}

function isPunctuation(char: string): boolean {
  return PUNCTUATION.test(char) && !CJK.test(char);
}

/** `**` that found no partner: one that begins something and the next that ends it in punctuation, glued to a letter. */
function pairLoose(state: StateInline, delimiters: readonly Delimiter[]): void {
  const closers = new Set(delimiters.map(({ end }) => end));
  // One place for each pair that is open: ours must not cross those that are there.
  const waiting: (number | null)[] = [null];
  for (const [i, delimiter] of delimiters.entries()) {
    if (closers.has(i)) waiting.pop();
    else if (delimiter.end >= 0) waiting.push(null);
    else if (isRun(delimiters, i, closers)) {
      const opener = waiting.at(-1) ?? null;
      const isPair = opener !== null && endsWithPunctuation(state, delimiters, i, opener);
      if (isPair) pair(delimiters, opener, i);
      waiting[waiting.length - 1] = isPair ? null : i;
    }
  }
}

/** The first star of exactly two, neither of them taken. */
function isRun(delimiters: readonly Delimiter[], i: number, closers: ReadonlySet<number>): boolean {
  const [one, two] = [delimiters[i], delimiters[i + 1]];
  if (one?.marker !== STAR || one.length !== 2 || two?.marker !== STAR || two.token !== one.token + 1) return false;
  return two.end < 0 && !closers.has(i + 1);
}

/** On one line; `f(**a, **b)` and `("**a", "**b")` are none: what comes before the second begins something itself. */
function endsWithPunctuation(
  { tokens }: StateInline,
  delimiters: readonly Delimiter[],
  closer: number,
  opener: number,
): boolean {
  const [from, to] = [(delimiters[opener]?.token ?? 0) + 2, delimiters[closer]?.token ?? 0];
  const inside = tokens.slice(from, to);
  if (inside.length === 0 || inside.some(({ type }) => type === "softbreak" || type === "hardbreak")) return false;
  const [first, last, next] = [inside[0]?.content ?? "", inside.at(-1)?.content ?? "", tokens[to + 2]?.content ?? ""];
  const end = characterBefore(last, last.length);
  if (/^\s/u.test(first) || !isPunctuation(end) || OPENING.test(end) || !/^[\p{L}\p{N}]/u.test(next)) return false;
  return !/["']/.test(end) || !SPACE.test(characterBefore(last, last.length - 1));
}

function pair(delimiters: readonly Delimiter[], opener: number, closer: number): void {
  const [outer, inner] = [delimiters[opener], delimiters[opener + 1]];
  if (outer === undefined || inner === undefined) return;
  outer.end = closer + 1;
  inner.end = closer;
}
