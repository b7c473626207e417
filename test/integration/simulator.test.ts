/** The simulator, driven over real HTTP: what it refuses, delivers, retries and remembers. */
import { createHmac } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { createSimulator, type Simulator, type SimulatorOptions } from "@omniops/whatsapp/simulator";
import { afterEach, describe, expect, it } from "vitest";

const APP_SECRET = "an-invented-app-secret";
const ACCESS_TOKEN = "EAAinventedAccessToken";
const PROOF = createHmac("sha256", APP_SECRET).update(ACCESS_TOKEN).digest("hex");
const NUMBER = {
  phoneNumberId: "301777000333444",
  wabaId: "201555000111222",
  displayPhoneNumber: "+1 555-777-0100",
  verifiedName: "Corner Bakery",
};
const ADA = { name: "Ada Q.", phoneNumber: "447700900123", userId: "GB.5512oQx81Zk09", username: "ada.q" };

type Received = { readonly signature: string | undefined; readonly bytes: Buffer };
type Host = {
  readonly url: string;
  readonly port: number;
  readonly received: Received[];
  /** The status of each coming answer; 200 when it runs out. */
  readonly answers: number[];
  stop(): Promise<void>;
};

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startHost({ port = 0, verifyToken = "verify-me" } = {}): Promise<Host> {
  const received: Received[] = [];
  const answers: number[] = [];
  const server = http.createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://host.invalid");
    if (request.method === "GET") {
      const isRight = url.searchParams.get("hub.verify_token") === verifyToken;
      response.writeHead(isRight ? 200 : 403).end(isRight ? url.searchParams.get("hub.challenge") : "");
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    received.push({
      signature: request.headers["x-hub-signature-256"]?.toString(),
      bytes: Buffer.concat(chunks),
    });
    response.writeHead(answers.shift() ?? 200).end();
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const actual = (server.address() as AddressInfo).port;
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  cleanups.push(stop);
  return { url: `http://127.0.0.1:${actual}/webhook`, port: actual, received, answers, stop };
}

async function startSimulator(options: Partial<SimulatorOptions> = {}): Promise<Simulator> {
  const meta = createSimulator({
    appSecret: APP_SECRET,
    verifyToken: "verify-me",
    accessToken: ACCESS_TOKEN,
    numbers: [NUMBER],
    statusDelayMs: 1,
    retryDelayMs: () => 5,
    ...options,
  });
  await meta.start();
  cleanups.push(() => meta.stop());
  return meta;
}

function textTo(to: string, body: string, more: object = {}): object {
  return { messaging_product: "whatsapp", to, type: "text", text: { body }, ...more };
}

type Answer = {
  readonly error?: { readonly code: number };
  readonly messages?: readonly { readonly id: string }[];
  readonly data?: unknown;
};

function wamidOf({ body }: { readonly body: Answer }): string {
  return body.messages?.[0]?.id ?? "";
}

async function call(
  meta: Simulator,
  path: string,
  init: RequestInit & { token?: string | null; proof?: string | null } = {},
) {
  const { token = ACCESS_TOKEN, proof = PROOF, ...rest } = init;
  const url = new URL(`${meta.url}/v25.0/${path}`);
  if (proof !== null) url.searchParams.set("appsecret_proof", proof);
  const response = await fetch(url, {
    ...rest,
    headers: { "content-type": "application/json", ...(token !== null && { authorization: `Bearer ${token}` }) },
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer };
}

function send(meta: Simulator, message: object, init: Parameters<typeof call>[2] = {}) {
  return call(meta, `${NUMBER.phoneNumberId}/messages`, { method: "POST", body: JSON.stringify(message), ...init });
}

type WireStatus = {
  readonly id: string;
  readonly status: string;
  readonly errors?: readonly { readonly code: number }[];
};
type WireValue = { readonly statuses?: readonly WireStatus[]; readonly messages?: readonly Record<string, unknown>[] };
type Payload = { readonly entry: readonly { readonly changes: readonly { readonly value: WireValue }[] }[] };

function payloads(host: Host): readonly Payload[] {
  return host.received.map(({ bytes }) => JSON.parse(bytes.toString("utf8")));
}

function values(host: Host): readonly WireValue[] {
  return payloads(host).flatMap(({ entry }) => entry.flatMap(({ changes }) => changes.map(({ value }) => value)));
}

function statuses(host: Host) {
  return values(host).flatMap((value) => value.statuses ?? []);
}

describe("a conversation", () => {
  it("carries a person's text to the host and the answer back, with its ticks", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const ada = meta.person(ADA);

    const question = ada.says("Are you open?");
    await meta.idle();
    const answer = await send(meta, textTo("+44 7700 900123", "Until six.", { biz_opaque_callback_data: "token-1" }));
    await meta.idle();

    expect(answer.body).toEqual({
      messaging_product: "whatsapp",
      contacts: [{ input: "+44 7700 900123", wa_id: "447700900123" }],
      messages: [{ id: expect.stringMatching(/^wamid\./) }],
    });
    expect(ada.transcript()).toMatchObject([
      { direction: "inbound", text: "Are you open?", wamid: question, status: "delivered" },
      { direction: "outbound", text: "Until six.", wamid: wamidOf(answer), status: "read" },
    ]);
    expect(statuses(host).map(({ status }) => status)).toEqual(["sent", "delivered", "read"]);
    expect(statuses(host)[1]).toMatchObject({
      id: wamidOf(answer),
      recipient_id: "447700900123",
      recipient_user_id: ADA.userId,
      biz_opaque_callback_data: "token-1",
      pricing: { pricing_model: "PMP", type: "free_customer_service", category: "service" },
    });
  });

  it("describes the writer as webhooks do since usernames", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });

    const wamid = meta.person(ADA).says("Hello", { replyTo: "wamid.earlier", at: new Date(1_790_000_001_000) });
    await meta.idle();

    expect(values(host)).toEqual([
      {
        messaging_product: "whatsapp",
        metadata: { display_phone_number: "15557770100", phone_number_id: NUMBER.phoneNumberId },
        contacts: [
          { profile: { name: ADA.name, username: ADA.username }, wa_id: ADA.phoneNumber, user_id: ADA.userId },
        ],
        messages: [
          {
            from: ADA.phoneNumber,
            from_user_id: ADA.userId,
            id: wamid,
            timestamp: "1790000001",
            context: { from: "15557770100", id: "wamid.earlier" },
            type: "text",
            text: { body: "Hello" },
          },
        ],
      },
    ]);
  });

  it("answers somebody known by user id only, and says nothing of a phone number", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const bo = meta.person({ name: "Bo", userId: "GB.77bo" });
    bo.says("Hi");

    const answer = await send(meta, {
      messaging_product: "whatsapp",
      recipient: "GB.77bo",
      type: "text",
      text: { body: "Hello Bo" },
    });
    await meta.idle();

    expect(answer.body).toMatchObject({ contacts: [{ input: "GB.77bo", user_id: "GB.77bo" }] });
    expect(bo.transcript().at(-1)).toMatchObject({ text: "Hello Bo", status: "read" });
    expect(values(host)[0]?.messages?.[0]).not.toHaveProperty("from");
    expect(statuses(host)[0]).not.toHaveProperty("recipient_id");
  });

  it("shows what the business read and that it is typing", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const ada = meta.person(ADA);
    ada.says("one");
    const last = ada.says("two");
    await meta.idle();

    const receipt = await send(meta, {
      messaging_product: "whatsapp",
      status: "read",
      message_id: last,
      typing_indicator: { type: "text" },
    });

    expect(receipt.body).toEqual({ success: true });
    expect(ada.transcript().map(({ status }) => status)).toEqual(["read", "read"]);
    expect(meta.conversations()[0]).toMatchObject({ phoneNumberId: NUMBER.phoneNumberId, isTyping: true });
    await send(meta, textTo(ADA.phoneNumber, "answer"));
    expect(meta.conversations()[0]?.isTyping).toBe(false);
  });

  it("leaves messages delivered for a person without read receipts", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const ada = meta.person({ ...ADA, sendsReadReceipts: false });
    ada.says("Hi");

    await send(meta, textTo(ADA.phoneNumber, "Hello"));
    await meta.idle();

    expect(ada.transcript().at(-1)?.status).toBe("delivered");
  });

  it("sends any kind of message and remembers a readable line of it", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const ada = meta.person(ADA);

    ada.sends({ type: "image", image: { id: "4410001", mime_type: "image/jpeg", caption: "my cat" } });
    ada.sends({ type: "location", location: { latitude: 51.5, longitude: -0.1 } });
    await meta.idle();

    expect(ada.transcript().map(({ text }) => text)).toEqual(["my cat", "[location]"]);
    expect(values(host).map(({ messages }) => messages?.[0]?.type)).toEqual(["image", "location"]);
  });
});

