/** How a business and a person leave the app, and what Meta tells the host of it. */
import { createHmac } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { signedRequestOf } from "@omniops/whatsapp/simulator";
import { describe, expect, it } from "vitest";
import {
  ACCESS_TOKEN,
  APP_SECRET,
  by,
  byApp,
  call,
  cleanups,
  NUMBER,
  payloads,
  startHost,
  startSimulator,
} from "./simulated.ts";

const PHONE = `${NUMBER.phoneNumberId}?fields=id`;

/** A host's callback, which keeps what it is told. */
async function startCallback(status: number, answer: string) {
  const received: { readonly type: string | undefined; readonly form: URLSearchParams }[] = [];
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    received.push({
      type: request.headers["content-type"],
      form: new URLSearchParams(Buffer.concat(chunks).toString("utf8")),
    });
    response.writeHead(status).end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, received };
}

describe("an account that is given", () => {
  it("is told to the app, subscribed or not", async () => {
    const host = await startHost();
    const meta = await startSimulator({
      webhookUrl: host.url,
      businessId: "9001",
      numbers: [{ ...NUMBER, isSubscribed: false }],
    });

    meta.addPartner(NUMBER.wabaId);
    await meta.idle();

    const value = {
      event: "PARTNER_ADDED",
      waba_info: { waba_id: NUMBER.wabaId, owner_business_id: "9001" },
    };
    expect(payloads(host)).toMatchObject([{ entry: [{ id: "9001", changes: [{ field: "account_update", value }] }] }]);
  });
});

describe("an account that is taken away", () => {
  it("is not there any more for the app's tokens, and the portfolio's webhook says so", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url, businessId: "9001" });
    const token = meta.issueToken();

    meta.removePartner(NUMBER.wabaId, { disconnectionInfo: { reason: "PRIMARY_INACTIVITY", initiated_by: "SYSTEM" } });
    await meta.idle();
    const refused = await call(meta, PHONE, by(token));

    expect(payloads(host)).toEqual([
      {
        object: "whatsapp_business_account",
        entry: [
          {
            id: "9001",
            time: expect.any(Number),
            changes: [
              {
                field: "account_update",
                value: {
                  event: "PARTNER_REMOVED",
                  waba_info: { waba_id: NUMBER.wabaId, owner_business_id: "9001" },
                  disconnection_info: { reason: "PRIMARY_INACTIVITY", initiated_by: "SYSTEM" },
                },
              },
            ],
          },
        ],
      },
    ]);
    expect(refused.body.error).toMatchObject({ code: 100, error_subcode: 33 });
    expect((await call(meta, "me", by(token))).status).toBe(200);
    expect(meta.numbers()).toMatchObject([{ isSubscribed: false }]);
  });

  it("takes the token along where the app was uninstalled", async () => {
    const meta = await startSimulator();
    const token = meta.issueToken();

    meta.removePartner(NUMBER.wabaId, { event: "PARTNER_APP_UNINSTALLED" });

    expect((await call(meta, "me", by(token))).body.error).toMatchObject({ code: 190, error_subcode: 458 });
    expect((await call(meta, "me", by(ACCESS_TOKEN))).status).toBe(200);
  });

  it("is gone for everybody where it was deleted, and the webhook is its own", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });

    meta.removePartner(NUMBER.wabaId, { event: "ACCOUNT_DELETED" });
    await meta.idle();

    expect(payloads(host)).toMatchObject([
      { entry: [{ id: NUMBER.wabaId, changes: [{ value: { event: "ACCOUNT_DELETED" } }] }] },
    ]);
    expect((await call(meta, PHONE)).body.error).toMatchObject({ code: 100, error_subcode: 33 });
    expect(() => meta.removePartner(NUMBER.wabaId)).toThrow("no account");
  });

  it("stays where Meta only disables it", async () => {
    const meta = await startSimulator();
    const token = meta.issueToken();

    meta.removePartner(NUMBER.wabaId, { event: "DISABLED_UPDATE" });

    expect((await call(meta, PHONE, by(token))).status).toBe(200);
  });
});

