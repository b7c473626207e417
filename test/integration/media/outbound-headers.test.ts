/** A picture above words and buttons that nobody can show: the words and the buttons arrive without it. */
import type { AiResponse, OutboundMessage } from "@omniops/whatsapp";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { allQuiet, TENANT, type TestChannel } from "../../support/channel.ts";
import { conversationOf, FILES, keep, lastBody, SILENT, sent, start } from "./outbound-media.ts";
import { fetched, names, pages } from "./table-web.ts";

vi.mock("../../../adapters/web/web.ts", async () => ({
  createWeb: (await import("./table-web.ts")).tableWeb,
}));

beforeEach(() => {
  pages.clear();
  names.clear();
  fetched.length = 0;
});

const GONE = "https://files.example/gone.jpg";
const INSIDE = "https://169.254.169.254/room.jpg";

const room = (imageUrl: string): AiResponse => ({
  cards: [{ title: "Room 1", text: "Sea view, 90 EUR", imageUrl, choices: [{ id: "book", title: "Book" }] }],
  choices: [{ id: "more", title: "More" }],
});
const BOOK = { buttons: [{ type: "reply", reply: { id: "book", title: "Book" } }] };

const message = (url: string): OutboundMessage => ({
  kind: "link",
  text: "Sea view",
  header: { media: "image", url },
  footer: "Free until Friday",
  label: "Book",
  url: "https://hotel.example/book",
});

/** @returns the answer's receipt, when Meta has said what became of all of it. */
async function answered(channel: TestChannel, response: AiResponse, parts: number) {
  const conversationId = await conversationOf(channel);
  const { sendId } = await channel.plugin.send({ conversationId, response });
  await channel.meta.waitFor(() => channel.meta.accepted.length === parts);
  await allQuiet(channel);
  return channel.plugin.receipt(sendId, TENANT);
}

describe("a picture in a header", () => {
  it("that Meta refuses at once leaves its words and buttons, and the next part follows", async () => {
    const channel = await start(SILENT);
    channel.meta.faults.next({ do: { error: { code: 131053 } } });

    const receipt = await answered(channel, room(GONE), 2);

    expect(channel.meta.accepted[0]?.body.interactive).toEqual({
      type: "button",
      body: { text: `*Room 1*\nSea view, 90 EUR\n${GONE}` },
      action: BOOK,
    });
    expect(receipt).toMatchObject({
      degraded: [{ part: 0, what: "header", from: "image", to: "link" }],
      parts: [
        { kind: "buttons", state: "read" },
        { kind: "buttons", state: "read" },
      ],
    });
    const shown = await channel.rows("select content from messages where role = 'assistant' order by created_at, id");
    expect(shown).toContainEqual({ content: `*Room 1*\nSea view, 90 EUR\n${GONE}\n[Book]` });
  });

  it("that Meta cannot show later is followed by the same without it, whose choices can be typed", async () => {
    const asked: unknown[] = [];
    const channel = await start({
      reply: ({ messages }) => {
        asked.push(messages[0]?.content);
        return null;
      },
      meta: { cannotFetch: (link) => link === GONE },
    });

    const receipt = await answered(channel, room(GONE), 3);

    expect(lastBody(channel)?.interactive).toEqual({
      type: "button",
      body: { text: `*Room 1*\nSea view, 90 EUR\n${GONE}` },
      action: BOOK,
    });
    expect(receipt).toMatchObject({
      degraded: [{ part: 0, what: "header", from: "image", to: "link" }],
      parts: [
        { index: 0, state: "failed" },
        { index: 1, state: "read" },
        { index: 2, kind: "buttons", state: "read" },
      ],
    });
    channel.meta.person({ name: "Ada", phoneNumber: "447700900123" }).says("book");
    await allQuiet(channel);
    expect(asked.at(-1)).toMatchObject({ kind: "choice", from: "text", id: "book" });
  });

  it.each([
    ["that leads inside", INSIDE],
    ["that is no picture", "https://files.example/page.jpg"],
  ])("%s is left out before Meta is asked", async (_what, url) => {
    pages.set("https://files.example/page.jpg", { type: "application/pdf", body: FILES.pdf() });
    const channel = await start(SILENT);
    const ada = await conversationOf(channel);

    const receipt = await sent(channel, ada, { message: message(url) });

    expect(channel.meta.accepted.map(({ body }) => body.interactive)).toEqual([
      {
        type: "cta_url",
        body: { text: `Sea view\n${url}` },
        footer: { text: "Free until Friday" },
        action: { name: "cta_url", parameters: { display_text: "Book", url: "https://hotel.example/book" } },
      },
    ]);
    expect(receipt).toMatchObject({
      degraded: [{ part: 0, what: "header", from: "image", to: "link" }],
      parts: [{ kind: "link", error: null }],
    });
  });

  it("whose link has no room among the words is left out, and the receipt says so", async () => {
    const channel = await start(SILENT);
    const ada = await conversationOf(channel);

    const receipt = await sent(channel, ada, { message: { ...message(INSIDE), text: "x".repeat(1_024) } as never });

    expect(lastBody(channel)?.interactive).toMatchObject({ body: { text: "x".repeat(1_024) } });
    expect(receipt.degraded).toEqual([{ part: 0, what: "header", from: "image", to: "left out" }]);
  });

  it("of the tenant's own that Meta cannot show leaves its words as well", async () => {
    const channel = await start(SILENT);
    const ada = await conversationOf(channel);
    const mediaId = await keep(channel, FILES.jpeg(), { mime: "image/jpeg" });
    channel.meta.faults.next({ do: { error: { code: 131053 } } });

    const receipt = await sent(channel, ada, {
      message: {
        kind: "buttons",
        text: "Choose",
        header: { media: "image", mediaId },
        buttons: [{ id: "a", title: "A" }],
      },
    });

    expect(lastBody(channel)?.interactive).toMatchObject({ type: "button", body: { text: "Choose" } });
    expect(lastBody(channel)?.interactive).not.toHaveProperty("header");
    expect(receipt.degraded).toEqual([{ part: 0, what: "header", from: "image", to: "left out" }]);
  });

  it("of a template stays, because Meta refuses the template without it", async () => {
    const components = [
      { type: "HEADER", format: "IMAGE" },
      { type: "BODY", text: "Look" },
    ];
    const channel = await start({ ...SILENT, meta: { templates: [{ name: "picture", language: "en", components }] } });
    const ada = await conversationOf(channel);
    const header = { media: "image" as const, url: INSIDE };

    await sent(channel, ada, { message: { kind: "template", name: "picture", language: "en", params: { header } } });

    expect(JSON.stringify(lastBody(channel)?.template)).toContain(INSIDE);
  });
});

