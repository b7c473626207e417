/** `send`: stored when it resolves, once per idempotency key, refused before anything is stored. */
import type { AiResponse, SendRequest } from "@omniops/whatsapp";
import { describe, expect, it } from "vitest";
import { quiet } from "../../support/channel.ts";
import { hold, waiters } from "../engine/support.ts";
import { closeWindow, countOf, inState, keepBack, meet, NOTHING, settled, startSilent, texts } from "./outbound.ts";

const POSTS = "POST /301777000333444/messages";
const NOBODY = "99999999-9999-4999-8999-999999999999";

describe("send", () => {
  it("has stored the message when it resolves, and shows it in the host's inbox", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    await keepBack(channel, ada);

    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "**hi**" });

    expect(receipt).toEqual({
      sendId: expect.any(String),
      conversationId: ada.conversationId,
      parts: [{ index: 0, kind: "text", state: "queued", messageId: null, error: null }],
      degraded: [],
    });
    expect(await channel.rows("select role, content, status from messages where role = 'assistant'")).toEqual([
      { role: "assistant", content: "*hi*", status: "queued" },
    ]);
  });

  it("quotes a message in its first part", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    const quoted = ada.person.transcript()[0]!.wamid;

    const response = `${"A".repeat(4_000)}\n\n${"B".repeat(4_000)}`;
    await settled(
      channel,
      await channel.plugin.send({ conversationId: ada.conversationId, response, replyTo: quoted }),
    );

    expect(channel.meta.accepted.map(({ body }) => body.context)).toEqual([{ message_id: quoted }, undefined]);
  });

  it("refuses a conversation that is unknown, or no uuid", async () => {
    const channel = await startSilent();
    const refused = expect.objectContaining({ code: "CONVERSATION_UNKNOWN" });

    for (const conversationId of [NOBODY, "", "1", "' or true --"])
      await expect(channel.plugin.send({ conversationId, response: "hi" })).rejects.toThrow(refused);
    expect(await countOf(channel)).toEqual(NOTHING);
  });

  it("refuses a conversation that the host has deleted, whether or not its messages have a foreign key", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    const bob = await meet(channel, { name: "Bob" });
    const deleteOf = (id: string) => channel.rows("delete from conversations where id = ?", [id]);
    await deleteOf(ada.conversationId);
    await channel.rows("delete from messages where conversation_id = ?", [ada.conversationId]);
    await channel.rows(
      "alter table messages add foreign key (conversation_id) references conversations (id) on delete cascade",
    );
    await deleteOf(bob.conversationId);

    for (const { conversationId } of [ada, bob]) {
      const refused = { code: "CONVERSATION_UNKNOWN" };
      await expect(channel.plugin.send({ conversationId, response: "hi" })).rejects.toMatchObject(refused);
      await expect(channel.plugin.sessionStatus(conversationId)).rejects.toMatchObject(refused);
    }
    expect(await countOf(channel)).toEqual(NOTHING);
  });

  it("refuses a conversation that the host is just deleting, in the same words", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    await channel.rows(
      "alter table messages add foreign key (conversation_id) references conversations (id) on delete cascade",
    );
    const host = await hold(channel.database);
    await host.query("delete from conversations where id = $1", [ada.conversationId]);

    const sending = channel.plugin.send({ conversationId: ada.conversationId, response: "hi" });
    const refused = expect(sending).rejects.toMatchObject({ code: "CONVERSATION_UNKNOWN" });
    await waiters(channel.rows);
    await host.commit();

    await refused;
    expect(await countOf(channel)).toEqual(NOTHING);
  });

  it("refuses a response that says nothing", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });

    for (const response of ["", "  \n", {}, { text: "" }, { handoff: false }])
      await expect(channel.plugin.send({ conversationId: ada.conversationId, response })).rejects.toThrow(
        expect.objectContaining({ code: "RESPONSE_EMPTY" }),
      );
    expect(await countOf(channel)).toEqual(NOTHING);
  });

  it.each<[string, unknown, string]>([
    ["a text that is none", { text: 5 }, "text: Invalid input: expected string, received number"],
    [
      "a misspelt member, which would be a question without its choices",
      { text: "Which?", choises: [{ id: "a", title: "A" }] },
      "choises is no member of an AI response",
    ],
    [
      "a choice without a title",
      { text: "Which?", choices: [{ id: "a" }] },
      "choices[0].title: Invalid input: expected string, received undefined",
    ],
    ["a list", ["hi"], "it is an array, no AI response"],
  ])("refuses a response of another shape: %s", async (_what, response, said) => {
    const channel = await startSilent();
    const { conversationId } = await meet(channel, { name: "Ada" });
    const members = "text, choices, cards, media, location, template, reaction, replyTo, handoff";

    await expect(channel.plugin.send({ conversationId, response: response as AiResponse })).rejects.toMatchObject({
      code: "MESSAGE_INVALID",
      message: `response: ${said}. An AI response has ${members}; a text alone is a string.`,
    });
    expect(await countOf(channel)).toEqual(NOTHING);
  });

  it.each<[string, object, string]>([
    ["a key that would be none", { idempotency_key: "k" }, "idempotency_key is no member of a send"],
    [
      "parameters that would be none",
      { onWindowClosed: { template: "hello_again", language: "en_GB", parameters: { body: ["Ada"] } } },
      "onWindowClosed.parameters is no member of onWindowClosed",
    ],
    ["what may be words that somebody wrote", { "call me on 447700900123": true }, "? is no member of a send"],
  ])("refuses what it does not know: %s", async (_what, wishes, said) => {
    const channel = await startSilent();
    const { conversationId } = await meet(channel, { name: "Ada" });

    await expect(channel.plugin.send({ conversationId, response: "hi", ...wishes })).rejects.toMatchObject({
      code: "REQUEST_INVALID",
      message: expect.stringMatching(new RegExp(`^${said.replace("?", "\\?")}, which has .*[a-z]\\.$`)),
    });
    expect(await countOf(channel)).toEqual(NOTHING);
  });

  it("takes a member that is there and undefined for one that is not there", async () => {
    const channel = await startSilent();
    const { conversationId } = await meet(channel, { name: "Ada" });

    const receipt = await channel.plugin.send({ conversationId, response: "hi", later: undefined } as SendRequest);

    expect(receipt.parts).toHaveLength(1);
  });

  it("refuses a handoff, which only an answer to a turn can be", async () => {
    const channel = await startSilent();
    const { conversationId } = await meet(channel, { name: "Ada" });

    await expect(channel.plugin.send({ conversationId, response: { text: "hi", handoff: true } })).rejects.toThrow(
      expect.objectContaining({ code: "REQUEST_INVALID", message: expect.stringMatching(/^response\.handoff: /) }),
    );
    expect(await countOf(channel)).toEqual(NOTHING);
  });

  it("refuses what the closed window forbids, storing nothing and asking Meta nothing", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    await closeWindow(channel, ada);

    await expect(channel.plugin.send({ conversationId: ada.conversationId, response: "hi" })).rejects.toThrow(
      expect.objectContaining({ code: "WINDOW_CLOSED", retry: "template" }),
    );

    expect(await countOf(channel)).toEqual(NOTHING);
    expect(channel.meta.requests[POSTS]).toBeUndefined();
    expect(await channel.plugin.sessionStatus(ada.conversationId)).toMatchObject({
      state: "closed",
      canSend: false,
      templateRequired: true,
      secondsRemaining: 0,
    });
  });

  it("refuses a number that is disconnected", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    await channel.rows("update whatsapp_connections set state = 'disconnected'");

    await expect(channel.plugin.send({ conversationId: ada.conversationId, response: "hi" })).rejects.toThrow(
      expect.objectContaining({ code: "CONNECTION_MISSING" }),
    );
    expect(await countOf(channel)).toEqual(NOTHING);
  });

  it("fails what waits for a number that is then disconnected", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    const letGo = await keepBack(channel, ada);
    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "hi" });
    await channel.rows("update whatsapp_connections set state = 'disconnected'");

    await letGo();

    expect((await inState(channel, receipt, "failed")).parts[0]!.error?.code).toBe("CONNECTION_MISSING");
    expect(channel.meta.requests[POSTS]).toBeUndefined();
  });
});

