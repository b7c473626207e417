/** Where a formula stands in a text, told from money, shell variables and escaped brackets. */

export type FoundMath = { readonly formula: string; readonly end: number };

/** Beyond this nobody writes a formula, and looking further would cost time for every dollar sign. */
const LONGEST = 600;
const WORD = /[\p{L}\p{N}$\\]/u;
/** What prose and prices do not hold. */
const MATH_SIGN = /[\\^_=<>{}]|[A-Za-z0-9)]\s*[+*/×·-]\s*[A-Za-z0-9(\\]|\d[a-z]|[a-z]\(|\|/;
/** Brackets that an author escaped hold words, dates, and names with an underscore. */
const SURE_SIGN = /[\\^=]|[\p{L}\p{N})]\s[+*/×·-]\s[\p{L}\p{N}(]/u;
const ONE_NAME = /^[A-Za-zα-ωΑ-Ω]'?$/;

const DELIMITERS = [
  { open: "$$", close: "$$" },
  { open: "\\[", close: "\\]" },
  { open: "\\(", close: "\\)" },
  { open: "$", close: "$" },
] as const;

/** The formula that begins at `at`, with its marks. */
export function findMath(text: string, at: number, end: number): FoundMath | undefined {
  const code = text.charCodeAt(at);
  if (code !== 0x24 && code !== 0x5c) return undefined;
  const pair = DELIMITERS.find(({ open }) => text.startsWith(open, at));
  if (pair === undefined) return undefined;
  const start = at + pair.open.length;
  const room = text.slice(start, Math.min(end, start + LONGEST));
  const length = room.indexOf(pair.close);
  if (length <= 0) return undefined;
  const formula = room.slice(0, length);
  const after = start + length + pair.close.length;
  const isMath = pair.open === "$" ? isBetweenDollars(text, { at, after, formula }) : isMarked(pair.open, formula);
  return isMath ? { formula: formula.trim(), end: after } : undefined;
}

/** `$5 and $10` are prices: a formula has no space inside its marks, and no letter or digit outside them. */
function isBetweenDollars(
  text: string,
  { at, after, formula }: { at: number; after: number; formula: string },
): boolean {
  if (/^\s|\s$|\n/.test(formula)) return false;
  if (WORD.test(text.charAt(at - 1)) || WORD.test(text.charAt(after))) return false;
  return isFormula(formula) && !/^[\d.,]+\s*[-–/]\s*$/.test(formula);
}

function isMarked(open: string, formula: string): boolean {
  return open === "$$" ? isFormula(formula.trim()) : SURE_SIGN.test(formula);
}

function isFormula(formula: string): boolean {
  return ONE_NAME.test(formula) || MATH_SIGN.test(formula);
}
