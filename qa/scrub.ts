/** Replaces whatever is personal in Meta's JSON, so that what belonged together still does and everything keeps its shape. */
import { createTextCleaner, type TextCleaner } from "./clean-text.ts";
import { isMember, isMetas, isMetasMember, isWord, type Kind, kindInForm, kindOf, kindsWithin } from "./kinds.ts";
import { isObject, longInteger, markLongInteger } from "./lossless-json.ts";
import { createPseudonyms, type Pseudonyms } from "./pseudonyms.ts";
import { shapeBody, shapeText, withoutShapeless } from "./shape-text.ts";
import { asciiDigits, digitsOf, fold, UNSPACED, WORD, withDigits } from "./spelling.ts";
import { isLabel, otherCard, unfolded } from "./vcard.ts";

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
  /** Every text as it is, without the people in it; Meta's words may be somebody's name. */
  withoutPeople(json: unknown): unknown;
  /** The names that were invented so far. */
  names(): readonly string[];
};

export const FIXED_TEXT = "Text";

const FIXED_LINK = "https://example.com/";
const EXTENSION =
  "\\.(?:3gp|aac|amr|csv|docx?|gif|heic|html?|jpe?g|json|m4a|mov|mp3|mp4|odp|ods|odt|ogg|opus|pdf|png|pptx?|rtf|svg|txt|vcf|wav|webm|webp|xlsx?|xml|zip)$";
/** How a file's name ends, where that is a kind of file: what follows another dot may be somebody's name. */
export const FILE_EXTENSION = new RegExp(EXTENSION, "i");
/** What is put in the place of addresses and file names: its words are nobody's. */
export const INVENTED = new RegExp(
  `\\bmail-[0-9a-f]{8}@example\\.(?:com|org)\\b|^https://example\\.com/$|^file-[0-9a-f]{6}(?:${EXTENSION})?$`,
  "gi",
);

/** Meta's sentence about a new number or user id: who, before, after. */
export const CHANGED = /^User (.+) changed from (\S+) to (\S+)$/su;
/** Fewer digits are a price, a year or a code of the business's. */
const LEAST_NUMBER = 7;

/** Digits in their place are no number of anybody's, or are replaced as a whole. */
const TELLS_NO_NUMBER: ReadonlySet<Kind> = new Set<Kind>([
  ...(["own", "id", "media-id", "business-id", "opaque", "media-url", "time", "coordinate", "sdp", "emoji"] as const),
]);

