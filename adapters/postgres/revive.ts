/** JSON has no dates: an event or a message that comes back from the database gets its own again, and Meta's `raw` is left alone. */
import type { ChannelEvent, MessageContent } from "../../plugin/contract.ts";

export function revive(stored: ChannelEvent): ChannelEvent {
  const event = { ...stored, occurredAt: date(stored.occurredAt) };
  if (event.kind === "history")
    return {
      ...event,
      messages: event.messages.map((message) => ({
        ...message,
        occurredAt: date(message.occurredAt),
        content: reviveContent(message.content),
      })),
    };
  if (event.kind === "status" && event.conversation !== undefined)
    return { ...event, conversation: { ...event.conversation, expiresAt: date(event.conversation.expiresAt) } };
  if ("content" in event) return { ...event, content: reviveContent(event.content) };
  return event;
}

export function reviveContent(stored: MessageContent | null): MessageContent | null {
  return stored?.kind === "call-permission" ? { ...stored, expiresAt: date(stored.expiresAt) } : stored;
}

function date(stored: Date | null): Date | null {
  return stored === null ? null : new Date(stored);
}