describe("the service window", () => {
  it("lets a free-form message fail with 131047 after the 200 when the person never wrote", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const ada = meta.person(ADA);

    const answer = await send(meta, textTo(ADA.phoneNumber, "Buy now"));
    await meta.idle();

    expect(answer.status).toBe(200);
    expect(statuses(host)).toMatchObject([{ id: wamidOf(answer), status: "failed", errors: [{ code: 131047 }] }]);
    expect(values(host)[0]).not.toHaveProperty("contacts");
    expect(ada.transcript()).toMatchObject([{ status: "failed", error: { code: 131047 } }]);
    expect(meta.accepted).toMatchObject([{ failureCode: 131047 }]);
  });

  it("closes 24 hours after the person's last message and not before", async () => {
    let now = new Date("2026-11-22T12:00:00Z");
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url, now: () => now });
    const ada = meta.person(ADA);
    ada.says("Hi");

    now = new Date("2026-11-23T11:59:59Z");
    await send(meta, textTo(ADA.phoneNumber, "just in time"));
    now = new Date("2026-11-23T12:00:00Z");
    await send(meta, textTo(ADA.phoneNumber, "too late"));
    await meta.idle();

    expect(ada.transcript().map(({ status }) => status)).toEqual(["delivered", "read", "failed"]);
  });

  it("stays closed after a reaction, and open for templates", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const ada = meta.person(ADA);
    ada.sends({ type: "reaction", reaction: { message_id: "wamid.earlier", emoji: "👍" } });
    const template = { name: "hello_again", language: { code: "en_GB" } };

    await send(meta, textTo(ADA.phoneNumber, "free form"));
    const answer = await send(meta, { ...textTo(ADA.phoneNumber, ""), type: "template", template });
    await meta.idle();

    expect(answer.body.messages).toMatchObject([{ message_status: "accepted" }]);
    expect(ada.transcript().map(({ status }) => status)).toEqual(["delivered", "failed", "read"]);
  });

  it("refuses in the answer itself when told to", async () => {
    const meta = await startSimulator({ windowRefusal: "response" });

    const answer = await send(meta, textTo(ADA.phoneNumber, "Buy now"));

    expect(answer).toMatchObject({ status: 400, body: { error: { code: 131047 } } });
    expect(meta.accepted).toEqual([]);
  });

  it("opens for messages in hand-made payloads too", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    meta.deliver(Buffer.from(JSON.stringify(handMade("447700900555", "wamid.handmade"))));

    await send(meta, textTo("447700900555", "Hello"));
    await meta.idle();

    expect(statuses(host).map(({ status }) => status)).toEqual(["sent", "delivered", "read"]);
  });
});

