/** What the doctor asks Graph: questions only, with proof, and no single field of them brings down the rest. */
import { createHmac } from "node:crypto";
import nock from "nock";
import { describe, expect, it } from "vitest";
import { createCallWebhook } from "../../../adapters/graph-api/call-webhook.ts";
import { createHttpTransport } from "../../../adapters/graph-api/http-transport.ts";
import { createMetaHealth } from "../../../adapters/graph-api/meta-health.ts";
import { APP_SECRET, NUMBER_ID, ORIGIN, PROOF, TOKEN, WABA_ID } from "./graph.ts";
import { onlyNock } from "./nocked.ts";

onlyNock();

const APP_ID = "700700700700700";
const APP_TOKEN = `${APP_ID}|${APP_SECRET}`;
const transport = createHttpTransport();
const metaHealth = (appId: string | null = APP_ID) =>
  createMetaHealth({ appId, graphUrl: ORIGIN, graphVersion: "v25.0", appSecret: APP_SECRET, transport });

const withApp = () => nock(ORIGIN, { reqheaders: { authorization: `Bearer ${APP_TOKEN}` } });
const withToken = () => nock(ORIGIN, { reqheaders: { authorization: `Bearer ${TOKEN}` } });
const appProof = createHmac("sha256", APP_SECRET).update(APP_TOKEN).digest("hex");
const NO_FIELD = { error: { code: 100, message: "(#100) Tried accessing nonexisting field" } };

describe("the app", () => {
  it("is asked by its own token, with proof", async () => {
    withApp()
      .get(`/v25.0/${APP_ID}`)
      .query({ fields: "id,name", appsecret_proof: appProof })
      .reply(200, { id: APP_ID, name: "Shop" });

    expect(await metaHealth().app()).toEqual({ name: "Shop" });
  });

  it("has its WhatsApp subscription read among those of other products, fields spelled either way", async () => {
    const others = { object: "page", callback_url: "https://other.test", active: true, fields: ["feed"] };
    const ours = {
      object: "whatsapp_business_account",
      callback_url: "https://shop.test/hook",
      active: false,
      fields: [{ name: "messages", version: "v25.0" }, "account_update", { version: "v25.0" }, null],
    };
    withApp()
      .get(`/v25.0/${APP_ID}/subscriptions`)
      .query(true)
      .reply(200, { data: [others, null, ours] });

    expect(await metaHealth().appSubscription()).toEqual({
      callbackUrl: "https://shop.test/hook",
      isActive: false,
      fields: ["messages", "account_update"],
    });
  });

  it.each([{ data: [] }, {}, { data: "odd" }])("has none when Meta lists none: %j", async (answer) => {
    withApp().get(`/v25.0/${APP_ID}/subscriptions`).query(true).reply(200, answer);

    expect(await metaHealth().appSubscription()).toBeNull();
  });

  it("cannot be asked without its id", async () => {
    const refused = expect.objectContaining({ code: "LOGIN_NOT_CONFIGURED" });

    await expect(metaHealth(null).app()).rejects.toEqual(refused);
    await expect(metaHealth(null).appSubscription()).rejects.toEqual(refused);
  });
});

describe("an account", () => {
  it("names the apps that hear it, to the last page, and where they hear it", async () => {
    const path = `/v25.0/${WABA_ID}/subscribed_apps`;
    const next = { paging: { next: `${ORIGIN}/next`, cursors: { after: "C2" } } };
    withToken()
      .get(path)
      .query({ appsecret_proof: PROOF })
      .reply(200, { data: [{ whatsapp_business_api_data: { id: "1", name: "One" } }], ...next })
      .get(path)
      .query({ appsecret_proof: PROOF, after: "C2" })
      .reply(200, {
        data: [{ whatsapp_business_api_data: { id: "2" }, override_callback_uri: "https://o.test" }, {}],
      });

    expect(await metaHealth().accountSubscriptions({ wabaId: WABA_ID, accessToken: TOKEN })).toEqual([
      { appId: "1", overrideUrl: null },
      { appId: "2", overrideUrl: "https://o.test" },
      { appId: null, overrideUrl: null },
    ]);
  });

  it("says how its review stands, and what Meta holds against it", async () => {
    const health_status = {
      can_send_message: "BLOCKED",
      entities: [
        {
          entity_type: "WABA",
          id: WABA_ID,
          can_send_message: "BLOCKED",
          errors: [
            { error_code: 141006, error_description: "Payment.", possible_solution: "Pay." },
            { error_code: "x" },
          ],
        },
        { entity_type: "BUSINESS", can_send_message: "LIMITED", additional_info: ["Not verified.", 7] },
      ],
    };
    withToken()
      .get(`/v25.0/${WABA_ID}`)
      .query({ fields: "id,name,account_review_status,health_status", appsecret_proof: PROOF })
      .reply(200, { id: WABA_ID, name: "Shop", account_review_status: "APPROVED", health_status });

    expect(await metaHealth().account({ wabaId: WABA_ID, accessToken: TOKEN })).toEqual({
      name: "Shop",
      reviewStatus: "APPROVED",
      canSend: {
        state: "BLOCKED",
        entities: [
          {
            type: "WABA",
            state: "BLOCKED",
            errors: [
              { code: 141006, description: "Payment.", solution: "Pay." },
              { code: null, description: null, solution: null },
            ],
            notes: [],
          },
          { type: "BUSINESS", state: "LIMITED", errors: [], notes: ["Not verified."] },
        ],
      },
    });
  });
});

