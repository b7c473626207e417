/** A host's own fetch: the same outcomes, as far as fetch lets us know them. */
import { once } from "node:events";
import http, { type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createGraphApi } from "../../../adapters/graph-api/graph-api.ts";
import { createFetchTransport, type HttpTimeouts } from "../../../adapters/graph-api/http-transport.ts";
import { ACCEPTED, APP_SECRET, NUMBER_ID, PROOF, post, TOKEN } from "./graph.ts";

const SHORT: HttpTimeouts = { connectMs: 60, headersMs: 80, totalMs: 120 };
const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function listen(handle: RequestListener): Promise<string> {
  const server = http.createServer(handle);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => server.close().closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function graphWith(fetch: typeof globalThis.fetch, graphUrl: string, timeouts?: HttpTimeouts) {
  const transport = createFetchTransport(fetch, timeouts);
  return createGraphApi({ graphUrl, graphVersion: "v25.0", appSecret: APP_SECRET, transport });
}

describe("a host's fetch", () => {
  it("is called with all that the request needs", async () => {
    const calls: [URL, RequestInit][] = [];
    const graph = graphWith(async (url, init) => {
      calls.push([new URL(String(url)), init ?? {}]);
      return Response.json(ACCEPTED);
    }, "https://graph.facebook.com");

    expect(await post(graph)).toEqual({ kind: "accepted", messageId: "wamid.OUT9" });
    const [url, init] = calls[0]!;
    expect(url.href).toBe(`https://graph.facebook.com/v25.0/${NUMBER_ID}/messages?appsecret_proof=${PROOF}`);
    expect(init).toMatchObject({
      method: "POST",
      redirect: "error",
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    });
  });

  it("really posts, and reads Meta's error and Retry-After", async () => {
    const url = await listen((request, response) => {
      request.resume();
      response.writeHead(429, { "retry-after": "9" }).end(JSON.stringify({ error: { code: 130429 } }));
    });

    expect(await post(graphWith(globalThis.fetch, url))).toMatchObject({
      kind: "rejected",
      rejection: { retry: "backoff", retryAfterMs: 9_000 },
    });
  });

  it("has certainly sent nothing when nobody listens or the name is unknown", async () => {
    const url = await listen(() => undefined);
    for (const cleanup of cleanups.splice(0)) cleanup();

    expect(await post(graphWith(globalThis.fetch, url))).toMatchObject({ kind: "rejected" });
    expect(await post(graphWith(globalThis.fetch, "https://graph.invalid"))).toMatchObject({ kind: "rejected" });
  });

  it("is ambiguous after a reset, a redirect, silence, an endless answer and an error that says nothing", async () => {
    const reset = await listen((request) => {
      request.resume().once("end", () => request.socket.resetAndDestroy());
    });
    const redirect = await listen((request, response) => {
      request.resume();
      response.writeHead(307, { location: "http://127.0.0.1:1/" }).end();
    });
    const silent = await listen((request) => void request.resume());
    const endless = await listen((request, response) => {
      request.resume();
      const pour = setInterval(() => response.write("x".repeat(256 * 1024)), 1);
      response.once("close", () => clearInterval(pour));
    });

    for (const url of [reset, redirect, endless])
      expect(await post(graphWith(globalThis.fetch, url))).toMatchObject({ kind: "ambiguous" });
    expect(await post(graphWith(globalThis.fetch, silent, SHORT))).toMatchObject({ kind: "ambiguous" });
    expect(await post(graphWith(() => Promise.reject(new TypeError("fetch failed")), reset))).toMatchObject({
      kind: "ambiguous",
    });
    expect(await post(graphWith(() => Promise.reject(undefined), reset))).toMatchObject({ kind: "ambiguous" });
  });

  it.each(["EHOSTUNREACH", "ENETUNREACH", "ECONNREFUSED"])(
    "knows %s as unsent only when it is connecting that failed",
    async (code) => {
      const failing = (syscall: string) => () =>
        Promise.reject(new TypeError("fetch failed", { cause: Object.assign(new Error(code), { code, syscall }) }));

      expect(await post(graphWith(failing("connect"), "https://graph.invalid"))).toMatchObject({ kind: "rejected" });
      expect(await post(graphWith(failing("read"), "https://graph.invalid"))).toMatchObject({ kind: "ambiguous" });
    },
  );
});