describe("the Graph API", () => {
  it.each([
    ["no token", { token: null }],
    ["another token", { token: "EAAsomebodyElse" }],
  ])("refuses %s with 401 and 190", async (_, init) => {
    const meta = await startSimulator();

    const answer = await send(meta, textTo(ADA.phoneNumber, "Hi"), init);

    expect(answer).toMatchObject({ status: 401, body: { error: { code: 190, type: "OAuthException" } } });
  });

  it("refuses a revoked token with its subcode until it is restored", async () => {
    const meta = await startSimulator();

    meta.revokeToken({ subcode: 463 });
    const refused = await send(meta, textTo(ADA.phoneNumber, "Hi"));
    meta.restoreToken();
    const taken = await send(meta, textTo(ADA.phoneNumber, "Hi"));

    expect(refused.body).toMatchObject({ error: { code: 190, error_subcode: 463 } });
    expect(taken.status).toBe(200);
  });

  it("refuses a missing or wrong appsecret_proof with 100", async () => {
    const meta = await startSimulator();

    const missing = await send(meta, textTo(ADA.phoneNumber, "Hi"), { proof: null });
    const wrong = await send(meta, textTo(ADA.phoneNumber, "Hi"), { proof: "0".repeat(64) });

    expect(missing).toMatchObject({
      status: 400,
      body: { error: { code: 100, message: /require an appsecret_proof/ } },
    });
    expect(wrong).toMatchObject({ status: 400, body: { error: { code: 100, message: /Invalid appsecret_proof/ } } });
  });

  it("takes the proof in the body, and none at all when the app does not require it", async () => {
    const strict = await startSimulator();
    const lax = await startSimulator({ requireAppSecretProof: false });

    const inBody = await send(strict, textTo(ADA.phoneNumber, "Hi", { appsecret_proof: PROOF }), { proof: null });
    const absent = await send(lax, textTo(ADA.phoneNumber, "Hi"), { proof: null });
    const wrong = await send(lax, textTo(ADA.phoneNumber, "Hi"), { proof: "wrong" });

    expect([inBody.status, absent.status, wrong.status]).toEqual([200, 200, 400]);
  });

  it("does not say whether an object is unknown or merely not ours", async () => {
    const foreign = { ...NUMBER, phoneNumberId: "301777000999999", wabaId: "201555000999999", accessToken: "EAAother" };
    const meta = await startSimulator({ numbers: [NUMBER, foreign] });

    const unknown = await call(meta, "1/messages", {
      method: "POST",
      body: JSON.stringify(textTo("447700900123", "Hi")),
    });
    const notOurs = await call(meta, foreign.phoneNumberId);

    expect(unknown).toMatchObject({ status: 400, body: { error: { code: 100, error_subcode: 33 } } });
    expect(notOurs).toMatchObject({ status: 400, body: { error: { code: 100, error_subcode: 33 } } });
  });

  it.each([
    ["no messaging_product", { to: "447700900123", type: "text", text: { body: "x" } }, 100],
    ["no recipient", { messaging_product: "whatsapp", type: "text", text: { body: "x" } }, 131008],
    ["an impossible number", textTo("not a number", "x"), 131009],
    ["a malformed user id", { messaging_product: "whatsapp", recipient: "nobody", text: { body: "x" } }, 131009],
    ["an unknown type", { ...textTo("447700900123", "x"), type: "hologram" }, 131051],
    ["a type from Object.prototype", { ...textTo("447700900123", "x"), type: "constructor" }, 131051],
    ["no text object", { messaging_product: "whatsapp", to: "447700900123", type: "text" }, 131008],
    ["no body", { ...textTo("447700900123", "x"), text: {} }, 131008],
    ["a body that is not text", { ...textTo("447700900123", "x"), text: { body: 7 } }, 100],
    ["a blank body", textTo("447700900123", " \n "), 131009],
    ["4097 characters", textTo("447700900123", "x".repeat(4097)), 100],
    ["callback data beyond 512", textTo("447700900123", "x", { biz_opaque_callback_data: "x".repeat(513) }), 131009],
    ["an image without id or link", { ...textTo("447700900123", "x"), type: "image", image: {} }, 131008],
    ["a captioned audio", { ...textTo("447700900123", "x"), type: "audio", audio: { id: "1", caption: "x" } }, 131009],
    ["the business itself", textTo("+1 555 777 0100", "x"), 131021],
    ["a read receipt for nothing", { messaging_product: "whatsapp", status: "read", message_id: "wamid.none" }, 131009],
  ])("refuses %s", async (_, body, code) => {
    const meta = await startSimulator();

    const answer = await send(meta, body);

    expect(answer).toMatchObject({ status: 400, body: { error: { code, fbtrace_id: expect.any(String) } } });
    expect(meta.accepted).toEqual([]);
  });

  it("takes 4096 characters, a body without a type, and any version", async () => {
    const meta = await startSimulator();

    const long = await send(meta, textTo("447700900123", "x".repeat(4096)));
    const untyped = await send(meta, { messaging_product: "whatsapp", to: "447700900123", text: { body: "x" } });
    const old = await fetch(
      `${meta.url}/v19.0/${NUMBER.phoneNumberId}?appsecret_proof=${PROOF}&access_token=${ACCESS_TOKEN}`,
    );

    expect([long.status, untyped.status, old.status]).toEqual([200, 200, 200]);
    expect(old.headers.get("facebook-api-version")).toBe("v19.0");
  });

  it("says a body is not JSON instead of dying of it", async () => {
    const meta = await startSimulator();

    const answer = await call(meta, `${NUMBER.phoneNumberId}/messages`, { method: "POST", body: "{nope" });

    expect(answer).toMatchObject({ status: 400, body: { error: { code: 100 } } });
  });

  it("tells a number, its account and the account's numbers, with the fields asked for", async () => {
    const meta = await startSimulator();

    const phone = await call(meta, `${NUMBER.phoneNumberId}?fields=display_phone_number,verified_name,quality_rating`);
    const account = await call(meta, `${NUMBER.wabaId}?fields=id,name`);
    const numbers = await call(meta, `${NUMBER.wabaId}/phone_numbers?fields=id,verified_name`);
    const unknown = await call(meta, `${NUMBER.phoneNumberId}?fields=shoe_size`);

    expect(phone.body).toEqual({
      display_phone_number: NUMBER.displayPhoneNumber,
      verified_name: NUMBER.verifiedName,
      quality_rating: "GREEN",
      id: NUMBER.phoneNumberId,
    });
    expect(account.body).toEqual({ id: NUMBER.wabaId, name: NUMBER.verifiedName });
    expect(numbers.body.data).toEqual([{ id: NUMBER.phoneNumberId, verified_name: NUMBER.verifiedName }]);
    expect(unknown).toMatchObject({
      status: 400,
      body: { error: { code: 100, message: /nonexisting field \(shoe_size\)/ } },
    });
    expect(JSON.parse(phone.headers.get("x-app-usage") ?? "")).toMatchObject({ call_count: expect.any(Number) });
  });

  it("delivers nothing of an account that the app is not subscribed to", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const ada = meta.person(ADA);
    const path = `${NUMBER.wabaId}/subscribed_apps`;

    const removed = await call(meta, path, { method: "DELETE" });
    ada.says("nobody hears me");
    const none = await call(meta, path);
    await call(meta, path, { method: "POST" });
    ada.says("somebody does");
    const one = await call(meta, path);
    await meta.idle();

    expect(removed.body).toEqual({ success: true });
    expect(none.body.data).toEqual([]);
    expect(one.body.data).toMatchObject([{ whatsapp_business_api_data: { id: "700700700700700" } }]);
    expect(meta.deliveries.map(({ outcome }) => outcome)).toEqual(["dropped", "acknowledged"]);
    expect(values(host)).toMatchObject([{ messages: [{ text: { body: "somebody does" } }] }]);
  });

  it("inspects a token for the app", async () => {
    const meta = await startSimulator({ appId: "777" });
    const init = { token: `777|${APP_SECRET}`, proof: null };

    const good = await call(meta, `debug_token?input_token=${ACCESS_TOKEN}`, init);
    const bad = await call(meta, "debug_token?input_token=EAAunknown", init);

    expect(good.body.data).toMatchObject({
      app_id: "777",
      is_valid: true,
      expires_at: 0,
      granular_scopes: expect.arrayContaining([{ scope: "whatsapp_business_messaging", target_ids: [NUMBER.wabaId] }]),
    });
    expect(bad).toMatchObject({ status: 200, body: { data: { is_valid: false, error: { code: 190 } } } });
  });

  it("refuses the 46th message of a burst to one person with 131056", async () => {
    const now = new Date("2026-11-22T12:00:00Z");
    const meta = await startSimulator({ enforcePairLimit: true, now: () => now });

    const codes = [];
    for (let count = 0; count < 46; count += 1) codes.push((await send(meta, textTo("447700900123", "x"))).status);
    const somebodyElse = await send(meta, textTo("447700900124", "x"));
    now.setSeconds(6);
    const sixSecondsLater = await send(meta, textTo("447700900123", "x"));

    expect(codes).toEqual([...Array(45).fill(200), 400]);
    expect([somebodyElse.status, sixSecondsLater.status]).toEqual([200, 200]);
  });
});

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
    const meta = await startSimulator({ webhookUrl: host.url, retryDelayMs: () => 100 });
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
    const meta = await startSimulator({ webhookUrl: host.url, statusBatch: { max: 30, windowMs: 1_000 } });
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

