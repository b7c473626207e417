/** Messages from before the number was connected: a chunk of threads → one event for each, none of them live. */
import type { ChannelEvent, HistoryEvent, HistoryMessage } from "../contract.ts";
import { type ChangeContext, itemBase, itemKey, otherSide, unsupported, unsupportedItem } from "./change-context.ts";
import { contentKey } from "./dedupe-key.ts";
import { parseErrors } from "./parse-error.ts";
import { messageKey } from "./parse-message.ts";
import { readOverheard } from "./parse-message-change.ts";
import { parsePerson, receiverOf, senderOf } from "./parse-person.ts";
import { asId, asNumber, asObject, asText, asTime, objectsIn, type Wire } from "./wire.ts";

type Chunk = Pick<HistoryEvent, "progress" | "errors">;

/** One element of `history[]`. Without threads it tells of the sync itself: how far it is, or why there is none. */
export function parseHistory(item: Wire, change: ChangeContext): ChannelEvent | readonly ChannelEvent[] {
  const metadata = asObject(item.metadata);
  const chunk: Chunk = { progress: asNumber(metadata?.progress), errors: parseErrors(item.errors) };
  const threads = objectsIn(item.threads);
  if (threads.length > 0) return threads.map((thread) => parseThread(thread, metadata, chunk, change));
  if (chunk.progress === null && chunk.errors.length === 0) return unsupportedItem("history", item, change);
  return {
    kind: "history",
    person: null,
    messages: [],
    ...chunk,
    ...itemBase(item, change, itemKey("history", item, change)),
  };
}

function parseThread(thread: Wire, metadata: Wire | null, chunk: Chunk, change: ChangeContext): ChannelEvent {
  const context = asObject(thread.context);
  const person = parsePerson(
    { phone: thread.id, userId: context?.user_id, parentUserId: context?.parent_user_id },
    change.cards,
  );
  // The same thread comes in several chunks, and again after a reconnect, with other messages.
  const key = contentKey("history", change.phoneNumberId, metadata, thread);
  const base = itemBase(thread, change, key);
  if (person === null) return unsupported(base, { field: change.field, type: "history:thread" });
  const messages = objectsIn(thread.messages).flatMap((message) => parseHistoryMessage(message, change) ?? []);
  return {
    kind: "history",
    person: { ...person, username: person.username ?? asText(context?.username) },
    messages,
    ...chunk,
    ...base,
  };
}

/** Media comes later than its placeholder in the thread, with the same wamid, and for the last 14 days only. */
export function parseHistoryMedia(message: Wire, change: ChangeContext): ChannelEvent {
  const read = parseHistoryMessage(message, change);
  const isOutbound = otherSide(message, change) === "to";
  const person = isOutbound ? receiverOf(message, change.cards) : senderOf(message, change.cards);
  const base = itemBase(message, change, messageKey("history", message, change));
  if (read === null || person === null)
    return unsupported(base, {
      field: change.field,
      type: `history:${asText(message.type) ?? "unknown"}`,
      from: person,
      messageId: asId(message.id),
    });
  return { kind: "history", person, messages: [read], progress: null, errors: [], ...base };
}

function parseHistoryMessage(message: Wire, change: ChangeContext): HistoryMessage | null {
  const messageId = asId(message.id);
  if (messageId === null) return null;
  // A change that does not say of what changes nothing.
  const said = readOverheard(message, asText(message.type) ?? "unknown");
  if (said === null) return null;
  const { type, text, content } = said;
  return {
    messageId,
    direction: otherSide(message, change) === "to" ? "outbound" : "inbound",
    type,
    text,
    content,
    ...(said.change !== undefined && { change: said.change }),
    occurredAt: asTime(message.timestamp),
    status: asText(asObject(message.history_context)?.status),
  };
}
