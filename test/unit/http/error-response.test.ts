/** T76: whatever goes wrong, the answer is a code and our sentence; never a stack, a cause or somebody else's message. */
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
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

describe("somebody who is still sending", () => {
  /** Announces 50 MB to a server that refuses all, and sends 64 KiB of it. */
  async function refuse(many: number, code: ErrorCode) {
    const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
    const server = createServer((_request, response) => answerError(response, new ChannelError(code, "No."), log));
    const theirs: Socket[] = [];
    server.on("connection", (socket) => theirs.push(socket)).listen(0, "127.0.0.1");
    await once(server, "listening");
    const sockets = Array.from({ length: many }, () => {
      const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
      socket.on("error", quiet);
      socket.write("POST / HTTP/1.1\r\nHost: us\r\nContent-Length: 50000000\r\n\r\n");
      socket.write(Buffer.alloc(65_536, "x"));
      return socket;
    });
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return { sockets, theirs };
  }

  const closed = (socket: Socket) => new Promise((resolve) => socket.once("close", resolve));

  it.each<[ErrorCode, RegExp]>([
    ["SIGNATURE_INVALID", /^HTTP\/1.1 401 .*\r\ncontent-length: 0\r\n.*\r\n\r\n$/is],
    ["BODY_TOO_LARGE", /^HTTP\/1.1 413 .*\r\nconnection: close\r\n.*"code":"BODY_TOO_LARGE","message":"No."}}$/is],
  ])("hears %s whole before the connection closes, and is not read any further", async (code, whole) => {
    const { sockets, theirs } = await refuse(1, code);
    const [socket] = sockets as [Socket];
    const order: string[] = [];
    socket.on("data", (bytes) => order.push(bytes.toString("latin1")));
    socket.once("close", () => order.push("closed"));
    await once(socket, "data");

    for (let n = 0; n < 200; n++) socket.write(Buffer.alloc(65_536, "x"));
    await closed(socket);

    expect(order.pop()).toBe("closed");
    expect(order.join("")).toMatch(whole);
    expect(theirs[0]?.bytesRead).toBeLessThan(1_000_000);
  });

  it.each(["GET", "DELETE", "POST"])(
    "is nobody whose %s has no body: the connection stays, even where the answer comes before Node has seen the end",
    async (method) => {
      const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
      const server = createServer((_request, response) =>
        answerError(response, new ChannelError("SEND_UNKNOWN", "No."), log),
      );
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      onTestFinished(() => {
        server.closeAllConnections();
        server.close();
      });
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      expect((await fetch(url, { method })).headers.get("connection")).toBe("keep-alive");
    },
  );

  it("is one of at most 256 that are waited for: the next is closed at once", async () => {
    // So that none of them has waited long enough before the last has come.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const { sockets: waited } = await refuse(256, "SIGNATURE_INVALID");
    await Promise.all(waited.map((socket) => once(socket, "data")));

    const [next] = (await refuse(1, "SIGNATURE_INVALID")).sockets as [Socket];
    next.resume();
    await closed(next);

    expect(waited.filter((socket) => socket.closed)).toEqual([]);
  });
});
