/** What Meta checks in the body of a send, as data: where, what is accepted, how it is refused, and who says so. */
import { type Accepts, isDegree, isFlag, isList, isMedia, isNothing, isObject, isOneOf, isText } from "./accepts.ts";
import type { GraphErrorSpec } from "./graph-error.ts";

export type MessageRule = {
  /** Dotted path in the body; `[]` is every item of a list. */
  readonly at: string;
  /** Absent values are refused with 131008, or with `absence` where Meta has another word. */
  readonly isRequired?: boolean;
  readonly absence?: GraphErrorSpec;
  readonly accepts: Accepts;
  /** Default 131009. */
  readonly refusal?: GraphErrorSpec;
  /** Where this is known from. */
  readonly source: string;
};

const SEND = "https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages";
const MARKETING =
  "https://developers.facebook.com/documentation/business-messaging/whatsapp/marketing-messages/send-marketing-messages";
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

export const RECEIPT_RULES: readonly MessageRule[] = [
  { at: "message_id", isRequired: true, accepts: isText(1, 256), source: REFERENCE },
  { at: "typing_indicator", accepts: isObject, source: REFERENCE },
];

export const TYPING_RULES: readonly MessageRule[] = [
  { at: "typing_indicator.type", isRequired: true, accepts: isOneOf("text"), source: REFERENCE },
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

/** Of the Marketing Messages API, beside the others. */
export const MARKETING_RULES: readonly MessageRule[] = [
  { at: "product_policy", accepts: isOneOf("CLOUD_API_FALLBACK", "STRICT"), source: MARKETING },
  { at: "message_activity_sharing", accepts: isFlag, source: MARKETING },
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
    { at: "text.body", accepts: isText(1, 4096), source: REFERENCE },
    { at: "text.preview_url", accepts: isFlag, source: REFERENCE },
  ],
  image: [...media("image"), { at: "image.caption", ...MEDIA_CAPTION }],
  video: [...media("video"), { at: "video.caption", ...MEDIA_CAPTION }],
  document: [
    ...media("document"),
    { at: "document.caption", ...MEDIA_CAPTION },
    { at: "document.filename", accepts: isText(1, 512), source: REFERENCE },
  ],
  audio: [
    ...media("audio"),
    { at: "audio.caption", accepts: isNothing, source: REFERENCE },
    { at: "audio.voice", accepts: isFlag, source: REFERENCE },
  ],
  sticker: [...media("sticker"), { at: "sticker.caption", accepts: isNothing, source: REFERENCE }],
  location: [
    { at: "location", isRequired: true, accepts: isObject, source: REFERENCE },
    { at: "location.latitude", isRequired: true, accepts: isDegree(90), source: REFERENCE },
    { at: "location.longitude", isRequired: true, accepts: isDegree(180), source: REFERENCE },
  ],
  contacts: [
    { at: "contacts", isRequired: true, accepts: isList(1, 257), source: REFERENCE },
    { at: "contacts[].name.formatted_name", isRequired: true, accepts: isText(1, 512), source: REFERENCE },
  ],
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
  ],
  template: [
    { at: "template", isRequired: true, accepts: isObject, source: REFERENCE },
    { at: "template.name", isRequired: true, accepts: isText(1, 512), source: REFERENCE },
    { at: "template.language.code", isRequired: true, accepts: isText(2, 16), source: REFERENCE },
    { at: "template.components", accepts: isList(0, 30), source: REFERENCE },
    { at: "template.components[].type", isRequired: true, accepts: isText(1, 64), source: REFERENCE },
    { at: "template.components[].parameters", accepts: isList(0, 100), source: REFERENCE },
    { at: "template.components[].parameters[].type", isRequired: true, accepts: isText(1, 64), source: REFERENCE },
  ],
};

function media(type: string): readonly MessageRule[] {
  return [
    { at: type, isRequired: true, accepts: isObject, source: REFERENCE },
    {
      at: type,
      accepts: (value) => isObject(value) && (value.id !== undefined || value.link !== undefined),
      refusal: { code: 131008, details: `Parameter ${type}['id'] or ${type}['link'] is required` },
      source: REFERENCE,
    },
    { at: type, accepts: isMedia, source: REFERENCE },
  ];
}

function isPhoneNumber(value: unknown): boolean {
  return typeof value === "string" && /^\+?\d{5,18}$/.test(value.replace(/[-() ]/g, ""));
}

function isUserId(value: unknown): boolean {
  return typeof value === "string" && /^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$/.test(value);
}
