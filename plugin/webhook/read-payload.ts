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
    return { kind: "json", value, mended: text === decoded && isUtf8(body.bytes) ? null : text };
  } catch {
    // The parser's own message quotes the body, so it is left out.
    return quarantined("not JSON");
  }
}

function quarantined(reason: string): Payload {
  return { kind: "quarantined", reason };
}
