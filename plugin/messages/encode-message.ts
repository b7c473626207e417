/** OutboundMessage → the Graph API's message content, in Meta's own spelling. Total for what `checkMessage` has passed. */
import type { MediaMessage, OutboundMessage } from "../contract.ts";
import { encodeCarousel, encodeProductCarousel } from "./encode-carousel.ts";
import { encodeContact } from "./encode-contact.ts";
import { encodeInteractive } from "./encode-interactive.ts";
import { encodePlace } from "./encode-place.ts";
import { encodeTemplate } from "./encode-template.ts";
import { given, type Wire } from "./wire.ts";

/**
 * The recipient, the quoted message and the callback data are the dispatcher's to add.
 * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
 */
export function encodeMessage(message: OutboundMessage): Wire {
  switch (message.kind) {
    case "text":
      return { type: "text", text: { body: message.text, preview_url: message.previewUrl } };
    case "image":
    case "video":
    case "audio":
    case "document":
    case "sticker":
      return { type: message.kind, [message.kind]: encodeMedia(message) };
    case "location":
      return { type: "location", location: encodePlace(message) };
    case "contacts":
      return { type: "contacts", contacts: message.contacts.map(encodeContact) };
    case "reaction":
      // An empty emoji takes the reaction back.
      return { type: "reaction", reaction: { message_id: message.targetId, emoji: message.emoji ?? "" } };
    case "carousel":
      return { type: "interactive", interactive: encodeCarousel(message) };
    case "product-carousel":
      return { type: "interactive", interactive: encodeProductCarousel(message) };
    case "template":
      return { type: "template", template: encodeTemplate(message) };
    case "raw":
      return { type: message.type, ...message.payload };
    default:
      return { type: "interactive", interactive: encodeInteractive(message) };
  }
}

/** Ours is an id as well: before it leaves, Meta's stands in its place. */
function encodeMedia({ url, mediaId, caption, filename, voice }: MediaMessage): Wire {
  return { ...(url === undefined ? { id: mediaId } : { link: url }), ...given({ caption, filename, voice }) };
}
