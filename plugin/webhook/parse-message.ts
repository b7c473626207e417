/** One element of `messages[]` → what the person did: wrote, reacted, corrected, took back, moved to another number. */
import type { ChannelEvent, MessageContent, Person } from "../contract.ts";
import { type ChangeContext, type EventBase, itemBase, unsupported } from "./change-context.ts";
import { contentKey, dedupeKey } from "./dedupe-key.ts";
import { parseContent } from "./parse-content.ts";
import { parseEdit, parseReaction, parseRevoke, type Sent } from "./parse-message-change.ts";
import { parseCircumstances, quotedId } from "./parse-message-context.ts";
import { senderOf } from "./parse-person.ts";
import { ownNumber } from "./parse-shared-contacts.ts";
import { parseSystem } from "./parse-system.ts";
import { asId, asObject, asText, type Wire } from "./wire.ts";

/** What is about an earlier message. Null where it does not say about which. */
const ABOUT_ANOTHER: Readonly<Record<string, (message: Wire, sent: Sent) => ChannelEvent | null>> = {
  reaction: parseReaction,
  edit: parseEdit,
  revoke: parseRevoke,
};

export function parseMessage(message: Wire, change: ChangeContext): ChannelEvent {
  const type = asText(message.type) ?? "unknown";
  const messageId = asId(message.id);
  const from = senderOf(message, change.cards);
  const base = itemBase(message, change, messageKey("message", message, change));
  // In a group `from` is one of many, so it must not become a conversation of its own.
  const isGroup = Boolean(message.group_id);
  const known = isGroup ? null : parseKnown(type, message, { messageId, from, base });
  if (known !== null) return known;
  const what = isGroup ? "group" : kindOf(type, message);
  return unsupported(base, { field: change.field, type: `message:${what}`, from, messageId });
}

type Read = { readonly [Key in "messageId" | "from"]: Sent[Key] | null } & { readonly base: EventBase };

function parseKnown(type: string, message: Wire, { messageId, from, base }: Read): ChannelEvent | null {
  // WhatsApp itself says this, so there need not be a sender.
  if (type === "system") return parseSystem(message, base);
  if (messageId === null || from === null) return null;
  if (Object.hasOwn(ABOUT_ANOTHER, type)) return ABOUT_ANOTHER[type]?.(message, { messageId, from, base }) ?? null;
  const said = parseContent(message, type);
  if (said === null) return null;
  const { text, content } = said;
  const replyTo = quotedId(message);
  const circumstances = parseCircumstances(message);
  const person =
    from.phoneNumber === null && circumstances.forwarded === undefined ? withOwnNumber(from, content) : from;
  // Spreads come last: with one first, this object alone takes as long to make as the JSON to parse (V8, Node 20).
  return { kind: "message", messageId, from: person, type, text, content, replyTo, ...circumstances, ...base };
}

/** Somebody with a username, whose number Meta withholds until they share it. */
function withOwnNumber(person: Person, content: MessageContent | null): Person {
  const phoneNumber = ownNumber(content);
  return phoneNumber === null ? person : { ...person, phoneNumber };
}

/** As near as Meta tells: `poll` instead of `unsupported`, `interactive:payment_method` instead of `interactive`. */
function kindOf(type: string, message: Wire): string {
  const told = asText(asObject(message.unsupported)?.type);
  if (told !== null) return told;
  const inner = type === "interactive" ? asText(asObject(message.interactive)?.type) : null;
  return inner === null ? type : `${type}:${inner}`;
}

/** Whatever it turns out to be, a message is told from all others by its wamid and type. */
export function messageKey(kind: string, message: Wire, { phoneNumberId }: ChangeContext): string {
  const messageId = asId(message.id);
  if (messageId === null) return contentKey(kind, phoneNumberId, message);
  return dedupeKey(kind, phoneNumberId, messageId, asText(message.type) ?? "unknown");
}
