/** Where two texts differ, word by word, so that a reader need not look for it. Pure. */
import { longestCommon } from "./longest-common.ts";

/** A part of a text, and whether the other text has it too. */
export type Piece = { readonly text: string; readonly isSame: boolean };

/** Words, each kind of space, and every other sign by itself: a mark of formatting is one of those. */
const TOKEN = /[\p{L}\p{N}\p{M}]+|[^\S\n]+|[\s\S]/gu;
/** More words than a message can have are compared as a whole. */
const MOST_TOKENS = 3_000;

/** Both texts in pieces; those that are the same are the same in both. */
export function differingWords(one: string, other: string): readonly [readonly Piece[], readonly Piece[]] {
  const [a, b] = [one.match(TOKEN) ?? [], other.match(TOKEN) ?? []];
  const start = sameAtStart(a, b);
  const end = sameAtStart(a.slice(start).reverse(), b.slice(start).reverse());
  const [left, right] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  const pairs =
    left.length > MOST_TOKENS || right.length > MOST_TOKENS
      ? []
      : longestCommon(left.length, right.length, (i, j) => left[i] === right[j]);
  const inLeft = new Set(pairs.map(([i]) => start + i));
  const inRight = new Set(pairs.map(([, j]) => start + j));
  return [
    pieces(a, (at) => at < start || at >= a.length - end || inLeft.has(at)),
    pieces(b, (at) => at < start || at >= b.length - end || inRight.has(at)),
  ];
}

/** What is the same, as far as it tells a reader where they are. @param around how many characters of it. */
export function shortened(pieces: readonly Piece[], around: number): readonly Piece[] {
  return pieces.map(({ text, isSame }, at) => {
    const [isFirst, isLast] = [at === 0, at === pieces.length - 1];
    const letters = [...text];
    if (!isSame || letters.length <= (isFirst || isLast ? around : 2 * around)) return { text, isSame };
    const head = isFirst ? "" : letters.slice(0, around).join("");
    const tail = isLast ? "" : letters.slice(-around).join("");
    return { text: `${head}…${tail}`, isSame };
  });
}

function sameAtStart(one: readonly string[], other: readonly string[]): number {
  const at = one.findIndex((token, index) => token !== other[index]);
  return at === -1 ? Math.min(one.length, other.length) : at;
}

function pieces(tokens: readonly string[], isSameAt: (at: number) => boolean): readonly Piece[] {
  const joined: { text: string; isSame: boolean }[] = [];
  for (const [at, text] of tokens.entries()) {
    const isSame = isSameAt(at);
    const last = joined.at(-1);
    if (last?.isSame === isSame) last.text += text;
    else joined.push({ text, isSame });
  }
  return joined;
}
