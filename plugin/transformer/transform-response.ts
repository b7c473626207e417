/** AI response → outbound messages and a report of what WhatsApp shows in another form. Pure; never throws. */
import type { AiResponse, TemplateChoice, Transformed } from "../contract.ts";
import { BLANK, inOrder, type Piece, report, type Said, say } from "./said.ts";
import { areAlike, readCards, sayCards } from "./say-cards.ts";
import { offered, sayChoices } from "./say-choices.ts";
import { readText } from "./say-markdown.ts";
import { sayMedia } from "./say-media.ts";
import { sayPlace } from "./say-place.ts";
import { sayReaction } from "./say-reaction.ts";
import { type Taken, takeQuestion } from "./take-question.ts";

export type TransformOptions = {
  /** The wamid of the last message of the person's: what a reaction without a target is for. */
  readonly lastMessageId?: string;
};

/** Empty or blank in, no messages out: whether silence is an error is the caller's to say. */
export function transformResponse(response: AiResponse | string, options: TransformOptions = {}): Transformed {
  const answer = typeof response === "string" ? { text: response } : response;
  if (answer.template !== undefined) return sayTemplate(answer, answer.template);

  const said = inOrder(sayReaction(answer.reaction, options.lastMessageId), sayAll(answer));
  const cards = readCards(answer.cards ?? []);
  const numbers = cards.reduce((sum, card) => sum + card.choices.length, 1);
  const choices = [
    ...cards.flatMap((card) => offered(card.choices, card.number)),
    ...offered(answer.choices ?? [], numbers),
  ];
  return choices.length === 0 ? said : { ...said, choices };
}

/** A template goes alone. Whether it can be sent is known only beside the approved one, to whoever sends it. */
function sayTemplate(answer: AiResponse, template: TemplateChoice): Said {
  const others = (["reaction", "text", "media", "cards", "location", "choices"] as const).filter((member) => {
    const value = answer[member];
    return Array.isArray(value) || typeof value === "string" ? value.length > 0 : value !== undefined;
  });
  return inOrder(
    say({ ...template, kind: "template" }),
    report(...others.map((what) => ({ what, from: what, to: "left out: a template goes alone" }))),
  );
}

/** Text, media, cards, place; the choices come last, where the person's answer begins. */
function sayAll(answer: AiResponse): Said {
  const { media = [], choices = [], location } = answer;
  const cards = readCards(answer.cards ?? []);
  const text = readText(answer.text ?? "");
  const isApart = media.length + cards.length > 0 || location !== undefined || text.endsInPicture;

  const { before, question } = choices.length > 0 ? takeQuestion(text.last, { isApart }) : nothingTaken(text.last);
  const leads = areAlike(cards) && media.length === 0 && !text.endsInPicture;
  const { before: first, question: lead } = leads ? takeQuestion(before) : nothingTaken(before);
  return inOrder(
    text.said(first),
    ...media.map((one, index) => sayMedia(one, `media[${index}]`)),
    sayCards(cards, lead),
    sayPlace(location),
    sayChoices({
      choices,
      what: "choices",
      question,
      number: cards.reduce((sum, card) => sum + card.choices.length, 1),
    }),
  );
}

function nothingTaken(piece: Piece): Taken {
  return { before: piece, question: BLANK };
}
