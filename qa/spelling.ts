/** In how many ways one number or name is written: digits of other scripts, marks on letters, capitals, words in one. */
import { bothReadings } from "./invisible.ts";

/** A digit of any script, be it on the cap of a key. */
const DIGIT = "\\p{Nd}\\ufe0f?\\u20e3?";
/** For a character class: what people put between the digits of a number, and marks of direction that phones add. */
const BETWEEN = " \\t\\p{Zs}()*\\u00b7.\\-/\\u2010-\\u2015\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u2069";
/**
 * Between a few digits and a few more, or between two halves; what is between two whole numbers parts them, and a colon is
 * mostly a time's.
 */
const BETWEEN_FEW =
  "(?<=(?<!\\p{Nd})\\p{Nd}{1,4})[,_](?=\\p{Nd}{1,4}(?!\\p{Nd}))|(?<=\\p{Nd}{3}):(?=\\p{Nd}{3})|(?<=(?<!\\p{Nd})\\p{Nd}{5,6})[,_] ?(?=\\p{Nd}{5,6}(?!\\p{Nd}))";
const MORE_DIGITS = `(?:[${BETWEEN}]{0,3}|${BETWEEN_FEW})${DIGIT}`;

/** Seven digits or more, with at most three signs between two of them. */
export const NUMBER = `\\+?${DIGIT}(?:${MORE_DIGITS}){6,}`;
/** The same where a line ends within it, dialled as it begins: {@link isOverLines} tells whether it is one. */
export const NUMBER_OVER_LINES = `(?:\\+|(?<!\\p{Nd})(?=0))${DIGIT}(?:${MORE_DIGITS}|[ \\t*]{0,2}\\r?\\n[ \\t*]{0,2}(?![+0])${DIGIT})*`;
/** More digits has nobody's number, and so many on one line are one. */
const MOST_DIGITS = 15;
const WHOLE = 9;

/** @param found what {@link NUMBER_OVER_LINES} has found. */
export function isOverLines(found: string): boolean {
  const digits = digitsOf(found).length;
  const isLong = digits >= WHOLE && digits <= MOST_DIGITS;
  const lines = found.split("\n");
  return isLong && lines.length > 1 && lines.every((line) => digitsOf(line).length < WHOLE);
}

const NUMBERS = new RegExp(NUMBER, "gu");
const NUMBERS_OVER_LINES = new RegExp(NUMBER_OVER_LINES, "gu");

/** Every number that is written in a text, as it is written. */
export function numbersIn(text: string): readonly string[] {
  const over = [...text.matchAll(NUMBERS_OVER_LINES)].map(([found]) => found).filter(isOverLines);
  return [...over, ...[...text.matchAll(NUMBERS)].map(([found]) => found)];
}

/** A day of these centuries, with its time if there is one: nobody's number. */
export const DATE =
  "(?<!\\d)(?:19|20)\\d\\d(?<point>[-./])(?:0[1-9]|1[0-2])\\k<point>(?:0[1-9]|[12]\\d|3[01])(?![-./]?\\d)(?:[T ]\\d\\d:\\d\\d(?::\\d\\d(?:\\.\\d+)?)?)?";
/** Begun where its letters begin: else each of a long word's would be tried. */
export const EMAIL = "(?<![\\p{L}\\p{N}._%+-])[\\p{L}\\p{N}._%+-]+@[\\p{L}\\p{N}-]+(?:\\.[\\p{L}\\p{N}-]+)+";
/** What is made by a machine, a new one each time. */
export const UUID = "\\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\\b";
const TOKEN = "(?=[\\w~-]*\\d)[\\w~-]{14,}";
/** Signatures in base64 have such in them; a text, its spaces. */
const ESCAPE = "%(?:2[BFbf]|3[Dd])";
/** With letters of both kinds and a digit: the parts of a path have seldom all three. */
const SIGNATURE = `(?=[\\w~-]*%)(?=(?:${ESCAPE}|[A-Za-z_~-])*\\d)(?=(?:${ESCAPE}|[\\da-z_~-])*[A-Z])(?=(?:${ESCAPE}|[\\dA-Z_~-])*[a-z])(?:${ESCAPE}|[\\w~-]){14,}`;
/** A value in an address that no person has thought of: a click's, a session's, a signature; of a JWT all three parts. */
export const LINK_TOKEN = `(?<=[?&#][\\w.-]{1,40}=)(?:${SIGNATURE}|(?:[\\w~-]+\\.)*${TOKEN}(?:\\.[\\w~-]+)*)`;
export const WORD = /[\p{L}\p{M}]+/gu;

/** Every word in a name: what nobody sees in it may part two of them, or stand within one. */
export function wordsOf(name: string): readonly string[] {
  return bothReadings(name).flatMap((reading) => reading.match(WORD) ?? []);
}
/** Written without spaces, or with endings: a name stands in the middle of other letters. */
export const UNSPACED =
  /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Script=Thai}|\p{Script=Lao}|\p{Script=Khmer}/u;

