/** Proves that nothing personal of the originals is left in what was made of them, in whatever way it may be written there. */
import { finderOf } from "./finder.ts";
import { withoutInvisible } from "./invisible.ts";
import { isMember, isMetasMember, isWord, type Kind, kindInForm, kindOf, kindsWithin } from "./kinds.ts";
import { isObject, longInteger } from "./lossless-json.ts";
import { isPronoun } from "./names.ts";
import { hiddenIn, readingsOf, textsHiddenIn } from "./readings.ts";
import { CHANGED, FILE_EXTENSION, FIXED_TEXT, INVENTED, type TextMode } from "./scrub.ts";
import { SCHEME, shapeText } from "./shape-text.ts";
import {
  asciiDigits,
  bareFoldings,
  DATE,
  digitsOf,
  EMAIL,
  fold,
  foldings,
  joinedIn,
  LINK_TOKEN,
  numbersIn,
  partsOf,
  UNSPACED,
  UUID,
  WORD,
  wordsOf,
} from "./spelling.ts";
import { isLabel, unfolded, writtenInCard } from "./vcard.ts";

/** Where something personal is left, and what it is: never the value itself. */
export type Leak = { readonly file: string; readonly path: string; readonly what: string };

export type Original = unknown;
/** A file that was made, to be searched. */
export type Output = {
  readonly file: string;
  readonly json: unknown;
  /** Written by the host since, in its own words: those are nobody's, and anybody's name still is. */
  readonly isInOwnWords?: boolean;
};

type Secrets = {
  /** The last digits of every number, or all that there are. */
  readonly numbers: Set<string>;
  readonly words: Map<string, "a name" | "a word of a text">;
  readonly fileWords: Set<string>;
  /** Two letters, in their spelling. */
  readonly shortNames: Set<string>;
  readonly usernames: Set<string>;
  readonly userIds: Set<string>;
  /** To be found anywhere, whatever stands around it. */
  readonly values: Map<string, string>;
};

type Search = Secrets & {
  /** What is in a text of all that may stand anywhere. */
  readonly valuesIn: (text: string) => readonly string[];
};

const IN_TEXTS: readonly (readonly [RegExp, string])[] = [
  [new RegExp(EMAIL, "gu"), "an email address"],
  [new RegExp(UUID, "gu"), "an id"],
  [new RegExp(LINK_TOKEN, "gu"), "a token in an address"],
];
/** Neither a day nor a machine's id is a number, though both hold its digits. */
const NO_NUMBER = new RegExp(`${DATE}|${UUID}`, "gu");
/** So many of a number's last digits belong to nobody else; one with fewer is looked for as a whole. */
const DIGITS = 9;
const LEAST_DIGITS = 7;

/**
 * Searches what was made for anything personal of what it was made from; empty when nothing is left.
 * @param text what was done to texts: kept ones are searched for names, numbers and ids only.
 * @param onStep called once for each original and each output: thousands of them take seconds.
 */
export function findLeaks(
  originals: readonly Original[],
  outputs: readonly Output[],
  text: TextMode,
  onStep: () => void = () => {},
): readonly Leak[] {
  const secrets: Secrets = {
    numbers: new Set(),
    words: new Map(),
    fileWords: new Set(),
    shortNames: new Set(),
    usernames: new Set(),
    userIds: new Set(),
    values: new Map(),
  };
  for (const original of originals) {
    collect(original, "", "", secrets, text);
    onStep();
  }
  const all: Search = { ...secrets, valuesIn: finderOf(secrets.values) };
  const leaks: Leak[] = [];
  for (const { file, json, isInOwnWords = false } of outputs) {
    const report: Report = (path, what) => {
      if (!isInOwnWords || !what.startsWith("a word")) leaks.push({ file, path, what });
    };
    search(json, { member: "", parent: "", path: "" }, report, all);
    onStep();
  }
  return leaks;
}

function collect(
  json: unknown,
  member: string,
  parent: string,
  secrets: Secrets,
  mode: TextMode,
  kindAt = kindOf,
): void {
  if (Array.isArray(json)) for (const item of json) collect(item, member, parent, secrets, mode, kindAt);
  else if (isObject(json))
    for (const [key, value] of Object.entries(json))
      collect(value, key, member, secrets, mode, kindsWithin(member, parent, kindAt));
  else if (typeof json === "string" && json !== "")
    collectValue(longInteger(json) ?? json, kindAt(member, parent), secrets, mode);
  else if (typeof json === "number") collectValue(String(json), kindAt(member, parent), secrets, mode);
}

type Collect = (value: string, secrets: Secrets, mode: TextMode) => void;

function collectValue(value: string, kind: Kind, secrets: Secrets, mode: TextMode): void {
  COLLECT[kind]?.(value, secrets, mode);
}

/** No machine makes an id of them. */
const OTHER_SCRIPT = /[^\P{L}A-Za-z]/u;

