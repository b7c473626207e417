/** Who may call Graph, what it refuses, and what it tells of numbers, accounts and tokens. */
import net from "node:net";
import { describe, expect, it } from "vitest";
import {
  ACCESS_TOKEN,
  ADA,
  APP_SECRET,
  call,
  NUMBER,
  PROOF,
  send,
  startHost,
  startSimulator,
  textTo,
  values,
} from "./simulated.ts";

describe("the Graph API", () => {
  it("goes on after a request whose path is no address", async () => {
    const meta = await startSimulator();
    const { port } = new URL(meta.url);
    const answered = await new Promise<string>((resolve, reject) => {
      const socket = net.connect(Number(port), "127.0.0.1");
      socket.on("data", (data) => resolve(String(data)));
      socket.on("error", reject);
      socket.end("GET // HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    });

    expect(answered).toMatch(/^HTTP\/1.1 400 [\s\S]*"code":2500/);
    expect((await send(meta, textTo(ADA.phoneNumber, "Hi"))).status).toBe(200);
  });

  it.each([
    [131050, 400, "Unable to deliver the message"],
    [131045, 500, "registration error"],
    [133004, 503, "Server temporarily unavailable"],
    [803, 404, "aliases"],
  ])("words an armed error %i as Meta does", async (code, status, words) => {
    const meta = await startSimulator();
    meta.faults.next({ do: { error: { code } } });

    const answer = await send(meta, textTo(ADA.phoneNumber, "Hi"));

    expect(answer).toMatchObject({ status, body: { error: { code, message: expect.stringContaining(words) } } });
  });

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
    ["a read receipt of nothing", { messaging_product: "whatsapp", status: "read" }, 131008],
    [
      "a typing sign that is none",
      { messaging_product: "whatsapp", status: "read", message_id: "wamid.x", typing_indicator: { type: "dance" } },
      131009,
    ],
    [
      "an address of media that is none",
      { ...textTo("447700900123", "x"), type: "image", image: { link: "cat.jpg" } },
      131009,
    ],
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
