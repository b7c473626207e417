/** Tokens that signing in gives: what they may, how long, and what Meta tells of them. */
import { describe, expect, it } from "vitest";
import { ACCESS_TOKEN, type Answer, APP_SECRET, by, byApp, call, NUMBER, startSimulator } from "./simulated.ts";

const SCOPES = ["whatsapp_business_management", "whatsapp_business_messaging"];
const OTHER = { ...NUMBER, phoneNumberId: "301777000999999", wabaId: "201555000999999" };

describe("a token that was given out", () => {
  it("needs its own proof", async () => {
    const meta = await startSimulator();
    const token = meta.issueToken();

    const proven = await call(meta, NUMBER.wabaId, by(token));
    const unproven = await call(meta, NUMBER.wabaId, { token, proof: null });
    const wrong = await call(meta, NUMBER.wabaId, { token });

    expect([proven.status, unproven.status, wrong.status]).toEqual([200, 400, 400]);
  });

  it("expires by the simulator's clock, and debug_token knows", async () => {
    const now = new Date("2026-11-27T12:00:00Z");
    const meta = await startSimulator({ appId: "777", now: () => now });
    const token = meta.issueToken({ kind: "user", expiresInSeconds: 60 });

    const before = await call(meta, `debug_token?input_token=${token}`, byApp());
    now.setSeconds(now.getSeconds() + 60);
    const refused = await call(meta, NUMBER.wabaId, by(token));
    const after = await call(meta, `debug_token?input_token=${token}`, byApp());

    const issuedAt = Date.parse("2026-11-27T12:00:00Z") / 1000;
    expect(before.body.data).toMatchObject({
      type: "USER",
      is_valid: true,
      issued_at: issuedAt,
      expires_at: issuedAt + 60,
      data_access_expires_at: issuedAt + 90 * 86_400,
    });
    expect(refused).toMatchObject({ status: 401, body: { error: { code: 190, error_subcode: 463 } } });
    expect(after).toMatchObject({
      status: 200,
      body: { data: { app_id: "777", is_valid: false, error: { code: 190, subcode: 463 } } },
    });
  });

  it("can be revoked alone, and restored", async () => {
    const meta = await startSimulator();
    const token = meta.issueToken();

    meta.revokeToken({ accessToken: token, subcode: 467 });
    const refused = await call(meta, NUMBER.wabaId, by(token));
    const others = await call(meta, NUMBER.wabaId);
    meta.restoreToken(token);

    expect(refused.body.error).toMatchObject({ code: 190, error_subcode: 467 });
    expect(others.status).toBe(200);
    expect((await call(meta, NUMBER.wabaId, by(token))).status).toBe(200);
  });

  it("names its accounts in the order in which they were chosen, unless it means all", async () => {
    const meta = await startSimulator({ appId: "777", numbers: [NUMBER, OTHER] });
    const some = meta.issueToken({ wabaIds: [OTHER.wabaId, NUMBER.wabaId], userId: "105" });
    const all = meta.issueToken({ omitTargetIds: true });
    const inspect = async (token: string) => (await call(meta, `debug_token?input_token=${token}`, byApp())).body.data;

    const target_ids = [OTHER.wabaId, NUMBER.wabaId];
    expect(await inspect(some)).toMatchObject({
      app_id: "777",
      type: "SYSTEM_USER",
      is_valid: true,
      expires_at: 0,
      data_access_expires_at: 0,
      scopes: SCOPES,
      granular_scopes: SCOPES.map((scope) => ({ scope, target_ids })),
      user_id: "105",
    });
    expect(await inspect(all)).toMatchObject({ granular_scopes: SCOPES.map((scope) => ({ scope })) });
    expect(JSON.stringify(await inspect(all))).not.toContain("target_ids");
    expect((await call(meta, OTHER.wabaId, by(all))).status).toBe(200);
  });

  it("of another app is valid, and is another app's", async () => {
    const meta = await startSimulator({ appId: "777" });
    const token = meta.issueToken({ appId: "778" });

    const { body } = await call(meta, `debug_token?input_token=${token}`, byApp());
    const proven = await call(meta, NUMBER.wabaId, by(token));

    expect(body.data).toMatchObject({ app_id: "778", is_valid: true });
    expect(proven.body.error).toMatchObject({ code: 100, message: /Invalid appsecret_proof/ });
  });

  it("cannot ask about itself: that is for the app", async () => {
    const meta = await startSimulator();
    const token = meta.issueToken();

    const asked = await call(meta, `debug_token?input_token=${token}`, by(token));

    expect(asked).toMatchObject({ status: 400, body: { error: { code: 100, message: /app access token/ } } });
  });

  it("of a system user is renewed only where it expires and only on demand", async () => {
    const meta = await startSimulator({ appId: "777" });
    const renew = async (token: string, more: object = {}) => {
      const query = new URLSearchParams({
        grant_type: "fb_exchange_token",
        client_id: "777",
        client_secret: APP_SECRET,
        fb_exchange_token: token,
        ...more,
      });
      const response = await fetch(`${meta.url}/v25.0/oauth/access_token?${query}`);
      return { status: response.status, body: (await response.json()) as Answer };
    };
    const sixtyDays = meta.issueToken({ expiresInSeconds: 5_184_000, wabaIds: [NUMBER.wabaId] });
    const dead = meta.issueToken();
    meta.revokeToken({ accessToken: dead });

    const renewed = await renew(sixtyDays, { set_token_expires_in_60_days: "true" });

    expect(renewed).toMatchObject({ status: 200, body: { token_type: "bearer", expires_in: 5_184_000 } });
    expect((await call(meta, NUMBER.wabaId, by(renewed.body.access_token ?? ""))).status).toBe(200);
    expect((await call(meta, NUMBER.wabaId, by(sixtyDays))).status).toBe(200);
    expect(await renew(sixtyDays)).toMatchObject({ status: 400, body: { error: { code: 100 } } });
    expect(await renew(ACCESS_TOKEN, { set_token_expires_in_60_days: "true" })).toMatchObject({
      status: 400,
      body: { error: { code: 100, message: /never expires/ } },
    });
    expect(await renew(dead)).toMatchObject({ status: 401, body: { error: { code: 190, error_subcode: 460 } } });
    expect(await renew("EAAinvented")).toMatchObject({ status: 401, body: { error: { code: 190 } } });
  });
});
