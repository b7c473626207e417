/** T76: whatever goes wrong, the answer is a code and our sentence; never a stack, a cause or somebody else's message. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { ChannelError, ERROR_STATUS, type ErrorCode } from "../../../plugin/errors.ts";
import { answerError } from "../../../plugin/http/error-response.ts";

const CANARY = "select secret from somewhere at 10.0.0.7";
const quiet = () => undefined;
const PROBLEM = z.strictObject({
  error: z.strictObject({ code: z.string().regex(/^[A-Z][A-Z_]+$/), message: z.string().min(1) }),
});

async function answerTo(error: unknown, method = "GET") {
  const logged: unknown[] = [];
  const log = {
    debug: quiet,
    info: quiet,
    warn: quiet,
    error: (fields: object, said: string) => logged.push(fields, said),
  };
  const server = createServer((request, response) => {
    request.resume();
    request.once("end", () => answerError(response, error, log));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { method });
  return { answer, text: await answer.text(), logged: JSON.stringify(logged) };
}

describe("an error of ours", () => {
  it.each(Object.entries(ERROR_STATUS) as [ErrorCode, number][])(
    "%s is answered %i with its code and sentence",
    async (code, status) => {
      const cause = Object.assign(new Error(CANARY), { code: "XX000", detail: CANARY });
      const meta = { code: 190, subcode: null, title: CANARY, details: CANARY, fbtraceId: CANARY };

      const { answer, text, logged } = await answerTo(new ChannelError(code, "What to do.", { cause, meta }));

      expect(answer.status).toBe(status);
      expect(`${text}${JSON.stringify([...answer.headers])}${logged}`).not.toContain("10.0.0.7");
      expect(answer.headers.get("retry-after")).toBe(status === 503 ? "5" : null);
      if (status === 401) expect(text).toBe("");
      else expect(PROBLEM.parse(JSON.parse(text))).toEqual({ error: { code, message: "What to do." } });
    },
  );
});

describe("an error of somebody else's", () => {
  it.each<[string, unknown]>([
    ["an error", new Error(CANARY)],
    [
      "an error with a status and a code of its own",
      Object.assign(new Error(CANARY), { status: 200, code: "SEND_UNKNOWN" }),
    ],
    ["one that looks like ours", { name: "ChannelError", code: "SEND_UNKNOWN", message: CANARY }],
    ["of Postgres", Object.assign(new Error(CANARY), { code: "23505", detail: CANARY, query: CANARY })],
    ["a text", CANARY],
    ["nothing", null],
    ["nothing at all", undefined],
    ["an object without anything", Object.create(null)],
    ["several at once", new AggregateError([new Error(CANARY)], CANARY)],
  ])("%s is answered 500, and says nothing of itself", async (_what, error) => {
    const { answer, text, logged } = await answerTo(error);

    expect(answer.status).toBe(500);
    expect(JSON.parse(text)).toEqual({ error: { code: "INTERNAL", message: "Internal error." } });
    expect(logged).not.toContain("10.0.0.7");
  });
});
