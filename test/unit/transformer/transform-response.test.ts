/** AI response → messages, previews, and the report of what changed its form. */
import { describe, expect, it } from "vitest";
import { encodeMessage } from "../../../plugin/messages/encode-message.ts";
import { LIMITS } from "../../../plugin/messages/limits.ts";
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

  it("puts its parts in order: reaction, text, media, cards, location, and the question with its choices last", () => {
    const { messages } = transformResponse(
      {
        choices: [{ id: "1", title: "C" }],
        location: { latitude: 1.5, longitude: -2 },
        cards: [{ title: "B" }],
        media: [{ kind: "image", url: "https://ex.com/a" }],
        text: "A\n\nWhich?",
        reaction: { emoji: "👍" },
      },
      { lastMessageId: "wamid.1" },
    );

    expect(messages).toEqual([
      { kind: "reaction", targetId: "wamid.1", emoji: "👍" },
      { kind: "text", text: "A", previewUrl: false },
      { kind: "image", url: "https://ex.com/a" },
      { kind: "text", text: "*B*", previewUrl: false },
      { kind: "location", latitude: 1.5, longitude: -2 },
      { kind: "buttons", text: "Which?", buttons: [{ id: "1", title: "C" }] },
    ]);
  });

  it("numbers choices through all cards, so that a number means one of them", () => {
    const many = (name: string) => Array.from({ length: 11 }, (_, index) => ({ id: `${name}${index}`, title: name }));
    const { messages, choices } = transformResponse({
      cards: [
        { title: "A", choices: many("a") },
        { title: "B", choices: many("b") },
      ],
      choices: many("c"),
    });

    const numbers = messages.flatMap((message) => ("text" in message ? (message.text?.match(/^\d+/gm) ?? []) : []));
    expect(numbers.map(Number)).toEqual(Array.from({ length: 33 }, (_, index) => index + 1));
    expect(choices?.[22]).toEqual({ id: "c0", title: "c" });
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
      text: `${long}| a |\n|---|\n| b |\n\nSee ![c](https://ex.com/c)`,
      cards: [{ title: "T", imageUrl: "http://ex.com/t", url: "https://ex.com", choices: [{ id: "1", title: "x" }] }],
      media: [{ kind: "image", url: "ftp://ex.com/d", caption: "![e](https://ex.com/e)" }],
      location: { latitude: 200, longitude: 0, name: "N" },
      reaction: { emoji: "👍" },
    });

    expect(messages.map(({ kind }) => kind)).toEqual(["text", "text", "text", "text", "buttons", "text"]);
    expect(degraded).toEqual([
      { part: 0, what: "reaction", from: "reaction", to: "text" },
      { part: 2, what: "text", from: "table", to: "monospace text" },
      { part: 2, what: "text", from: "image", to: "link" },
      { part: null, what: "text", from: expect.stringMatching(/^text of \d+ characters$/), to: "2 messages" },
      { part: 3, what: "media[0].caption", from: "image", to: "link" },
      { part: 3, what: "media[0]", from: "image", to: "link" },
      { part: 4, what: "cards[0].imageUrl", from: "image", to: "link" },
      { part: 4, what: "cards[0].url", from: "link button", to: "link" },
      { part: 5, what: "location", from: "location", to: "text" },
    ]);
  });

  it("that is a template goes alone, and says what it left out", () => {
    const template = { name: "hello", language: "en" };

    expect(transformResponse({ template, text: "hi", choices: [{ id: "1", title: "x" }] })).toEqual({
      messages: [{ kind: "template", ...template }],
      degraded: [
        { part: null, what: "text", from: "text", to: "left out: a template goes alone" },
        { part: null, what: "choices", from: "choices", to: "left out: a template goes alone" },
      ],
    });
  });

  it("with a template is the template, whoever finds fault with it later", () => {
    const template = { name: "", language: "en" };
    const { messages, degraded } = transformResponse({ template, text: "hi" });

    expect(messages).toEqual([{ kind: "template", ...template }]);
    expect(degraded).toEqual([{ part: null, what: "text", from: "text", to: "left out: a template goes alone" }]);
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
    expect(LIMITS.textBody).toMatchObject({ max: 4096, unit: "utf16", field: "text.body" });
  });
});
