/** A delivery's JSON → every event in it: each entry, change, message and status, each with its own number. Never throws. */
import type { ChannelEvent } from "../contract.ts";
import { type ChangeContext, changeBase, unsupported } from "./change-context.ts";
import { parserOf } from "./fields.ts";
import { readContactCards } from "./parse-person.ts";
import { asId, asObject, asText, objectsIn, type Wire } from "./wire.ts";

export function parseWebhook(payload: unknown): readonly ChannelEvent[] {
  const body = asObject(payload);
  // One callback may serve other products of the same app (pages, permissions): theirs are not ours to read.
  if ((asText(body?.object) ?? "whatsapp_business_account") !== "whatsapp_business_account") return [];
  return objectsIn(body?.entry).flatMap((entry) =>
    objectsIn(entry.changes).flatMap((change) => parseChange(entry, change)),
  );
}

/** One change as it stands in a delivery, in an entry of its own, with what is in it. */
export type ReadChange = { readonly entry: Wire; readonly events: readonly ChannelEvent[] };

/** The same, change by change: every event has the identity that it has in the whole. */
export function readChanges(payload: unknown): readonly ReadChange[] {
  const body = asObject(payload);
  return objectsIn(body?.entry).flatMap((entry) =>
    objectsIn(entry.changes).map((change) => {
      const one = { ...entry, changes: [change] };
      return { entry: one, events: parseWebhook({ ...body, entry: [one] }) };
    }),
  );
}

function parseChange(entry: Wire, wire: Wire): readonly ChannelEvent[] {
  const value = asObject(wire.value);
  if (value === null) return [];
  const field = asText(wire.field) ?? guessField(entry, value);
  const change: ChangeContext = {
    field,
    wabaId: wabaIdOf(field, entry, value),
    phoneNumberId: phoneNumberIdOf(value),
    cards: readContactCards(value.contacts),
    entry,
    value,
  };
  const events = parserOf(field)?.(value, change) ?? [];
  if (events.length > 0 || saysNothing(field, value)) return events;
  return [unsupported(changeBase(change), { field, type: null })];
}

/** Some of Meta's own examples leave the field out, or put it one level too high or too deep. */
function guessField(entry: Wire, value: Wire): string {
  const told = asText(entry.field) ?? asText(value.field);
  const isMessages = Array.isArray(value.messages) || Array.isArray(value.statuses);
  return told ?? (isMessages ? "messages" : "unknown");
}

/** A partner's portfolio stands in entry.id of some changes; the customer's account is then inside, or nowhere. */
function wabaIdOf(field: string, entry: Wire, value: Wire): string | null {
  return asId(asObject(value.waba_info)?.waba_id) ?? (field === "partner_solutions" ? null : asId(entry.id));
}

/** Settings and handovers name the number elsewhere. */
function phoneNumberIdOf(value: Wire): string | null {
  const place = value.metadata ?? value.recipient ?? value.phone_number_settings;
  return asId(asObject(place)?.phone_number_id);
}

/** Empty lists of messages and statuses come along with others, and mean nothing. */
function saysNothing(field: string, value: Wire): boolean {
  if (field !== "messages") return false;
  const lists = Object.entries(value).filter(([name]) => !WRAPPER.includes(name));
  return lists.length > 0 && lists.every(([, list]) => Array.isArray(list) && list.length === 0);
}

const WRAPPER = ["messaging_product", "metadata", "contacts"];
