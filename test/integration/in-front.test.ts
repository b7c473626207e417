/** Deliveries taken before the host's app sees them: the same promises as through the router, and everything else is the app's. */
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import { describe, expect, it, onTestFinished } from "vitest";
import { startChannel, type TestChannel, VERIFY_TOKEN } from "../support/channel.ts";
import { request, signed, stored, textOf } from "./receiving/deliveries.ts";
import { describeReceiving } from "./receiving/receiving-suite.ts";

describeReceiving("receiving in front of Express", { inFront: true });

describe("in front of a host's app", () => {
  it("a delivery is stored and counted, and the app sees nothing of it", async () => {
    const channel = await startChannel({ start: false });
    const { url, seen } = await serveInFront(channel);
    const bytes = textOf({ id: "wamid.in-front", text: "hello" });

    const answer = await request("POST", `${url}/api/whatsapp/webhook`, signed(bytes), bytes);

    expect([answer.status, answer.body]).toEqual([200, ""]);
    expect(answer.headers).not.toHaveProperty("x-powered-by");
    expect((await stored(channel))[0]?.body.equals(bytes)).toBe(true);
    expect((await channel.plugin.metrics()).process.webhooks).toMatchObject({ "200": 1 });
    expect(seen).toEqual([]);
  });

  it.each([
    [
      "the handshake",
      "GET",
      `/api/whatsapp/webhook?hub.mode=subscribe&hub.verify_token=${VERIFY_TOKEN}&hub.challenge=7`,
    ],
    ["another route of ours", "GET", "/api/whatsapp/health"],
    ["a route of the host's", "GET", "/about"],
    ["the delivery's address with something behind it", "POST", "/api/whatsapp/webhook/more"],
    ["the delivery's address under another mount", "POST", "/elsewhere/api/whatsapp/webhook"],
  ] as const)("%s is the app's", async (_name, method, path) => {
    const channel = await startChannel({ start: false });
    const { url, seen } = await serveInFront(channel);

    await request(method, url + path, {});

    expect(seen).toEqual([`${method} ${path}`]);
  });

  it("a delivery that is spelled otherwise arrives through the app", async () => {
    const channel = await startChannel({ start: false });
    const { url, seen } = await serveInFront(channel);
    const bytes = textOf({ id: "wamid.through-the-app", text: "hello" });

    const answer = await request("POST", `${url}/api/whatsapp/webhook?from=meta`, signed(bytes), bytes);

    expect(answer.status).toBe(200);
    expect(seen).toHaveLength(1);
    expect(await stored(channel)).toHaveLength(1);
  });
});

/** @returns the origin, and what the host's app was asked. */
async function serveInFront(channel: TestChannel): Promise<{ readonly url: string; readonly seen: readonly string[] }> {
  const seen: string[] = [];
  const app = express();
  app.use((incoming, _response, next) => {
    seen.push(`${incoming.method} ${incoming.originalUrl}`);
    next();
  });
  app.use("/api/whatsapp", channel.plugin.router);
  const server = createServer(channel.plugin.inFrontOf(app as RequestListener)).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}
