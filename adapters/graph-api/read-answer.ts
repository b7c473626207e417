/** What came back from Graph → JSON, Meta's error, and how long it wants us to wait. */
import type { MetaError } from "../../plugin/contract.ts";

export type Json = Readonly<Record<string, unknown>>;

export type GraphError = { readonly meta: MetaError; readonly isTransient: boolean };

const LONGEST_WAIT_S = 86_400;

/** Null when it is no JSON object. */
export function readJson(body: string): Json | null {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? (value as Json) : null;
  } catch {
    return null;
  }
}

/** Null when the answer holds no well-formed error. */
export function readError(answer: Json | null): GraphError | null {
  const error = answer?.error;
  if (typeof error !== "object" || error === null) return null;
  const {
    code,
    error_subcode: subcode,
    error_data: data,
    error_user_title: title,
    error_user_msg: forPeople,
    message,
    type,
    fbtrace_id: trace,
    is_transient: transient,
  } = error as Json;
  if (typeof code !== "number") return null;
  const precise = typeof data === "object" && data !== null ? (data as Json).details : data;
  const details = readText(precise) ?? readText(forPeople) ?? readText(message);
  return {
    meta: {
      code,
      subcode: typeof subcode === "number" ? subcode : null,
      title: readText(title) ?? readText(type),
      details: details === null ? null : withoutNumbers(details),
      fbtraceId: readText(trace),
    },
    isTransient: transient === true,
  };
}

/** Meta's sentences may quote the recipient's number; its ids, which look like one, go as well. */
const NUMBERS = /\+?\d(?:[+\s-]{0,3}\d){6,}/g;
const LONGEST_SENTENCE = 300;

/** What of a sentence of Meta's may be stored and shown. It never reaches a log: those have the code. */
function withoutNumbers(sentence: string): string {
  const shown = [...sentence.toWellFormed().replaceAll("\0", "").replace(NUMBERS, "…")];
  return shown.length <= LONGEST_SENTENCE ? shown.join("") : `${shown.slice(0, LONGEST_SENTENCE - 1).join("")}…`;
}

/** Whole seconds or nothing: Meta sends no dates here, and a fraction or a century would not fit the lane's clock. */
export function readRetryAfter(header: string | null): number | null {
  return header !== null && /^\d{1,20}$/.test(header) ? Math.min(Number(header), LONGEST_WAIT_S) * 1_000 : null;
}

/** `{ "level": "STANDARD" }`. */
export function readThroughput(value: unknown): string | null {
  return typeof value === "object" && value !== null ? readText((value as Json).level) : null;
}

export function readText(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