describe("faults of Graph", () => {
  it.each([
    ["reset-before-accept", 0],
    ["accept-then-reset", 1],
  ] as const)("%s breaks the connection with %d messages accepted", async (kind, accepted) => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    meta.person(ADA).says("Hi");
    meta.faults.next({ do: kind });

    await expect(send(meta, textTo(ADA.phoneNumber, "one"))).rejects.toThrow("fetch failed");
    await meta.idle();

    expect(meta.accepted).toHaveLength(accepted);
    expect(statuses(host)).toHaveLength(accepted * 3);
    expect((await send(meta, textTo(ADA.phoneNumber, "two"))).status).toBe(200);
    expect(meta.faults.injected).toMatchObject([{ do: kind, on: "messages", to: ADA.phoneNumber }]);
  });

  it.each([
    ["accept-then-500", 500, ""],
    ["garbage", 200, "<!doctype html><title>Sorry</title>"],
  ] as const)("%s accepts and answers nonsense", async (kind, status, text) => {
    const meta = await startSimulator();
    meta.faults.next({ on: "messages", do: kind });

    const response = await fetch(`${meta.url}/v25.0/${NUMBER.phoneNumberId}/messages?appsecret_proof=${PROOF}`, {
      method: "POST",
      headers: { authorization: `Bearer ${ACCESS_TOKEN}` },
      body: JSON.stringify(textTo(ADA.phoneNumber, "Hi")),
    });

    expect([response.status, await response.text()]).toEqual([status, text]);
    expect(meta.accepted).toHaveLength(1);
  });

  it.each([
    ["hang", 0],
    ["accept-then-hang", 1],
  ] as const)("%s never answers, with %d messages accepted", async (kind, accepted) => {
    const meta = await startSimulator();
    meta.faults.next({ do: kind });
    const caller = new AbortController();

    const sending = send(meta, textTo(ADA.phoneNumber, "Hi"), { signal: caller.signal });
    await meta.waitFor(() => meta.faults.injected.length === 1 && meta.accepted.length === accepted);
    caller.abort();

    await expect(sending).rejects.toThrow("aborted");
    expect(meta.accepted).toHaveLength(accepted);
  });

  it("slow accepts at once and answers late", async () => {
    const meta = await startSimulator();
    meta.faults.next({ do: "slow", ms: 60 });
    const startedAt = performance.now();

    const answer = await send(meta, textTo(ADA.phoneNumber, "Hi"));

    expect(answer.status).toBe(200);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(55);
  });

  it("answers any Graph error, for a recipient and a number of times", async () => {
    const meta = await startSimulator();
    meta.faults.next({ do: { error: { code: 130429 } }, times: 2, to: "+447700900123" });
    meta.faults.next({ do: { error: { code: 131000, subcode: 7, message: "Ouch" } }, to: "447700900124" });

    const answers = [];
    for (const to of ["447700900124", "447700900123", "447700900123", "447700900123", "447700900124"]) {
      answers.push(await send(meta, textTo(to, "Hi")));
    }

    expect(answers.map(({ body }) => body.error?.code ?? 200)).toEqual([131000, 130429, 130429, 200, 200]);
    expect(answers[0]).toMatchObject({ status: 500, body: { error: { message: "Ouch", error_subcode: 7 } } });
    expect(meta.accepted).toHaveLength(2);
  });

  it("befalls other calls by name", async () => {
    const meta = await startSimulator();
    meta.faults.next({ on: "subscribed_apps", do: { error: { code: 200 } } });

    const sent = await send(meta, textTo(ADA.phoneNumber, "Hi"));
    const refused = await call(meta, `${NUMBER.wabaId}/subscribed_apps`, { method: "POST" });

    expect([sent.status, refused.status]).toEqual([200, 403]);
  });

  it("happens at random in the same places for the same seed, until cleared", async () => {
    const run = async () => {
      const meta = await startSimulator();
      meta.faults.random({ rate: 0.5, kinds: [{ error: { code: 131000 } }, { error: { code: 131016 } }], seed: 42 });
      const codes = [];
      for (let count = 0; count < 20; count += 1) {
        codes.push((await send(meta, textTo("447700900123", "x"))).body.error?.code ?? 200);
      }
      meta.faults.clear();
      return { codes, afterwards: (await send(meta, textTo("447700900123", "x"))).status };
    };

    const first = await run();
    const second = await run();

    expect(second).toEqual(first);
    expect(new Set(first.codes)).toEqual(new Set([200, 131000, 131016]));
    expect(first.afterwards).toBe(200);
  });
});

