/** Messages that we cannot show: what of them a person wrote to the business alone. Routing and effects judge alike. */
import type { ChannelEvent, Person, UnsupportedEvent } from "../contract.ts";

type UnreadableMessage = UnsupportedEvent & { readonly from: Person; readonly messageId: string };

/** In a group `from` is one of many; the others are WhatsApp's own word, or about an earlier message. */
const NOT_WRITTEN: ReadonlySet<string> = new Set([
  "message:group",
  "message:system",
  "message:request_welcome",
  "message:edit",
  "message:revoke",
  "message:reaction",
]);

/** Something a person wrote that cannot be shown: Meta knows that, and not what. */
export function isUnreadableMessage(event: ChannelEvent): event is UnreadableMessage {
  return (
    event.kind === "unsupported" &&
    event.from !== null &&
    event.messageId !== null &&
    event.type?.startsWith("message:") === true &&
    !NOT_WRITTEN.has(event.type)
  );
}
