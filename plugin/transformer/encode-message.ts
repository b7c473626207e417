/** OutboundMessage → the Graph API's message content: the only place that spells Graph fields on the way out. */
import type { OutboundMessage } from "../contract.ts";

/** The recipient, the quoted message and the callback data are the dispatcher's to add. */
export function encodeMessage(message: OutboundMessage): Record<string, unknown> {
  switch (message.kind) {
    case "text":
      return { type: "text", text: { body: message.text, preview_url: message.previewUrl } };
    default:
      throw new Error(`cannot encode ${message.kind} yet`);
  }
}
