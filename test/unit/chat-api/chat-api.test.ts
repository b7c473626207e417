/** A host's chat pipeline behind HTTP: what is posted, what is an answer, and what makes the channel try again. */
import nock from "nock";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createChatApi } from "../../../adapters/chat-api/chat-api.ts";
import type { Turn } from "../../../plugin/contract.ts";

const ORIGIN = "https://chat.example.test";
const URL = `${ORIGIN}/turns`;

beforeAll(() => nock.disableNetConnect());
afterEach(() => {
  const unused = nock.pendingMocks();
  nock.cleanAll();
  expect(unused).toEqual([]);
});
afterAll(() => nock.restore());

function turn(signal: AbortSignal = new AbortController().signal): Turn {
  return {
    turnId: "8f14e45f-ceea-467f-9a3b-5e6f7a8b9c0d",
    conversationId: "00000000-0000-4000-8000-00000000000c",
    customerConfigId: "00000000-0000-4000-8000-000000000001",
    channel: "whatsapp",
    contact: { name: "Ada", phoneNumber: "447700900123", userId: null },
    messages: [
      {
        id: "1",
        externalId: "wamid.IN1",
        type: "text",
        text: "Grüße 👩🏽‍🚀",
        content: null,
        media: null,
        replyTo: null,
        timestamp: "2026-11-22T16:00:00.000Z",
      },
    ],
    attempt: 2,
    signal,
  };
}

describe("the chat API", () => {
  it("gets the turn as JSON, with its id as idempotency key and the host's own headers", async () => {
    // A try again has the same body: the host tells it by the idempotency key.
    const { signal: _signal, attempt: _attempt, ...visible } = turn();
    nock(ORIGIN, {
      reqheaders: {
        authorization: "Bearer of-the-host",
        "content-type": "application/json",
        "idempotency-key": visible.turnId,
      },
    })
      .post("/turns", (body) => {
        expect(body).toEqual(visible);
        return true;
      })
      .reply(200, { text: "Yes" });
    const reply = createChatApi({ url: URL, headers: { authorization: "Bearer of-the-host" } });

    expect(await reply(turn())).toEqual({ text: "Yes" });
  });

  it.each<[string, nock.Body, unknown]>([
    ["an AI response", { text: "**Yes**", choices: [] }, { text: "**Yes**", choices: [] }],
    ["a JSON string, as Markdown", '"**Yes**"', "**Yes**"],
    ["the JSON null, as silence", "null", null],
  ])("may answer with %s", async (_what, body, expected) => {
    nock(ORIGIN).post("/turns").reply(200, body);

    expect(await createChatApi({ url: URL })(turn())).toEqual(expected);
  });

  it("says nothing with a 204", async () => {
    nock(ORIGIN).post("/turns").reply(204);

    expect(await createChatApi({ url: URL })(turn())).toBeNull();
  });

  it.each<[string, number, nock.Body]>([
    ["a 500", 500, { text: "no" }],
    ["a 404 with HTML", 404, "<html>"],
    ["a 202", 202, { text: "later" }],
    ["a 200 with HTML", 200, "<html>"],
    ["a 200 without a body", 200, ""],
    ["a list", 200, [{ text: "Yes" }]],
    ["a number", 200, "7"],
  ])("has not answered with %s: the turn is tried again", async (_what, status, body) => {
    nock(ORIGIN).post("/turns").reply(status, body);

    await expect(createChatApi({ url: URL })(turn())).rejects.toThrow(
      expect.objectContaining({ code: "CHAT_API_FAILED", retry: "backoff" }),
    );
  });

  it("has not answered when it cannot be reached, takes too long, or the channel stops", async () => {
    const failed = expect.objectContaining({ code: "CHAT_API_FAILED", retry: "backoff" });
    nock(ORIGIN).post("/turns").replyWithError("refused");
    await expect(createChatApi({ url: URL })(turn())).rejects.toThrow(failed);

    nock(ORIGIN).post("/turns").delay(2_000).reply(200, {});
    await expect(createChatApi({ url: URL, timeoutMs: 30 })(turn())).rejects.toThrow(failed);

    const stopping = new AbortController();
    nock(ORIGIN).post("/turns").delay(2_000).reply(200, {});
    const answer = createChatApi({ url: URL })(turn(stopping.signal));
    setTimeout(() => stopping.abort(), 20);
    await expect(answer).rejects.toThrow(failed);
  });

  it("can be asked through the host's own fetch", async () => {
    const fetch = async () => Response.json({ text: "by the host" });

    expect(await createChatApi({ url: URL, fetch })(turn())).toEqual({ text: "by the host" });
  });

  it("is never quoted in an error, which could hold what people wrote", async () => {
    nock(ORIGIN).post("/turns").reply(200, "Ada wrote: my card number is 4111");

    await expect(createChatApi({ url: URL })(turn())).rejects.toThrow(/^(?!.*4111)/);
  });
});
