/** Verified bytes → JSON that Postgres can hold, or the reason why the delivery is quarantined. Never throws. */
import { isUtf8 } from "node:buffer";
import { quoteLongIntegers } from "./long-integers.ts";
import { isTooDeep, MAX_DEPTH, withoutUnstorable } from "./storable-json.ts";
import type { VerifiedBody } from "./verify-signature.ts";

export type Payload =
  /** `mended`: the JSON text with what Postgres cannot hold replaced; null when the bytes can stay as they are. */
  | { readonly kind: "json"; readonly value: unknown; readonly mended: string | null }
  | { readonly kind: "quarantined"; readonly reason: string };

export function readPayload(body: Pick<VerifiedBody, "bytes">): Payload {
  if (isTooDeep(body.bytes)) return quarantined(`nested deeper than ${MAX_DEPTH} levels`);
  const decoded = Buffer.from(body.bytes.buffer, body.bytes.byteOffset, body.bytes.byteLength).toString("utf8");
  const text = withoutUnstorable(decoded);
  try {
    const value: unknown = JSON.parse(quoteLongIntegers(text));
    const isAsItWas = text === decoded && isUtf8(body.bytes) && !ODD_NUMBER.test(text);
    return { kind: "json", value, mended: isAsItWas ? null : text };
  } catch {
    // The parser's own message quotes the body, so it is left out.
    return quarantined("not JSON");
  }
}

/** JavaScript reads it, jsonb may refuse it: what Postgres says to it must be known before the 200. */
const ODD_NUMBER = /[:,[\s]-?[\d.]+e|\d{300}/i;

function quarantined(reason: string): Payload {
  return { kind: "quarantined", reason };
}
