/** Who an event is about, and the names by which that person may come back. */
import type { ChannelEvent, Person } from "../../plugin/contract.ts";
import { isUnreadableMessage } from "../../plugin/ports.ts";

/** Whose lane it belongs to. */
export function personOf(event: ChannelEvent): Person | null {
  switch (event.kind) {
    case "message":
    case "reaction":
    case "edit":
    case "revoke":
    case "unsupported":
      return event.from;
    case "status":
      return event.recipient;
    case "echo":
      return event.to;
    case "contact-changed":
    case "preference":
    case "call":
    case "history":
    case "standby":
      return event.person;
    case "template":
    case "account":
    case "phone-number":
    case "flow":
      return null;
  }
}

/** The wamid it is about. */
export function messageIdOf(event: ChannelEvent): string | null {
  return "messageId" in event ? event.messageId : null;
}

/**
 * Whether a stranger becomes a contact by it: somebody who wrote, called or was written to. A status, or an entry in
 * an address book, is about somebody who is known or else is nobody yet.
 */
export function introduces(event: ChannelEvent): boolean {
  switch (event.kind) {
    case "message":
    // Of a message that Meta may bring later.
    case "edit":
    case "revoke":
    case "echo":
    case "preference":
      return true;
    case "history":
      return event.messages.length > 0;
    case "call":
      return event.direction === "inbound";
    case "standby":
      return event.what === "message" || event.what === "echo";
    case "unsupported":
      return isUnreadableMessage(event);
    default:
      return false;
  }
}

/**
 * Every name that an event says belongs to one person: for a change, the old and the new ones.
 * @param hasLeft whether the person has another user id now. Meta makes a new one for a new number, so what names the old one is
 * of before: the number beside it may be somebody else's by now, and names nobody.
 */
export function aliasesOfEvent(event: ChannelEvent, hasLeft = (_userId: string) => false): readonly string[] {
  const names = peopleOf(event).flatMap((person) => {
    const isOfBefore = person?.userId != null && hasLeft(person.userId);
    return aliasesOf(isOfBefore ? { ...person, phoneNumber: null, parentUserId: null } : person);
  });
  return [...new Set(names)];
}

/** Those that may have been left. */
export function userIdsOfEvent(event: ChannelEvent): readonly string[] {
  return peopleOf(event).flatMap((person) => (person?.userId ? [person.userId] : []));
}

function peopleOf(event: ChannelEvent): readonly (Person | null)[] {
  return event.kind === "contact-changed" ? [event.before, event.person] : [personOf(event)];
}

/** The spellings by which a person may come back. */
export function aliasesOf(person: Person | null): readonly string[] {
  return [phoneAlias(person), userAlias(person), parentAlias(person)].filter((alias) => alias !== null);
}

export function phoneAlias(person: Person | null): string | null {
  return person?.phoneNumber ? `phone:${canonicalNumber(person.phoneNumber)}` : null;
}

export function userAlias(person: Person | null): string | null {
  return person?.userId ? `user:${person.userId}` : null;
}

/** Beside the user id's own alias, which still leads to the person: they have another one now. */
export function leftAlias(userId: string): string {
  return `left:${userId}`;
}

/** A number that was theirs until then: names nobody, and leads to what was written of them under it. */
export type FormerNumber = {
  /** In its one spelling. */
  readonly number: string;
  /** When we stored that they have another one, ISO 8601. */
  readonly until: string;
};

export function formerAlias({ number, until }: FormerNumber): string {
  return `${formerPrefix(number)}${until}`;
}

/** How such an alias begins, whenever the number was left. */
export function formerPrefix(number: string): string {
  return `was:${canonicalNumber(number)}:`;
}

/** Null for other aliases. */
export function formerNumberOf(alias: string): FormerNumber | null {
  const [, number, until] = /^was:(\d+):(.+)$/.exec(alias) ?? [];
  return number === undefined || until === undefined ? null : { number, until };
}

/** A conversation that they had until the host deleted it: names nobody, and leads to what is left in it. */
export function conversationAlias(id: string): string {
  return `${CONVERSATION}${id}`;
}

/** The id in such an alias; null for others. */
export function conversationOf(alias: string): string | null {
  return alias.startsWith(CONVERSATION) ? alias.slice(CONVERSATION.length) : null;
}

const CONVERSATION = "conversation:";

export function parentAlias(person: Person | null): string | null {
  return person?.parentUserId ? `parent:${person.parentUserId}` : null;
}

/**
 * WhatsApp knows some mobile numbers with and without a digit that was introduced later, and Meta sends either. One
 * spelling for both, for recognising only: answers go to the number as Meta gave it.
 * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/phone-numbers
 */
export function canonicalNumber(digits: string): string {
  // Brazil: 55, two digits of area, a 9 in front of eight more. Mexico: 52, a 1, ten more. Argentina: 54, a 9, ten more.
  return digits
    .replace(/^55(\d{2})9(\d{8})$/, "55$1$2")
    .replace(/^521(\d{10})$/, "52$1")
    .replace(/^549(\d{10})$/, "54$1");
}

/** The same number in every spelling that Meta may use for it. */
export function spellingsOf(digits: string): readonly string[] {
  const short = canonicalNumber(digits);
  const long = short
    .replace(/^55(\d{2})(\d{8})$/, (_all, area, number) => `55${area}9${number}`)
    .replace(/^52(\d{10})$/, "521$1")
    .replace(/^54(\d{10})$/, "549$1");
  return [...new Set([digits, short, long])];
}