describe("a number", () => {
  const path = `/v25.0/${NUMBER_ID}`;
  const asking = (part: string) => (query: Record<string, unknown>) => String(query.fields).includes(part);
  const number = () => metaHealth().number({ phoneNumberId: NUMBER_ID, accessToken: TOKEN });

  it("is read even where this version of Graph does not have every field", async () => {
    withToken().get(path).query(asking("platform_type")).reply(200, {
      id: NUMBER_ID,
      display_phone_number: "+1 555-777-0100",
      status: "CONNECTED",
      platform_type: "CLOUD_API",
      is_on_biz_app: true,
    });
    withToken().get(path).query(asking("health_status")).reply(400, NO_FIELD);
    withToken().get(path).query(asking("messaging_limit")).reply(400, NO_FIELD);

    expect(await number()).toMatchObject({
      displayPhoneNumber: "+1 555-777-0100",
      status: "CONNECTED",
      platformType: "CLOUD_API",
      isOnBusinessApp: true,
      qualityRating: null,
      messagingLimit: null,
      callbacks: { app: null, account: null, number: null },
      canSend: null,
    });
  });

  it("says where its messages go, by level, and how many people it may write to", async () => {
    withToken().get(path).query(asking("platform_type")).reply(200, { id: NUMBER_ID });
    withToken()
      .get(path)
      .query(asking("health_status"))
      .reply(200, {
        webhook_configuration: {
          application: "https://a.test",
          whatsapp_business_account: "https://w.test",
          phone_number: "https://p.test",
        },
        health_status: { can_send_message: "AVAILABLE" },
      });
    withToken()
      .get(path)
      .query(asking("messaging_limit"))
      .reply(200, { whatsapp_business_manager_messaging_limit: "TIER_2K" });

    expect(await number()).toMatchObject({
      displayPhoneNumber: NUMBER_ID,
      messagingLimit: "TIER_2K",
      callbacks: { app: "https://a.test", account: "https://w.test", number: "https://p.test" },
      canSend: { state: "AVAILABLE", entities: [] },
    });
  });

  it("is not read with a token that Meta refuses", async () => {
    withToken()
      .get(path)
      .query(true)
      .times(3)
      .reply(401, { error: { code: 190, error_subcode: 463, message: "x" } });

    await expect(number()).rejects.toEqual(
      expect.objectContaining({
        code: "GRAPH_REJECTED",
        retry: "reauth",
        meta: expect.objectContaining({ subcode: 463 }),
      }),
    );
  });
});

describe("Meta's clock", () => {
  it("is read from any answer, a refusal included, without a token", async () => {
    nock(ORIGIN, { badheaders: ["authorization"] })
      .get("/")
      .reply(400, NO_FIELD, { date: "Fri, 27 Nov 2026 12:00:00 GMT" });

    expect(await metaHealth().clock()).toEqual(new Date("2026-11-27T12:00:00Z"));
  });

  it.each([{}, { date: "yesterday" }])("is unknown when the answer does not tell: %j", async (headers) => {
    nock(ORIGIN).get("/").reply(200, "", headers);

    expect(await metaHealth().clock()).toBeNull();
  });

  it("cannot be read when nobody answers", async () => {
    nock(ORIGIN)
      .get("/")
      .replyWithError(Object.assign(new Error("x"), { code: "ENOTFOUND" }));

    await expect(metaHealth().clock()).rejects.toThrow("It cannot be reached (ENOTFOUND).");
  });
});

describe("calling our own webhook", () => {
  const call = () =>
    createCallWebhook(transport)({ url: "https://shop.test/hook", verifyToken: "a token & more", challenge: "c4" });
  const asked = () =>
    nock("https://shop.test", { badheaders: ["authorization"] })
      .get("/hook")
      .query({ "hub.mode": "subscribe", "hub.verify_token": "a token & more", "hub.challenge": "c4" });

  it("asks as Meta does, and wants the challenge and nothing else", async () => {
    asked().reply(200, "c4");
    expect(await call()).toEqual({ kind: "answered", status: 200, echoed: true });
    asked().reply(200, '"c4"');
    expect(await call()).toEqual({ kind: "answered", status: 200, echoed: false });
  });

  it("follows no redirect", async () => {
    asked().reply(302, "", { location: "https://elsewhere.test/" });

    expect(await call()).toEqual({ kind: "answered", status: 302, echoed: false });
  });

  it("says why it was not reached", async () => {
    asked().replyWithError(Object.assign(new Error("x"), { code: "CERT_HAS_EXPIRED" }));

    expect(await call()).toEqual({ kind: "unreachable", reason: "CERT_HAS_EXPIRED" });
  });
});
