/** Changes of the account, its capabilities, its partners and its payment → account events. */
import type { AccountEvent, ChannelEvent } from "../contract.ts";
import {
  type ChangeContext,
  changeBase,
  itemBase,
  itemKey,
  type ParseChange,
  unsupportedItem,
} from "./change-context.ts";
import { parseLists } from "./parse-lists.ts";
import { asDigits, asId, asObject, asText, asWord, type Wire } from "./wire.ts";

type Details = Pick<AccountEvent, "event" | "reason" | "partnerAppId" | "displayPhoneNumber">;

const DETAILS: Readonly<Record<string, (value: Wire) => Details>> = {
  account_update: (value) => ({ event: asText(value.event), reason: reasonOfUpdate(value), ...named(value) }),
  account_review_update: (value) => ({ event: asText(value.decision), reason: asWord(value.rejection_reason) }),
  account_alerts: (value) => {
    const alert = asObject(value.alert_info) ?? value;
    return { event: asText(alert.alert_type), reason: asText(alert.alert_description) };
  },
  // The new limit is all that it says.
  business_capability_update: (value) => ({
    event: asText(value.max_daily_conversations_per_business) ?? asText(value.max_daily_conversation_per_phone),
    reason: null,
  }),
  partner_solutions: (value) => ({ event: asText(value.event), reason: asText(value.solution_status) }),
  payment_configuration_update: (value) => ({ event: asText(value.status), reason: null }),
};

/** The whole change is one event. */
export const parseAccount: ParseChange = (value, change) => {
  const details = Object.hasOwn(DETAILS, change.field) ? DETAILS[change.field]?.(value) : undefined;
  const said = details ?? { event: asText(value.event), reason: null };
  return [{ kind: "account", field: change.field, ...said, ...changeBase(change) }];
};

/** For what comes as a list; `field` is the list's name where Meta puts it under a field of another kind. */
export function parseAccountItem(field: string): (item: Wire, change: ChangeContext) => ChannelEvent {
  return (item, change) => {
    const event = asText(item.event_name) ?? asText(item.action_type);
    if (event === null) return unsupportedItem(field, item, change);
    return { kind: "account", field, event, reason: null, ...itemBase(item, change, itemKey(field, item, change)) };
  };
}

const trackingLists = parseLists({
  tracking_events: parseAccountItem("tracking_events"),
  user_actions: parseAccountItem("user_actions"),
});

/** Meta lists the field and documents no shape. */
export const parseTrackingEvents: ParseChange = (value, change) => {
  const events = trackingLists(value, change);
  return events.length > 0 ? events : parseAccount(value, change);
};

function named(value: Wire): Pick<AccountEvent, "partnerAppId" | "displayPhoneNumber"> {
  const partnerAppId = asId(asObject(value.waba_info)?.partner_app_id);
  const displayPhoneNumber = asDigits(value.phone_number);
  return { ...(partnerAppId !== null && { partnerAppId }), ...(displayPhoneNumber !== null && { displayPhoneNumber }) };
}

/** What stands beside the event, in Meta's word. */
function reasonOfUpdate(value: Wire): string | null {
  return (
    asText(asObject(value.disconnection_info)?.reason) ??
    asText(asObject(value.violation_info)?.violation_type) ??
    words(value.restriction_info, "restriction_type") ??
    words(asObject(value.ban_info)?.waba_ban_state) ??
    asText(asObject(value.partner_client_certification_info)?.status)
  );
}

/** One or a list of them, depending on the version: `A, B`. */
function words(value: unknown, member?: string): string | null {
  const found = [value].flat().map((item) => asText(member === undefined ? item : asObject(item)?.[member]));
  return asText(found.filter((word) => word !== null).join(", "));
}
