/** `health_status` of a number or an account: every entity that a message depends on, and the worst of them. */
import type { WireObject } from "../wire.ts";
import type { AccountRecord, NumberRecord } from "./account-book.ts";
import type { SimulatedHealth } from "./simulated-number.ts";

const WORSE = ["AVAILABLE", "LIMITED", "BLOCKED"] as const;
const AVAILABLE: SimulatedHealth = { canSendMessage: "AVAILABLE" };
/** @see https://developers.facebook.com/docs/whatsapp/cloud-api/health-status */
const NOT_REGISTERED: SimulatedHealth = {
  canSendMessage: "BLOCKED",
  errors: [
    {
      error_code: 141_000,
      error_description: "The phone number is not registered.",
      possible_solution: "Register the phone number.",
    },
  ],
};

type Entity = { readonly type: string; readonly id: string; readonly health: SimulatedHealth };

export function healthOf(account: AccountRecord, number: NumberRecord | null, appId: string): WireObject {
  const own = number?.isRegistered === false ? NOT_REGISTERED : AVAILABLE;
  const entities: Entity[] = [
    ...(number ? [{ type: "PHONE_NUMBER", id: number.about.phoneNumberId, health: number.about.health ?? own }] : []),
    { type: "WABA", id: account.wabaId, health: account.about.health ?? AVAILABLE },
    { type: "BUSINESS", id: account.businessId, health: AVAILABLE },
    { type: "APP", id: appId, health: AVAILABLE },
  ];
  return {
    can_send_message: WORSE[Math.max(...entities.map(({ health }) => WORSE.indexOf(health.canSendMessage)))],
    entities: entities.map(({ type, id, health }) => ({
      entity_type: type,
      id,
      can_send_message: health.canSendMessage,
      ...(health.errors && { errors: health.errors }),
      ...(health.additionalInfo && { additional_info: health.additionalInfo }),
    })),
  };
}