const whole =
  (what: string, least = 6): Collect =>
  (value, secrets, mode) => {
    if (value.length >= least) secrets.values.set(value, what);
    if (OTHER_SCRIPT.test(value)) collectText(value, secrets, mode);
  };

const collectText: Collect = (value, secrets, mode) => {
  collectTelling(value, secrets);
  if (mode === "keep") return;
  for (const folded of tellingWords(value.replace(SCHEME, "")))
    if (!secrets.words.has(folded)) secrets.words.set(folded, "a word of a text");
};

/** Without those that a scrubber may leave, or make. */
function tellingWords(text: string): readonly string[] {
  return (text.match(WORD) ?? [])
    .filter((word) => word.length > 3 && shapeText(word) !== word && fold(word) !== fold(FIXED_TEXT))
    .map(fold);
}

const collectName: Collect = (value, secrets) => {
  const { values, words, shortNames } = secrets;
  collectNumbers(value, secrets);
  const all = wordsOf(value);
  for (const word of [...all.filter((one) => !isPronoun(one)), ...joinedIn(all)])
    if (UNSPACED.test(word)) for (const part of partsOf(word)) values.set(part, "a name");
    else if (word.length > 2) for (const folded of foldings(word)) words.set(folded, "a name");
    else if (word.length === 2 && /^\p{Lu}/u.test(word)) shortNames.add(word);
};

const collectAddress: Collect = (value, secrets, mode) => {
  if (/^[A-Z]{2}\.[A-Za-z0-9.]+$/.test(value)) {
    if (value.length > 4) secrets.userIds.add(value);
  } else if (/\p{L}/u.test(value)) collectText(value, secrets, mode);
  else collectNumbers(value, secrets);
};

const COLLECT: Readonly<Partial<Record<Kind, Collect>>> = {
  // What is no word there was taken for a text.
  word(value, secrets, mode) {
    if (!isWord(value)) collectText(value, secrets, mode);
  },
  name: collectName,
  address: collectAddress,
  username(value, { usernames }) {
    if (value.length > 2) usernames.add(fold(value));
  },
  email: whole("an email address", 3),
  id: whole("an id"),
  "media-id": whole("an id of a file"),
  "business-id": whole("an id of the business", 7),
  opaque: whole("a token or checksum"),
  coordinate: whole("a place", 5),
  link: collectText,
  particulars: collectText,
  label(value, secrets, mode) {
    if (!isLabel(value)) collectText(value, secrets, mode);
  },
  sentence: (value, secrets) => collectTelling(value, secrets),
  "media-url"(value, { values }) {
    for (const [, token = ""] of value.matchAll(/[?&](?:mid|hash|[a-z_]*sig\w*)=([\w~-]{8,})/g))
      values.set(token, "an id of a file");
  },
  sdp(value, { values }) {
    for (const [address] of value.matchAll(/\d+(?:\.\d+){3}/g)) values.set(address, "an address in the network");
  },
  vcard(value, secrets, mode) {
    const card = unfolded(value);
    for (const [, name = ""] of card.matchAll(/^(?:[\w-]+\.)?(?:FN|N)(?:;[^:\n]*)?:(.*)$/gim))
      collectName(name, secrets, mode);
    collectTelling(card, secrets);
    collectText(writtenInCard(card), secrets, mode);
  },
  form(value, secrets, mode) {
    const form = parsed(value);
    if (form === undefined) collectText(value, secrets, mode);
    else collect(form, "form", "", secrets, mode, kindInForm);
  },
  system(value, secrets, mode) {
    const [, name, before = "", after = ""] = CHANGED.exec(value) ?? [];
    if (name === undefined) {
      collectText(value, secrets, mode);
      return;
    }
    collectName(name, secrets, mode);
    for (const address of [before, after]) collectAddress(address, secrets, mode);
  },
  text: collectText,
  body: collectText,
  /** Its words are everybody's in a text that was kept. */
  filename(value, secrets) {
    collectTelling(value, secrets);
    for (const folded of tellingWords(value.replace(FILE_EXTENSION, ""))) secrets.fileWords.add(folded);
  },
};

/** Whatever in a text leads to somebody, be the text kept or not. */
function collectTelling(value: string, secrets: Secrets): void {
  collectNumbers(value, secrets);
  const read = withoutInvisible(value);
  for (const [pattern, what] of IN_TEXTS)
    for (const [found] of read.matchAll(pattern))
      for (const reading of readingsOf(found)) secrets.values.set(reading, what);
}

function collectNumbers(value: string, { numbers }: Secrets): void {
  for (const number of numbersIn(withoutInvisible(value).replace(NO_NUMBER, "|")))
    numbers.add(digitsOf(number).slice(-DIGITS));
}

const OF_THE_BUSINESS: ReadonlySet<Kind> = new Set<Kind>(["own", "sentence", "system"]);
const HOLDS_WORDS: ReadonlySet<Kind> = new Set<Kind>([
  ...OF_THE_BUSINESS,
  ...([
    "word",
    "name",
    "text",
    "body",
    "particulars",
    "vcard",
    "label",
    "username",
    "filename",
    "form",
    "link",
    "email",
    "emoji",
  ] as const),
]);

