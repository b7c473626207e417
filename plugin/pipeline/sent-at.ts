/** When something happened, as far as Meta's clock can be believed. */
import type { StoredEvent } from "../ports.ts";

/** Never later than receipt: a forged or skewed time must not lengthen the window. */
export function sentAtOf({ event, receivedAt }: Pick<StoredEvent, "event" | "receivedAt">): Date {
  return event.occurredAt !== null && event.occurredAt < receivedAt ? event.occurredAt : receivedAt;
}
