/** What the host's inbox shows of a message that we send. */
import type { ContactCard, OutboundMessage, TemplateChoice, TemplateValue, TemplateValues } from "../contract.ts";

export function sentText(message: OutboundMessage): string {
  switch (message.kind) {
    case "text":
      return message.text;
    case "image":
    case "video":
    case "audio":
    case "document":
    case "sticker":
      return lines([message.caption, mediaLine(MEDIA_NAMES[message.kind], message.filename ?? message.url)]);
    case "location":
      return `Location: ${[message.name, message.address, `${message.latitude}, ${message.longitude}`].filter(isSaid).join(", ")}`;
    case "contacts":
      return `Contacts: ${message.contacts.map(cardText).join("; ")}`;
    case "reaction":
      return message.emoji === null ? "Took a reaction back" : `Reacted ${message.emoji}`;
    case "buttons":
      return lines([message.text, message.footer, message.buttons.map(({ title }) => `[${title}]`).join(" ")]);
    case "list":
      return lines([
        message.text,
        message.footer,
        `[${message.button}]`,
        ...message.sections.flatMap(({ title, rows }) => [
          title,
          ...rows.map((row) => `- ${[row.title, row.description].filter(isSaid).join(": ")}`),
        ]),
      ]);
    case "link":
      return lines([message.text, message.footer, `[${message.label}: ${message.url}]`]);
    case "flow":
      return lines([message.text, message.footer, `[${message.label}]`]);
    case "location-request":
      return lines([message.text, "[Send location]"]);
    case "contact-info-request":
      return lines([message.text, "[Share contact info]"]);
    case "call-permission-request":
      return lines([message.text, "[Allow calls]"]);
    case "call":
      return lines([message.text, `[${message.label ?? "Call"}]`]);
    case "product":
      return lines([message.text, `[Product ${message.productId}]`]);
    case "product-list":
      return lines([
        message.text,
        ...message.sections.map(({ title, productIds }) => `${title}: ${productIds.join(", ")}`),
      ]);
    case "catalog":
      return lines([message.text, "[Catalogue]"]);
    case "carousel":
      return lines([message.text, ...message.cards.map(cardLine)]);
    case "product-carousel":
      return lines([message.text, ...message.productIds.map((id) => `- Product ${id}`)]);
    case "template":
      return templateText(message);
    case "raw":
      return message.content;
  }
}

function mediaLine(name: string, file: string | undefined): string {
  return file === undefined ? `[${name}]` : `[${name}: ${file}]`;
}

const MEDIA_NAMES = {
  image: "Photo",
  video: "Video",
  audio: "Audio",
  document: "Document",
  sticker: "Sticker",
} as const;

type Card = Extract<OutboundMessage, { readonly kind: "carousel" }>["cards"][number];

function cardLine(card: Card): string {
  const buttons = "link" in card ? [`${card.link.label}: ${card.link.url}`] : card.buttons.map(({ title }) => title);
  return `- ${[card.text, ...buttons.map((button) => `[${button}]`)].filter(isSaid).join(" ")}`;
}

function cardText({ name, phones = [] }: ContactCard): string {
  return [name.formatted, ...phones.map(({ phone }) => phone)].join(", ");
}

function templateText({ name, params }: TemplateChoice): string {
  const values = [params?.code, ...valuesOf(params?.body)].filter(isSaid);
  return values.length === 0 ? `[Template ${name}]` : `[Template ${name}] ${values.join(", ")}`;
}

function valuesOf(values: TemplateValues | undefined): readonly string[] {
  return Object.values(values ?? {}).map((value: TemplateValue) => {
    if (typeof value === "string") return value;
    return "currency" in value ? value.currency.fallback : value.dateTime.fallback;
  });
}

function lines(parts: readonly (string | undefined)[]): string {
  return parts.filter(isSaid).join("\n");
}

function isSaid(part: string | undefined): part is string {
  return part !== undefined && part !== "";
}
