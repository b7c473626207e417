/** One message of every type that Meta delivers, for `person.sends`. */
import type { WireObject } from "./wire.ts";

const HASH = "aW52ZW50ZWQgaGFzaCBvZiBhbiBpbnZlbnRlZCBmaWxlLiE=";
const EARLIER = "wamid.HBgMNDQ3NzAwOTAwMTIzFQIAEhggRUFSTElFUg==";

/**
 * By a name of ours, since Meta has several shapes for some types. What quotes or reacts to a message speaks of an invented
 * one: spread the member and put a real wamid in its place.
 * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
 */
export const INBOUND_MESSAGES = {
  text: { type: "text", text: { body: "Are you open today?" } },
  image: { type: "image", image: { id: "4410001", mime_type: "image/jpeg", sha256: HASH, caption: "My cake" } },
  video: { type: "video", video: { id: "4410002", mime_type: "video/mp4", sha256: HASH } },
  audio: { type: "audio", audio: { id: "4410003", mime_type: "audio/mpeg", sha256: HASH, voice: false } },
  "voice-note": {
    type: "audio",
    audio: { id: "4410006", mime_type: "audio/ogg; codecs=opus", sha256: HASH, voice: true },
  },
  document: {
    type: "document",
    document: { id: "4410004", mime_type: "application/pdf", sha256: HASH, filename: "order.pdf" },
  },
  sticker: { type: "sticker", sticker: { id: "4410005", mime_type: "image/webp", sha256: HASH, animated: false } },
  location: {
    type: "location",
    location: { latitude: 51.5007, longitude: -0.1246, name: "Clock tower", address: "London" },
  },
  contacts: {
    type: "contacts",
    contacts: [
      {
        name: { formatted_name: "Bo Li", first_name: "Bo" },
        phones: [{ phone: "+44 7700 900999", wa_id: "447700900999", type: "CELL" }],
      },
    ],
  },
  reaction: { type: "reaction", reaction: { message_id: EARLIER, emoji: "👍" } },
  "reaction-removed": { type: "reaction", reaction: { message_id: EARLIER } },
  "button-reply": {
    type: "interactive",
    interactive: { type: "button_reply", button_reply: { id: "yes", title: "Yes" } },
  },
  "list-reply": {
    type: "interactive",
    interactive: { type: "list_reply", list_reply: { id: "tea", title: "Tea", description: "hot" } },
  },
  "flow-reply": {
    type: "interactive",
    interactive: {
      type: "nfm_reply",
      nfm_reply: { name: "flow", body: "Sent", response_json: '{"flow_token":"t1","cake":"lemon"}' },
    },
  },
  "call-permission-reply": {
    type: "interactive",
    interactive: {
      type: "call_permission_reply",
      call_permission_reply: {
        response: "accept",
        expiration_timestamp: 1_790_600_000,
        response_source: "user_action",
      },
    },
  },
  "template-button": { type: "button", button: { payload: "STOP", text: "Stop promotions" } },
  order: {
    type: "order",
    order: {
      catalog_id: "88001",
      text: "please hurry",
      product_items: [{ product_retailer_id: "sku1", quantity: 2, item_price: 7.5, currency: "GBP" }],
    },
  },
  "from-an-ad": {
    type: "text",
    text: { body: "I saw your ad" },
    referral: {
      source_url: "https://fb.me/invented",
      source_type: "ad",
      source_id: "120200000000000000",
      headline: "Lemon tart",
      body: "Fresh today",
      media_type: "image",
      ctwa_clid: "ARinvented",
    },
  },
  "number-changed": {
    type: "system",
    system: { type: "user_changed_number", body: "User changed to 447700900888", wa_id: "447700900888" },
  },
  edit: {
    type: "edit",
    edit: { original_message_id: EARLIER, message: { type: "text", text: { body: "Are you open tomorrow?" } } },
  },
  revoke: { type: "revoke", revoke: { original_message_id: EARLIER } },
  unsupported: {
    type: "unsupported",
    errors: [
      {
        code: 131_051,
        title: "Message type unknown",
        message: "Message type unknown",
        error_data: { details: "Message type is currently not supported." },
      },
    ],
    unsupported: { type: "poll" },
  },
} as const satisfies Readonly<Record<string, WireObject>>;