describe("a person who leaves", () => {
  it("ends their tokens by giving up the permissions, and no others", async () => {
    const meta = await startSimulator({ appId: "777" });
    const [one, two] = [meta.issueToken({ userId: "105" }), meta.issueToken({ userId: "105" })];
    const other = meta.issueToken({ userId: "106" });

    const given = await call(meta, "me/permissions", { method: "DELETE", ...by(one) });

    expect(given.body).toEqual({ success: true });
    for (const token of [one, two])
      expect((await call(meta, "me", by(token))).body.error).toMatchObject({ code: 190, error_subcode: 458 });
    expect((await call(meta, "me", by(other))).status).toBe(200);
    await call(meta, "106/permissions", { method: "DELETE", ...byApp() });
    expect((await call(meta, "me", by(other))).status).toBe(401);
  });

  it("may give up one permission only", async () => {
    const meta = await startSimulator();
    const token = meta.issueToken();

    await call(meta, "me/permissions/whatsapp_business_management", { method: "DELETE", ...by(token) });

    expect((await call(meta, PHONE, by(token))).body.error).toMatchObject({ code: 200 });
    expect((await call(meta, "me/permissions", by(token))).body.data).toEqual([
      { permission: "whatsapp_business_messaging", status: "granted" },
    ]);
  });

  it("is told to the deauthorize callback with a request that the app's secret signs", async () => {
    const now = new Date("2026-11-27T12:00:00Z");
    const callback = await startCallback(200, "");
    const meta = await startSimulator({ now: () => now, login: { userId: "105" } });
    const token = meta.issueToken();

    const answer = await meta.deauthorize({ url: callback.url });

    const signedRequest = callback.received[0]?.form.get("signed_request") ?? "";
    const [signature, payload = ""] = signedRequest.split(".");
    expect(answer).toEqual({ status: 200, body: "" });
    expect(callback.received[0]?.type).toMatch(/^application\/x-www-form-urlencoded/);
    expect(signature).toBe(createHmac("sha256", APP_SECRET).update(payload).digest("base64url"));
    expect(JSON.parse(Buffer.from(payload, "base64url").toString("utf8"))).toEqual({
      algorithm: "HMAC-SHA256",
      expires: 0,
      issued_at: now.getTime() / 1000,
      user_id: "105",
    });
    expect((await call(meta, "me", by(token))).body.error).toMatchObject({ code: 190, error_subcode: 458 });
  });

  it("has not left because somebody forges it", async () => {
    const callback = await startCallback(400, "no");
    const meta = await startSimulator();
    const token = meta.issueToken();

    const forged = await meta.deauthorize({ url: callback.url, appSecret: "another" });
    const spoiled = await meta.deauthorize({ url: callback.url, mutate: (signedRequest) => `${signedRequest}x` });

    expect([forged.status, spoiled.status]).toEqual([400, 400]);
    expect(new Set(callback.received.map(({ form }) => form.get("signed_request"))).size).toBe(2);
    expect((await call(meta, "me", by(token))).status).toBe(200);
  });

  it("is given the address and the code of the deletion", async () => {
    const callback = await startCallback(200, '{"url":"https://host.test/deletion/a","confirmation_code":"a"}');
    const meta = await startSimulator();

    const answer = await meta.requestDataDeletion({ url: callback.url, userId: "105" });

    expect(answer).toEqual({ status: 200, body: { url: "https://host.test/deletion/a", confirmation_code: "a" } });
    expect(callback.received[0]?.form.get("signed_request")).toContain(".");
  });
});

describe("a signed request", () => {
  it("is base64url without padding, the signature over the payload as it is spelled", () => {
    expect(signedRequestOf({ user_id: "105" }, "secret")).toBe(
      `${createHmac("sha256", "secret").update("eyJ1c2VyX2lkIjoiMTA1In0").digest("base64url")}.eyJ1c2VyX2lkIjoiMTA1In0`,
    );
  });
});
