/** AI response → messages, previews, and the report of what changed its form. */
import { describe, expect, it } from "vitest";
import { encodeMessage } from "../../../plugin/transformer/encode-message.ts";
import { LIMITS } from "../../../plugin/transformer/limits.ts";
import { transformResponse } from "../../../plugin/transformer/transform-response.ts";
import { textsOf } from "./texts.ts";

describe("an AI response", () => {
  it.each(["", " \n\t ", "<!-- nothing -->"])("that shows nothing (%j) becomes no message", (text) => {
    expect(transformResponse(text)).toEqual({ messages: [], degraded: [] });
    expect(transformResponse({ text, choices: [], cards: [], media: [] })).toEqual({ messages: [], degraded: [] });
  });

  it("may be a plain string", () => {
    expect(transformResponse("**hi**")).toEqual(transformResponse({ text: "**hi**" }));
  });

  it("previews its link when it has exactly one outside code", () => {
    const previewOf = (text: string) => textsOf(text)[0]?.previewUrl;

    expect(previewOf("see https://ex.com and `https://ex.com/code`")).toBe(true);
    expect(previewOf("see HTTP://ex.com")).toBe(true);
    expect(previewOf("no link, me@ex.com")).toBe(false);
    expect(previewOf("https://a.ex and https://b.ex")).toBe(false);
    expect(previewOf("https://a.ex、https://b.ex")).toBe(false);
    expect(previewOf("```\nhttps://ex.com\n```")).toBe(false);
  });

  it("puts its parts in order: text, media, cards, location, choices", () => {
    const messages = textsOf({
      choices: [{ id: "1", title: "C" }],
      location: { latitude: 1.5, longitude: -2 },
      cards: [{ title: "B" }],
      media: [{ kind: "image", url: "https://ex.com/a" }],
      text: "A",
    });

    expect(messages[0]?.text).toBe("A\n\nhttps://ex.com/a\n\n*B*\n\n1.5, -2\n\n1. C");
  });

  it("numbers choices through all cards, so that a number means one of them", () => {
    const choice = { id: "x", title: "T", description: "D" };
    const messages = textsOf({
      cards: [
        { title: "A", choices: [choice, choice] },
        { title: "B", choices: [choice] },
      ],
      choices: [choice],
    });

    expect(messages[0]?.text.match(/^\d\. T – D$/gm)).toEqual(["1. T – D", "2. T – D", "3. T – D", "4. T – D"]);
  });

  it("leaves no choice out, however many there are", () => {
    const choices = Array.from({ length: 300 }, (_, index) => ({ id: `${index}`, title: `Choice number ${index}` }));

    const text = textsOf({ choices })
      .map((message) => message.text)
      .join("\n");

    for (const [index, { title }] of choices.entries()) expect(text).toContain(`${index + 1}. ${title}`);
  });

  it("reports everything that it shows in another form, with the message it is in", () => {
    const long = `${"word ".repeat(815)}\n\n`;
    const { messages, degraded } = transformResponse({
      text: `${long}| a |\n|---|\n| b |\n\n![c](https://ex.com/c)`,
      cards: [{ title: "T", imageUrl: "https://ex.com/t", choices: [{ id: "1", title: "x" }] }],
      media: [{ kind: "document", url: "https://ex.com/d", caption: "![e](https://ex.com/e)" }],
      location: { latitude: 0, longitude: 0, name: "N" },
      choices: [{ id: "2", title: "y" }],
    });

    expect(messages).toHaveLength(2);
    expect(degraded).toEqual([
      { part: 1, what: "text", from: "table", to: "monospace text" },
      { part: 1, what: "text", from: "image", to: "link" },
      { part: 1, what: "media[0]", from: "document", to: "link" },
      { part: 1, what: "media[0].caption", from: "image", to: "link" },
      { part: 1, what: "cards[0]", from: "card", to: "text" },
      { part: 1, what: "cards[0].choices", from: "choices", to: "numbered text" },
      { part: 1, what: "cards[0].imageUrl", from: "image", to: "link" },
      { part: 1, what: "location", from: "location", to: "text" },
      { part: 1, what: "choices", from: "choices", to: "numbered text" },
      { part: null, what: "text", from: expect.stringMatching(/^text of \d+ characters$/), to: "2 messages" },
    ]);
  });

  it("ignores what is not text of its own", () => {
    expect(transformResponse({ text: "a", replyTo: true, handoff: true }).degraded).toEqual([]);
  });
});

describe("the wire", () => {
  it("spells a text message as the Graph API does", () => {
    expect(encodeMessage({ kind: "text", text: "a", previewUrl: true })).toEqual({
      type: "text",
      text: { body: "a", preview_url: true },
    });
  });

  it("has one ceiling per field", () => {
    expect(LIMITS.textBody).toEqual({ min: 1, max: 4096, unit: "utf16", field: "text.body" });
  });
});
