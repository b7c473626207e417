/** Takes people out of texts: whoever is known, and whatever looks like a number, an address or an id of somebody's. */
import { callingCodeOf } from "./calling-codes.ts";
import { readWithoutInvisible, withoutInvisible } from "./invisible.ts";
import { isPronoun } from "./names.ts";
import type { Pseudonyms } from "./pseudonyms.ts";
import { BASE64, textIn } from "./readings.ts";
import {
  bareFoldings,
  DATE,
  digitsOf,
  EMAIL,
  fold,
  foldings,
  isOverLines,
  joinedIn,
  LINK_TOKEN,
  NUMBER,
  NUMBER_OVER_LINES,
  numbersIn,
  partsOf,
  UNSPACED,
  UUID,
  WORD,
  withDigits,
  wordsOf,
} from "./spelling.ts";

/** Everybody and everything that was learnt, and a text without them. */
export type TextCleaner = {
  learnName(name: string): void;
  learnNumber(number: string): void;
  /** Numbers that somebody has written: whose they are, nobody knows. */
  learnTold(text: string): void;
  learnUsername(username: string): void;
  /** An id, and what takes its place wherever it stands. */
  learnId(value: string, replace: (value: string) => string): void;
  knowsNumber(digits: string): boolean;
  isSomebodys(word: string): boolean;
  /** The same text about nobody. Everything is learnt before. */
  clean(text: string): string;
  /** The same for an id that the business has made: of its digits only those that somebody is known by, or has written. */
  cleanOwn(text: string): string;
  number(token: string): string;
};

const MESSAGE_ID = "\\bwa[a-z]id\\.[A-Za-z0-9+/_-]+={0,2}";
const USER_ID = "\\b[A-Z]{2}\\.(?:ENT\\.)?(?=[A-Za-z]*\\d)[A-Za-z0-9]{4,128}";
const USERNAME = "[\\p{L}\\p{N}_]+(?:\\.[\\p{L}\\p{N}_]+)*";
/** What an id may look like: the longer first, because a shorter one can be a part of it. */
const IDS = [
  "[\\p{L}\\p{N}_][\\p{L}\\p{N}_.+/=-]*[\\p{L}\\p{N}_=]",
  "[\\p{L}\\p{N}_.-]+[\\p{L}\\p{N}_]",
  "[\\p{L}\\p{N}]+",
];
const ENCODED = "[\\w.~+-]*(?:%[0-9A-Fa-f]{2}[\\w.~+-]*)+";
/** A shorter id could be any word. */
const LEAST_ID = 6;
/** So many last digits lead to the numbers that may be meant. */
const TAIL = 7;
/** So many belong to nobody else, whatever stands before them. */
const LAST = 9;
/** Digits with any signs between them: of these only a number that is known already is one. */
const SCATTERED = /\p{Nd}(?:[^\p{L}\p{Nd}]{0,5}\p{Nd}){6,}/gu;
const NO_NUMBER = new RegExp(`${DATE}|${UUID}`, "gu");

type Match = { readonly 0: string; readonly index: number };
type Rule = {
  /** In order. */
  readonly matches: (text: string) => Iterable<Match>;
  /** Leaves it to the rules after this one: null. @param written the same with what nobody sees in it. */
  readonly replace: (found: string, written: string) => string | null;
};

