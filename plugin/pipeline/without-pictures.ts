/** Cards side by side, which WhatsApp shows with their pictures only → one message that says the same: a list, or a text. */
import type { ListMessage, OutboundMessage } from "../contract.ts";
import { checkMessage } from "../messages/check-message.ts";
import { encodeMessage } from "../messages/encode-message.ts";
import { LIMITS } from "../messages/limits.ts";
import { countLinks } from "../messages/read-whatsapp.ts";
import type { OutgoingPart, RewrittenPart } from "../ports.ts";
import { shorten, toPlainLine } from "../transformer/one-line.ts";
import { sentText } from "./sent-text.ts";

type Card = {
  readonly header: { readonly type: string } & Readonly<Record<string, unknown>>;
  readonly body?: { readonly text: string };
  readonly action: {
    readonly buttons?: readonly { readonly quick_reply: { readonly id: string; readonly title: string } }[];
    readonly parameters?: { readonly display_text: string; readonly url: string };
  };
};

/** What `encodeCarousel` makes. */
export type Cards = {
  readonly body: { readonly text: string };
  readonly action: { readonly cards: readonly Card[] };
};

const LIST_BUTTON = "Options";

/**
 * Buttons become the rows of a list, where they fit into one; links, and what is more, lines of a text.
 * @returns null when it is more than a text holds.
 */
export function withoutPictures(
  { context }: OutgoingPart["payload"],
  { body, action: { cards } }: Cards,
): RewrittenPart | null {
  const [first] = cards;
  const hasLinks = cards.some((card) => linkOf(card) !== undefined);
  const asked = [hasLinks, false].flatMap((areLinked) => [
    { areLinked, message: asList(textOf(body.text, cards, { areLinked, hasButtons: false }), cards) },
    { areLinked, message: asText(textOf(body.text, cards, { areLinked, hasButtons: true })) },
  ]);
  const found = asked.find(({ message }) => checkMessage(message).length === 0);
  if (first === undefined || found === undefined) return null;
  const { areLinked, message } = found;
  return {
    kind: message.kind,
    payload: { ...encodeMessage(message), ...(context !== undefined && { context }) },
    content: sentText(message),
    mediaType: null,
    degraded: [
      { what: "cards", from: "carousel", to: message.kind },
      { what: "header", from: first.header.type, to: areLinked ? "link" : "left out" },
    ],
  };
}

/** A section for each card. Cards with links make one without rows, which is none. */
function asList(text: string, cards: readonly Card[]): ListMessage {
  const sections = cards.map(({ body, action }, index) => ({
    title: shorten(toPlainLine(body?.text.split("\n", 1)[0] ?? ""), LIMITS.sectionTitle.max) || `${index + 1}`,
    rows: (action.buttons ?? []).map(({ quick_reply: { id, title } }) => ({ id, title })),
  }));
  return { kind: "list", text, button: LIST_BUTTON, sections };
}

function asText(text: string): OutboundMessage {
  return { kind: "text", text, previewUrl: countLinks(text) === 1 };
}

function textOf(
  lead: string,
  cards: readonly Card[],
  { areLinked, hasButtons }: { readonly areLinked: boolean; readonly hasButtons: boolean },
): string {
  const texts = cards.map((card) => {
    const { buttons = [], parameters } = card.action;
    return [
      card.body?.text,
      areLinked ? linkOf(card) : undefined,
      ...(hasButtons ? buttons.map(({ quick_reply: { title } }) => `[${title}]`) : []),
      parameters && `${parameters.display_text}: ${parameters.url}`,
    ]
      .filter((line) => line !== undefined)
      .join("\n");
  });
  return [lead, ...texts].filter((text) => text !== "").join("\n\n");
}

/** Of its picture or film; undefined when Meta has the file. */
function linkOf({ header }: Card): string | undefined {
  return (header[header.type] as { readonly link?: string }).link;
}
