/** What a recorded payload speaks of, read without believing it: enough to set the stage and to know what needs an answer. */
import type { WireObject } from "@omniops/whatsapp/simulator";
import type { RecordedNumber } from "./fixtures.ts";
import { objectOf, objectsIn, parsed, textOf } from "./lossless-json.ts";

/** A message that a person sent, without what it says. */
export type RecordedMessage = {
  readonly messageId: string;
  readonly phoneNumberId: string;
  readonly type: string;
  readonly sentAt: Date;
  readonly isFromGroup: boolean;
  /** Whether the member named like its type is there, without which nothing was said. */
  readonly hasContent: boolean;
};

/** Every name that Meta gives a person, in one delivery. */
export type RecordedPerson = { readonly name: string | null; readonly addresses: readonly string[] };

/** What a delivery speaks of. */
export type Payload = {
  readonly numbers: readonly RecordedNumber[];
  /** Accounts that changes are about, whether or not a number is named beside them. */
  readonly wabaIds: readonly string[];
  readonly people: readonly RecordedPerson[];
  readonly messages: readonly RecordedMessage[];
};

/** Nothing at all for bytes that are not a WhatsApp payload. */
export function readPayload(bytes: Uint8Array): Payload {
  const root = objectOf(parsed(bytes));
  const changes = (root.object === "whatsapp_business_account" ? objectsIn(root.entry) : []).flatMap((entry) =>
    objectsIn(entry.changes).map((change) => readChange(entry, objectOf(change.value))),
  );
  return {
    numbers: changes.flatMap(({ numbers }) => numbers),
    wabaIds: changes.flatMap(({ wabaIds }) => wabaIds),
    people: changes.flatMap(({ people }) => people),
    messages: changes.flatMap(({ messages }) => messages),
  };
}

function readChange(entry: WireObject, value: WireObject): Payload {
  const metadata = objectOf(value.metadata);
  const wabaId = textOf(objectOf(value.waba_info).waba_id) ?? textOf(entry.id);
  const phoneNumberId = textOf(metadata.phone_number_id);
  const messages = objectsIn(value.messages);
  const contacts = objectsIn(value.contacts);
  return {
    wabaIds: wabaId === null ? [] : [wabaId],
    numbers:
      wabaId === null || phoneNumberId === null
        ? []
        : [{ phoneNumberId, wabaId, displayPhoneNumber: textOf(metadata.display_phone_number) ?? phoneNumberId }],
    people: messages.map((message) => personOf(message, contacts)),
    messages: messages.flatMap((message) => {
      const messageId = textOf(message.id);
      const type = textOf(message.type) ?? "unknown";
      if (messageId === null || phoneNumberId === null) return [];
      const sentAt = new Date(Number(message.timestamp) * 1000);
      const hasContent = typeof message[type] === "object" || Array.isArray(message[type]);
      return [{ messageId, phoneNumberId, type, sentAt, isFromGroup: message.group_id !== undefined, hasContent }];
    }),
  };
}

function personOf(message: WireObject, contacts: readonly WireObject[]): RecordedPerson {
  const named = [message.from, message.from_user_id].map(textOf).filter((address) => address !== null);
  const card = contacts.find(({ wa_id, user_id }) => named.includes(String(wa_id)) || named.includes(String(user_id)));
  const carded = [card?.wa_id, card?.user_id].map(textOf).filter((address) => address !== null);
  return { name: textOf(objectOf(card?.profile).name), addresses: [...new Set([...named, ...carded])] };
}
