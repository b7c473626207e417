/** A Graph message as it is compared: what differs between any two runs, or between a person and their stand-in, is left out. */
import type { WireObject } from "@omniops/whatsapp/simulator";
import { type Kind, kindOf } from "./kinds.ts";
import { isObject, longInteger } from "./lossless-json.ts";
import { FIXED_TEXT, type TextMode } from "./scrub.ts";
import { shapeText } from "./shape-text.ts";

/** Who it goes to, and what the sender knows it by. */
const ENVELOPE = new Set(["messaging_product", "recipient_type", "to", "recipient", "biz_opaque_callback_data"]);

const NUMBER = /\+?\d(?:[ ().\-/]{0,2}\d){6,}/g;
const EMAIL = /[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/gu;

/** Without the envelope, otherwise as it is: what is shown. */
export function withoutEnvelope(message: WireObject): WireObject {
  return Object.fromEntries(Object.entries(message).filter(([key]) => !ENVELOPE.has(key)));
}

/** @param text how the promise was scrubbed: only what is left after that can be compared. */
export function comparable(message: WireObject, text: TextMode): unknown {
  return walk(withoutEnvelope(message), "", "", text);
}

function walk(json: unknown, member: string, parent: string, mode: TextMode): unknown {
  if (Array.isArray(json)) return json.map((item) => walk(item, member, parent, mode));
  if (isObject(json)) {
    // In the order of their names: Postgres keeps another one than ours.
    const members = Object.entries(json).sort(([one], [other]) => (one < other ? -1 : 1));
    return Object.fromEntries(members.map(([key, value]) => [key, walk(value, key, member, mode)]));
  }
  const kind = kindOf(member, parent);
  if (kind === "coordinate") return mode === "keep" ? String(json) : "<place>";
  if (typeof json !== "string") return json;
  return comparedText(longInteger(json) ?? json, kind, mode);
}

function comparedText(value: string, kind: Kind, mode: TextMode): string {
  switch (kind) {
    case "media-id":
      return "<file>";
    case "filename":
      return `<file>${/\.[A-Za-z0-9]{1,5}$/.exec(value)?.[0] ?? ""}`;
    case "address":
      return "<number>";
    case "email":
      return "<email>";
    case "name":
      return "<name>";
    case "opaque":
      return mode === "keep" ? value : "<token>";
    case "birthday":
      return "<date>";
    case "link":
      return mode === "fixed" ? "<link>" : shownText(value, mode);
    case "text":
      return shownText(value, mode);
    default:
      return value;
  }
}

function shownText(value: string, mode: TextMode): string {
  // How long a word is hangs on who is named; how many there are, and what is around them, does not.
  if (mode === "shape")
    return shapeText(value)
      .replace(/[\p{L}\p{M}]+/gu, "x")
      .replace(/\d+/g, "0");
  if (mode === "fixed") return value.trim() === "" ? value : FIXED_TEXT;
  return value.replace(EMAIL, "<email>").replace(NUMBER, "<number>");
}
