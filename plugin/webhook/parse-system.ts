/** A system message → the person has another number, another user id, or another device. */
import type { ContactChangedEvent, Person } from "../contract.ts";
import type { EventBase } from "./change-context.ts";
import { asPhone, asUserId, NOBODY } from "./parse-person.ts";
import { asObject, asText, type Wire } from "./wire.ts";

const CHANGES: Readonly<Record<string, ContactChangedEvent["change"]>> = {
  user_changed_number: "phone-number",
  customer_changed_number: "phone-number",
  user_changed_user_id: "user-id",
  customer_identity_changed: "identity",
};

/** @returns null for a system message of another type, and for one that names nobody. */
export function parseSystem(message: Wire, base: EventBase): ContactChangedEvent | null {
  const system = asObject(message.system) ?? {};
  const type = asText(system.type) ?? "";
  const change = Object.hasOwn(CHANGES, type) ? CHANGES[type] : undefined;
  if (change === undefined) return null;
  const body = readBody(system.body);
  const before = personBefore(message, system, body.before);
  const person = personNow(change, system, { before, told: body.now });
  if (person.phoneNumber === null && person.userId === null) return null;
  return { kind: "contact-changed", change, before, person, ...base };
}

function personBefore(message: Wire, system: Wire, told: string | null): Person {
  return {
    ...NOBODY,
    phoneNumber: first(asPhone, message.from, system.customer, told),
    userId: first(asUserId, system.previous_user_id, message.from_user_id, message.from, told),
    parentUserId: first(asUserId, system.previous_parent_user_id, message.from_parent_user_id),
  };
}

type Known = { readonly before: Person; readonly told: string | null };

function personNow(change: ContactChangedEvent["change"], system: Wire, { before, told }: Known): Person {
  const phoneNumber = first(asPhone, system.wa_id, system.new_wa_id, told);
  const userId = first(asUserId, system.user_id, told);
  const parentUserId = first(asUserId, system.parent_user_id);
  // Meta makes new ids for a new number, so of the old ones and the old number nothing is carried over.
  if (change !== "identity") return { ...before, phoneNumber, userId, parentUserId };
  return {
    ...before,
    phoneNumber: before.phoneNumber ?? phoneNumber,
    userId: before.userId ?? userId,
    parentUserId: before.parentUserId ?? parentUserId,
  };
}

// At the end, because a person may give themselves a name with the same words in it.
const BODY = /changed from (\S+) to (\S+?)\.?$/;

/** `User Ada changed from 447700900123 to 447700900888`: all there was in older versions. */
function readBody(body: unknown): { readonly before: string | null; readonly now: string | null } {
  const [, before, now] = BODY.exec(asText(body)?.slice(-MAX_BODY) ?? "") ?? [];
  return { before: before ?? null, now: now ?? null };
}

/** Two user ids and the words between them; no more, so that the search stays short. */
const MAX_BODY = 400;

function first(read: (value: unknown) => string | null, ...values: readonly unknown[]): string | null {
  for (const value of values) {
    const found = read(value);
    if (found !== null) return found;
  }
  return null;
}
