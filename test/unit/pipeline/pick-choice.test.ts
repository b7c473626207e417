/** What a person typed under an answer with choices: its title or its number, where that can mean one thing only. */
import { describe, expect, it } from "vitest";
import type { AiCard, AiResponse } from "../../../plugin/contract.ts";
import { withPickedChoice } from "../../../plugin/pipeline/pick-choice.ts";
import { planSend } from "../../../plugin/pipeline/plan-send.ts";
import type { StoredTurnMessage } from "../../../plugin/ports.ts";

const offer = (response: AiResponse) =>
  planSend({ what: { response }, idempotencyKey: null, replyTo: null, onWindowClosed: "fail" });

function picked(words: string, response: AiResponse): string | null {
  const message = { type: "text", text: words, content: null } as unknown as StoredTurnMessage;
  const { content } = withPickedChoice(message, offer(response).choices);
  return content?.kind === "choice" ? content.id : null;
}

const choicesOf = (...titles: readonly string[]) => titles.map((title) => ({ id: `of-${title}`, title }));
const rooms = (...titles: readonly string[]) => ({ text: "How many?", choices: choicesOf(...titles) });

describe("choices that are numbers", () => {
  const hours = rooms("8", "9", "10", "11", "12", "1", "2", "3", "4", "5", "6", "22");
  const described = { text: "Which?", choices: choicesOf("2", "1").map((one) => ({ ...one, description: "rooms" })) };

  it.each<[string, string, AiResponse, string | null]>([
    ["a button's words", "2", rooms("2", "3", "4"), "of-2"],
    ["a button's words behind a word for them", "no. 4", rooms("2", "3", "4"), "of-4"],
    ["a button's words that are more than there are buttons", "20", rooms("10", "20", "30"), "of-20"],
    ["a row's words", "5", rooms("2", "3", "4", "5", "6"), "of-5"],
    ["no words, where no numbers are shown", "1", rooms("2", "3", "4"), null],
    ["no words, where titles begin with numbers", "2", rooms("4 rooms", "6 rooms", "8 rooms"), null],
    ["the beginning of one at its own place", "2", rooms("1 room", "2 rooms", "3 rooms"), "of-2 rooms"],
    ["the beginning of one at another place", "2", rooms("2 rooms", "4 rooms", "6 rooms"), null],
    ["a number that is shown, and another's title", "9", hours, null],
    ["a number that is shown, and nobody's title", "7", hours, "of-2"],
    ["a title, and no number that is shown", "22", hours, "of-22"],
    ["a number that is shown above buttons, and another's title", "1", described, null],
  ])("are picked, or not, by %s: %j", (_what, words, response, id) => {
    expect(picked(words, response)).toBe(id);
  });
});

describe("choices", () => {
  const card = (title: string, ...titles: readonly string[]): AiCard => ({ title, choices: choicesOf(...titles) });
  const places = (response: AiResponse) =>
    offer(response).choices.map(({ title, number, part, isNumbered }) => [title, number, part, isNumbered]);

  it("know the part of the answer that shows them, and whether it shows their numbers", () => {
    const cards = [card("Tea", "Mint", "Black"), { ...card("Cake", "Cherry", "Nuts"), url: "https://shop.example" }];
    const long = "The one with a very long name, Tuesday";

    expect(
      places({ cards, choices: choicesOf("None", long), media: [{ kind: "image", url: "https://x.example/a.png" }] }),
    ).toEqual([
      ["Mint", 1, 1, false],
      ["Black", 2, 1, false],
      ["Cherry", 3, 2, false],
      ["Nuts", 4, 2, false],
      ["None", 5, 3, true],
      [long, 6, 3, true],
    ]);
  });

  it("of one id are told apart by their order", () => {
    const buy = [{ id: "buy", title: "Buy" }];
    const cards = [
      { title: "Tea", choices: buy },
      { title: "Cake", text: "Fresh.", url: "https://shop.example", choices: buy },
    ];

    expect(places({ cards }).map(([, , part]) => part)).toEqual([0, 1]);
  });

  it("in numbered text that takes several messages stand each in its own", () => {
    const many = Array.from({ length: 60 }, (_, i) => `${"long ".repeat(20)}${i + 1}`);
    const shown = places({ text: "1. first\n2. second\n\nWhich?", choices: choicesOf(...many) });

    expect(new Set(shown.map(([, , part]) => part))).toEqual(new Set([0, 1]));
    expect(shown[0]).toEqual([many[0], 1, 0, true]);
    expect(shown.at(-1)).toEqual([many[59], 60, 1, true]);
  });
});
