/** Events of a batch → what they do to the database. Pure: no clock, no store. */
import type { MessageEvent } from "../contract.ts";
import type { Effects, ReceivedMessage, StoredEvent } from "../ports.ts";

/** Meta's customer service window. @see https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-messages#customer-service-windows */
const WINDOW_MS = 24 * 60 * 60 * 1000;

export function planEffects(events: readonly StoredEvent[]): Effects {
  return {
    messages: events.flatMap((stored) => {
      const { event, contactId } = stored;
      return event.kind === "message" && contactId !== null ? [receivedMessage(stored, event, contactId)] : [];
    }),
    statuses: events.flatMap(({ event }) => (event.kind === "status" ? [event] : [])),
    unsupported: events.filter(({ event }) => event.kind === "unsupported"),
  };
}

function receivedMessage(
  { receivedAt, storedAt }: StoredEvent,
  event: MessageEvent,
  contactId: string,
): ReceivedMessage {
  // Never later than receipt: a forged or skewed time must not lengthen the window.
  const sentAt = event.occurredAt !== null && event.occurredAt < receivedAt ? event.occurredAt : receivedAt;
  return {
    contactId,
    event,
    content: event.text ?? placeholder(event.type),
    mediaType: MEDIA.has(event.type) ? event.type : null,
    storedAt,
    sentAt,
    late: receivedAt.getTime() - sentAt.getTime() >= WINDOW_MS,
  };
}

const MEDIA = new Set(["image", "video", "audio", "document", "sticker"]);

/** What the host's inbox shows of a message without words. */
function placeholder(type: string): string {
  return `[${type}]`;
}
