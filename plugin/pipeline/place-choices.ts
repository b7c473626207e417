/** Which message of an answer shows each of its choices, and whether with its number. Pure. */
import type { OutboundMessage, Transformed } from "../contract.ts";
import type { OfferedChoice } from "../ports.ts";

/** Where a choice may be shown: a button or row of this id, or a line with this number. */
type Slot = { readonly part: number; readonly id?: string; readonly number?: number };

const NUMBERED_LINE = /^(\d+)\. /gm;

/** @param choices in the order shown. */
export function placeChoices(
  choices: NonNullable<Transformed["choices"]>,
  messages: readonly OutboundMessage[],
): readonly OfferedChoice[] {
  const slots = messages.flatMap(slotsOf);
  const last = messages.length - 1;
  // From the end: a list of the answer's own may have the same numbers, and stands above.
  let before = slots.length;
  return choices
    .map(({ id, title }, index) => ({ id, title, number: index + 1 }))
    .toReversed()
    .map((choice) => {
      const at = slots.slice(0, before).findLastIndex(({ id, number }) => id === choice.id || number === choice.number);
      if (at !== -1) before = at;
      const { part, number } = slots[at] ?? { part: last, number: choice.number };
      return { ...choice, isNumbered: number !== undefined || numbersIn(messages[part]).includes(choice.number), part };
    })
    .toReversed();
}

function slotsOf(message: OutboundMessage, part: number): readonly Slot[] {
  switch (message.kind) {
    case "buttons":
      return message.buttons.map(({ id }) => ({ part, id }));
    case "list":
      return message.sections.flatMap(({ rows }) => rows.map(({ id }) => ({ part, id })));
    case "carousel":
      return message.cards.flatMap((card) => ("buttons" in card ? card.buttons.map(({ id }) => ({ part, id })) : []));
    default:
      return numbersIn(message).map((number) => ({ part, number }));
  }
}

function numbersIn(message: OutboundMessage | undefined): readonly number[] {
  const text = message !== undefined && "text" in message && typeof message.text === "string" ? message.text : "";
  return Array.from(text.matchAll(NUMBERED_LINE), ([, number]) => Number(number));
}
