/** The contact cards in a message. Everything in a card is optional, the name too. */
import type { MessageContent, SharedContact } from "../contract.ts";
import { asPhone } from "./parse-person.ts";
import { asObject, asText, objectsIn, type Wire } from "./wire.ts";

export function parseSharedContacts(contacts: unknown): MessageContent | null {
  const cards = objectsIn(contacts);
  return cards.length === 0 ? null : { kind: "contacts", contacts: cards.map(parseCard) };
}

/**
 * The number that WhatsApp gives for the sender, when they touch the button for it. Not where anybody else's could be meant:
 * among other cards, or with another number beside it.
 */
export function ownNumber(content: MessageContent | null): string | null {
  if (content?.kind !== "contacts" || content.contacts.length !== 1) return null;
  const [card] = content.contacts;
  const [number, ...others] = card?.phones ?? [];
  return card?.isOwn === true && others.length === 0 ? asPhone(number?.waId) : null;
}

function parseCard(card: Wire): SharedContact {
  return {
    name: parseName(asObject(card.name)),
    phones: objectsIn(card.phones).flatMap(({ phone, wa_id, type }) => {
      const waId = asText(wa_id);
      const spelled = asText(phone) ?? waId;
      return spelled === null ? [] : [{ phone: spelled, waId, type: asText(type) }];
    }),
    emails: objectsIn(card.emails)
      .map(({ email }) => asText(email))
      .filter((email) => email !== null),
    organization: asText(asObject(card.org)?.company),
    isOwn: card.origin === "contact_request",
  };
}

function parseName(name: Wire | null): string | null {
  const parts = [name?.first_name, name?.middle_name, name?.last_name].map(asText);
  return asText(name?.formatted_name) ?? asText(parts.filter((part) => part !== null).join(" "));
}
