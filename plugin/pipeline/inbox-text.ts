/** What the host's inbox shows of a message: the person's words unchanged, and a sentence for what is not words. */
import type {
  ChoiceContent,
  FormContent,
  LocationContent,
  MediaContent,
  MessageContent,
  OrderContent,
  SharedContact,
} from "../contract.ts";

/** Any message, whichever way it went: an event's type, text and content. */
export type Readable = {
  readonly type: string;
  readonly text: string | null;
  readonly content: MessageContent | null;
};

export function inboxText({ type, text, content }: Readable): string {
  // What the person wrote stands for itself; an order's words stand beside what was ordered.
  if (text !== null && content?.kind !== "order") return text;
  return content === null ? `[${type}]` : [describe(content), text].filter((part) => part !== null).join("\n");
}

/** Shown where Meta itself cannot tell us what was sent. */
export const UNREADABLE = "[A message that WhatsApp cannot show here]";
export const DELETED = "[This message was deleted]";

function describe(content: MessageContent): string {
  switch (content.kind) {
    case "media":
      return mediaText(content);
    case "location":
      return locationText(content);
    case "contacts":
      return content.contacts.length === 0
        ? "[Contact]"
        : `${content.contacts.length === 1 ? "Contact" : "Contacts"}: ${content.contacts.map(contactText).join("; ")}`;
    case "choice":
      return choiceText(content);
    case "form":
      return formText(content);
    case "order":
      return orderText(content);
    case "call-permission":
      return content.response === "accept" ? "Allows calls" : "Does not allow calls";
    case "reaction":
      return content.emoji === null ? "Took a reaction back" : `Reacted ${content.emoji}`;
  }
}

const MEDIA_NAMES = {
  image: "Photo",
  video: "Video",
  audio: "Audio",
  document: "Document",
  sticker: "Sticker",
} as const;

function mediaText({ media, filename, voice, error }: MediaContent): string {
  const name = voice === true ? "Voice message" : MEDIA_NAMES[media];
  const which = filename === null ? name : `${name}: ${filename}`;
  return error === undefined ? `[${which}]` : `[${which}, which WhatsApp could not deliver]`;
}

function locationText({ name, address, latitude, longitude }: LocationContent): string {
  const place = [name, address].filter((part) => part !== null).join(", ");
  const point = `${latitude}, ${longitude}`;
  return place === "" ? `Location: ${point}` : `Location: ${place} (${point})`;
}

function contactText({ name, phones, emails, organization }: SharedContact): string {
  const ways = [...phones.map(({ phone }) => phone), ...emails];
  return [name ?? organization ?? "somebody", ...ways].join(", ");
}

function choiceText({ title, description }: ChoiceContent): string {
  return description === null ? title : `${title} (${description})`;
}

/** Ours to recognise the form by, and nothing that the person filled in. */
const FORM_INTERNALS = new Set(["flow_token"]);

function formText({ values }: FormContent): string {
  const filled = Object.entries(values ?? {}).filter(([key]) => !FORM_INTERNALS.has(key));
  if (filled.length === 0) return "[Form]";
  return `Form:\n${filled.map(([key, value]) => `${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`).join("\n")}`;
}

function orderText({ items }: OrderContent): string {
  const lines = items.map(({ productId, quantity, price, currency }) => {
    const each = price === null ? "" : ` at ${price.toFixed(2)}${currency === null ? "" : ` ${currency}`} each`;
    return `${quantity} × ${productId}${each}`;
  });
  return lines.length === 0 ? "[Order]" : `Order: ${lines.join(", ")}`;
}
