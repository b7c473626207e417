/** What Meta posts, of many people. */
import { NUMBER } from "../../support/channel.ts";

export type Written = { readonly person: number; readonly wamid: string; readonly text: string };

export function phoneOf(person: number): string {
  return String(447_700_900_000 + person);
}

/** One delivery with these messages, one change each. */
export function message(...all: readonly Written[]): object {
  return { object: "whatsapp_business_account", entry: [{ id: NUMBER.wabaId, changes: all.map(changeOf) }] };
}

function changeOf({ person, wamid, text }: Written): object {
  const phone = phoneOf(person);
  const value = {
    messaging_product: "whatsapp",
    metadata: { display_phone_number: NUMBER.displayPhoneNumber, phone_number_id: NUMBER.phoneNumberId },
    contacts: [{ profile: { name: `Person ${person}` }, wa_id: phone }],
    messages: [
      { from: phone, id: wamid, timestamp: String(Math.floor(Date.now() / 1000)), type: "text", text: { body: text } },
    ],
  };
  return { field: "messages", value };
}
