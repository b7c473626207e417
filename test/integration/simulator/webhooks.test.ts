/** How webhooks are signed, ordered, repeated until they are acknowledged, and put together. */
import { createHmac } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import {
  ADA,
  APP_SECRET,
  byJson,
  cleanups,
  send,
  startHost,
  startSimulator,
  statuses,
  textTo,
  values,
} from "./simulated.ts";

describe("webhooks", () => {
  it("perform the handshake, and notice a host with another verify token or none at all", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const stranger = await startHost({ verifyToken: "something else" });

    const right = await meta.verifyWebhook();
    meta.setWebhookUrl(stranger.url);
    const wrong = await meta.verifyWebhook();
    await stranger.stop();
    const nobody = await meta.verifyWebhook();

    expect([right, wrong, nobody]).toEqual([true, false, false]);
  });

  it("are signed over the escaped bytes, which re-serializing does not give back", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });

    meta.person({ ...ADA, name: "Núñez" }).says("café 1/2 👩🏽‍🚀 \ud83d");
    await meta.idle();

    const [{ bytes, signature } = { bytes: Buffer.alloc(0), signature: "" }] = host.received;
    const text = bytes.toString("latin1");
    expect(signature).toBe(`sha256=${createHmac("sha256", APP_SECRET).update(bytes).digest("hex")}`);
    expect(text).toContain(String.raw`caf\u00e9 1\/2 \ud83d\udc69`);
    expect(text).toContain(String.raw`N\u00fa\u00f1ez`);
    expect(text).toMatch(/^[\x20-\x7e]+$/);
    expect(JSON.stringify(JSON.parse(text))).not.toBe(text);
  });

  it("are tried again until the host answers 200", async () => {
    const host = await startHost();
    host.answers.push(503, 500, 201);
    const delays: number[] = [];
    const meta = await startSimulator({ webhookUrl: host.url, retryDelayMs: (attempt) => delays.push(attempt) });

    meta.person(ADA).says("Hello?");
    await meta.idle();

    expect(meta.deliveries).toMatchObject([{ outcome: "acknowledged" }]);
    expect(meta.deliveries[0]?.attempts.map(({ status }) => status)).toEqual([503, 500, 201, 200]);
    expect(delays).toEqual([1, 2, 3]);
    expect(new Set(host.received.map(({ bytes }) => bytes.toString())).size).toBe(1);
  });

  it("reach a host that was down when they were due", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const ada = meta.person(ADA);
    await host.stop();

    ada.says("one");
    ada.says("two");
    await meta.waitFor(() => meta.deliveries.every(({ attempts }) => attempts.length > 1));
    const again = await startHost({ port: host.port });
    await meta.idle();

    expect(
      values(again)
        .map(({ messages }) => messages?.[0]?.text)
        .sort(byJson),
    ).toEqual([{ body: "one" }, { body: "two" }]);
    expect(meta.deliveries[0]?.attempts[0]).toMatchObject({
      status: null,
      error: expect.stringContaining("ECONNREFUSED"),
    });
  });

  it("keep the order of first tries per number, while a retry may fall behind", async () => {
    const host = await startHost();
    host.answers.push(200, 500);
    const meta = await startSimulator({ webhookUrl: host.url, retryDelayMs: () => 1_500 });
    const ada = meta.person(ADA);

    for (const text of ["1", "2", "3", "4"]) ada.says(text);
    await meta.idle();

    const bodies = values(host).map(({ messages }) => messages?.[0]?.text);
    expect(bodies).toEqual(["1", "2", "3", "4", "2"].map((body) => ({ body })));
  });

  it("give a host that never answers only so long", async () => {
    const silent = http.createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    cleanups.push(async () => void silent.close().closeAllConnections());
    const webhookUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
    const meta = await startSimulator({ webhookUrl, webhookTimeoutMs: 30 });

    meta.person(ADA).says("Hello?");

    await meta.waitFor(() => (meta.deliveries[0]?.attempts.length ?? 0) > 1);
    expect(meta.deliveries[0]?.attempts[0]).toMatchObject({ status: null, error: "no answer within 30 ms" });
  });

  it("take a host that hangs at the handshake for one that refuses", async () => {
    const silent = http.createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    cleanups.push(async () => void silent.close().closeAllConnections());
    const webhookUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
    const meta = await startSimulator({ webhookUrl, webhookTimeoutMs: 30 });

    expect(await meta.verifyWebhook()).toBe(false);
  });

  it.each(["localhost:3000/api/whatsapp/webhook", "/api/whatsapp/webhook", "ftp://127.0.0.1/", ""])(
    "go to whole addresses only: %j is refused when it is given",
    async (webhookUrl) => {
      const meta = await startSimulator();

      expect(() => meta.setWebhookUrl(webhookUrl)).toThrow("webhookUrl must be a whole address");
      await expect(startSimulator({ webhookUrl })).rejects.toThrow("webhookUrl must be a whole address");
    },
  );

  it("carry several people's messages in one delivery", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const ada = meta.person(ADA);
    const bo = meta.person({ name: "Bo" });

    const wamids = meta.batch([
      { from: ada, text: "one" },
      { from: bo, message: { type: "sticker", sticker: { id: "4410005" } } },
      { from: ada, text: "two" },
    ]);
    await meta.idle();

    expect(host.received).toHaveLength(1);
    expect(values(host).map(({ messages }) => messages?.[0]?.id)).toEqual(wamids);
    expect(ada.transcript().map(({ status }) => status)).toEqual(["delivered", "delivered"]);
  });

  it("carry hand-made bytes unchanged, whatever they are", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });

    meta.deliver(Buffer.from("{ not json"));
    meta.deliver({ object: "whatsapp_business_account", entry: [] });
    await meta.idle();

    expect(host.received.map(({ bytes }) => bytes.toString())).toEqual([
      "{ not json",
      '{"object":"whatsapp_business_account","entry":[]}',
    ]);
    expect(meta.deliveries.map(({ kind }) => kind)).toEqual(["payload", "payload"]);
  });

  it("put statuses together when asked", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url, statusBatch: { max: 30, windowMs: 10_000 } });
    meta.person(ADA).says("Hi");
    await meta.idle();

    for (let count = 0; count < 10; count += 1) await send(meta, textTo(ADA.phoneNumber, String(count)));
    await meta.idle();

    expect(statuses(host)).toHaveLength(30);
    expect(host.received).toHaveLength(2);
  });

  it("forget acknowledged bytes when asked", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url, keepBytes: "pending" });

    meta.person(ADA).says("Hi");
    await meta.idle();

    expect(meta.deliveries[0]).toMatchObject({ outcome: "acknowledged", bytes: new Uint8Array() });
  });

  it("go nowhere without an address", async () => {
    const meta = await startSimulator();

    meta.person(ADA).says("Hello?");
    await meta.idle();

    expect(meta.deliveries).toMatchObject([{ outcome: "dropped", attempts: [] }]);
  });
});
