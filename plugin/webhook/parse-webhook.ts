/** A delivery's JSON → every event in it: each entry, change, message and status, each with its own number. Never throws. */
import type { ChannelEvent } from "../contract.ts";
import { contentKey } from "./dedupe-key.ts";
import { type ChangeContext, parseMessage } from "./parse-message.ts";
import { parseStatus } from "./parse-status.ts";
import { asObject, asText, asTime, objectsIn, type Wire } from "./wire.ts";

export function parseWebhook(payload: unknown): readonly ChannelEvent[] {
  return objectsIn(asObject(payload)?.entry).flatMap((entry) =>
    objectsIn(entry.changes).flatMap((change) => parseChange(entry, change)),
  );
}

function parseChange(entry: Wire, change: Wire): readonly ChannelEvent[] {
  const value = asObject(change.value);
  if (value === null) return [];
  // Some of Meta's own examples leave the field out.
  const field = asText(change.field) ?? (Array.isArray(value.messages) ? "messages" : "unknown");
  const context: ChangeContext = {
    field,
    // A partner's portfolio stands in entry.id of some account changes; the customer's WABA is then inside.
    wabaId: asText(asObject(value.waba_info)?.waba_id) ?? asText(entry.id),
    phoneNumberId: asText(asObject(value.metadata)?.phone_number_id),
    contacts: value.contacts,
  };
  if (field !== "messages") return [unknownChange(entry, value, context)];
  const events = [
    ...objectsIn(value.messages).map((message) => parseMessage(message, context)),
    ...objectsIn(value.statuses).map((status) => parseStatus(status, context)),
  ];
  if (events.length > 0) return events;
  const isEmpty = Array.isArray(value.messages) || Array.isArray(value.statuses);
  return isEmpty ? [] : [unknownChange(entry, value, context)];
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
  };
}
