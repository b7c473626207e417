/** What the elements of one change share: whose it is, and how an event of it begins. */
import type { ChannelEvent, UnsupportedEvent } from "../contract.ts";
import { contentKey } from "./dedupe-key.ts";
import type { ContactCards } from "./parse-person.ts";
import { asDigits, asId, asObject, asTime, type Wire } from "./wire.ts";

export type ChangeContext = {
  readonly field: string;
  readonly wabaId: string | null;
  readonly phoneNumberId: string | null;
  readonly cards: ContactCards;
  readonly entry: Wire;
  readonly value: Wire;
};

/** A change's value → its events. Empty when there is nothing in it that this field is known for. */
export type ParseChange = (value: Wire, change: ChangeContext) => readonly ChannelEvent[];

/** What every event has. */
export type EventBase = Pick<ChannelEvent, "dedupeKey" | "wabaId" | "phoneNumberId" | "occurredAt" | "raw">;

/** For one element of a list. */
export function itemBase(item: Wire, change: ChangeContext, dedupeKey: string): EventBase {
  return {
    dedupeKey,
    wabaId: change.wabaId,
    phoneNumberId: change.phoneNumberId,
    occurredAt: asTime(item.timestamp),
    raw: item,
  };
}

/** For an element without an id: its content, whichever batch it came in. */
export function itemKey(list: string, item: Wire, change: ChangeContext): string {
  return contentKey("change", change.field, change.wabaId, change.phoneNumberId, list, item);
}

/** For a change that is one event: its content and its time, since the same may happen again another day. */
export function changeBase({ field, wabaId, phoneNumberId, entry, value }: ChangeContext): EventBase {
  return {
    dedupeKey: contentKey("change", field, entry.id, entry.time, value),
    wabaId,
    phoneNumberId,
    occurredAt: asTime(value.timestamp) ?? asTime(entry.time),
    raw: value,
  };
}

type Unsupported = { readonly field: string; readonly type: string | null } & Partial<
  Pick<UnsupportedEvent, "from" | "messageId">
>;

/** What this version does not know, or cannot believe: kept with all that could be told of it. */
export function unsupported(base: EventBase, { field, type, from, messageId }: Unsupported): UnsupportedEvent {
  return { kind: "unsupported", field, type, from: from ?? null, messageId: messageId ?? null, ...base };
}

/** An element of a list that has neither an id nor a meaning here. */
export function unsupportedItem(list: string, item: Wire, change: ChangeContext): UnsupportedEvent {
  return unsupported(itemBase(item, change, itemKey(list, item, change)), { field: change.field, type: list });
}

/** @returns which side of a message the other person is on, when it is told who sent it and who got it. */
export function otherSide(item: Wire, change: ChangeContext): "from" | "to" {
  const business = asDigits(asObject(change.value.metadata)?.display_phone_number);
  if (business !== null && asDigits(item.from) === business) return "to";
  if (business !== null && asDigits(item.to) === business) return "from";
  return asId(item.to) === null && asId(item.to_user_id) === null ? "from" : "to";
}
