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
    type,
    fbtrace_id: trace,
    is_transient: transient,
  } = error as Json;
  if (typeof code !== "number") return null;
  const details = typeof data === "object" && data !== null ? readText((data as Json).details) : readText(data);
  return {
    meta: {
      code,
      subcode: typeof subcode === "number" ? subcode : null,
      title: readText(title) ?? readText(type),
      details,
      fbtraceId: readText(trace),
    },
    isTransient: transient === true,
  };
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