/** Makes a scrubber. It learns everything first, then scrubs. */
export function createScrubber({ salt, text: mode, shiftMs = 0 }: ScrubOptions): Scrubber {
  const words = new Set<string>();
  const people: TextCleaner = createTextCleaner(() => pseudonyms);
  const { clean } = people;
  const pseudonyms: Pseudonyms = createPseudonyms(salt, (value) => people.isSomebodys(value) || words.has(fold(value)));

  function learn(json: unknown, member = "", parent = "", kindAt = kindOf): void {
    if (Array.isArray(json)) for (const item of json) learn(item, member, parent, kindAt);
    else if (isObject(json))
      for (const [key, value] of Object.entries(json)) learn(value, key, member, kindsWithin(member, parent, kindAt));
    else if (typeof json === "string" || typeof json === "number") learnValue(String(json), kindAt(member, parent));
  }

  const LEARN: Readonly<Partial<Record<Kind, (value: string) => void>>> = {
    name(value) {
      people.learnName(value);
      const digits = digitsOf(value);
      if (digits.length >= LEAST_NUMBER) people.learnNumber(digits);
    },
    address(value) {
      if (digitsOf(value).length >= LEAST_NUMBER) people.learnNumber(value);
      else people.learnId(value, address);
      learnWords(value);
    },
    username: people.learnUsername,
    id: (value) => people.learnId(value, id),
    "media-id": (value) => people.learnId(value, (one) => pseudonyms.alike("media", one)),
    "business-id": (value) => people.learnId(value, businessId),
    opaque: (value) => people.learnId(value, opaque),
    coordinate: (value) => people.learnId(value.replace("-", ""), (one) => coordinate(value).slice(-one.length)),
    form(value) {
      const filled = parsed(value);
      if (filled !== undefined) learn(filled, "form", "", kindInForm);
    },
    vcard(value) {
      for (const [, name = ""] of unfolded(value).matchAll(/^(?:item\d+\.)?(?:FN|N)\b[^:\n]*:(.*)$/gim))
        people.learnName(name);
      learnWords(value);
    },
    system(value) {
      const [, who = ""] = CHANGED.exec(value) ?? [];
      people.learnName(who);
    },
    text: learnWords,
    body: learnWords,
    particulars: learnWords,
    label: learnWords,
    filename: learnWords,
  };

  function learnValue(value: string, kind: Kind): void {
    if (value === "") return;
    if (!TELLS_NO_NUMBER.has(kind)) people.learnTold(value);
    LEARN[kind]?.(longInteger(value) ?? value);
  }

  function learnWords(value: string): void {
    for (const [word] of value.matchAll(WORD)) words.add(fold(word));
  }

  function shaped(value: string, shape = shapeText): string {
    return shape(withoutShapeless(clean(value)));
  }

  function text(value: string, shape = shapeText): string {
    if (value.trim() === "") return value;
    if (mode === "fixed") return FIXED_TEXT;
    return mode === "shape" ? shaped(value, shape) : clean(value);
  }

  /** Whatever becomes of texts, these have no words left. */
  function particulars(value: string): string {
    return mode === "fixed" ? text(value) : shaped(value);
  }

  function name(value: string): string {
    if (value.trim() === "") return value;
    if (!/[\p{L}\p{N}]/u.test(value)) return "🙂";
    return value
      .replace(/[\p{Nl}\p{No}]/gu, "0")
      .replace(/\p{Nd}+/gu, (digits) => withDigits(digits, pseudonyms.alike("digits", asciiDigits(digits))))
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
        people.knowsNumber(digits) ? pseudonyms.address(digits) : pseudonyms.alike("digits", digits),
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
    return filled === undefined ? text(value) : JSON.stringify(walk(filled, "form", "", kindInForm));
  }

  function vcard(value: string): string {
    return otherCard(value, { name, number: clean, text: shaped });
  }

  function time(value: string): string {
    if (/^\d{10}$/.test(value)) return String(Number(value) + Math.floor(shiftMs / 1000));
    return /^\d{13}$/.test(value) ? String(Number(value) + shiftMs) : value;
  }

  function filename(value: string): string {
    const extension = FILE_EXTENSION.exec(value)?.[0] ?? "";
    return `file-${pseudonyms.short("file", value, 6)}${extension}`;
  }

  function link(value: string): string {
    if (mode === "fixed") return FIXED_LINK;
    return mode === "shape" ? shaped(value) : clean(value);
  }

  function coordinate(value: string): string {
    return /^-?\d+(\.\d+)?$/.test(value) ? pseudonyms.coordinate(value) : text(value);
  }

  const BY_KIND: Readonly<Record<Kind, (value: string) => string>> = {
    word: (value) => (value === "" || isWord(value) ? value : text(value)),
    own: people.cleanOwn,
    sentence: clean,
    system(value) {
      const [, who, before, after] = CHANGED.exec(value) ?? [];
      if (who === undefined || before === undefined || after === undefined) return text(value);
      return `User ${name(who)} changed from ${address(before)} to ${address(after)}`;
    },
    text,
    body: (value) => text(value, shapeBody),
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
    link,
    email: pseudonyms.email,
    time: (value) => (/^\d{10}(\d{3})?$/.test(value) ? time(value) : text(value)),
    coordinate,
    particulars,
    label: (value) => (isLabel(value) ? value : particulars(value)),
    filename,
    form,
    vcard,
    sdp: () => "v=0\r\n",
    birthday: () => "1990-01-01",
    emoji: (value) => (/\p{L}|(?:\p{N}\ufe0f?\u20e3?){3}/u.test(value) ? shapeText(value) : value),
  };

  function number(value: number, kind: Kind): number {
    const digits = String(value);
    if (kind === "word" || kind === "own" || /e/i.test(digits)) return kind === "word" || kind === "own" ? value : 0;
    if (kind === "time") return Number(time(digits));
    if (kind === "coordinate") return Number(pseudonyms.coordinate(digits));
    if (kind === "address" && digits.length >= LEAST_NUMBER) return Number(pseudonyms.address(digits));
    return isSmall(value) ? value : Number(pseudonyms.alike("number", digits));
  }

  function walk(json: unknown, member: string, parent: string, kindAt = kindOf): unknown {
    if (Array.isArray(json)) return json.map((item) => walk(item, member, parent, kindAt));
    if (isObject(json)) {
      const kindHere = kindsWithin(member, parent, kindAt);
      const nameOf = kindHere === kindInForm ? fieldOf : keyOf;
      return Object.fromEntries(
        Object.entries(json).map(([key, value]) => [nameOf(key), walk(value, key, member, kindHere)]),
      );
    }
    const kind = kindAt(member, parent);
    // In a form it is somebody's age or income.
    if (typeof json === "number") return kindAt === kindInForm && mode !== "keep" ? 0 : number(json, kind);
    if (typeof json !== "string") return json;
    const digits = longInteger(json);
    if (digits === null) return BY_KIND[kind](json);
    return kind === "own" || kind === "word" ? json : markLongInteger(pseudonyms.alike("number", digits));
  }

  /** Meta's members are words; a number or a name in such a place is no member of Meta's. */
  function keyOf(key: string): string {
    return isMember(key) ? key : pseudonyms.alike("member", clean(key));
  }

  /** A field that the business has named by somebody is named so by nobody else. */
  function fieldOf(key: string): string {
    return isMember(key) && !isMetasMember(key) ? clean(key) : keyOf(key);
  }

  return {
    learn: (json) => learn(json),
    scrub: (json) => walk(json, "", ""),
    address,
    id,
    businessId,
    withoutPeople: (json) =>
      mapTexts(json, (value, member, parent) => (isMetas(value, member, parent) ? value : clean(value))),
    names: pseudonyms.names,
  };
}

/** Nobody is known by it. */
export function isSmall(value: number): boolean {
  return Math.abs(value) < 10_000 && /^-?\d+(\.\d{1,2})?$/.test(String(value));
}

function mapTexts(
  json: unknown,
  change: (text: string, member: string, parent: string) => string,
  member = "",
  parent = "",
): unknown {
  if (typeof json === "string") return change(json, member, parent);
  if (Array.isArray(json)) return json.map((item) => mapTexts(item, change, member, parent));
  if (!isObject(json)) return json;
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, mapTexts(value, change, key, member)]));
}

/** Undefined for what is no JSON. */
function parsed(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
