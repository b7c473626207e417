/** `send` of one message exactly as given: every kind reaches Meta in Meta's spelling, and the host's inbox in words. */
import { readFileSync } from "node:fs";
import type { OutboundMessage, SendReceipt, SendRequest } from "@omniops/whatsapp";
import { describe, expect, it } from "vitest";
import { TENANT, type TestChannel } from "../../support/channel.ts";
import { type Contact, closeWindow, countOf, inState, meet, NOTHING, settled, startSilent } from "./outbound.ts";

const POSTS = "POST /301777000333444/messages";

function recorded(name: string, half: "message" | "body"): unknown {
  const file = new URL(`../../../fixtures/graph-api/${name}.${half}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8"));
}

/** A recorded message for each kind; a new kind does not compile until it is here. A template is another file's. */
const RECORDED: Readonly<Record<Exclude<OutboundMessage["kind"], "template">, string>> = {
  audio: "audio",
  buttons: "buttons",
  call: "call",
  "call-permission-request": "call-permission-request",
  carousel: "carousel-of-links",
  catalog: "catalog",
  "contact-info-request": "contact-info-request",
  contacts: "contacts",
  document: "document",
  flow: "flow",
  image: "image",
  link: "link",
  list: "list",
  location: "location",
  "location-request": "location-request",
  product: "product",
  "product-carousel": "product-carousel",
  "product-list": "product-list",
  raw: "raw",
  reaction: "reaction",
  sticker: "sticker",
  text: "text",
  video: "video",
};
const MEDIA = ["audio", "document", "image", "sticker", "video"];

/** What the host's inbox shows of the last send in a conversation. */
async function shownOf(channel: TestChannel, { conversationId }: Contact): Promise<unknown> {
  const rows = await channel.rows(
    `select content, media_type, status from messages where role = 'assistant' and conversation_id = ? order by created_at desc limit 1`,
    [conversationId],
  );
  return rows[0];
}

describe("a message of every kind", () => {
  it("is posted as Meta spells it and shown in the host's inbox", async () => {
    const channel = await startSilent();
    for (const [n, [kind, name]] of Object.entries(RECORDED).entries()) {
      const phoneNumber = String(447700900100 + n);
      const ada = await meet(channel, { name: "Ada", phoneNumber });
      // Meta takes a reaction only to a message that there is.
      const wamid = ada.person.transcript()[0]?.wamid ?? "";
      const of = (half: "message" | "body") =>
        JSON.parse(JSON.stringify(recorded(name, half)).replaceAll("wamid.IN1", wamid)) as object;

      const message = of("message") as OutboundMessage;
      const receipt = await channel.plugin.send({ conversationId: ada.conversationId, message });
      // Meta announces nothing but `sent` for a reaction.
      const done = await inState(channel, receipt, kind === "reaction" ? "sent" : "read");

      expect(done).toMatchObject({ parts: [{ index: 0, kind, error: null }], degraded: [] });
      expect(channel.meta.accepted.slice(n).map(({ body }) => body)).toEqual([
        {
          messaging_product: "whatsapp",
          recipient_type: "individual",
          to: `+${phoneNumber}`,
          ...of("body"),
          biz_opaque_callback_data: expect.any(String),
        },
      ]);
      const shown = await shownOf(channel, ada);
      expect([kind, shown]).toEqual([
        kind,
        {
          content: expect.stringMatching(/\S/),
          media_type: MEDIA.includes(kind) ? kind : null,
          status: done.parts[0]!.state,
        },
      ]);
      expect(JSON.stringify(shown)).not.toMatch(/\[object|undefined|NaN/);
    }
  });

  it("quotes what it is told to", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    const quoted = ada.person.transcript()[0]!.wamid;
    const message = recorded("buttons", "message") as OutboundMessage;

    await settled(channel, await channel.plugin.send({ conversationId: ada.conversationId, message, replyTo: quoted }));

    expect(channel.meta.accepted[0]!.body).toMatchObject({ context: { message_id: quoted } });
  });

  it("waits, like every answer, for a window that is closed", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    await closeWindow(channel, ada);
    const message = recorded("list", "message") as OutboundMessage;
    const request = { conversationId: ada.conversationId, message };

    await expect(channel.plugin.send(request)).rejects.toMatchObject({ code: "WINDOW_CLOSED" });
    const receipt = await channel.plugin.send({ ...request, onWindowClosed: "hold" });
    await inState(channel, receipt, "held");
    ada.person.says("I am back");

    await inState(channel, receipt, "read");
  });
});

describe("a message that is wrong", () => {
  it.each([
    ["buttons-four", "message.buttons "],
    ["header-by-http", "message.header.url "],
    ["kind-unknown", "message.kind "],
    ["kind-from-the-prototype", "message.kind "],
    ["carousel-card-button-too-long", "message.cards[0].buttons[0].id "],
    ["text-too-long", "message.text "],
    ["text-with-a-nul", "message.text "],
    ["raw-too-large", "message.payload "],
    ["raw-with-a-recipient", "message.payload.to "],
    ["member-unknown", "message."],
  ])("%s is refused with the place, and leaves nothing behind", async (name, path) => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    const message = recorded(name, "message") as OutboundMessage;

    await expect(channel.plugin.send({ conversationId: ada.conversationId, message })).rejects.toMatchObject({
      code: "MESSAGE_INVALID",
      retry: "never",
      message: expect.stringMatching(new RegExp(`^${path.replace(/[.[\]]/g, "\\$&")}`)),
    });

    expect(await countOf(channel)).toEqual(NOTHING);
    expect(channel.meta.requests[POSTS]).toBeUndefined();
  });

  it("names five of its problems and counts the others", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    const button = { id: "", title: "" };
    const message: OutboundMessage = { kind: "buttons", text: "", buttons: [button, button, button] };

    await expect(channel.plugin.send({ conversationId: ada.conversationId, message })).rejects.toMatchObject({
      message: expect.stringMatching(/^message\.text .*And \d+ more\.$/),
    });
  });

  it("is no message when there are two of what can be sent, or none", async () => {
    const channel = await startSilent();
    const { conversationId } = await meet(channel, { name: "Ada" });
    const message: OutboundMessage = { kind: "text", text: "hi", previewUrl: false };
    const template = { name: "hello_again", language: "en_GB" };

    for (const what of [
      {},
      { response: "hi", message },
      { message, template },
      { response: "", template },
      { response: "hi", message, template },
      { response: null, message: null } as never,
    ])
      await expect(channel.plugin.send({ conversationId, ...what })).rejects.toMatchObject({ code: "REQUEST_INVALID" });
    expect(await countOf(channel)).toEqual(NOTHING);
  });
});

describe("over HTTP", () => {
  async function post(channel: TestChannel, { conversationId }: Contact, what: object) {
    const answer = await fetch(`${channel.url}/send`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-tenant": TENANT },
      body: JSON.stringify({ conversationId, ...what }),
    });
    return { status: answer.status, body: (await answer.json()) as SendReceipt & { error: Record<string, string> } };
  }

  it.each<[string, Omit<SendRequest, "conversationId">, string]>([
    ["a message", { message: recorded("buttons", "message") as OutboundMessage }, "interactive"],
    ["a template", { template: { name: "hello_again", language: "en_GB" } }, "template"],
    [
      "an answer with a template for the closed window",
      { response: "hi", onWindowClosed: { template: "hello_again", language: "en_GB" } },
      "template",
    ],
  ])("%s is taken", async (_what, request, type) => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    if (request.onWindowClosed !== undefined) await closeWindow(channel, ada);

    const { status, body } = await post(channel, ada, request);
    await inState(channel, body, "read");

    expect(status).toBe(202);
    expect(channel.meta.accepted.map((message) => message.type)).toEqual([type]);
  });

  it.each<[string, object, string, string]>([
    ["a message without a kind", { message: { text: "hi" } }, "REQUEST_INVALID", "message.kind: "],
    ["a message that is wrong", { message: { kind: "text", text: 7 } }, "MESSAGE_INVALID", "message.text "],
    ["a template without a language", { template: { name: "hello_again" } }, "REQUEST_INVALID", "template.language: "],
    [
      "a template with a value too many",
      { template: { name: "hello_again", language: "en_GB", params: { body: ["Ada"] } } },
      "TEMPLATE_INVALID",
      "template.params.body ",
    ],
    [
      "a fallback with a member that nobody knows",
      { response: "hi", onWindowClosed: { template: "hello_again", language: "en_GB", values: [] } },
      "REQUEST_INVALID",
      "onWindowClosed: ",
    ],
    [
      "a fallback without a language",
      { response: "hi", onWindowClosed: { template: "hello_again" } },
      "REQUEST_INVALID",
      "onWindowClosed.language: ",
    ],
    [
      "another wish for the closed window",
      { response: "hi", onWindowClosed: "wait" },
      "REQUEST_INVALID",
      '"fail"|"hold"',
    ],
    [
      "a fallback of a template that there is none of",
      { response: "hi", onWindowClosed: { template: "hello_gain", language: "en_GB" } },
      "TEMPLATE_INVALID",
      "onWindowClosed.template ",
    ],
    ["two of what can be sent", { response: "hi", message: { kind: "text" } }, "REQUEST_INVALID", "response: "],
    ["nothing to be sent", {}, "REQUEST_INVALID", "response: "],
  ])("%s is refused with its place", async (_what, request, code, path) => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });

    const { status, body } = await post(channel, ada, request);

    // A template is right or wrong by what the account has, not by the request alone.
    expect([status, body.error.code]).toEqual([code === "TEMPLATE_INVALID" ? 409 : 400, code]);
    expect(body.error.message).toContain(path);
    expect(await countOf(channel)).toEqual(NOTHING);
  });
});
