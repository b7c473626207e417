/** Replaces whatever is personal in Meta's JSON, so that what belonged together still does and everything keeps its shape. */
import { isMember, isWord, type Kind, kindOf } from "./kinds.ts";
import { isObject, longInteger, markLongInteger } from "./lossless-json.ts";
import { createPseudonyms } from "./pseudonyms.ts";
import { shapeText } from "./shape-text.ts";

/**
 * What becomes of what people wrote. `shape`: letters and digits are replaced, everything else stays. `keep`: only names,
 * numbers, addresses and ids in it are replaced. `fixed`: it is "Text".
 */
export type TextMode = "keep" | "shape" | "fixed";

/** How people, texts and times are replaced. */
export type ScrubOptions = {
  /** The same salt gives the same stand-ins. Secret: whoever has it can find out a number by trying all of them. */
  readonly salt: string;
  readonly text: TextMode;
  /** Added to every time, in milliseconds; whole seconds. */
  readonly shiftMs?: number;
};

/** Replaces everything personal in JSON, the same by the same, so that relations survive. */
export type Scrubber = {
  /** Takes note of who and what is in it. Everything is learnt before anything is scrubbed. */
  learn(json: unknown): void;
  /** A copy without anything personal. */
  scrub(json: unknown): unknown;
  /** A phone number or user id. */
  address(value: string): string;
  /** Of a message, a number, an account. */
  id(value: string): string;
  businessId(value: string): string;
  /** Every text as it is, without the people in it. */
  withoutPeople(json: unknown): unknown;
  /** The names that were invented so far. */
  names(): readonly string[];
};

export const FIXED_TEXT = "Text";

const WORD = /[\p{L}\p{M}]+/gu;
/** Written without spaces: a name stands in the middle of other letters. */
export const UNSPACED =
  /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Thai}|\p{Script=Lao}|\p{Script=Khmer}/u;
const EMAIL = "[\\p{L}\\p{N}._%+-]+@[\\p{L}\\p{N}-]+(?:\\.[\\p{L}\\p{N}-]+)+";
const MESSAGE_ID = "\\bwa[cm]id\\.[A-Za-z0-9+/_-]+={0,2}";
const USER_ID = "\\b[A-Z]{2}\\.(?:ENT\\.)?(?=[A-Za-z]*\\d)[A-Za-z0-9]{4,128}";
const NUMBER = "\\+?\\d(?:[ ().\\-/]{0,2}\\d){6,}";
const TOKEN = new RegExp(
  `(?<email>${EMAIL})|(?<message>${MESSAGE_ID})|(?<user>${USER_ID})|(?<number>${NUMBER})|[\\p{L}\\p{N}_][\\p{L}\\p{N}\\p{M}_.'’-]*`,
  "gu",
);
const DATE = /^\d{4}[-./]\d\d[-./]\d\d/;
/** Meta's sentence about a new number or user id: who, before, after. */
export const CHANGED = /^User (.+) changed from (\S+) to (\S+)$/su;

