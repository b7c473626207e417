/** One element of `messages[]` → a message event, or an unsupported one with its raw value. */
import type { MessageEvent, UnsupportedEvent } from "../contract.ts";
import { contentKey, dedupeKey } from "./dedupe-key.ts";
import { type ContactCards, parsePerson } from "./parse-person.ts";
import { asId, asObject, asText, asTime, type Wire } from "./wire.ts";

export type ChangeContext = {
  readonly field: string;
  readonly wabaId: string | null;
  readonly phoneNumberId: string | null;
  readonly cards: ContactCards;
};

/** What a person wrote or chose, by message type. A type that is not here is `unsupported` until we learn it. */
const TEXT_OF: Readonly<Record<string, (message: Wire) => string | null>> = {
  text: (message) => asText(asObject(message.text)?.body),
  image: (message) => asText(asObject(message.image)?.caption),
  video: (message) => asText(asObject(message.video)?.caption),
  document: (message) => asText(asObject(message.document)?.caption),
  audio: () => null,
  sticker: () => null,
  location: (message) => asText(asObject(message.location)?.name),
  contacts: () => null,
  order: (message) => asText(asObject(message.order)?.text),
  button: (message) => asText(asObject(message.button)?.text),
  interactive: (message) => {
    const reply = interactiveReply(message);
    return asText(reply?.title) ?? asText(reply?.body);
  },
};

/** The message types that become `message` events. */
export const MESSAGE_TYPES: readonly string[] = Object.keys(TEXT_OF);

export function parseMessage(message: Wire, change: ChangeContext): MessageEvent | UnsupportedEvent {
  const type = asText(message.type) ?? "unknown";
  const messageId = asId(message.id);
  const from = parsePerson(
    { phone: message.from, userId: message.from_user_id, parentUserId: message.from_parent_user_id },
    change.cards,
  );
  const base = {
    dedupeKey:
      messageId === null
        ? contentKey("message", change.phoneNumberId, message)
        : dedupeKey("message", change.phoneNumberId, messageId, type),
    wabaId: change.wabaId,
    phoneNumberId: change.phoneNumberId,
    occurredAt: asTime(message.timestamp),
    raw: message,
  };
  const textOf = Object.hasOwn(TEXT_OF, type) ? TEXT_OF[type] : undefined;
  // In a group `from` is one of many, so it must not become a conversation of its own.
  const isGroup = Boolean(message.group_id);
  if (textOf === undefined || messageId === null || from === null || isGroup || isBroken(message, type))
    return {
      kind: "unsupported",
      field: change.field,
      type: `message:${isGroup ? "group" : type}`,
      from,
      messageId,
      ...base,
    };
  // A forwarded message has a context without an id: it quotes nothing.
  const quoted = asId(asObject(message.context)?.id);
  // The spread comes last: with it first, this object alone takes as long to make as the JSON to parse (V8, Node 20).
  return { kind: "message", messageId, from, type, text: textOf(message), content: null, replyTo: quoted, ...base };
}

/** What the person pressed, picked or filled in; null for kinds of `interactive` that we do not know. */
function interactiveReply(message: Wire): Wire | null {
  const interactive = asObject(message.interactive);
  return asObject(interactive?.button_reply) ?? asObject(interactive?.list_reply) ?? asObject(interactive?.nfm_reply);
}

/** Meta sends `interactive` without its content when it cannot show it to us: nothing there to be answered. */
function isBroken(message: Wire, type: string): boolean {
  return type === "interactive" && interactiveReply(message) === null;
}