const ANY_DIGIT = /\p{Nd}/gu;
/** Letters that no decomposition turns into a plain one. */
const PLAIN: Readonly<Record<string, string>> = { ø: "o", ł: "l", đ: "d", ß: "ss", æ: "ae", œ: "oe", ı: "i" };
/** As whoever has no such key writes them. */
const WRITTEN_OUT: Readonly<Record<string, string>> = { ä: "ae", ö: "oe", ü: "ue", ø: "oe", å: "aa" };
/** Accents, the short vowels and the hamza of Arabic, and the line that stretches its words. */
const MARKS = /[\u0300-\u036f\u064b-\u065f\u0670\u0640]/g;
/** Of more words nobody makes one. */
const MOST_JOINED = 6;

/** Every digit as 0 to 9, the rest as it is. */
export function asciiDigits(text: string): string {
  return text.replace(ANY_DIGIT, (digit) => String((digit.codePointAt(0) ?? 0) - zeroOf(digit)));
}

/** Only the digits, as 0 to 9. */
export function digitsOf(text: string): string {
  return asciiDigits(text).replace(/\D/g, "");
}

/** Other digits in the place and script of those in a text. @param digits as many as there are in it. */
export function withDigits(text: string, digits: string): string {
  let at = 0;
  return text.replace(ANY_DIGIT, (digit) => String.fromCodePoint(zeroOf(digit) + Number(digits[at++] ?? 0)));
}

/** Alike for every spelling of a word: `Núñez`, `nunez`, `NUÑEZ`. */
export function fold(word: string): string {
  const plain = word.normalize("NFKD").toLocaleLowerCase("en").replace(MARKS, "");
  return plain.replace(/[øłđßæœı]/g, (letter) => PLAIN[letter] ?? letter);
}

/** Of two spellings of a word one at least is alike: `Müller` is also `mueller`. */
export function foldings(word: string): readonly string[] {
  const plain = word.normalize("NFC").toLocaleLowerCase("en");
  const written = plain.replace(/[äöüøå]/g, (letter) => WRITTEN_OUT[letter] ?? letter);
  return written === plain ? [fold(word)] : [fold(word), fold(written)];
}

/** German and Swedish say whose it is by an s; of three letters only a capital tells it from a word. */
const GENITIVE = /^(?=\p{Script=Latin})(\p{Lu}\p{L}{2}|\p{L}{4,})[sS]$/u;
/** What Arabic and Hebrew write in one with a name: and, to, in, of, as. */
const PREFIXED = /^[\u0648\u0641\u0628\u0644\u0643\u05d5\u05d4\u05d1\u05db\u05dc\u05de\u05e9](?=\p{L}{3})/u;

/** Of a word in a text, what it may be without what languages put to a name. */
export function bareFoldings(word: string): readonly string[] {
  const [, owner] = GENITIVE.exec(word.normalize("NFC")) ?? [];
  const whole = fold(word);
  const once = whole.replace(PREFIXED, "");
  const bare = [once, once.replace(PREFIXED, "")].filter((rest) => rest !== whole);
  return owner === undefined ? bare : [...foldings(owner), ...bare];
}

/** Words of a name that follow each other, in one, or the family's before the others: handles and hashtags have no space. */
export function joinedIn(words: readonly string[]): readonly string[] {
  return [words, [...words.slice(-1), ...words.slice(0, -1)]]
    .flatMap((order) =>
      order.flatMap((_, from) =>
        Array.from({ length: MOST_JOINED - 1 }, (_, more) => order.slice(from, from + more + 2)).filter(
          (run, more) => run.length === more + 2,
        ),
      ),
    )
    .map((run) => run.join(""))
    .filter((joined) => joined.length > 2);
}

/** What is looked for in the middle of other letters: an unspaced name, and what friends or strangers say of it. */
export function partsOf(name: string): readonly string[] {
  const whole = name.normalize("NFC");
  const parts = [whole, ...(whole.match(/\p{Script=Han}{2,}/gu) ?? [])].flatMap((part) => {
    const letters = [...part];
    const [family, given] = [letters.slice(0, 2).join(""), letters.slice(-2).join("")];
    // How long the family's name is, nobody knows: in Chinese mostly one, in Japanese mostly two.
    if (/^\p{Script=Han}{3,4}$/u.test(part)) return [part, family, given];
    return /^\p{Script=Hangul}{3,4}$/u.test(part) ? [part, given] : [part];
  });
  const long = parts.filter((part) => part.length > 1);
  return [...new Set(long.flatMap((part) => [part, part.normalize("NFD")]))];
}

/** Unicode has the ten of each script in a row, from the zero on; of the mathematical ones five times ten. */
function zeroOf(digit: string): number {
  const code = digit.codePointAt(0) ?? 0;
  let first = code;
  while (/^\p{Nd}$/u.test(String.fromCodePoint(first - 1))) first--;
  return code - ((code - first) % 10);
}