describe("an idempotency key", () => {
  it.each<[string, Partial<SendRequest>]>([
    ["an answer", { response: "hi" }],
    ["a template", { template: { name: "hello_again", language: "en_GB" } }],
  ])("tells what became of %s, though the number has gone since, and the conversation", async (_what, said) => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    const request = { conversationId: ada.conversationId, idempotencyKey: "order-7", ...said };
    const sent = await channel.plugin.send(request);
    const { sendId } = await settled(channel, sent);

    await channel.rows("update whatsapp_connections set state = 'disconnected'");
    expect((await channel.plugin.send(request)).sendId).toBe(sendId);
    await expect(channel.plugin.send({ ...request, idempotencyKey: "order-8" })).rejects.toMatchObject({
      code: "CONNECTION_MISSING",
    });
    await channel.rows("update whatsapp_connections set state = 'connected'");
    await channel.rows("delete from messages where conversation_id = ?", [ada.conversationId]);
    await channel.rows("delete from conversations where id = ?", [ada.conversationId]);
    expect((await channel.plugin.send(request)).sendId).toBe(sendId);
    await expect(channel.plugin.send({ ...request, onAmbiguous: "hold" })).rejects.toMatchObject({
      code: "IDEMPOTENCY_CONFLICT",
    });
  });

  it("sends once, however often and however much at once it is used", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    const request = { conversationId: ada.conversationId, response: "hi", idempotencyKey: "order-7" };

    const receipts = await Promise.all(Array.from({ length: 8 }, () => channel.plugin.send(request)));
    await inState(channel, receipts[0]!, "read");
    const again = await channel.plugin.send({ ...request, conversationId: ada.conversationId.toUpperCase() });
    await quiet(channel);

    expect(new Set(receipts.map(({ sendId }) => sendId)).size).toBe(1);
    expect(again).toMatchObject({ sendId: receipts[0]!.sendId, parts: [{ state: "read" }] });
    expect(channel.meta.requests[POSTS]).toBe(1);
    expect(await countOf(channel)).toEqual({ sends: 1, parts: 1, messages: 1, pending: 0 });
  });

  it("answers with its receipt also after the window has closed", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    const request = { conversationId: ada.conversationId, response: "hi", idempotencyKey: "order-7" };
    const first = await channel.plugin.send(request);
    await inState(channel, first, "read");
    await closeWindow(channel, ada);

    expect((await channel.plugin.send(request)).sendId).toBe(first.sendId);
  });

  it("is refused for another response, another quote, other wishes, and another conversation", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    const bob = await meet(channel, { name: "Bob" });
    const request = { conversationId: ada.conversationId, response: "hi", idempotencyKey: "order-7" };
    await inState(channel, await channel.plugin.send(request), "read");

    for (const other of [
      { response: "ho" },
      { replyTo: "wamid.other" },
      { onWindowClosed: "hold" },
      { conversationId: bob.conversationId },
    ] as const)
      await expect(channel.plugin.send({ ...request, ...other })).rejects.toThrow(
        expect.objectContaining({ code: "IDEMPOTENCY_CONFLICT" }),
      );
    expect(texts(channel)).toEqual(["hi"]);
  });

  it("has 1 to 255 characters", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    const send = (idempotencyKey: string) =>
      channel.plugin.send({ conversationId: ada.conversationId, response: "hi", idempotencyKey });

    for (const key of ["", "k".repeat(256)])
      await expect(send(key)).rejects.toThrow(expect.objectContaining({ code: "REQUEST_INVALID" }));
    await inState(channel, await send("k".repeat(255)), "read");
  });
});
