/** Changes of who a person is that come under fields of their own: a new user id, an entry in the app's address book. */
import type { ChannelEvent } from "../contract.ts";
import { type ChangeContext, itemBase, itemKey, unsupportedItem } from "./change-context.ts";
import { asPhone, asUserId, NOBODY, parsePerson } from "./parse-person.ts";
import { asObject, asText, asTime, type Wire } from "./wire.ts";

/** Documented from March to June 2026 and then withdrawn in favour of system messages; still seen. */
export function parseUserIdUpdate(item: Wire, change: ChangeContext): ChannelEvent {
  const [userId, parentUserId] = [asObject(item.user_id), asObject(item.parent_user_id)];
  const person = parsePerson(
    { phone: item.wa_id, userId: userId?.current ?? item.user_id, parentUserId: parentUserId?.current },
    change.cards,
  );
  if (person === null) return unsupportedItem("user_id_update", item, change);
  return {
    kind: "contact-changed",
    change: "user-id",
    before: {
      ...person,
      phoneNumber: asPhone(item.wa_id),
      userId: asUserId(userId?.previous),
      parentUserId: asUserId(parentUserId?.previous),
    },
    person,
    ...itemBase(item, change, itemKey("user_id_update", item, change)),
  };
}

/** Somebody at the business added, changed or removed a contact in the WhatsApp Business app. */
export function parseAddressBook(item: Wire, change: ChangeContext): ChannelEvent {
  const contact = asObject(item.contact);
  const person = parsePerson(
    { phone: contact?.phone_number, userId: contact?.user_id, parentUserId: contact?.parent_user_id },
    change.cards,
  );
  const isRemoved = item.action === "remove";
  if (person === null || (!isRemoved && item.action !== "add")) return unsupportedItem("state_sync", item, change);
  return {
    kind: "contact-changed",
    change: "address-book",
    before: { ...NOBODY, phoneNumber: person.phoneNumber, userId: person.userId },
    person: { ...person, name: asText(contact?.full_name) ?? asText(contact?.first_name) },
    ...(isRemoved && { removed: true }),
    ...itemBase(item, change, itemKey("state_sync", item, change)),
    occurredAt: asTime(asObject(item.metadata)?.timestamp),
  };
}