/** Makes a scrubber. It learns everything first, then scrubs. */
export function createScrubber({ salt, text: mode, shiftMs = 0 }: ScrubOptions): Scrubber {
  const names = new Set<string>();
  const unspaced = new Set<string>();
  const usernames = new Set<string>();
  const words = new Set<string>();
  const ids = new Map<string, (value: string) => string>();
  const numbers = new Set<string>();
  const pseudonyms = createPseudonyms(salt, (value) => {
    const folded = fold(value);
    return names.has(folded) || words.has(folded) || usernames.has(folded);
  });

  function learn(json: unknown, member = "", parent = ""): void {
    if (Array.isArray(json)) for (const item of json) learn(item, member, parent);
    else if (isObject(json)) for (const [key, value] of Object.entries(json)) learn(value, key, member);
    else if (typeof json === "string" || typeof json === "number") learnValue(String(json), kindOf(member, parent));
  }

  const LEARN: Readonly<Partial<Record<Kind, (value: string) => void>>> = {
    name: learnName,
    address(value) {
      const digits = value.replace(/\D/g, "");
      if (digits.length >= 7) numbers.add(digits);
      else ids.set(value, address);
    },
    username: (value) => void usernames.add(fold(value)),
    id: (value) => void ids.set(value, id),
    "media-id": (value) => void ids.set(value, (one) => pseudonyms.alike("media", one)),
    "business-id": (value) => void ids.set(value, businessId),
    opaque: (value) => void ids.set(value, opaque),
    form(value) {
      const filled = parsed(value);
      if (filled !== undefined) learn(filled, "form");
    },
    vcard(value) {
      for (const [, name = ""] of value.matchAll(/^(?:FN|N)[^:\n]*:(.*)$/gim)) learnName(name);
    },
    system(value) {
      const [, who = ""] = CHANGED.exec(value) ?? [];
      learnName(who);
    },
    text: learnWords,
    filename: learnWords,
  };

  function learnValue(value: string, kind: Kind): void {
    if (value !== "") LEARN[kind]?.(longInteger(value) ?? value);
  }

  function learnWords(value: string): void {
    for (const [word] of value.matchAll(WORD)) words.add(fold(word));
  }

  function learnName(name: string): void {
    for (const [word] of name.matchAll(WORD)) {
      if (UNSPACED.test(word)) unspaced.add(word);
      names.add(fold(word));
    }
  }

  /** Whatever is known of anybody, and whatever looks as if it were. */
  function withoutPeople(value: string): string {
    let rest = value;
    for (const name of unspaced)
      if (name.length > 1 && rest.includes(name)) rest = rest.split(name).join(pseudonyms.nameWord(name));
    return rest.replace(TOKEN, (...args) => {
      const token: string = args[0];
      const groups = args.at(-1) as Readonly<Record<string, string | undefined>>;
      const known = ids.get(token);
      if (known !== undefined && token.length >= 6) return known(token);
      if (groups.email !== undefined) return pseudonyms.email(token);
      if (groups.message !== undefined) return pseudonyms.messageId(token);
      if (groups.user !== undefined) return pseudonyms.address(token);
      if (groups.number !== undefined) return DATE.test(token) ? token : numberIn(token);
      if (usernames.has(fold(token))) return pseudonyms.username(token);
      return token
        .replace(/\d{7,}/g, numberIn)
        .replace(WORD, (word) => (isKnownName(word) ? pseudonyms.nameWord(word) : word));
    });
  }

  /** Somebody's number as it is dialled at home leads to the same stand-in as with its country. */
  function numberIn(token: string): string {
    const digits = token.replace(/\D/g, "");
    if (numbers.has(digits) || !digits.startsWith("0")) return pseudonyms.address(token);
    const whole = [...numbers].find((number) => number.endsWith(digits.slice(1)) && digits.length > 8);
    if (whole === undefined) return pseudonyms.address(token);
    const other = pseudonyms.address(whole).slice(1 - digits.length);
    let at = 0;
    return token.replace(/\d/g, () => `0${other}`[at++] ?? "0");
  }

  /** Two letters are a word of somebody's language as often as a name: then the spelling decides. */
  function isKnownName(word: string): boolean {
    if (!names.has(fold(word))) return false;
    return word.length > 2 || (word.length === 2 && /^\p{Lu}/u.test(word));
  }

  function text(value: string): string {
    if (value.trim() === "") return value;
    if (mode === "fixed") return FIXED_TEXT;
    const rest = withoutPeople(value);
    return mode === "shape" ? shapeText(rest) : rest;
  }

  function name(value: string): string {
    if (value.trim() === "") return value;
    if (!/[\p{L}\p{N}]/u.test(value)) return "🙂";
    return value
      .replace(/\p{N}+/gu, (digits) => pseudonyms.alike("digits", digits).slice(0, digits.length))
      .replace(WORD, (word) =>
        word.length === 1 && !UNSPACED.test(word) ? shapeText(word) : pseudonyms.nameWord(word),
      );
  }

  function address(value: string): string {
    if (value === "") return value;
    return /^[A-Z]{2}\./.test(value) || !/[A-Za-z]/.test(value) ? pseudonyms.address(value) : id(value);
  }

  function id(value: string): string {
    if (value === "") return value;
    if (/^wa[a-z]id\./.test(value)) return pseudonyms.messageId(value);
    if (/^[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]+$/.test(value)) return pseudonyms.address(value);
    const inside = /^[A-Za-z0-9+/_-]{12,}={0,2}$/.test(value) ? Buffer.from(value, "base64").toString("latin1") : "";
    // A group's id is a text in base64 that holds the number of the business.
    if (/^[\x20-\x7e]+$/.test(inside) && /\d{7}/.test(inside)) {
      const other = inside.replace(/\d{7,}/g, (digits) =>
        numbers.has(digits) ? pseudonyms.address(digits) : pseudonyms.alike("digits", digits),
      );
      return Buffer.from(other, "latin1").toString("base64");
    }
    return opaque(value);
  }

  function opaque(value: string): string {
    return value === "" ? value : pseudonyms.alike("opaque", value);
  }

  /** So short an id is a sample of Meta's. */
  function businessId(value: string): string {
    return value.length < 5 ? value : pseudonyms.alike("business", value);
  }

  function form(value: string): string {
    const filled = parsed(value);
    return filled === undefined ? text(value) : JSON.stringify(walk(filled, "form", ""));
  }

  function vcard(value: string): string {
    return value
      .split(/(?<=\n)/)
      .map((line) => {
        const at = line.indexOf(":");
        if (at === -1) return shapeText(withoutPeople(line));
        const head = line.slice(0, at).replace(/\d{7,}/g, numberIn);
        if (/^(?:BEGIN|END|VERSION)$/i.test(head)) return line;
        const rest = line.slice(at + 1);
        return `${head}:${/^(?:FN|N)\b/i.test(head) ? name(rest) : shapeText(withoutPeople(rest))}`;
      })
      .join("");
  }

  function time(value: string): string {
    if (/^\d{10}$/.test(value)) return String(Number(value) + Math.floor(shiftMs / 1000));
    return /^\d{13}$/.test(value) ? String(Number(value) + shiftMs) : value;
  }

  function filename(value: string): string {
    const extension = /\.[A-Za-z0-9]{1,5}$/.exec(value)?.[0] ?? "";
    return `file-${pseudonyms.short("file", value, 6)}${extension}`;
  }

  const BY_KIND: Readonly<Record<Kind, (value: string) => string>> = {
    word: (value) => (value === "" || isWord(value) ? value : text(value)),
    own: withoutPeople,
    sentence: withoutPeople,
    system(value) {
      const [, who, before, after] = CHANGED.exec(value) ?? [];
      if (who === undefined || before === undefined || after === undefined) return text(value);
      return `User ${name(who)} changed from ${address(before)} to ${address(after)}`;
    },
    text,
    name,
    address,
    username: pseudonyms.username,
    id,
    "media-id": (value) => pseudonyms.alike("media", value),
    "business-id": businessId,
    opaque,
    "media-url"(value) {
      const mid = /[?&]mid=(\d+)/.exec(value)?.[1] ?? value.replace(/\D/g, "").slice(0, 15);
      return `https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=${pseudonyms.alike("media", mid || "0")}`;
    },
    link: (value) =>
      mode === "fixed"
        ? "https://example.com/"
        : mode === "shape"
          ? shapeText(withoutPeople(value))
          : withoutPeople(value),
    email: pseudonyms.email,
    time: (value) => (/^\d{10}(\d{3})?$/.test(value) ? time(value) : text(value)),
    coordinate: (value) => (/^-?\d+(\.\d+)?$/.test(value) ? pseudonyms.coordinate(value) : text(value)),
    filename,
    form,
    vcard,
    sdp: () => "v=0\r\n",
    birthday: () => "1990-01-01",
    emoji: (value) => (/[\p{L}]|\d{3}/u.test(value) ? shapeText(value) : value),
  };

  function number(value: number, kind: Kind): number {
    const digits = String(value);
    if (kind === "word" || kind === "own" || /e/i.test(digits)) return kind === "word" || kind === "own" ? value : 0;
    if (kind === "time") return Number(time(digits));
    if (kind === "coordinate") return Number(pseudonyms.coordinate(digits));
    const isSmall = Math.abs(value) < 10_000 && /^-?\d+(\.\d{1,2})?$/.test(digits);
    return isSmall ? value : Number(pseudonyms.alike("number", digits));
  }

  function walk(json: unknown, member: string, parent: string): unknown {
    if (Array.isArray(json)) return json.map((item) => walk(item, member, parent));
    if (isObject(json))
      return Object.fromEntries(Object.entries(json).map(([key, value]) => [keyOf(key), walk(value, key, member)]));
    const kind = kindOf(member, parent);
    if (typeof json === "number") return number(json, kind);
    if (typeof json !== "string") return json;
    const digits = longInteger(json);
    if (digits === null) return BY_KIND[kind](json);
    return kind === "own" || kind === "word" ? json : markLongInteger(pseudonyms.alike("number", digits));
  }

  /** Meta's members are words; a number or a name in such a place is no member of Meta's. */
  function keyOf(key: string): string {
    return isMember(key) ? key : pseudonyms.alike("member", withoutPeople(key));
  }

  return {
    learn: (json) => learn(json),
    scrub: (json) => walk(json, "", ""),
    address,
    id,
    businessId,
    withoutPeople: (json) => mapTexts(json, withoutPeople),
    names: pseudonyms.names,
  };
}

function mapTexts(json: unknown, change: (text: string) => string): unknown {
  if (typeof json === "string") return change(json);
  if (Array.isArray(json)) return json.map((item) => mapTexts(item, change));
  if (!isObject(json)) return json;
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, mapTexts(value, change)]));
}

export function fold(word: string): string {
  return word.toLocaleLowerCase("en");
}

/** Undefined for what is no JSON. */
function parsed(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
