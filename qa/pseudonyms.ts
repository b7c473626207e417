/** Stand-ins for what is personal: the same for the same original and salt, and never the same for two. */
import { createHmac } from "node:crypto";
import { callingCodeOf } from "./calling-codes.ts";
import { namesFor } from "./names.ts";
import { shapeText } from "./shape-text.ts";
import { digitsOf, fold, UUID, withDigits } from "./spelling.ts";

/** Digits and letters that follow from the salt and an original, and lead back to neither. */
type Source = {
  /** From 0 up to, not including, the limit. */
  below(limit: number): number;
  digits(count: number): string;
  hex(count: number): string;
};

export type Pseudonyms = {
  /** A phone number in any spelling, or a user id: what is between its digits stays. */
  address(value: string): string;
  /** One word of a name. */
  nameWord(word: string): string;
  username(value: string): string;
  email(value: string): string;
  /** Of a message or a call; the number in it becomes that number's stand-in. */
  messageId(value: string): string;
  uuid(value: string): string;
  /** Digit for digit, letter for letter; those of other scripts, which no machine makes, become the same one. */
  alike(kind: string, value: string): string;
  /** `51.5007` → another place; as many digits. */
  coordinate(value: string): string;
  /** One of a list, for what is kept neither whole nor in part. */
  short(kind: string, value: string, length: number): string;
  /** The words of names that were made. */
  names(): readonly string[];
};

const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER = UPPER.toLowerCase();
const USER_ID = /^[A-Z]{2}\.(?:ENT\.)?(?=[A-Za-z0-9])/;
/** Letters, or digits that nobody dials. */
const HOLDS_WORDS = /[\p{L}\p{Nl}\p{No}]/u;
const A_UUID = new RegExp(`^${UUID}$`);
/** So many tries find a free one wherever there is room; where there is none it grows. */
const TRIES = 40;
/** So many find one that is nobody's, unless all of them are somebody's: then no letter stays. */
const MOST_TRIES = 1000;

/**
 * @param salt secret: whoever has it can find out a number by trying all of them.
 * @param isReal what may not be made, because it is somebody's.
 */
