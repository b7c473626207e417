/** AI response → outbound messages and a report of what WhatsApp shows in another form. Pure; never throws. */
import type { AiCard, AiChoice, AiMedia, AiResponse, Degradation, Transformed } from "../contract.ts";
import { LIMITS } from "./limits.ts";
import { countLinks } from "./read-whatsapp.ts";
import { splitText } from "./split-text.ts";
import { toWhatsApp, toWhatsAppLine } from "./whatsapp-markup.ts";

/** What became of one member of the response. */
type Section = { readonly text: string; readonly changes: readonly Change[] };
/** `at` is an offset in the section's text. */
type Change = { readonly at: number; readonly what: string; readonly from: string; readonly to: string };

const SECTION_BREAK = "\n\n";

/** Empty or blank in, no messages out: whether silence is an error is the caller's to say. */
export function transformResponse(
  response: AiResponse | string,
  _options: { readonly lastMessageId?: string } = {},
): Transformed {
  const { text, changes } = join(sectionsOf(typeof response === "string" ? { text: response } : response));
  const parts = splitText(text, LIMITS.textBody.max);
  const messages = parts.map((part) => ({
    kind: "text" as const,
    text: part.text,
    previewUrl: countLinks(part.text) === 1,
  }));
  const degraded: Degradation[] = changes.map(({ at, what, from, to }) => {
    return {
      part: Math.max(
        0,
        parts.findLastIndex(({ start }) => start <= at),
      ),
      what,
      from,
      to,
    };
  });
  if (parts.length > 1) {
    degraded.push({
      part: null,
      what: "text",
      from: `text of ${text.length} characters`,
      to: `${parts.length} messages`,
    });
  }
  return { messages, degraded: parts.length === 0 ? [] : degraded };
}

/** The choices come last, where the person's answer begins. Their numbers rise through cards and choices alike. */
function sectionsOf(response: AiResponse): readonly Section[] {
  const cards = response.cards ?? [];
  const numberFrom = cards.map((_, index) => cards.slice(0, index).reduce((sum, card) => sum + choiceCount(card), 1));
  const lastNumber = cards.reduce((sum, card) => sum + choiceCount(card), 1);
  return [
    markdownSection(response.text ?? "", "text"),
    ...(response.media ?? []).map((media, index) => mediaSection(media, `media[${index}]`)),
    ...cards.map((card, index) => cardSection(card, { what: `cards[${index}]`, number: numberFrom[index] ?? 1 })),
    locationSection(response.location),
    choicesSection(response.choices ?? [], { what: "choices", number: lastNumber }),
  ];
}

function choiceCount(card: AiCard): number {
  return card.choices?.length ?? 0;
}

function join(sections: readonly Section[]): Section {
  const changes: Change[] = [];
  let text = "";
  for (const section of sections) {
    if (section.text === "") continue;
    if (text !== "") text += SECTION_BREAK;
    for (const change of section.changes) changes.push({ ...change, at: text.length + change.at });
    text += section.text;
  }
  return { text, changes };
}

function markdownSection(markdown: string, what: string): Section {
  const { text, changes } = toWhatsApp(markdown);
  return { text, changes: changes.map((change) => ({ ...change, what })) };
}

function mediaSection(media: AiMedia, what: string): Section {
  const caption = markdownSection(media.caption ?? "", `${what}.caption`);
  const filename = toWhatsAppLine(media.filename ?? "");
  const link = filename === "" ? media.url.trim() : `${filename}: ${media.url.trim()}`;
  return {
    text: lines([caption.text, link]),
    changes: [{ at: 0, what, from: media.kind, to: "link" }, ...caption.changes],
  };
}

function cardSection(card: AiCard, place: { readonly what: string; readonly number: number }): Section {
  const { what, number } = place;
  const title = toWhatsAppLine(card.title, { isBold: true });
  const body = markdownSection(card.text ?? "", `${what}.text`);
  const choices = choicesSection(card.choices ?? [], { what: `${what}.choices`, number });
  const changes: Change[] = [{ at: 0, what, from: "card", to: "text" }];
  changes.push(...body.changes, ...choices.changes.map((change) => ({ ...change, at: 0 })));
  if (card.imageUrl !== undefined) changes.push({ at: 0, what: `${what}.imageUrl`, from: "image", to: "link" });
  return {
    text: lines([title, body.text, card.imageUrl?.trim() ?? "", labelledLink(card), choices.text]),
    changes,
  };
}

function labelledLink({ url, urlLabel }: AiCard): string {
  if (url === undefined) return "";
  const label = toWhatsAppLine(urlLabel ?? "");
  return label === "" ? url.trim() : `${label}: ${url.trim()}`;
}

function locationSection(location: AiResponse["location"]): Section {
  if (location === undefined) return { text: "", changes: [] };
  const { name, address, latitude, longitude } = location;
  return {
    text: lines([toWhatsAppLine(name ?? ""), toWhatsAppLine(address ?? ""), `${latitude}, ${longitude}`]),
    changes: [{ at: 0, what: "location", from: "location", to: "text" }],
  };
}

function choicesSection(
  choices: readonly AiChoice[],
  place: { readonly what: string; readonly number: number },
): Section {
  const numbered = choices.map(({ title, description }, index) => {
    const words = [toWhatsAppLine(title), toWhatsAppLine(description ?? "")].filter((word) => word !== "");
    return `${place.number + index}. ${words.join(" – ")}`;
  });
  const changes = choices.length === 0 ? [] : [{ at: 0, what: place.what, from: "choices", to: "numbered text" }];
  return { text: numbered.join("\n"), changes };
}

function lines(texts: readonly string[]): string {
  return texts.filter((text) => text !== "").join("\n");
}
