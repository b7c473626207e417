/** Choices → buttons, list or numbered text; nothing of them is lost. */
import { describe, expect, it } from "vitest";
import type { AiChoice } from "../../../plugin/contract.ts";
import { transformResponse } from "../../../plugin/transformer/transform-response.ts";

const titled = (...titles: readonly string[]): readonly AiChoice[] =>
  titles.map((title, index) => ({ id: `id${index}`, title }));
const numbered = (count: number, title = "Choice") =>
  titled(...Array.from({ length: count }, (_, index) => `${title} ${index + 1}`));
const only = (choices: readonly AiChoice[], text = "Which?") => {
  const { messages, degraded } = transformResponse({ text, choices });
  expect(messages).toHaveLength(1);
  return { message: messages[0], degraded };
};

describe("choices", () => {
  it("of up to three short titles are buttons under the whole text", () => {
    expect(only(titled("Yes", "**No**"), "It is *late*.\n\nGo on?")).toEqual({
      message: {
        kind: "buttons",
        text: "It is _late_.\n\nGo on?",
        buttons: [
          { id: "id0", title: "Yes" },
          { id: "id1", title: "No" },
        ],
      },
      degraded: [],
    });
  });

  it("of up to three long titles are numbered in full, above buttons that begin with the number", () => {
    const { message, degraded } = only(titled("Yes, please bring it on Saturday", "No"));

    expect(message).toMatchObject({
      text: "Which?\n\n1. Yes, please bring it on Saturday\n2. No",
      buttons: [{ title: "1. Yes, please…" }, { title: "2. No" }],
    });
    expect(degraded).toHaveLength(1);
  });

  it("of one name are told apart by their numbers", () => {
    expect(only(titled("Yes", "Yes")).message).toMatchObject({ buttons: [{ title: "1. Yes" }, { title: "2. Yes" }] });
  });

  it("of four to ten are a list, whose rows have long titles in full in the description", () => {
    const { message, degraded } = only([...numbered(3), { id: "x", title: "Something longer than a row can show" }]);

    expect(message).toMatchObject({
      kind: "list",
      text: "Which?",
      sections: [
        {
          rows: [
            { title: "Choice 1" },
            { title: "Choice 2" },
            { title: "Choice 3" },
            { title: "Something longer than a…", description: "Something longer than a row can show" },
          ],
        },
      ],
    });
    expect(degraded).toEqual([
      {
        part: 0,
        what: "choices[3].title",
        from: "title of 36 characters",
        to: "shortened, whole in the row's description",
      },
    ]);
  });

  it("of four to ten whose words no row can hold are numbered above the list", () => {
    const choices = numbered(4).map((choice) => ({ ...choice, description: "word ".repeat(20).trim() }));

    const { message } = only(choices);

    expect(message).toMatchObject({ kind: "list", sections: [{ rows: [{ title: "1. Choice 1" }, {}, {}, {}] }] });
    expect(message).toHaveProperty("text", expect.stringContaining("4. Choice 4 – word word"));
  });

  it("of more than ten are numbered text", () => {
    const { message, degraded } = only(numbered(11));

    expect(message).toMatchObject({ kind: "text", text: expect.stringContaining("\n11. Choice 11") });
    expect(degraded).toEqual([{ part: 0, what: "choices", from: "choices", to: "numbered text" }]);
  });

  it.each([["a".repeat(257)], [" id "], [""]])("with an id that WhatsApp cannot carry (%j) are numbered text", (id) => {
    expect(only([{ id, title: "Yes" }]).message).toMatchObject({ kind: "text", text: "Which?\n\n1. Yes" });
  });

  it("may be answered by number or title in every form", () => {
    for (const count of [2, 7, 20])
      expect(transformResponse({ choices: numbered(count) }).choices).toEqual(
        numbered(count).map(({ id, title }) => ({ id, title })),
      );
  });

  it("without a title show their id", () => {
    expect(only(titled(" ")).message).toMatchObject({ buttons: [{ id: "id0", title: "id0" }] });
  });

  it("without a text have a sign to hang on", () => {
    expect(only(titled("Yes"), "").message).toMatchObject({ kind: "buttons", text: "👇" });
  });

  it("stand under the last paragraph of a text that is too long for them", () => {
    const { messages } = transformResponse({ text: `${"word ".repeat(400)}\n\nGo on?`, choices: titled("Yes") });

    expect(messages.map(({ kind }) => kind)).toEqual(["text", "buttons"]);
    expect(messages[1]).toMatchObject({ text: "Go on?" });
  });

  it("never take half a code block for their question", () => {
    const text = `${"word ".repeat(400)}\n\n\`\`\`\na\n\nb\n\`\`\``;

    expect(transformResponse({ text, choices: titled("Yes") }).messages[1]).toMatchObject({
      text: "```\na\n\nb\n```",
    });
  });

  it("leave an introduction with what it introduces", () => {
    const { messages } = transformResponse({
      text: "This is the room:",
      media: [{ kind: "image", url: "https://ex.com/a.jpg" }],
      choices: titled("Book"),
    });

    expect(messages.map((message) => ("text" in message ? message.text : message.kind))).toEqual([
      "This is the room:",
      "image",
      "👇",
    ]);
  });

  it("never cut an emoji of several code points", () => {
    const family = "👨‍👩‍👧‍👦";
    const { messages } = transformResponse({ choices: titled(`ab ${family}${family}`, "x") });

    expect(messages[0]).toMatchObject({
      text: `1. ab ${family}${family}\n2. x`,
      buttons: [{ title: "1. ab 👨‍👩‍👧‍👦…" }, {}],
    });
  });
});