export function createPseudonyms(salt: string, isReal: (value: string) => boolean = () => false): Pseudonyms {
  const made = new Map<string, string>();
  const owners = new Map<string, string>();

  /** Each space has its own originals; `build` is asked again while what it makes belongs to another. */
  function standIn(space: string, original: string, build: (source: Source) => string): string {
    const key = `${space}\u0000${original}`;
    const known = made.get(key);
    if (known !== undefined) return known;
    for (let attempt = 0; ; attempt++) {
      const built = build(sourceOf(salt, key, attempt));
      const isNobodys = attempt < MOST_TRIES ? !isReal(built) : true;
      const free = attempt < MOST_TRIES ? built : shapeText(built);
      const candidate = attempt < TRIES ? built : `${free}${attempt - TRIES}`;
      const owned = `${space}\u0000${candidate}`;
      if (candidate === original || owners.has(owned) || !isNobodys || isReal(candidate)) continue;
      owners.set(owned, key);
      made.set(key, candidate);
      return candidate;
    }
  }

  /** The country stays and so does the length. The rest begins with 0, as no number abroad does: nobody is called by mistake. */
  function phoneDigits(digits: string): string {
    const code = callingCodeOf(digits);
    const rest = digits.length - code.length;
    return standIn("phone", digits, (source) => `${code}0${source.digits(Math.max(rest - 1, 4))}`);
  }

  function alike(kind: string, value: string): string {
    if (A_UUID.test(value)) return pseudonyms.uuid(value);
    const isShort = value.replace(/[^A-Za-z0-9]/g, "").length < 4;
    return standIn(kind, value, (source) => {
      const same = value.replace(/[A-Za-z0-9]|[^\0-\x7f]+/g, (character) => {
        if (!/^[A-Za-z0-9]/.test(character)) return shapeText(character);
        if (/\d/.test(character)) return source.digits(1);
        const letters = /[A-Z]/.test(character) ? UPPER : LOWER;
        return letters[source.below(26)] ?? character;
      });
      if (!isShort) return same;
      return /^\d+$/.test(value) ? `${same}${source.digits(6)}` : `${same}${source.hex(6)}`;
    });
  }

  const pseudonyms: Pseudonyms = {
    address(value) {
      const prefix = USER_ID.exec(value)?.[0];
      if (prefix !== undefined) return `${prefix}${alike("user", value.slice(prefix.length).padEnd(8, "0"))}`;
      const digits = digitsOf(value);
      if (digits.length < 5 || HOLDS_WORDS.test(value)) return alike("address", value);
      const other = phoneDigits(digits);
      return other.length === digits.length ? withDigits(value, other) : other;
    },
    nameWord(word) {
      const names = namesFor(word);
      const name = standIn("name", fold(word), (source) => names[source.below(names.length)] ?? "Alba");
      const isSmall = word === word.toLocaleLowerCase("en") && word !== word.toLocaleUpperCase("en");
      return isSmall ? name.toLocaleLowerCase("en") : name;
    },
    username: (value) => standIn("username", value.toLowerCase(), (source) => `u${source.hex(9)}`),
    email: (value) =>
      standIn(
        "email",
        value.toLowerCase(),
        (source) => `mail-${source.hex(8)}@example.${value.length > 40 ? "org" : "com"}`,
      ),
    messageId(value) {
      const [, prefix = "wamid."] = /^([a-z]+\.)/.exec(value) ?? [];
      const inside = Buffer.from(value.slice(prefix.length), "base64").toString("latin1");
      const number = /\d{7,15}/.exec(inside)?.[0];
      return standIn("message", value, (source) => {
        const digits = number === undefined ? source.digits(12) : phoneDigits(number);
        const bytes = [0x1c, 0x18, digits.length, ...Buffer.from(digits), 0x15, 2, 0, 0x11, 0x18, 20];
        return `${prefix}${Buffer.from([...bytes, ...Buffer.from(source.hex(20).toUpperCase()), 0]).toString("base64")}`;
      });
    },
    // All of it is in hexadecimal digits, which "letter for letter" would not keep.
    uuid: (value) => standIn("uuid", value.toLowerCase(), (source) => value.replace(/[0-9a-f]/gi, () => source.hex(1))),
    alike,
    coordinate(value) {
      const [, sign = "", whole = "0", fraction = ""] = /^(-?)(\d+)\.?(\d*)$/.exec(value) ?? [];
      return standIn("coordinate", value, (source) => {
        const lowest = whole.length === 1 ? 0 : 10 ** (whole.length - 1);
        const highest = { 1: 9, 2: 79 }[whole.length] ?? 169;
        const other = `${sign}${lowest + source.below(highest - lowest)}`;
        // A zero at the end would be lost in a number.
        return fraction === "" ? other : `${other}.${source.digits(fraction.length - 1)}${1 + source.below(9)}`;
      });
    },
    names: () => [...made].flatMap(([key, name]) => (key.startsWith("name\u0000") ? [name] : [])).sort(),
    short: (kind, value, length) => standIn(kind, value, (source) => source.hex(length)),
  };
  return pseudonyms;
}

function sourceOf(salt: string, key: string, attempt: number): Source {
  let block = 0;
  let bytes = Buffer.alloc(0);
  const next = () => {
    if (bytes.length < 4) {
      const hash = createHmac("sha256", salt).update(`${attempt}\u0000${block++}\u0000${key}`).digest();
      bytes = Buffer.concat([bytes, hash]);
    }
    const value = bytes.readUInt32BE(0);
    bytes = bytes.subarray(4);
    return value;
  };
  const below = (limit: number) => next() % Math.max(limit, 1);
  return {
    below,
    digits: (count) => Array.from({ length: count }, () => below(10)).join(""),
    hex: (count) => Array.from({ length: count }, () => below(16).toString(16)).join(""),
  };
}