export function createTextCleaner(pseudonyms: () => Pseudonyms): TextCleaner {
  const names = new Set<string>();
  const unspaced = new Set<string>();
  const usernames = new Set<string>();
  const ids = new Map<string, (value: string) => string>();
  const numbers = new Set<string>();
  /** The last digits of all numbers that are known, or that somebody has written. */
  const told = new Set<string>();
  const numbersByTail = new Map<string, string[]>();

  const known = (value: string) => (value.length < LEAST_ID ? null : (ids.get(value)?.(value) ?? null));
  const rule = (pattern: string | RegExp, replace: Rule["replace"]): Rule => {
    const all = new RegExp(pattern, "gu");
    return { matches: (text) => text.matchAll(all), replace };
  };
  const byUnspacedName: Rule = { matches: unspacedIn, replace: (name) => pseudonyms().nameWord(name) };
  /** Whose escapes stay, or it were no link any more. */
  const linkToken = (token: string) => encodeURIComponent(pseudonyms().alike("opaque", decodeURIComponent(token)));
  const byScatteredNumber: Rule = { matches: scatteredIn, replace: (_found, written) => number(written) };
  const rulesWith = (decode: Rule["replace"], ofNumbers: readonly Rule[]): readonly Rule[] => [
    // Decoded, or in parts, it would be no token.
    rule(LINK_TOKEN, (token) => (/[%.]/.test(token) ? (known(token) ?? linkToken(token)) : null)),
    rule(ENCODED, decode),
    rule(BASE64, inBase64),
    ...IDS.map((pattern) => rule(pattern, known)),
    rule(EMAIL, (email) => pseudonyms().email(email)),
    rule(MESSAGE_ID, (id) => pseudonyms().messageId(id)),
    rule(UUID, (uuid) => pseudonyms().uuid(uuid)),
    rule(LINK_TOKEN, linkToken),
    ...ofNumbers,
    byScatteredNumber,
    rule(USERNAME, (word) => (usernames.has(fold(word)) ? pseudonyms().username(word) : null)),
    rule(WORD, (word) => (isName(word) ? pseudonyms().nameWord(word) : null)),
  ];
  const RULES = rulesWith(
    (run) => decoded(run, clean),
    [
      rule(USER_ID, (id) => pseudonyms().address(id)),
      rule(DATE, (_date, written) => written),
      rule(NUMBER_OVER_LINES, (found, written) => (isOverLines(found) ? number(written) : null)),
      rule(NUMBER, (_found, written) => number(written)),
    ],
  );
  const RULES_OF_OWN = rulesWith(
    (run) => decoded(run, cleanOwn),
    [rule(NUMBER, (found, written) => (isTold(digitsOf(found)) ? number(written) : written))],
  );

  function clean(text: string): string {
    return cleanBy(RULES, text);
  }

  function cleanOwn(text: string): string {
    return cleanBy(RULES_OF_OWN, text);
  }

  function cleanBy(rules: readonly Rule[], text: string): string {
    const { read, written } = readWithoutInvisible(text);
    const asWritten = (from: number, to: number) => {
      const place = written(from, to);
      return text.slice(place.from, place.to);
    };
    const edits = editsOf([byUnspacedName, ...rules], read, asWritten);
    // Words may be kept apart by nothing that anybody sees: what is left is looked through as it is written, too.
    const rest = (part: string) =>
      withoutInvisible(part) === part ? part : edited(part, editsOf([byUnspacedName, ...rules], part));
    return edited(
      text,
      edits.map(({ from, to, other }) => ({ ...written(from, to), other })),
      read === text ? undefined : rest,
    );
  }

  function decoded(run: string, cleaned: (text: string) => string): string | null {
    const text = unescaped(run);
    const other = text === null ? text : cleaned(text);
    return other === null || other === text ? null : encodeURIComponent(other);
  }

  /** A text in base64, such as a name in an address; null for anything else, and where nobody is in it. */
  function inBase64(run: string): string | null {
    const text = textIn(run);
    const other = text === null ? text : clean(text);
    if (other === null || other === text) return null;
    const isForAddresses = /[-_]/.test(run);
    const encoded = Buffer.from(other).toString(isForAddresses ? "base64url" : "base64");
    return run.endsWith("=") ? encoded : encoded.replace(/=+$/, "");
  }

  /** The longest first: of two that overlap it is the one. */
  function unspacedIn(text: string): readonly Match[] {
    if (!UNSPACED.test(text)) return [];
    const found: Match[] = [];
    for (const name of [...unspaced].sort((one, other) => other.length - one.length))
      for (let index = text.indexOf(name); index >= 0; index = text.indexOf(name, index + name.length))
        if (found.every((one) => one.index + one[0].length <= index || index + name.length <= one.index))
          found.push({ 0: name, index });
    return found.sort((one, other) => one.index - other.index);
  }

  /** A number that is known, however it is taken apart. */
  function* scatteredIn(text: string): Generator<Match> {
    for (const { 0: run, index } of text.matchAll(SCATTERED)) {
      const digits = digitsOf(run);
      const places = [...run.matchAll(/\p{Nd}/gu)].map((digit) => ({
        from: digit.index,
        to: digit.index + digit[0].length,
      }));
      let free = 0;
      for (let end = TAIL; end <= digits.length; end++) {
        const length = lengthAtEnd(digits.slice(free, end), end === digits.length);
        const first = places[end - length];
        if (length === 0 || first === undefined) continue;
        yield { 0: run.slice(first.from, places[end - 1]?.to), index: index + first.from };
        free = end;
      }
    }
  }

  /** How many of the last digits are somebody's number; 0 for none. @param isWhole nothing follows: then it may be short. */
  function lengthAtEnd(digits: string, isWhole: boolean): number {
    const whole = numbersByTail.get(digits.slice(-TAIL))?.find((known) => digits.endsWith(known));
    if (whole !== undefined) return whole.length;
    const lengths = isWhole ? [LAST, TAIL + 1, TAIL] : [LAST];
    return lengths.find((length) => digits.length >= length && told.has(digits.slice(-length))) ?? 0;
  }

  /** However somebody's number is dialled, it leads to the same stand-in. */
  function number(token: string): string {
    const digits = digitsOf(token);
    if (!numbers.has(digits))
      for (const whole of numbersByTail.get(digits.slice(-TAIL)) ?? []) {
        const code = callingCodeOf(whole);
        const rest = whole.slice(code.length);
        const before = digits.slice(0, -rest.length);
        if (digits.endsWith(rest) && new RegExp(`^(?:0{0,2}${code})?0?$`).test(before))
          return withDigits(token, before + pseudonyms().address(whole).slice(code.length));
      }
    return pseudonyms().address(token);
  }

  /** A long number anywhere among the digits, a short one as all of them or their end. */
  function isTold(digits: string): boolean {
    if ([0, TAIL, TAIL + 1].some((last) => told.has(digits.slice(-last)))) return true;
    for (let at = 0; at + LAST <= digits.length; at++) if (told.has(digits.slice(at, at + LAST))) return true;
    return false;
  }

  function isSomebodysName(word: string): boolean {
    return [...foldings(word), ...bareFoldings(word)].some((folded) => names.has(folded));
  }

  /** Two letters are a word of somebody's language as often as a name: then the spelling decides. */
  function isName(word: string): boolean {
    if (!isSomebodysName(word)) return false;
    return word.length > 2 || (word.length === 2 && /^\p{Lu}/u.test(word));
  }

  return {
    learnName(name) {
      const words = wordsOf(name);
      const own = words.filter((word) => !isPronoun(word));
      for (const word of [...own, ...joinedIn(words)]) {
        for (const folded of foldings(word)) names.add(folded);
        if (!UNSPACED.test(word)) continue;
        for (const part of partsOf(word)) {
          unspaced.add(part);
          names.add(fold(part));
        }
      }
    },
    learnNumber(value) {
      const digits = digitsOf(value);
      if (numbers.has(digits)) return;
      numbers.add(digits);
      told.add(digits.slice(-LAST));
      const tail = digits.slice(-TAIL);
      numbersByTail.set(tail, [...(numbersByTail.get(tail) ?? []), digits]);
    },
    learnTold(text) {
      for (const token of numbersIn(withoutInvisible(text).replace(NO_NUMBER, "|")))
        told.add(digitsOf(token).slice(-LAST));
    },
    learnUsername: (username) => void usernames.add(fold(username)),
    learnId: (value, replace) => void ids.set(value, replace),
    knowsNumber: (digits) => numbers.has(digits),
    isSomebodys: (word) => isSomebodysName(word) || usernames.has(fold(word)),
    clean,
    cleanOwn,
    number,
  };
}

