/** A delivery's JSON → every event in it: each entry, change, message and status, each with its own number. Never throws. */
import type { ChannelEvent } from "../contract.ts";
import { contentKey } from "./dedupe-key.ts";
import { type ChangeContext, parseMessage } from "./parse-message.ts";
import { readContactCards } from "./parse-person.ts";
import { parseStatus } from "./parse-status.ts";
import { asId, asObject, asText, asTime, objectsIn, type Wire } from "./wire.ts";

export function parseWebhook(payload: unknown): readonly ChannelEvent[] {
  const body = asObject(payload);
  // One callback may serve other products of the same app (pages, permissions): theirs are not ours to read.
  if ((asText(body?.object) ?? "whatsapp_business_account") !== "whatsapp_business_account") return [];
  return objectsIn(body?.entry).flatMap((entry) =>
    objectsIn(entry.changes).flatMap((change) => parseChange(entry, change)),
  );
}

function parseChange(entry: Wire, change: Wire): readonly ChannelEvent[] {
  const value = asObject(change.value);
  if (value === null) return [];
  const context: ChangeContext = {
    field: asText(change.field) ?? guessField(value),
    // A partner's portfolio stands in entry.id of some account changes; the customer's WABA is then inside.
    wabaId: asId(asObject(value.waba_info)?.waba_id) ?? asId(entry.id),
    phoneNumberId: asId(asObject(value.metadata)?.phone_number_id),
    cards: readContactCards(value.contacts),
  };
  if (context.field !== "messages") return [unknownChange(entry, value, context)];
  const events = [
    ...objectsIn(value.messages).map((message) => parseMessage(message, context)),
    ...objectsIn(value.statuses).map((status) => parseStatus(status, context)),
    ...otherLists(value, context),
  ];
  if (events.length > 0) return events;
  const isEmpty = Array.isArray(value.messages) || Array.isArray(value.statuses);
  return isEmpty ? [] : [unknownChange(entry, value, context)];
}

/** Some of Meta's own examples leave the field out. */
function guessField(value: Wire): string {
  return Array.isArray(value.messages) || Array.isArray(value.statuses) ? "messages" : "unknown";
}

const READ: ReadonlySet<string> = new Set(["contacts", "messages", "statuses"]);

/** What Meta puts beside messages and statuses, such as `errors` and `user_actions`: kept, one event for each. */
function otherLists(value: Wire, context: ChangeContext): readonly ChannelEvent[] {
  const events: ChannelEvent[] = [];
  for (const [name, list] of Object.entries(value))
    if (!READ.has(name)) for (const item of objectsIn(list)) events.push(otherItem(name, item, context));
  return events;
}

function otherItem(name: string, item: Wire, { field, wabaId, phoneNumberId }: ChangeContext): ChannelEvent {
  return {
    kind: "unsupported",
    dedupeKey: contentKey("change", field, wabaId, phoneNumberId, name, item),
    wabaId,
    phoneNumberId,
    occurredAt: asTime(item.timestamp),
    raw: item,
    field,
    type: name,
    from: null,
    messageId: null,
  };
}

function unknownChange(entry: Wire, value: Wire, context: ChangeContext): ChannelEvent {
  return {
    kind: "unsupported",
    dedupeKey: contentKey("change", context.field, entry.id, entry.time, value),
    wabaId: context.wabaId,
    phoneNumberId: context.phoneNumberId,
    occurredAt: asTime(entry.time),
    raw: value,
    field: context.field,
    type: null,
    from: null,
    messageId: null,
  };
}
