/** Cards → carousel, link button, reply buttons, captioned picture or text. */
import { describe, expect, it } from "vitest";
import type { AiCard } from "../../../plugin/contract.ts";
import { transformResponse } from "../../../plugin/transformer/transform-response.ts";

const room = (number: number): AiCard => ({
  title: `Room ${number}`,
  text: "Quiet",
  imageUrl: `https://ex.com/${number}.jpg`,
  url: `https://ex.com/rooms/${number}`,
  urlLabel: "See it",
});
const rooms = (count: number) => Array.from({ length: count }, (_, index) => room(index + 1));
const kinds = (cards: readonly AiCard[], text = "") =>
  transformResponse({ cards, text }).messages.map(({ kind }) => kind);

describe("cards", () => {
  it("with picture and link: one is a link button under the picture", () => {
    expect(transformResponse({ cards: rooms(1) })).toEqual({
      messages: [
        {
          kind: "link",
          text: "*Room 1*\nQuiet",
          header: { media: "image", url: "https://ex.com/1.jpg" },
          label: "See it",
          url: "https://ex.com/rooms/1",
        },
      ],
      degraded: [],
    });
  });

  it("all alike: two to ten are a carousel under the text", () => {
    const { messages, degraded } = transformResponse({ text: "Rooms:", cards: rooms(3) });

    expect(messages).toEqual([
      {
        kind: "carousel",
        text: "Rooms:",
        cards: [1, 2, 3].map((number) => ({
          header: { media: "image", url: `https://ex.com/${number}.jpg` },
          text: `*Room ${number}*\nQuiet`,
          link: { label: "See it", url: `https://ex.com/rooms/${number}` },
        })),
      },
    ]);
    expect(degraded).toEqual([]);
  });

  it("all alike, more than ten: carousels of nearly the same length", () => {
    const { messages } = transformResponse({ cards: rooms(11) });

    expect(messages.map((message) => (message.kind === "carousel" ? message.cards.length : 0))).toEqual([5, 6]);
    expect(messages[1]).toMatchObject({ text: expect.stringMatching(/^Room 6 · Room 7/) });
  });

  it("with choices all alike: a carousel with buttons, whose titles may be typed", () => {
    const cards = rooms(2).map(({ url: _url, urlLabel: _label, ...card }, index) => ({
      ...card,
      choices: [{ id: `book${index}`, title: "Book" }],
    }));

    const { messages, choices } = transformResponse({ cards });

    expect(messages).toMatchObject([{ kind: "carousel", cards: [{ buttons: [{ id: "book0", title: "Book" }] }, {}] }]);
    expect(choices).toEqual([
      { id: "book0", title: "Book" },
      { id: "book1", title: "Book" },
    ]);
  });

  it("that differ are a message each", () => {
    expect(kinds([room(1), { title: "B", imageUrl: "https://ex.com/b.png" }, { title: "C" }, { title: "D" }])).toEqual([
      "link",
      "image",
      "text",
    ]);
    expect(kinds([room(1), { ...room(2), text: "long ".repeat(40) }])).toEqual(["link", "link"]);
  });

  it("with a picture and choices: buttons under the picture, the link in the text", () => {
    const { messages, degraded } = transformResponse({
      cards: [{ ...room(1), choices: [{ id: "b", title: "Book" }] }],
    });

    expect(messages).toMatchObject([
      { kind: "buttons", header: { media: "image" }, text: "*Room 1*\nQuiet\nSee it: https://ex.com/rooms/1" },
    ]);
    expect(degraded).toEqual([{ part: 0, what: "cards[0].url", from: "link button", to: "link" }]);
  });

  it("with more choices than buttons show the picture first", () => {
    const choices = Array.from({ length: 5 }, (_, index) => ({ id: `${index}`, title: `C${index}` }));

    expect(kinds([{ ...room(1), choices }])).toEqual(["image", "list"]);
  });

  it("whose label is longer than a button keep it in the text; without one the button shows the host", () => {
    const long = transformResponse({ cards: [{ ...room(1), urlLabel: "See all about this wonderful room" }] });
    const none = transformResponse({ cards: [{ title: "A", url: "https://www.ex.com/a" }] });

    expect(long.messages).toMatchObject([
      { label: "See all about this…", text: "*Room 1*\nQuiet\nSee all about this wonderful room" },
    ]);
    expect(long.degraded).toHaveLength(1);
    expect(none.messages).toMatchObject([{ kind: "link", label: "ex.com" }]);
  });

  it("whose picture Meta could not fetch keep it as a link", () => {
    expect(transformResponse({ cards: [{ title: "A", imageUrl: "http://ex.com/a.jpg" }] })).toMatchObject({
      messages: [{ kind: "text", text: "*A*\nhttp://ex.com/a.jpg" }],
      degraded: [{ from: "card" }, { from: "image", to: "link" }],
    });
  });
});