type Edit = { readonly from: number; readonly to: number; readonly other: string };

/** Each rule sees only what those before it have left. @param start of this text, in the one that is written. */
function editsOf(
  rules: readonly Rule[],
  text: string,
  written: (from: number, to: number) => string = (from, to) => text.slice(from, to),
  start = 0,
): readonly Edit[] {
  const [first, ...rest] = rules;
  if (first === undefined || text === "") return [];
  const edits: Edit[] = [];
  let at = 0;
  for (const { 0: found, index } of first.matches(text)) {
    const [from, to] = [start + index, start + index + found.length];
    const other = first.replace(found, written(from, to));
    if (other === null) continue;
    edits.push(...editsOf(rest, text.slice(at, index), written, start + at), { from, to, other });
    at = index + found.length;
  }
  return [...edits, ...editsOf(rest, text.slice(at), written, start + at)];
}

/** @param rest what becomes of the parts between. */
function edited(text: string, edits: readonly Edit[], rest = (part: string) => part): string {
  let out = "";
  let at = 0;
  for (const { from, to, other } of edits) {
    out += rest(text.slice(at, from)) + other;
    at = to;
  }
  return out + rest(text.slice(at));
}

function unescaped(run: string): string | null {
  try {
    return decodeURIComponent(run);
  } catch {
    return null;
  }
}
