/** The webhook fields of a WhatsApp Business Account, and who reads each of them. */
import type { ParseChange } from "./change-context.ts";
import { parseAccount, parseAccountItem, parseTrackingEvents } from "./parse-account.ts";
import { parseCall, parseCallStatus } from "./parse-call.ts";
import { parseAddressBook, parseUserIdUpdate } from "./parse-contact-change.ts";
import { parseEcho } from "./parse-echo.ts";
import { parseFlow } from "./parse-flow.ts";
import { parseGroup } from "./parse-group.ts";
import { parseHistory, parseHistoryMedia } from "./parse-history.ts";
import { parseLists } from "./parse-lists.ts";
import { parseMessage } from "./parse-message.ts";
import { parsePhoneNumber } from "./parse-phone-number.ts";
import { parsePreference } from "./parse-preference.ts";
import { parseHandover, parseStandby } from "./parse-standby.ts";
import { parseStatus } from "./parse-status.ts";
import { parseTemplate } from "./parse-template.ts";

/** What a Meta app can subscribe to and this version makes something of. @see https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview */
const FIELDS: Readonly<Record<string, ParseChange>> = {
  messages: parseLists({
    messages: parseMessage,
    statuses: parseStatus,
    user_actions: parseAccountItem("user_actions"),
  }),
  calls: parseLists({ calls: parseCall, statuses: parseCallStatus }),
  user_preferences: parseLists({ user_preferences: parsePreference }),
  flows: parseFlow,

  message_template_status_update: parseTemplate("status"),
  message_template_quality_update: parseTemplate("quality"),
  message_template_components_update: parseTemplate("components"),
  template_category_update: parseTemplate("category"),
  template_correct_category_detection: parseTemplate("category-detection"),

  account_update: parseAccount,
  account_review_update: parseAccount,
  account_alerts: parseAccount,
  business_capability_update: parseAccount,
  business_status_update: parseAccount,
  partner_solutions: parseAccount,
  payment_configuration_update: parseAccount,
  automatic_events: parseLists({ automatic_events: parseAccountItem("automatic_events") }),
  tracking_events: parseTrackingEvents,

  phone_number_quality_update: parsePhoneNumber,
  phone_number_name_update: parsePhoneNumber,
  account_settings_update: parsePhoneNumber,
  business_username_updates: parsePhoneNumber,
  security: parsePhoneNumber,

  history: parseLists({ history: parseHistory, messages: parseHistoryMedia }),
  smb_message_echoes: parseLists({ message_echoes: parseEcho("business-app") }),
  message_echoes: parseLists({ message_echoes: parseEcho("other-app") }),
  smb_app_state_sync: parseLists({ state_sync: parseAddressBook }),
  standby: parseStandby,
  messaging_handovers: parseHandover,
};

const groups = parseLists({ groups: parseGroup });

/** What may come all the same: withdrawn by Meta, or of groups, which are no conversations of ours. */
const UNASKED: Readonly<Record<string, ParseChange>> = {
  user_id_update: parseLists({ user_id_update: parseUserIdUpdate }),
  group_lifecycle_update: groups,
  group_participants_update: groups,
  group_settings_update: groups,
  group_status_update: groups,
};

/** The fields to subscribe to. */
export const WEBHOOK_FIELDS: readonly string[] = Object.keys(FIELDS);

/** @returns undefined for a field that this version does not know. */
export function parserOf(field: string): ParseChange | undefined {
  return [FIELDS, UNASKED].find((fields) => Object.hasOwn(fields, field))?.[field];
}