describe("cards side by side of which one picture cannot be shown", () => {
  const cards = (choicesEach: number): AiResponse => ({
    text: "Which one?",
    cards: ["Garden", "Sea view"].map((title, card) => ({
      title,
      imageUrl: card === 0 ? "https://files.example/garden.jpg" : GONE,
      choices: Array.from({ length: choicesEach }, (_, i) => ({ id: `${card}${i}`, title: `Book ${i}` })),
    })),
  });
  const LIST = {
    type: "list",
    body: {
      text: `Which one?\n\n*Garden*\nhttps://files.example/garden.jpg\n\n*Sea view*\n${GONE}`,
    },
    action: {
      button: "Options",
      sections: [
        { title: "Garden", rows: [{ id: "00", title: "Book 0" }] },
        { title: "Sea view", rows: [{ id: "10", title: "Book 0" }] },
      ],
    },
  };

  it("are a list of what could be chosen on them, when Meta says so at once", async () => {
    const channel = await start(SILENT);
    channel.meta.faults.next({ do: { error: { code: 131053 } } });

    const receipt = await answered(channel, cards(1), 1);

    expect(channel.meta.accepted.map(({ body }) => body.interactive)).toEqual([LIST]);
    expect(receipt).toMatchObject({
      degraded: [
        { part: 0, what: "cards", from: "carousel", to: "list" },
        { part: 0, what: "header", from: "image", to: "link" },
      ],
      parts: [{ kind: "list", state: "read" }],
    });
  });

  it("and when Meta says so later", async () => {
    const channel = await start({ ...SILENT, meta: { cannotFetch: (link) => link === GONE } });

    const receipt = await answered(channel, cards(1), 2);

    expect(lastBody(channel)?.interactive).toEqual(LIST);
    expect(receipt).toMatchObject({
      parts: [
        { kind: "carousel", state: "failed" },
        { kind: "list", state: "read" },
      ],
    });
  });

  it("are a text with their links, where each has one", async () => {
    const channel = await start(SILENT);
    const ada = await conversationOf(channel);
    const card = (label: string, url: string) => ({
      header: { media: "image" as const, url },
      text: `${label}, 90 EUR`,
      link: { label, url: `https://hotel.example/${label}` },
    });

    const receipt = await sent(channel, ada, {
      message: { kind: "carousel", text: "New", cards: [card("sea", INSIDE), card("garden", GONE)] },
    });

    expect(channel.meta.accepted.map(({ body }) => body.text)).toEqual([
      {
        body: `New\n\nsea, 90 EUR\n${INSIDE}\nsea: https://hotel.example/sea\n\ngarden, 90 EUR\n${GONE}\ngarden: https://hotel.example/garden`,
        preview_url: false,
      },
    ]);
    expect(receipt).toMatchObject({
      degraded: [
        { what: "cards", from: "carousel", to: "text" },
        { what: "header", from: "image", to: "link" },
      ],
      parts: [{ kind: "text", error: null }],
    });
  });
});
