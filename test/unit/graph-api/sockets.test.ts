/** What nock cannot show: real sockets that are refused, reset, silent, cut off, kept alive and closed while idle. */
import { once } from "node:events";
import http from "node:http";
import net, { type AddressInfo, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { HttpTimeouts } from "../../../adapters/graph-api/http-transport.ts";
import type { GraphApi } from "../../../plugin/ports.ts";
import { ACCEPTED, graphAt, post } from "./graph.ts";

const SHORT: HttpTimeouts = { connectMs: 60, headersMs: 80, totalMs: 160 };
const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A server of raw sockets; `onRequest` is called when a whole request has arrived on one. */
async function listen(onRequest: (socket: Socket, request: string) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    let read = "";
    socket.on("data", (chunk) => {
      read += chunk.toString("utf8");
      const [head = "", body] = read.split("\r\n\r\n");
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (body === undefined || Buffer.byteLength(body) < length) return;
      onRequest(socket, read);
      read = "";
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function graph(url: string, timeouts?: HttpTimeouts): GraphApi {
  const api = graphAt(url, timeouts);
  cleanups.push(() => api.close());
  return api;
}

const JSON_ANSWER = JSON.stringify(ACCEPTED);
const ANSWER = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${JSON_ANSWER.length}\r\n\r\n${JSON_ANSWER}`;

describe("a request that cannot have arrived is rejected, to be tried again", () => {
  it("when nobody listens", async () => {
    const url = await listen(() => undefined);
    for (const cleanup of cleanups.splice(0)) cleanup();

    expect(await post(graph(url))).toMatchObject({ kind: "rejected", rejection: { retry: "backoff" } });
  });

  it("when the name is unknown", async () => {
    expect(await post(graph("https://graph.invalid"))).toMatchObject({
      kind: "rejected",
      rejection: { retry: "backoff", meta: null },
    });
  });

  it("when TLS fails", async () => {
    const server = net.createServer((socket) => socket.on("error", () => undefined).end("this is no TLS\r\n"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    cleanups.push(() => server.close());
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;

    expect(await post(graph(url))).toMatchObject({ kind: "rejected", rejection: { retry: "backoff" } });
  });

  it("when the connection takes too long", async () => {
    // It takes the connection and never a TLS handshake, so not a byte of the request leaves.
    const silent = net.createServer((socket) => socket.on("error", () => undefined));
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    cleanups.push(() => silent.close());

    const outcome = await post(graph(`https://127.0.0.1:${(silent.address() as AddressInfo).port}`, SHORT));

    expect(outcome).toMatchObject({
      kind: "rejected",
      rejection: { message: expect.stringContaining("no connection in time") },
    });
  });
});

describe("a request that may have arrived is ambiguous", () => {
  it.each<[string, (socket: Socket) => void]>([
    ["reset after the request", (socket) => socket.resetAndDestroy()],
    ["closed after the request", (socket) => socket.end()],
    ["closed in the middle of the headers", (socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-le")],
    ["closed in the middle of the body", (socket) => socket.end(ANSWER.slice(0, -5))],
    [
      "closed in the middle of a chunked body",
      (socket) => socket.end(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"mes\r\n`),
    ],
    ["answered with what is no HTTP", (socket) => socket.end("hello\r\n\r\n")],
  ])("when the socket is %s", async (_how, answer) => {
    const url = await listen(answer);

    expect(await post(graph(url))).toMatchObject({ kind: "ambiguous" });
  });

  it("when no answer comes in time", async () => {
    const url = await listen(() => undefined);

    expect(await post(graph(url, SHORT))).toEqual({
      kind: "ambiguous",
      reason: expect.stringContaining("no answer in time"),
    });
  });

  it("when the answer drips until the total time is over", async () => {
    const url = await listen((socket) => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      const drip = setInterval(() => socket.write(" "), 20);
      socket.once("close", () => clearInterval(drip));
    });

    expect(await post(graph(url, { ...SHORT, totalMs: 120 }))).toMatchObject({ kind: "ambiguous" });
  });

  it("when the answer is endless, without reading on and without a stray error", async () => {
    let closed = false;
    const url = await listen((socket) => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      const pour = setInterval(() => socket.write("x".repeat(256 * 1024)), 1);
      socket.once("close", () => {
        clearInterval(pour);
        closed = true;
      });
    });

    expect(await post(graph(url))).toMatchObject({
      kind: "ambiguous",
      reason: expect.stringContaining("answer too large"),
    });
    await expect.poll(() => closed).toBe(true);
  });
});

describe("keep-alive", () => {
  it("uses one socket for calls that follow each other", async () => {
    const seen = new Set<Socket>();
    const url = await listen((socket) => {
      seen.add(socket);
      socket.write(ANSWER);
    });
    const api = graph(url);

    for (let call = 0; call < 5; call += 1) expect(await post(api)).toMatchObject({ kind: "accepted" });

    expect(seen.size).toBe(1);
  });

  it("opens a new socket after the server has closed an idle one", async () => {
    const sockets: Socket[] = [];
    const url = await listen((socket) => {
      sockets.push(socket);
      socket.write(ANSWER);
    });
    const api = graph(url);

    expect(await post(api)).toMatchObject({ kind: "accepted" });
    const closed = once(sockets[0]!, "close");
    sockets[0]!.end();
    await closed;
    await new Promise((resolve) => setImmediate(resolve));

    expect(await post(api)).toMatchObject({ kind: "accepted" });
    expect(new Set(sockets).size).toBe(2);
  });

  it("heeds the time that the server keeps idle sockets", async () => {
    const seen = new Set<Socket>();
    const server = http.createServer((request, response) => {
      seen.add(request.socket);
      request.resume();
      response.setHeader("keep-alive", "timeout=1").end(JSON_ANSWER);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    cleanups.push(() => server.close().closeAllConnections());
    const api = graph(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);

    await post(api);
    await new Promise((resolve) => setTimeout(resolve, 1_100));

    expect(await post(api)).toMatchObject({ kind: "accepted" });
    expect(seen.size).toBe(2);
  });

  it("leaves no socket open after close", async () => {
    let socket: Socket | undefined;
    const url = await listen((one) => {
      socket = one;
      one.write(ANSWER);
    });
    const api = graph(url);
    await post(api);

    const closed = once(socket!, "close");
    api.close();

    await closed;
  });
});
