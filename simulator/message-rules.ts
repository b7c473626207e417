/** What Meta checks in the body of a send, as data: where, what is accepted, how it is refused, and who says so. */
import type { GraphErrorSpec } from "./graph-error.ts";

export type MessageRule = {
  /** Dotted path in the body. */
  readonly at: string;
  /** Absent values are refused with 131008, or with `absence` where Meta has another word. */
  readonly isRequired?: boolean;
  readonly absence?: GraphErrorSpec;
  readonly accepts: (value: unknown) => boolean;
  /** Default 131009. */
  readonly refusal?: GraphErrorSpec;
  /** Where this is known from. */
  readonly source: string;
};

const SEND = "https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages";
const REFERENCE = "https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages";
const OBSERVED = "wording that developers report from the live API";

export const ENVELOPE_RULES: readonly MessageRule[] = [
  {
    at: "messaging_product",
    isRequired: true,
    absence: { code: 100, message: "(#100) The parameter messaging_product is required." },
    accepts: isOneOf("whatsapp"),
    refusal: { code: 100, message: "(#100) Param messaging_product must be one of {WHATSAPP}." },
    source: OBSERVED,
  },
];

export const SEND_RULES: readonly MessageRule[] = [
  { at: "recipient_type", accepts: isOneOf("individual", "group"), source: SEND },
  { at: "to", accepts: isPhoneNumber, source: SEND },
  { at: "recipient", accepts: isUserId, source: SEND },
  { at: "type", accepts: isText(1, 64), source: SEND },
  { at: "biz_opaque_callback_data", accepts: isText(0, 512), source: REFERENCE },
  { at: "context", accepts: isObject, source: REFERENCE },
  { at: "context.message_id", accepts: isText(1, 256), source: REFERENCE },
];

const MEDIA_CAPTION: Pick<MessageRule, "accepts" | "source"> = { accepts: isText(0, 1024), source: REFERENCE };

/** By message type; a type that is not here does not exist. */
export const TYPE_RULES: Readonly<Record<string, readonly MessageRule[]>> = {
  text: [
    { at: "text", isRequired: true, accepts: isObject, source: REFERENCE },
    {
      at: "text.body",
      isRequired: true,
      accepts: (value) => typeof value === "string",
      refusal: { code: 100, message: "(#100) Param text['body'] must be a string." },
      source: OBSERVED,
    },
    {
      at: "text.body",
      accepts: isText(0, 4096),
      refusal: { code: 100, message: "(#100) Param text['body'] must be at most 4096 characters long." },
      source: OBSERVED,
    },
    { at: "text.body", accepts: (value) => typeof value === "string" && value.trim() !== "", source: REFERENCE },
    { at: "text.preview_url", accepts: (value) => typeof value === "boolean", source: REFERENCE },
  ],
  image: [...media("image"), { at: "image.caption", ...MEDIA_CAPTION }],
  video: [...media("video"), { at: "video.caption", ...MEDIA_CAPTION }],
  document: [...media("document"), { at: "document.caption", ...MEDIA_CAPTION }],
  audio: [...media("audio"), { at: "audio.caption", accepts: isNothing, source: REFERENCE }],
  sticker: [...media("sticker"), { at: "sticker.caption", accepts: isNothing, source: REFERENCE }],
  location: [
    { at: "location", isRequired: true, accepts: isObject, source: REFERENCE },
    { at: "location.latitude", isRequired: true, accepts: isDegree(90), source: REFERENCE },
    { at: "location.longitude", isRequired: true, accepts: isDegree(180), source: REFERENCE },
  ],
  contacts: [{ at: "contacts", isRequired: true, accepts: areContacts, source: REFERENCE }],
  reaction: [
    { at: "reaction", isRequired: true, accepts: isObject, source: REFERENCE },
    { at: "reaction.message_id", isRequired: true, accepts: isText(1, 256), source: REFERENCE },
    { at: "reaction.emoji", isRequired: true, accepts: isText(0, 64), source: REFERENCE },
    { at: "context", accepts: isNothing, source: REFERENCE },
  ],
  interactive: [
    { at: "interactive", isRequired: true, accepts: isObject, source: REFERENCE },
    { at: "interactive.type", isRequired: true, accepts: isText(1, 64), source: REFERENCE },
    { at: "interactive.action", isRequired: true, accepts: isObject, source: REFERENCE },
    { at: "interactive.body.text", accepts: isText(1, 4096), source: REFERENCE },
    { at: "interactive.footer.text", accepts: isText(1, 60), source: REFERENCE },
    {
      at: "interactive.action.buttons",
      accepts: isList(1, 3),
      refusal: { code: 131009, details: "Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3" },
      source: OBSERVED,
    },
    { at: "interactive.action.sections", accepts: isList(1, 10), source: REFERENCE },
  ],
  template: [
    { at: "template", isRequired: true, accepts: isObject, source: REFERENCE },
    { at: "template.name", isRequired: true, accepts: isText(1, 512), source: REFERENCE },
    { at: "template.language.code", isRequired: true, accepts: isText(2, 16), source: REFERENCE },
  ],
};

function media(type: string): readonly MessageRule[] {
  return [
    { at: type, isRequired: true, accepts: isObject, source: REFERENCE },
    {
      at: type,
      accepts: (value) => isObject(value) && ("id" in value || "link" in value),
      refusal: { code: 131008, details: `Parameter ${type}['id'] or ${type}['link'] is required` },
      source: REFERENCE,
    },
  ];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNothing(value: unknown): boolean {
  return value === undefined;
}

// Meta does not say what a character is. UTF-16 units are the strictest reading, so what passes here passes there.
function isText(min: number, max: number): (value: unknown) => boolean {
  return (value) => typeof value === "string" && value.length >= min && value.length <= max;
}

function isOneOf(...allowed: readonly string[]): (value: unknown) => boolean {
  return (value) => typeof value === "string" && allowed.includes(value);
}

function isList(min: number, max: number): (value: unknown) => boolean {
  return (value) => Array.isArray(value) && value.length >= min && value.length <= max;
}

function isDegree(limit: number): (value: unknown) => boolean {
  return (value) => {
    const degrees = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    return typeof degrees === "number" && Math.abs(degrees) <= limit;
  };
}

function isPhoneNumber(value: unknown): boolean {
  return typeof value === "string" && /^\+?\d{5,18}$/.test(value.replace(/[-() ]/g, ""));
}

function isUserId(value: unknown): boolean {
  return typeof value === "string" && /^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$/.test(value);
}

function areContacts(value: unknown): boolean {
  if (!Array.isArray(value) || value.length < 1 || value.length > 257) return false;
  return value.every((contact) => {
    const name = isObject(contact) ? contact.name : undefined;
    return isObject(name) && isText(1, 512)(name.formatted_name);
  });
}
