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

/** JSON with sorted keys. Depth is bounded by `readPayload`. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