type Place = { readonly member: string; readonly parent: string; readonly path: string };
type Report = (path: string, what: string) => void;

function search(
  json: unknown,
  { member, parent, path }: Place,
  report: Report,
  secrets: Search,
  kindAt = kindOf,
): void {
  if (Array.isArray(json)) {
    for (const [at, item] of json.entries())
      search(item, { member, parent, path: `${path}[${at}]` }, report, secrets, kindAt);
  } else if (isObject(json)) {
    const kindHere = kindsWithin(member, parent, kindAt);
    for (const [at, [key, value]] of Object.entries(json).entries()) {
      const found: string[] = [];
      if (!isMember(key) || (kindHere === kindInForm && !isMetasMember(key)))
        searchText(key, "own", (what) => found.push(what), secrets);
      // Its name could be somebody's, or a number: then its place says where it is.
      const below = `${path}.${isMember(key) && found.length === 0 ? key : `(member ${at + 1})`}`;
      for (const what of found) report(below, what);
      search(value, { member: key, parent: member, path: below }, report, secrets, kindHere);
    }
  } else if (typeof json === "string" || typeof json === "number") {
    const value = longInteger(String(json)) ?? String(json);
    const kind = kindAt(member, parent);
    const form = kind === "form" ? parsed(value) : undefined;
    const [, name, before, after] = (kind === "system" ? CHANGED.exec(value) : null) ?? [];
    const here = (what: string) => report(path, what);
    if (form !== undefined) search(form, { member: "form", parent: "", path }, report, secrets, kindInForm);
    else if (name === undefined) searchText(value, kind, here, secrets);
    else {
      searchText(name, "name", here, secrets);
      searchText(`${before} ${after}`, "address", here, secrets);
    }
  }
}

/** As it stands, and as it would read decoded: a wamid hides a number in base64. */
function searchText(value: string, kind: Kind, report: (what: string) => void, secrets: Search): void {
  const found = new Set<string>();
  const readings = readingsOf(kind === "vcard" ? unfolded(value) : value);
  for (const reading of [...readings, ...hiddenIn(value)]) {
    if (hasNumber(reading, secrets.numbers)) found.add("a number");
    for (const what of secrets.valuesIn(reading)) found.add(what);
    for (const [whole] of reading.matchAll(/[\p{L}\p{N}._]+/gu)) {
      const token = whole.replace(/^\.+|\.+$/g, "");
      if (token.length >= LEAST_HIDDEN || readings.includes(reading))
        if (secrets.usernames.has(fold(token))) found.add("a username");
      if (secrets.userIds.has(token)) found.add("a user id");
    }
  }
  // A word of Meta's may be somebody's name as well, and so may letters that stand for others: those are Latin ones.
  const isTheirs = (kind === "word" && isWord(value)) || (kind === "label" && isLabel(value));
  const holdsWords = !isTheirs && HOLDS_WORDS.has(kind);
  const written = [...(kind === "vcard" ? readings.map(writtenInCard) : readings), ...textsHiddenIn(value)];
  if (holdsWords || OTHER_SCRIPT.test(value))
    for (const [word] of written.flatMap((reading) => [...reading.replace(INVENTED, "").matchAll(WORD)])) {
      if (!holdsWords && !OTHER_SCRIPT.test(word)) continue;
      const known = (folded: string) => secrets.words.get(folded) ?? [];
      const bare = bareFoldings(word).flatMap(known);
      for (const what of [...foldings(word).flatMap(known), ...bare.filter((one) => one === "a name")])
        if (what === "a name" || !OF_THE_BUSINESS.has(kind)) found.add(what);
      if (secrets.shortNames.has(word)) found.add("a name");
      if (kind === "filename" && secrets.fileWords.has(fold(word))) found.add("a word of a file name");
    }
  for (const what of found) report(what);
}

/** A shorter username is among the letters that any bytes make. */
const LEAST_HIDDEN = 7;

/** A long one anywhere among its digits; a short one as all of them, or their end: any id has seven digits of somebody's. */
function hasNumber(value: string, numbers: ReadonlySet<string>): boolean {
  for (const [run] of asciiDigits(value).matchAll(DIGIT_RUNS)) {
    const digits = run.replace(/\D/g, "");
    if (numbers.has(digits) || numbers.has(digits.slice(-LEAST_DIGITS)) || numbers.has(digits.slice(-LEAST_DIGITS - 1)))
      return true;
    for (let at = 0; at + DIGITS <= digits.length; at++) if (numbers.has(digits.slice(at, at + DIGITS))) return true;
  }
  return false;
}

/** Digits with signs between them, and no words. */
const DIGIT_RUNS = /\d(?:[^\p{L}\d]{0,5}\d){6,}/gu;

function parsed(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
