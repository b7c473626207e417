/** A Graph message as it is compared: what differs between any two runs, or between a person and their stand-in, is left out. */
import type { WireObject } from "@omniops/whatsapp/simulator";
import { type Kind, kindInForm, kindOf, kindsWithin, MEDIA } from "./kinds.ts";
import { isObject, longInteger } from "./lossless-json.ts";
import { FIXED_TEXT, isSmall, type TextMode } from "./scrub.ts";
import { shapeText, withoutShapeless } from "./shape-text.ts";
import { DATE, EMAIL, LINK_TOKEN, NUMBER, UUID } from "./spelling.ts";

/** How a promise was scrubbed, for only what is left after that can be compared; `exact` when it was not: every letter counts. */
export type Comparison = TextMode | "exact";

/** Who it goes to, and what the sender knows it by. */
const ENVELOPE = new Set(["messaging_product", "recipient_type", "to", "recipient", "biz_opaque_callback_data"]);
/** A new one in each run, scrubbed or not. */
const IDS = new RegExp(UUID, "gu");
const DATES_AND_NUMBERS = new RegExp(`(?<date>${DATE})|${NUMBER}`, "gu");
const EMAILS = new RegExp(EMAIL, "gu");
const LINK_TOKENS = new RegExp(LINK_TOKEN, "gu");

/** Without the envelope, otherwise as it is: what is shown. */
export function withoutEnvelope(message: WireObject): WireObject {
  return Object.fromEntries(Object.entries(message).filter(([key]) => !ENVELOPE.has(key)));
}

export function comparable(message: WireObject, comparison: Comparison): unknown {
  return walk(withoutEnvelope(message), "", "", comparison);
}

function walk(json: unknown, member: string, parent: string, mode: Comparison, kindAt = kindOf): unknown {
  if (Array.isArray(json)) return json.map((item) => walk(item, member, parent, mode, kindAt));
  if (isObject(json)) {
    const kindHere = kindsWithin(member, parent, kindAt);
    // In the order of their names: Postgres keeps another one than ours.
    const members = Object.entries(kindHere === kindOf && MEDIA.includes(member) ? withFile(json) : json).sort(
      ([one], [other]) => (one < other ? -1 : 1),
    );
    return Object.fromEntries(members.map(([key, value]) => [key, walk(value, key, member, mode, kindHere)]));
  }
  const kind = kindAt(member, parent);
  if (mode === "exact") return exact(json, kind);
  if (kind === "coordinate") return "<place>";
  if (kind === "time" && /^\d{10}(\d{3})?$/.test(String(json))) return "<time>";
  const isOfForm = kindAt === kindInForm;
  // In a form it may be somebody's age: then none is left.
  if (typeof json === "number") return isOfForm && mode !== "keep" ? "<number>" : comparedNumber(json, kind);
  if (typeof json !== "string") return json;
  // Elsewhere it is a message's, which a replay knows again.
  if (isOfForm && kind === "id") return ID;
  return comparedText(longInteger(json) ?? json, kind, mode);
}

/** Given by its address, a file goes by an id, or by its address when it cannot be fetched: which of the two hangs on the network. */
function withFile({ link, ...media }: WireObject): WireObject {
  return link === undefined ? media : { ...media, id: FILE };
}

function exact(json: unknown, kind: Kind): unknown {
  if (kind === "coordinate") return String(json);
  if (typeof json !== "string") return json;
  return kind === "media-id" ? FILE : (longInteger(json) ?? json).replace(IDS, ID);
}

/** A large one was replaced by another. */
function comparedNumber(value: number, kind: Kind): unknown {
  return kind === "word" || kind === "own" || isSmall(value) ? value : "<number>";
}

const FILE = "<file>";
const ID = "<id>";

function comparedText(value: string, kind: Kind, mode: TextMode): string {
  switch (kind) {
    case "media-id":
      return FILE;
    case "filename":
      return `${FILE}${/\.[A-Za-z0-9]{1,5}$/.exec(value)?.[0] ?? ""}`;
    case "address":
      return "<number>";
    case "email":
      return "<email>";
    case "name":
      return "<name>";
    case "username":
      return "<username>";
    case "opaque":
      return "<token>";
    case "birthday":
      return "<date>";
    case "particulars":
      return shownText(value, mode === "keep" ? "shape" : mode);
    case "link":
      return mode === "fixed" ? "<link>" : shownText(value, mode);
    case "text":
    case "body":
      return shownText(value, mode);
    case "own":
      return withoutStandIns(value);
    default:
      return value;
  }
}

function shownText(value: string, mode: TextMode): string {
  // How long a word is hangs on who is named; how many there are, and what is around them, does not.
  if (mode === "shape")
    return shapeText(withoutShapeless(value))
      .replace(/[\p{L}\p{M}]+/gu, "x")
      .replace(/\d+/g, "0");
  if (mode === "fixed") return value.trim() === "" ? value : FIXED_TEXT;
  return withoutStandIns(value).replace(DATES_AND_NUMBERS, (found, ...rest) =>
    (rest.at(-1) as { date?: string }).date ? found : "<number>",
  );
}

function withoutStandIns(value: string): string {
  return value.replace(IDS, ID).replace(EMAILS, "<email>").replace(LINK_TOKENS, "<token>");
}
