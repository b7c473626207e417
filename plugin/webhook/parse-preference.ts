/** One element of `user_preferences[]` → what a person allows to be sent to them. */
import type { ChannelEvent, PreferenceEvent } from "../contract.ts";
import { type ChangeContext, itemBase, itemKey, unsupportedItem } from "./change-context.ts";
import { parsePerson } from "./parse-person.ts";
import { asText, type Wire } from "./wire.ts";

const VALUES: readonly PreferenceEvent["value"][] = ["stop", "resume", "signup"];

export function parsePreference(item: Wire, change: ChangeContext): ChannelEvent {
  const person = parsePerson(
    { phone: item.wa_id, userId: item.user_id, parentUserId: item.parent_user_id },
    change.cards,
  );
  const category = asText(item.category);
  const value = VALUES.find((known) => known === item.value);
  if (person === null || category === null || value === undefined)
    return unsupportedItem("user_preferences", item, change);
  const key = itemKey("user_preferences", item, change);
  return { kind: "preference", person, category, value, ...itemBase(item, change, key) };
}
