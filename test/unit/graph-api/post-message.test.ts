/** What an answer to a message means: accepted, certainly not accepted, or nobody knows. */
import nock from "nock";
import { describe, expect, it } from "vitest";
import { ACCEPTED, graphAt, MESSAGES, ORIGIN, post } from "./graph.ts";
import { onlyNock, outcomeOf, rejectionOf } from "./nocked.ts";

onlyNock();

describe("an answer to a posted message", () => {
  it("is accepted with the wamid of a 200", async () => {
    expect(await outcomeOf(200, ACCEPTED)).toEqual({ kind: "accepted", messageId: "wamid.OUT9" });
  });

  it("is a rejection with Meta's error in full", async () => {
    const rejection = await rejectionOf(400, {
      message: "(#131026) +447700900123 is not on WhatsApp",
      type: "OAuthException",
      code: 131026,
      error_subcode: 2494010,
      error_data: { messaging_product: "whatsapp", details: "Undeliverable" },
      error_user_title: "Message undeliverable",
      fbtrace_id: "A1b2",
    });

    expect(rejection.meta).toEqual({
      code: 131026,
      subcode: 2494010,
      title: "Message undeliverable",
      details: "Undeliverable",
      fbtraceId: "A1b2",
    });
    expect(rejection.message).not.toContain("447700900123");
  });

  it("reads details that Meta gives as a plain string, and does without what is missing", async () => {
    const { meta } = await rejectionOf(400, { code: 100, type: "GraphMethodException", error_data: "blame_field to" });

    expect(meta).toEqual({
      code: 100,
      subcode: null,
      title: "GraphMethodException",
      details: "blame_field to",
      fbtraceId: null,
    });
  });

  it.each([
    ["error_data.details", { error_data: { details: "the details" }, error_user_msg: "for people", message: "a" }],
    ["error_data as a string", { error_data: "the details", error_user_msg: "for people", message: "a" }],
    ["error_user_msg", { error_data: {}, error_user_msg: "the details", message: "a" }],
    ["message", { error_user_msg: "", message: "the details" }],
  ])("tells why Meta refused, by the most precise of its sentences: %s", async (_which, error) => {
    expect((await rejectionOf(400, { code: 100, ...error })).meta?.details).toBe("the details");
  });

  it("keeps the figures of Meta's sentence, and no number of the recipient's however it is written", async () => {
    const detailsOf = async (message: string) => (await rejectionOf(400, { code: 100, message })).meta?.details;

    const tooLong = "(#100) Param text['body'] must be at most 4096 characters long.";
    expect(await detailsOf(tooLong)).toBe(tooLong);
    for (const number of ["+447700900123", "447700900123", "+44 7700 900-123", "00 44 7700 900 123"])
      for (const error of [{ message: `Not ${number}, no` }, { error_data: { details: `Not ${number}, no` } }])
        expect((await rejectionOf(400, { code: 131026, ...error })).meta?.details).toBe("Not …, no");
  });

  it("keeps no more than some 300 characters of it, and nothing that cannot be stored", async () => {
    const long = (await rejectionOf(400, { code: 100, message: `\u0000${"😀".repeat(400)}` })).meta?.details;

    expect(long?.isWellFormed()).toBe(true);
    expect(long).not.toContain("\u0000");
    expect([...(long ?? "")].length).toBeLessThanOrEqual(300);
    expect(long).toMatch(/😀…$/u);
  });

  it("is a rejection also when a well-formed error comes as a 500", async () => {
    expect(await rejectionOf(500, { code: 131000, message: "x" })).toMatchObject({
      retry: "backoff",
      meta: { code: 131000 },
    });
  });

  it.each<[string, number, nock.Body]>([
    ["a 500 without a body", 500, ""],
    ["a 502 with a proxy's HTML", 502, "<html><body>Bad gateway</body></html>"],
    ["a 500 with JSON that is no Graph error", 500, { error: "oops" }],
    ["an error without a numeric code", 400, { error: { code: "131026" } }],
    ["a 400 with HTML", 400, "<!doctype html>"],
    ["a 200 with HTML", 200, "<!doctype html><title>Sorry</title>"],
    ["a 200 with half of its JSON", 200, '{"messages":[{"id":"wam'],
    ["a 200 with an empty body", 200, ""],
    ["a 200 with the JSON null", 200, "null"],
    ["a 200 without messages", 200, { success: true }],
    ["a 200 with no message in messages", 200, { messages: [] }],
    ["a 200 with an empty wamid", 200, { messages: [{ id: "" }] }],
    ["a 200 with a numeric wamid", 200, { messages: [{ id: 7 }] }],
    ["a 200 whose messages are no list", 200, { messages: "wamid.OUT9" }],
    ["a wamid under another status", 202, ACCEPTED],
    ["a redirect", 302, ""],
  ])("is ambiguous: %s", async (_what, status, body) => {
    expect(await outcomeOf(status, body)).toMatchObject({ kind: "ambiguous" });
  });

  // Meta's words for them are that sending has failed or that nobody was there to do it: with a 5xx too they are no doubt.
  it.each([1, 2, 131000, 131016].flatMap((code) => [500, 503].map((status) => ({ code, status }))))(
    "is not accepted, and tried again, when Meta names its own trouble: $code as HTTP $status",
    async ({ code, status }) => {
      expect(await outcomeOf(status, { error: { code, message: "no" } })).toMatchObject({
        kind: "rejected",
        rejection: { retry: "backoff", number: "trouble" },
      });
    },
  );

  it("is not told to be accepted by a 200 that holds an error", async () => {
    expect(await outcomeOf(200, { error: { code: 1 } })).toMatchObject({ kind: "ambiguous" });
  });

  it("is ambiguous when it has more than a mebibyte, and a little less is read", async () => {
    const padded = (bytes: number) => ({ ...ACCEPTED, padding: "x".repeat(bytes) });

    expect(await outcomeOf(200, padded(1024 * 1024))).toMatchObject({ kind: "ambiguous" });
    expect(await outcomeOf(200, padded(1024 * 1024 - 200))).toMatchObject({ kind: "accepted" });
  });
});

describe("a request that did not get through", () => {
  it.each(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "CERT_HAS_EXPIRED"])(
    "is certainly unsent, and tried again, after %s while connecting",
    async (code) => {
      nock(ORIGIN)
        .post(MESSAGES)
        .query(true)
        .replyWithError(Object.assign(new Error("no"), { code }));

      expect(await post(graphAt())).toEqual({
        kind: "rejected",
        rejection: {
          meta: null,
          retry: "backoff",
          retryAfterMs: null,
          perRecipient: false,
          message: `Graph cannot be reached (${code}).`,
        },
      });
    },
  );
});

describe("Retry-After", () => {
  it("is how long Meta wants us to wait, in seconds", async () => {
    expect(await rejectionOf(429, { code: 130429 }, { "retry-after": "7" })).toMatchObject({ retryAfterMs: 7_000 });
  });

  it.each(["", "0", "-5", "soon", "1.5", "Sun, 22 Nov 2026 16:00:00 GMT", "Infinity", "1e3"])(
    "never shortens the wait that a code asks for, nor makes it a fraction: %j",
    async (value) => {
      const { retryAfterMs } = await rejectionOf(400, { code: 131048 }, { "retry-after": value });

      expect(retryAfterMs).toBe(3_600_000);
    },
  );

  it("cannot make a send wait longer than a day", async () => {
    const { retryAfterMs } = await rejectionOf(429, { code: 130429 }, { "retry-after": "999999999999" });

    expect(retryAfterMs).toBe(86_400_000);
  });
});