describe("faults of webhooks", () => {
  it("repeat deliveries byte for byte", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    meta.faults.webhooks({ duplicate: 2 });

    meta.person(ADA).says("Hi");
    await meta.idle();

    expect(host.received).toHaveLength(3);
    expect(new Set(host.received.map(({ bytes }) => bytes.toString())).size).toBe(1);
    expect(meta.deliveries.map(({ copyOf }) => copyOf)).toEqual([null, 1, 1]);
  });

  it("lose statuses and nothing else", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const ada = meta.person(ADA);
    meta.faults.webhooks({ dropStatusesRate: 1 });
    ada.says("Hi");

    await send(meta, textTo(ADA.phoneNumber, "Hello"));
    await meta.idle();

    expect(statuses(host)).toEqual([]);
    expect(host.received).toHaveLength(1);
    expect(ada.transcript().at(-1)?.status).toBe("read");
  });

  it("shuffle statuses and spare what people write", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url, seed: 3 });
    const ada = meta.person(ADA);
    meta.faults.webhooks({ shuffle: "statuses", shuffleMs: 40 });
    for (const text of ["1", "2", "3"]) ada.says(text);

    for (let count = 0; count < 5; count += 1) await send(meta, textTo(ADA.phoneNumber, String(count)));
    await meta.idle();

    const written = values(host).flatMap(({ messages = [] }) => messages);
    expect(written.map(({ text }) => text)).toEqual([{ body: "1" }, { body: "2" }, { body: "3" }]);
    expect(statuses(host)).toHaveLength(15);
    const rank = { sent: 0, delivered: 1, read: 2 } as Record<string, number>;
    const isInOrder = ({ wamid }: { readonly wamid: string }) =>
      statuses(host)
        .filter(({ id }) => id === wamid)
        .every(({ status }, index) => rank[status] === index);
    expect(meta.accepted.every(isInOrder)).toBe(false);
  });

  it("let the first status overtake the answer to the send", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url, statusBatch: { max: 9, windowMs: 50 } });
    meta.person(ADA).says("Hi");
    await meta.idle();
    meta.faults.webhooks({ statusesBeforeResponse: true });

    const answer = await send(meta, textTo(ADA.phoneNumber, "Hello"));
    const receivedByThen = statuses(host).map(({ id, status }) => ({ id, status }));

    expect(receivedByThen[0]).toEqual({ id: wamidOf(answer), status: "sent" });
  });

  it("put retries together in one delivery", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const ada = meta.person(ADA);
    meta.faults.webhooks({ rebatchRetries: true });
    host.answers.push(500, 500, 500);

    const wamids = ["1", "2", "3"].map((text) => ada.says(text));
    await meta.idle();

    expect(meta.deliveries.map(({ outcome }) => outcome)).toEqual(["acknowledged", "acknowledged", "acknowledged"]);
    const together = payloads(host).flatMap(({ entry }) => entry.map(({ changes }) => changes.length));
    expect(Math.max(...together)).toBeGreaterThan(1);
    const seen = values(host).flatMap(({ messages = [] }) => messages.map(({ id }) => id));
    expect(new Set(seen)).toEqual(new Set(wamids));
  });
});

