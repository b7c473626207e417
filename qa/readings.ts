/** One value in all the ways in which it may be read. */
import { bothReadings } from "./invisible.ts";

/** What a person would read, with and without the escapes of an address and of JSON, and what nobody sees. */
export function readingsOf(value: string): readonly string[] {
  const unescaped = value.includes("%") ? [decoded(value)] : [];
  const plain = /\\u[0-9a-f]{4}/i.test(value)
    ? [value.replace(/\\u([0-9a-f]{4})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))]
    : [];
  return [value, ...unescaped, ...plain].flatMap(bothReadings);
}

/** What base64 in it may hold. It begins at any place of a run: a path's parts are of the same letters. */
export function hiddenIn(value: string): readonly string[] {
  return [...value.matchAll(/[A-Za-z0-9+/_-]{12,}={0,2}/g)].flatMap(([run]) =>
    [0, 1, 2, 3].map((at) => Buffer.from(run.slice(at), "base64").toString("latin1")),
  );
}

/** A run of base64; one with a `/` may as well be the parts of a path. */
export const BASE64 = "[A-Za-z0-9+_-]{12,}={0,2}";
const RUNS = [new RegExp(BASE64, "g"), /[A-Za-z0-9+/_-]{12,}={0,2}/g];

/** What is written in base64 in it: nothing but text, so that it is no accident. */
export function textsHiddenIn(value: string): readonly string[] {
  return RUNS.flatMap((runs) => [...value.matchAll(runs)].flatMap(([run]) => bothReadings(textIn(run) ?? "")));
}

/** Null for bytes that are no text. */
export function textIn(base64: string): string | null {
  const text = Buffer.from(base64, "base64").toString("utf8");
  return /[\ufffd\p{Cc}]/u.test(text.replace(/[\t\r\n]/g, "")) ? null : text;
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
