/** Cards → a carousel where all are alike, otherwise one message each: link button, reply buttons, picture or text. */
import type { AiCard, CarouselCard, CarouselMessage } from "../contract.ts";
import { LIMITS } from "../messages/limits.ts";
import { shorten, toPlainLine } from "./one-line.ts";
import { type Card, readCard } from "./read-card.ts";
import {
  type Change,
  inOrder,
  isSendable,
  joinPieces,
  type Piece,
  plainPiece,
  type Said,
  say,
  sayText,
} from "./said.ts";
import { fitsButton, POINTER, sayChoices } from "./say-choices.ts";
import { withCaption } from "./say-media.ts";
import { takeQuestion } from "./take-question.ts";

/** The numbers of their choices rise through all cards, from 1. */
export function readCards(cards: readonly AiCard[]): readonly Card[] {
  let number = 1;
  return cards.map((card, index) => {
    const read = readCard(card, { what: `cards[${index}]`, number });
    number += read.choices.length;
    return read;
  });
}

/** Whether they go side by side, under a text of their own. */
export function areAlike(cards: readonly Card[]): boolean {
  return cards.length >= LIMITS.cards.min && carousels(cards, POINTER) !== null;
}

/** @param lead what a carousel is headed with; blank: the cards' titles. */
export function sayCards(cards: readonly Card[], lead: Piece): Said {
  const side = areAlike(cards) ? carousels(cards, lead.text) : null;
  if (side !== null) {
    const said = side.map((message, index) => say(message, index === 0 ? lead.changes : []));
    return inOrder({ messages: [], degraded: changesOf(cards, side) }, ...said);
  }
  return inOrder(sayText(lead, "text"), ...inGroups(cards).map(sayGroup));
}

/** As few as possible, of nearly the same length: a single card cannot stand alone. */
function carousels(cards: readonly Card[], lead: string): readonly CarouselMessage[] | null {
  const count = Math.ceil(cards.length / LIMITS.cards.max);
  const messages: CarouselMessage[] = [];
  for (let index = 0; index < count; index += 1) {
    const some = cards.slice(
      Math.floor((index * cards.length) / count),
      Math.floor(((index + 1) * cards.length) / count),
    );
    const shown = some.map(toCarouselCard).filter((card) => card !== null);
    const titles = some.map(({ title }) => title).filter((title) => title !== "");
    const heading = shorten(titles.join(" · "), LIMITS.interactiveBody.max) || POINTER;
    const text = index === 0 && lead.trim() !== "" ? lead : heading;
    const message: CarouselMessage = { kind: "carousel", text, cards: shown };
    if (shown.length < some.length || !isSendable(message)) return null;
    messages.push(message);
  }
  const kinds = new Set(messages.flatMap((message) => message.cards.map((card) => "link" in card)));
  return kinds.size === 1 ? messages : null;
}

function toCarouselCard({ picture, link, choices, body }: Card): CarouselCard | null {
  if (picture === undefined) return null;
  const shown = {
    header: { ...picture, media: "image" as const },
    ...(body.text === "" ? {} : { text: body.text }),
  };
  if (link !== undefined) return { ...shown, link };
  if (choices.length === 0 || !choices.every(fitsButton)) return null;
  const buttons = choices.map(({ id, title }) => ({ id, title: toPlainLine(title) }));
  return { ...shown, buttons };
}

function changesOf(cards: readonly Card[], messages: readonly CarouselMessage[]): Said["degraded"] {
  const ends = messages.map((_, index) =>
    messages.slice(0, index + 1).reduce((sum, message) => sum + message.cards.length, 0),
  );
  return cards.flatMap(({ body }, index) =>
    body.changes.map(({ what, from, to }) => ({ part: ends.findIndex((end) => index < end), what, from, to })),
  );
}

/** Cards of nothing but text, one after the other, make one message. */
function inGroups(cards: readonly Card[]): readonly (readonly Card[])[] {
  const groups: Card[][] = [];
  for (const card of cards) {
    const last = groups.at(-1);
    if (last !== undefined && isText(card) && last.every(isText)) last.push(card);
    else groups.push([card]);
  }
  return groups;
}

function isText({ picture, link, choices }: Card): boolean {
  return picture === undefined && link === undefined && choices.length === 0;
}

function sayGroup(group: readonly Card[]): Said {
  const [card] = group;
  if (card === undefined || isText(card)) {
    const texts = group.map(({ body, what }) => joinPieces([plainPiece("", asText(what)), body], ""));
    return sayText(joinPieces(texts, "\n\n"), "cards");
  }
  return sayCard(card);
}

function asText(what: string): Change {
  return { what, from: "card", to: "text" };
}

function sayCard({ body, picture, link, choices, number, what }: Card): Said {
  if (choices.length > 0)
    return sayChoices({
      choices,
      what: `${what}.choices`,
      question: body,
      number,
      ...(picture === undefined ? {} : { picture }),
    });
  if (link !== undefined) {
    const { before, question } = takeQuestion(body, { what: `${what}.text` });
    const text = question.text.trim() === "" ? link.label : question.text;
    const message = { kind: "link" as const, text, ...(picture === undefined ? {} : { header: picture }), ...link };
    return inOrder(sayText(before, `${what}.text`), say(message, question.changes));
  }
  const url = picture?.url ?? "";
  return withCaption({ media: { kind: "image", url }, caption: body, changes: [], what: `${what}.text` });
}
