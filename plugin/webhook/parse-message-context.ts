/** What surrounds a message: the one it quotes, the ad it came from, the product it is about. */
import type { MessageEvent, ProductReference, Referral } from "../contract.ts";
import { asId, asObject, asText, type Wire } from "./wire.ts";

type Circumstances = Pick<MessageEvent, "forwarded" | "referral" | "product">;

const NONE: Circumstances = {};

/** @returns the wamid of the message that is quoted. A forwarded message has a context without one. */
export function quotedId(message: Wire): string | null {
  return asId(asObject(message.context)?.id);
}

/** Only what is there: nearly every message has none of it. */
export function parseCircumstances(message: Wire): Circumstances {
  const context = asObject(message.context);
  if (context === null && message.referral === undefined) return NONE;
  const forwarded = context?.frequently_forwarded === true ? "frequently" : context?.forwarded === true ? "once" : null;
  const referral = parseReferral(message.referral);
  const product = parseProduct(context?.referred_product);
  return {
    ...(forwarded && { forwarded }),
    ...(referral && { referral }),
    ...(product && { product }),
  };
}

/** Every member is optional; an ad shown in a WhatsApp status has no click id. */
function parseReferral(value: unknown): Referral | null {
  const wire = asObject(value);
  const referral: Referral = {
    sourceType: asText(wire?.source_type),
    sourceId: asId(wire?.source_id),
    sourceUrl: asText(wire?.source_url),
    headline: asText(wire?.headline),
    body: asText(wire?.body),
    clickId: asText(wire?.ctwa_clid),
  };
  return Object.values(referral).every((member) => member === null) ? null : referral;
}

/** Some payloads carry an empty one. */
function parseProduct(value: unknown): ProductReference | null {
  const wire = asObject(value);
  const productId = asText(wire?.product_retailer_id);
  return productId === null ? null : { catalogId: asId(wire?.catalog_id), productId };
}
