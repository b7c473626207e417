/** Changes of a business number: quality, display name, username, settings, PIN. They name the number, not its id. */
import type { PhoneNumberEvent } from "../contract.ts";
import { changeBase, type ParseChange } from "./change-context.ts";
import { asDigits, asText, asWord, type Wire } from "./wire.ts";

type Details = Pick<PhoneNumberEvent, "event" | "reason">;

const DETAILS: Readonly<Record<string, (value: Wire) => Details>> = {
  phone_number_name_update: (value) => ({ event: asText(value.decision), reason: asWord(value.rejection_reason) }),
  account_settings_update: (value) => ({ event: asText(value.type), reason: null }),
  business_username_updates: (value) => ({ event: asText(value.status), reason: null }),
};

/** The whole change is one event. */
export const parsePhoneNumber: ParseChange = (value, change) => {
  const details = Object.hasOwn(DETAILS, change.field) ? DETAILS[change.field]?.(value) : undefined;
  const { event, reason } = details ?? { event: asText(value.event), reason: null };
  const displayPhoneNumber = asDigits(value.display_phone_number);
  return [{ kind: "phone-number", field: change.field, displayPhoneNumber, event, reason, ...changeBase(change) }];
};
