/** What WhatsApp takes for formatting marks on one line, and how to keep a literal character from becoming one. */

export type Mark = "*" | "_" | "~";

const SPACE = /\s/u;
const WORD = /[\p{L}\p{N}\p{M}]/u;
const MARK_RUN = /\*+|_+|~+|`+/g;
const ZERO_WIDTH_SPACE = "\u200b";

function isSpace(char: string): boolean {
  return char === "" || SPACE.test(char);
}

/** Letters and digits: a mark that touches one on its outer side is shown as a plain character. */
export function isWordCharacter(char: string): boolean {
  return char !== "" && WORD.test(char);
}

/** The whole code point before `index`, or "" at the start. */
export function characterBefore(text: string, index: number): string {
  if (index <= 0) return "";
  const unit = text.charCodeAt(index - 1);
  return unit >= 0xdc00 && unit <= 0xdfff ? text.slice(Math.max(0, index - 2), index) : text.charAt(index - 1);
}

/** The whole code point at `index`, or "" at the end. */
export function characterAt(text: string, index: number): string {
  const point = text.codePointAt(index);
  return point === undefined ? "" : String.fromCodePoint(point);
}

/** A run of one mark character: `**` opens or closes as a whole. */
export type MarkRun = { readonly start: number; readonly end: number };

export function canOpen(line: string, { start, end }: MarkRun): boolean {
  return !isSpace(characterAt(line, end)) && !isWordCharacter(characterBefore(line, start));
}

export function canClose(line: string, { start, end }: MarkRun): boolean {
  return !isSpace(characterBefore(line, start)) && !isWordCharacter(characterAt(line, end));
}

/** A mark character in a finished line; `isLiteral` when it must be shown as it is. */
type MarkCharacter = { readonly at: number; readonly char: string; readonly isLiteral: boolean; readonly run: MarkRun };

/** Where a line holds text that is ours (marks), the author's (literal), or untouchable (code and URLs). */
export type LineSource = {
  readonly line: string;
  /** Offsets of the marks we put there. */
  readonly ours: ReadonlySet<number>;
  /** Ascending, not overlapping. */
  readonly untouchable: readonly { readonly start: number; readonly end: number }[];
  /** Offsets of `~` that the author escaped; any other `~x~` is GFM's strikethrough and WhatsApp's as well. */
  readonly escaped: ReadonlySet<number>;
};

/**
 * WhatsApp has no escape character, so a literal mark that would find a partner on its line gets U+200B on both sides:
 * outside for clients that want white space or punctuation there, inside for clients that count U+200B as a space. Lone
 * marks stay as they are, so that `2 * 3` and `*nix` can be copied without invisible characters.
 */
export function defuse(source: LineSource): string {
  const { line } = source;
  const unsafe = new Set<number>();
  const characters = markCharacters(source);
  if (!characters.some(({ isLiteral }) => isLiteral)) return line;
  for (const mark of ["*", "_", "~", "`"]) {
    addPairable(
      line,
      characters.filter(({ char }) => char === mark),
      unsafe,
    );
  }
  let result = "";
  let from = 0;
  for (const { at, char, isLiteral } of characters) {
    if (!isLiteral || !unsafe.has(at)) continue;
    result += `${line.slice(from, at)}${ZERO_WIDTH_SPACE}${char}${ZERO_WIDTH_SPACE}`;
    from = at + 1;
  }
  return result + line.slice(from);
}

function markCharacters({ line, ours, untouchable, escaped }: LineSource): MarkCharacter[] {
  const found: MarkCharacter[] = [];
  let next = 0;
  for (const { index: start, 0: text } of line.matchAll(MARK_RUN)) {
    const run = { start, end: start + text.length };
    for (let at = start; at < run.end; at += 1) {
      while ((untouchable[next]?.end ?? Number.POSITIVE_INFINITY) <= at) next += 1;
      if ((untouchable[next]?.start ?? Number.POSITIVE_INFINITY) <= at) continue;
      const char = text.charAt(0);
      if (char === "~" && !ours.has(at) && !escaped.has(at)) continue;
      found.push({ at, char, isLiteral: !ours.has(at), run });
    }
  }
  return found;
}

/**
 * Conservative: a literal opener with any closer after it, a literal closer with any opener before it. Three backticks
 * are always taken apart, for they would pair with a code block further down.
 */
function addPairable(line: string, characters: readonly MarkCharacter[], unsafe: Set<number>): void {
  const lastCloser = characters.findLast(({ run }) => canClose(line, run))?.at ?? -1;
  const firstOpener = characters.find(({ run }) => canOpen(line, run))?.at ?? Number.POSITIVE_INFINITY;
  for (const { at, char, run } of characters) {
    const isPairable = (at < lastCloser && canOpen(line, run)) || (at > firstOpener && canClose(line, run));
    const isFence = char === "`" && run.end - run.start >= 3;
    if (isPairable || isFence) unsafe.add(at);
  }
}