describe("ledgers and waiting", () => {
  it("count requests, keep what was accepted, and tell listeners", async () => {
    const meta = await startSimulator();
    const heard: string[] = [];
    const stopListening = meta.onAccepted(({ text }) => heard.push(text));

    await send(meta, textTo("+447700900123", "one", { biz_opaque_callback_data: "token-1" }));
    stopListening();
    await send(meta, textTo("447700900123", "two"));

    expect(heard).toEqual(["one"]);
    expect(meta.requests[`POST /${NUMBER.phoneNumberId}/messages`]).toBe(2);
    expect(meta.accepted[0]).toMatchObject({
      recipient: "447700900123",
      type: "text",
      text: "one",
      callbackData: "token-1",
      body: { to: "+447700900123" },
      at: expect.any(Date),
    });
    meta.clearLedgers();
    expect([meta.accepted, meta.deliveries, meta.requests]).toEqual([[], [], {}]);
  });

  it("is idle only after the last status was acknowledged", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url, statusDelayMs: 15 });
    meta.person(ADA).says("Hi");
    await meta.idle();
    host.answers.push(200, 200, 503);

    await send(meta, textTo(ADA.phoneNumber, "Hello"));
    await meta.idle();

    expect(statuses(host).map(({ status }) => status)).toEqual(["sent", "delivered", "read", "read"]);
    expect(meta.deliveries.every(({ outcome }) => outcome === "acknowledged")).toBe(true);
  });

  it("waits for what a predicate describes, says when it did not come, and passes its errors on", async () => {
    const meta = await startSimulator();
    const waiting = meta.waitFor(() => meta.accepted.find(({ text }) => text === "two"));

    await send(meta, textTo("447700900123", "one"));
    await send(meta, textTo("447700900123", "two"));

    await expect(waiting).resolves.toMatchObject({ text: "two" });
    await expect(meta.waitFor(() => meta.accepted.length > 2, 10)).rejects.toThrow("within 10 ms");
    await expect(meta.waitFor(() => raise("bad predicate"))).rejects.toThrow("bad predicate");
  });

  it("stops with hanging callers, pending retries and waiting tests, and leaves nothing running", async () => {
    const host = await startHost();
    host.answers.push(...Array(50).fill(500));
    const meta = await startSimulator({ webhookUrl: host.url, retryDelayMs: () => 10_000, statusDelayMs: 10_000 });
    meta.faults.next({ do: "hang", to: "447700900999" });
    meta.person(ADA).says("Hi");
    const outcomes = [
      send(meta, textTo("447700900999", "never answered")),
      meta.idle(),
      meta.waitFor(() => false, 60_000),
    ].map((promise) =>
      promise.then(
        () => "resolved",
        (error: Error) => error.message,
      ),
    );
    await send(meta, textTo(ADA.phoneNumber, "Hello"));
    await meta.waitFor(() => meta.deliveries[0]?.attempts.length === 1 && meta.faults.injected.length === 1);

    await meta.stop();

    expect(await Promise.all(outcomes)).toEqual([
      "fetch failed",
      expect.stringContaining("stopped"),
      expect.stringContaining("stopped"),
    ]);
    expect(meta.deliveries.map(({ outcome }) => outcome)).toEqual(["abandoned"]);
    await expect(fetch(meta.url)).rejects.toThrow("fetch failed");
  });
});

function handMade(from: string, id: string): object {
  const metadata = { display_phone_number: "15557770100", phone_number_id: NUMBER.phoneNumberId };
  const timestamp = String(Math.floor(Date.now() / 1000));
  const messages = [{ from, id, timestamp, type: "text", text: { body: "Hi" } }];
  const value = { messaging_product: "whatsapp", metadata, contacts: [{ wa_id: from }], messages };
  return {
    object: "whatsapp_business_account",
    entry: [{ id: NUMBER.wabaId, changes: [{ field: "messages", value }] }],
  };
}

function byJson(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}

function raise(message: string): never {
  throw new Error(message);
}
