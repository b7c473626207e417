/** JSON as Meta writes it, in and out, without rounding the integers that JavaScript cannot hold. */
import { escapedJson, type WireObject } from "@omniops/whatsapp/simulator";

/** No text of Meta's begins so: it is a control character that JSON must escape. */
const MARK = "\u0001integer:";
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g;
const MARKED = /"\\u0001integer:(-?\d+)"/g;

/** An integer of 16 digits or more becomes a marked string, which {@link writeJson} writes as it was. @throws SyntaxError. */
export function readJson(text: string): unknown {
  return JSON.parse(text.replace(TOKEN, (token) => (token.startsWith('"') ? token : `"\\u0001integer:${token}"`)));
}

/** The same for bytes that may be anything: undefined for what is no JSON. */
export function parsed(bytes: Uint8Array): unknown {
  try {
    return readJson(Buffer.from(bytes).toString("utf8"));
  } catch {
    return undefined;
  }
}

/** As Meta spells it: one line, `\/`, everything beyond ASCII as `\uXXXX`. */
export function writeJson(value: unknown): string {
  return escapedJson(value).replace(MARKED, "$1");
}

/** For people to read. */
export function writePretty(value: unknown): string {
  return `${JSON.stringify(value, null, 2).replace(MARKED, "$1")}\n`;
}

/** The digits of an integer that was too long; null for anything else. */
export function longInteger(value: string): string | null {
  return value.startsWith(MARK) ? value.slice(MARK.length) : null;
}

export function markLongInteger(digits: string): string {
  return `${MARK}${digits}`;
}

export function isObject(value: unknown): value is WireObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function objectOf(value: unknown): WireObject {
  return isObject(value) ? value : {};
}

export function objectsIn(value: unknown): readonly WireObject[] {
  return Array.isArray(value) ? value.map(objectOf) : [];
}

/** A text that says something, else null. */
export function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
