/** What a status says of its price. Meta changed the spelling with the pricing of July 2025, and both are on the wire. */
import type { BilledConversation, Pricing, StatusEvent } from "../contract.ts";
import { asId, asObject, asText, asTime, type Wire } from "./wire.ts";

const NONE = {};

/** Only the first of `sent`, and one of `delivered` and `read`, carry it. */
export function parsePricing(wire: unknown): Pick<StatusEvent, "pricing"> {
  const pricing = asObject(wire);
  if (pricing === null) return NONE;
  const type = asText(pricing.type) ?? asText(pricing.pricing_type);
  return withAnything("pricing", {
    billable: isBillable(pricing, type),
    model: asText(pricing.pricing_model),
    type,
    // One of Meta's tables writes `authentication-international`.
    category: asText(pricing.category)?.replaceAll("-", "_") ?? null,
  } satisfies Pricing);
}

/** Left out by v24 and later, except where an ad opened the conversation. */
export function parseConversation(wire: unknown): Pick<StatusEvent, "conversation"> {
  const conversation = asObject(wire);
  if (conversation === null) return NONE;
  return withAnything("conversation", {
    id: asId(conversation.id),
    origin: asText(asObject(conversation.origin)?.type),
    expiresAt: asTime(conversation.expiration_timestamp),
  } satisfies BilledConversation);
}

/** `billable` is going away; Meta's advice is to tell it by the type. */
function isBillable({ billable }: Wire, type: string | null): boolean | null {
  if (typeof billable === "boolean") return billable;
  return type === null ? null : type === "regular";
}

function withAnything<Name extends string, Value extends object>(
  name: Name,
  value: Value,
): { readonly [Key in Name]?: Value } {
  if (Object.values(value).every((member) => member === null)) return NONE;
  return { [name]: value } as { readonly [Key in Name]: Value };
}
