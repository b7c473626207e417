/** Proves that nothing personal of the originals is left in what was made of them, in whatever way it may be written there. */
import { isMember, isWord, type Kind, kindOf } from "./kinds.ts";
import { isObject, longInteger } from "./lossless-json.ts";
import { CHANGED, FIXED_TEXT, fold, type TextMode, UNSPACED } from "./scrub.ts";
import { shapeText } from "./shape-text.ts";

/** Where something personal is left, and what it is: never the value itself. */
export type Leak = { readonly file: string; readonly path: string; readonly what: string };

export type Original = unknown;
/** A file that was made, to be searched. */
export type Output = { readonly file: string; readonly json: unknown };

type Secrets = {
  /** The last digits of every number. */
  readonly numbers: Set<string>;
  readonly words: Map<string, "a name" | "a word of a text">;
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

const WORD = /[\p{L}\p{M}]+/gu;
const EMAIL = /[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/gu;
/** So many of a number's last digits belong to nobody else. */
const DIGITS = 9;

/**
 * Searches what was made for anything personal of what it was made from; empty when nothing is left.
 * @param text what was done to texts: kept ones are searched for names, numbers and ids only.
 */
export function findLeaks(originals: readonly Original[], outputs: readonly Output[], text: TextMode): readonly Leak[] {
  const secrets: Secrets = {
    numbers: new Set(),
    words: new Map(),
    shortNames: new Set(),
    usernames: new Set(),
    userIds: new Set(),
    values: new Map(),
  };
  for (const original of originals) collect(original, "", "", secrets, text);
  const all: Search = { ...secrets, valuesIn: finderOf(secrets.values) };
  const leaks: Leak[] = [];
  for (const { file, json } of outputs)
    search(json, { member: "", parent: "", path: "" }, (path, what) => leaks.push({ file, path, what }), all);
  return leaks;
}

function collect(json: unknown, member: string, parent: string, secrets: Secrets, mode: TextMode): void {
  if (Array.isArray(json)) for (const item of json) collect(item, member, parent, secrets, mode);
  else if (isObject(json)) for (const [key, value] of Object.entries(json)) collect(value, key, member, secrets, mode);
  else if (typeof json === "string" && json !== "")
    collectValue(longInteger(json) ?? json, kindOf(member, parent), secrets, mode);
  else if (typeof json === "number") collectValue(String(json), kindOf(member, parent), secrets, mode);
}

type Collect = (value: string, secrets: Secrets, mode: TextMode) => void;

function collectValue(value: string, kind: Kind, secrets: Secrets, mode: TextMode): void {
  COLLECT[kind]?.(value, secrets, mode);
}

const whole =
  (what: string, least = 6): Collect =>
  (value, { values }) => {
    if (value.length >= least) values.set(value, what);
  };

const collectText: Collect = (value, secrets, mode) => {
  collectNumbers(value, secrets);
  for (const [email] of value.matchAll(EMAIL)) secrets.values.set(email, "an email address");
  if (mode === "keep") return;
  for (const [word] of value.matchAll(WORD)) {
    const folded = fold(word);
    const stays = shapeText(word) === word || folded === fold(FIXED_TEXT);
    if (word.length > 3 && !stays && !secrets.words.has(folded)) secrets.words.set(folded, "a word of a text");
  }
};

const collectName: Collect = (value, { values, words, shortNames }) => {
  for (const [word] of value.matchAll(WORD))
    if (UNSPACED.test(word)) {
      if (word.length > 1) values.set(word, "a name");
    } else if (word.length > 2) words.set(fold(word), "a name");
    else if (word.length === 2 && /^\p{Lu}/u.test(word)) shortNames.add(word);
};

const collectAddress: Collect = (value, secrets) => {
  if (!/^[A-Z]{2}\./.test(value)) collectNumbers(value, secrets);
  else if (value.length > 4) secrets.userIds.add(value);
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
  vcard(value, secrets, mode) {
    for (const [, name = ""] of value.matchAll(/^(?:FN|N)[^:\n]*:(.*)$/gim)) collectName(name, secrets, mode);
    collectNumbers(value, secrets);
  },
  form(value, secrets, mode) {
    const form = parsed(value);
    if (form === undefined) collectText(value, secrets, mode);
    else collect(form, "form", "", secrets, mode);
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
  filename: (value, secrets, mode) => collectText(value, secrets, mode === "keep" ? "shape" : mode),
};

/** A date is nobody's number. */
function collectNumbers(value: string, { numbers }: Secrets): void {
  for (const [number] of value.matchAll(/\+?\d(?:[ ().\-/]{0,2}\d){6,}/g)) {
    const digits = number.replace(/\D/g, "");
    if (!/^\d{4}[-./]\d\d[-./]\d\d/.test(number)) numbers.add(digits.slice(-DIGITS));
  }
}

const OF_THE_BUSINESS: ReadonlySet<Kind> = new Set<Kind>(["own", "sentence", "system", "vcard"]);
const HOLDS_WORDS: ReadonlySet<Kind> = new Set<Kind>([
  ...OF_THE_BUSINESS,
  ...(["name", "text", "username", "filename", "form", "link", "email", "emoji"] as const),
]);

type Place = { readonly member: string; readonly parent: string; readonly path: string };
type Report = (path: string, what: string) => void;

function search(json: unknown, { member, parent, path }: Place, report: Report, secrets: Search): void {
  if (Array.isArray(json)) {
    for (const [at, item] of json.entries()) search(item, { member, parent, path: `${path}[${at}]` }, report, secrets);
  } else if (isObject(json)) {
    for (const [at, [key, value]] of Object.entries(json).entries()) {
      // Its name could be somebody's number: then its place says where it is.
      const below = `${path}.${isMember(key) ? key : `(member ${at + 1})`}`;
      if (!isMember(key)) searchText(key, "own", (what) => report(below, what), secrets);
      search(value, { member: key, parent: member, path: below }, report, secrets);
    }
  } else if (typeof json === "string" || typeof json === "number") {
    const value = longInteger(String(json)) ?? String(json);
    const kind = kindOf(member, parent);
    const form = kind === "form" ? parsed(value) : undefined;
    const [, name, before, after] = (kind === "system" ? CHANGED.exec(value) : null) ?? [];
    const here = (what: string) => report(path, what);
    if (form !== undefined) search(form, { member: "form", parent: "", path }, report, secrets);
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
  for (const reading of readingsOf(value)) {
    if (hasNumber(reading, secrets.numbers)) found.add("a number");
    for (const what of secrets.valuesIn(reading)) found.add(what);
    for (const [whole] of reading.matchAll(/[\p{L}\p{N}._]+/gu)) {
      const token = whole.replace(/^\.+|\.+$/g, "");
      if (secrets.usernames.has(fold(token))) found.add("a username");
      if (secrets.userIds.has(token)) found.add("a user id");
    }
  }
  // A word of Meta's may be somebody's name as well, and so may letters that stand for others.
  if (HOLDS_WORDS.has(kind) || (kind === "word" && !isWord(value)))
    for (const [word] of value.matchAll(WORD)) {
      const what = secrets.words.get(fold(word));
      if (what === "a name" || (what !== undefined && !OF_THE_BUSINESS.has(kind))) found.add(what);
      if (secrets.shortNames.has(word)) found.add("a name");
    }
  for (const what of found) report(what);
}

/** By their first letters: thousands of ids are looked for in tens of thousands of texts. */
function finderOf(values: ReadonlyMap<string, string>): Search["valuesIn"] {
  const byStart = new Map<string, [string, string][]>();
  const short: [string, string][] = [];
  for (const entry of values) {
    const start = entry[0].slice(0, START);
    if (start.length < START) short.push(entry);
    else byStart.set(start, [...(byStart.get(start) ?? []), entry]);
  }
  return (text) => {
    const found = short.filter(([value]) => text.includes(value)).map(([, what]) => what);
    for (let at = 0; at + START <= text.length; at++)
      for (const [value, what] of byStart.get(text.slice(at, at + START)) ?? [])
        if (text.startsWith(value, at)) found.push(what);
    return found;
  };
}

const START = 5;

function readingsOf(value: string): readonly string[] {
  const decoded = [...value.matchAll(/[A-Za-z0-9+/_-]{12,}={0,2}/g)].map(([run]) =>
    Buffer.from(run, "base64").toString("latin1"),
  );
  return [value, ...(value.includes("%") ? [unescaped(value)] : []), ...decoded];
}

function hasNumber(value: string, numbers: ReadonlySet<string>): boolean {
  const digits = value.replace(/\D/g, "");
  if (numbers.has(digits)) return true;
  for (let at = 0; at + 7 <= digits.length; at++)
    for (let length = 7; length <= DIGITS; length++) if (numbers.has(digits.slice(at, at + length))) return true;
  return false;
}

function unescaped(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function parsed(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
