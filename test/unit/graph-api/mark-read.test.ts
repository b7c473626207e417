/** Read receipts and the typing sign: what leaves for Graph, and what a refusal says. */
import nock from "nock";
import { describe, expect, it } from "vitest";
import { graphAt, MESSAGES, NUMBER_ID, ORIGIN, TOKEN } from "./graph.ts";
import { onlyNock } from "./nocked.ts";

onlyNock();

const RECEIPT = { messaging_product: "whatsapp", status: "read", message_id: "wamid.IN1" };

function markRead(typing: boolean): Promise<void> {
  return graphAt().markRead({ phoneNumberId: NUMBER_ID, accessToken: TOKEN, messageId: "wamid.IN1", typing });
}

function answer(status: number, body: nock.Body, headers: Readonly<Record<string, string>> = {}): void {
  nock(ORIGIN).post(MESSAGES).query(true).reply(status, body, headers);
}

describe("marking a message as read", () => {
  it("names the message, and nothing else", async () => {
    nock(ORIGIN).post(MESSAGES, RECEIPT).query(true).reply(200, { success: true });

    await expect(markRead(false)).resolves.toBeUndefined();
  });

  it("shows on demand that an answer is being written", async () => {
    const body = { ...RECEIPT, typing_indicator: { type: "text" } };
    nock(ORIGIN).post(MESSAGES, body).query(true).reply(200, { success: true });

    await expect(markRead(true)).resolves.toBeUndefined();
  });

  it("says of a message that Meta does not know that it is not tried again, and quotes nothing of Meta's", async () => {
    answer(400, { error: { code: 131009, message: "+447700900123 wrote no such message" } });

    const refusal = await markRead(true).catch((error: Error) => error);

    expect(refusal).toMatchObject({ code: "GRAPH_REJECTED", retry: "never", meta: { code: 131009 } });
    expect(String(refusal)).toMatch(/at most 30 days/);
    expect(String(refusal)).not.toMatch(/447700900123|wamid/);
  });

  it("tells a dead token, a throttle with its wait, and a locked account apart", async () => {
    answer(401, { error: { code: 190, error_subcode: 463 } });
    await expect(markRead(true)).rejects.toThrow(expect.objectContaining({ retry: "reauth" }));

    answer(429, { error: { code: 130429 } }, { "retry-after": "7" });
    await expect(markRead(true)).rejects.toThrow(expect.objectContaining({ retry: "backoff", retryAfterMs: 7_000 }));

    answer(403, { error: { code: 131031 } });
    await expect(markRead(true)).rejects.toThrow(/WhatsApp Manager/);
  });

  it.each<[string, number, nock.Body]>([
    ["a 503 with HTML", 503, "<html>"],
    ["a 200 with garbage", 200, "<html>"],
    ["a redirect", 302, ""],
  ])("may be tried again after %s", async (_what, status, body) => {
    answer(status, body);

    await expect(markRead(false)).rejects.toThrow(
      expect.objectContaining({ code: "GRAPH_UNREACHABLE", retry: "backoff" }),
    );
  });
});
