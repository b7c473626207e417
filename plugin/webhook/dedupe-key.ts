/** The identity of a change: the same however Meta batches, orders or spells it, different for every other change. */
import { createHash } from "node:crypto";

// Longer ids would not fit a Postgres index row; Meta's are far below.
const MAX_LENGTH = 400;

/** @param parts what tells this change from all others; null where Meta gave nothing. */
export function dedupeKey(kind: string, ...parts: readonly (string | null)[]): string {
  const key = [kind, ...parts.map((part) => encodeURIComponent((part ?? "").toWellFormed()))].join("/");
  return key.length <= MAX_LENGTH ? key : `${kind}/sha256/${sha256(key)}`;
}

/** For changes that carry no id of their own: the hash of all they say. */
export function contentKey(kind: string, ...content: readonly unknown[]): string {
  return `${kind}/sha256/${sha256(canonicalJson(content))}`;
}

/**
 * JSON with sorted keys. Depth is bounded by `readPayload`. Written out by hand because a chunk of history is hashed on
 * the way to the 200, and a replacer of JSON.stringify takes three times as long.
 */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const object = value as Readonly<Record<string, unknown>>;
  let members = "";
  for (const key of Object.keys(object).sort())
    members += `${members === "" ? "" : ","}${JSON.stringify(key)}:${canonicalJson(object[key])}`;
  return `{${members}}`;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
