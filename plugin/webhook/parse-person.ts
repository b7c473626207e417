/** Who it is: phone number, business-scoped user id, or both, as Meta spreads them over two places. */
import type { Person } from "../contract.ts";
import { displayName } from "./display-name.ts";
import { asObject, asText, objectsIn, type Wire } from "./wire.ts";

// ISO country, then up to 128 letters and digits; a parent id has ENT in between.
// @see https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
const USER_ID = /^[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}$/;
const PHONE = /^\d{5,20}$/;

/** What a message, status or echo says of the other side, before the contact card is added. */
export type Named = {
  readonly phone: unknown;
  readonly userId: unknown;
  readonly parentUserId: unknown;
};

/** Where a person is to be named and Meta names nobody. */
export const NOBODY: Person = { phoneNumber: null, userId: null, parentUserId: null, username: null, name: null };

/** The contact cards of one change, by identity and never by position: a batch may hold several people. */
export type ContactCards = { find(phone: string | null, userId: string | null): Wire | undefined };

/** Indexed when there are many: looking through a thousand cards for each of a thousand messages holds the process up. */
export function readContactCards(contacts: unknown): ContactCards {
  const cards = objectsIn(contacts);
  if (cards.length < MANY)
    return {
      find: (phone, userId) =>
        cards.find((card) => phone !== null && asPhone(card.wa_id) === phone) ??
        cards.find((card) => userId !== null && userIdsOf(card).includes(userId)),
    };
  const byPhone = new Map<string, Wire>();
  const byUserId = new Map<string, Wire>();
  for (const card of cards.toReversed()) {
    const phone = asPhone(card.wa_id);
    if (phone !== null) byPhone.set(phone, card);
    for (const userId of userIdsOf(card)) byUserId.set(userId, card);
  }
  return { find: (phone, userId) => byPhone.get(phone ?? "") ?? byUserId.get(userId ?? "") };
}

const MANY = 8;

/** Some payloads carry the BSUID where the phone number used to be. */
function userIdsOf(card: Wire): readonly string[] {
  return [asUserId(card.wa_id), asUserId(card.user_id)].filter((userId) => userId !== null);
}

/** @returns null when neither a phone number nor a user id is there. */
export function parsePerson(named: Named, cards: ContactCards): Person | null {
  const phone = asPhone(named.phone);
  const userId = asUserId(named.userId) ?? asUserId(named.phone);
  const card = cards.find(phone, userId);
  const phoneNumber = phone ?? asPhone(card?.wa_id);
  const knownUserId = userId ?? asUserId(card?.user_id);
  if (phoneNumber === null && knownUserId === null) return null;
  const profile = asObject(card?.profile);
  return {
    phoneNumber,
    userId: knownUserId,
    parentUserId: asUserId(named.parentUserId) ?? asUserId(card?.parent_user_id),
    username: asText(profile?.username),
    name: displayName(asText(profile?.name)),
  };
}

/** Of a message: who wrote it. */
export function senderOf(message: Wire, cards: ContactCards): Person | null {
  return parsePerson(
    { phone: message.from, userId: message.from_user_id, parentUserId: message.from_parent_user_id },
    cards,
  );
}

/** Of what the business sent: who got it. */
export function receiverOf(message: Wire, cards: ContactCards): Person | null {
  return parsePerson({ phone: message.to, userId: message.to_user_id, parentUserId: message.to_parent_user_id }, cards);
}

/** Of a status: whom the message was sent to. */
export function recipientOf(status: Wire, cards: ContactCards): Person | null {
  return parsePerson(
    {
      phone: status.recipient_id,
      userId: status.recipient_user_id,
      // Renamed in May 2026; both spellings are on the wire.
      parentUserId: status.recipient_parent_user_id ?? status.parent_recipient_user_id,
    },
    cards,
  );
}

export function asPhone(value: unknown): string | null {
  const text = asText(value)?.replace(/^\+/, "") ?? "";
  return PHONE.test(text) ? text : null;
}

export function asUserId(value: unknown): string | null {
  const text = asText(value) ?? "";
  return USER_ID.test(text) ? text : null;
}
