/** An error as Meta words it in webhooks. */
import type { MetaError } from "../contract.ts";
import { asNumber, asObject, asText, objectsIn, type Wire } from "./wire.ts";

export function parseErrors(errors: unknown): readonly MetaError[] {
  return objectsIn(errors).map(parseError);
}

/** Three shapes are on the wire: with `error_data`, with a bare `details`, and with neither. */
function parseError(error: Wire): MetaError {
  const data = asObject(error.error_data);
  return {
    code: asNumber(error.code) ?? 0,
    subcode: asNumber(error.error_subcode),
    title: asText(error.title) ?? asText(error.message),
    details: asText(data?.details) ?? asText(error.details) ?? asText(error.error_data),
    fbtraceId: asText(error.fbtrace_id),
  };
}
