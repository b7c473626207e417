/** What a token finds: itself, portfolios, accounts, numbers, their health, and who hears of them. */
import type { NumberChanges, Simulator } from "@omniops/whatsapp/simulator";
import { describe, expect, it } from "vitest";
import { ADA, by, byApp, call, NUMBER, post, send, startHost, startSimulator, textTo, values } from "./simulated.ts";

const OTHER = { ...NUMBER, phoneNumberId: "301777000999999", wabaId: "201555000999999", businessId: "9002" };
const EMPTY = { wabaId: "201555000777777", name: "Empty account", businessId: "9001" };

describe("who a token is", () => {
  it("tells a business token's owner and portfolio, and no portfolio of a user", async () => {
    const meta = await startSimulator({ businessId: "9001", login: { userId: "105", userName: "Bo" } });

    const system = await call(meta, "me?fields=id,name,client_business_id", by(meta.issueToken()));
    const user = await call(meta, "me?fields=client_business_id", by(meta.issueToken({ kind: "user" })));

    expect(system.body).toEqual({ id: "105", name: "Bo", client_business_id: "9001" });
    expect(user.body.error).toMatchObject({ code: 100, message: /nonexisting field \(client_business_id\)/ });
  });

  it("lists portfolios to those who may see them", async () => {
    const meta = await startSimulator({ numbers: [{ ...NUMBER, businessId: "9001" }, OTHER] });
    const withScope = meta.issueToken({ kind: "user", scopes: ["business_management"] });

    const listed = await call(meta, "me/businesses?fields=id", by(withScope));
    const refused = await call(meta, "me/businesses", by(meta.issueToken({ kind: "user" })));
    const none = await call(meta, "me/businesses", by(meta.issueToken()));

    expect(listed.body.data).toEqual([{ id: "9001" }, { id: "9002" }]);
    expect(refused.body.error).toMatchObject({ code: 100, message: "(#100) Missing Permission" });
    expect(none.body).toEqual({ data: [] });
  });
});

describe("accounts", () => {
  it("are listed by their owner and by whom they are shared with, an account without numbers too", async () => {
    const meta = await startSimulator({
      numbers: [{ ...NUMBER, businessId: "9001" }, OTHER],
      accounts: [EMPTY, { wabaId: OTHER.wabaId, partnerBusinessId: "9001" }],
    });
    const owner = by(meta.issueToken());

    const owned = await call(meta, "9001/owned_whatsapp_business_accounts?fields=id,name,owner_business_info", owner);
    const client = await call(meta, "9001/client_whatsapp_business_accounts?fields=id", owner);
    const numbers = await call(meta, `${EMPTY.wabaId}/phone_numbers`, owner);

    expect(owned.body.data).toMatchObject([
      { id: NUMBER.wabaId, owner_business_info: { id: "9001" } },
      { id: EMPTY.wabaId, name: "Empty account" },
    ]);
    expect(client.body.data).toEqual([{ id: OTHER.wabaId }]);
    expect(numbers.body).toEqual({ data: [] });
  });

  it("come page by page, by cursor and by the address of the next page", async () => {
    const accounts = ["1", "2", "3"].map((wabaId) => ({ wabaId, businessId: "9001" }));
    const meta = await startSimulator({ accounts, businessId: "9001", requireAppSecretProof: false });
    const owner = by(meta.issueToken());
    const path = "9001/owned_whatsapp_business_accounts?fields=id&limit=3";

    const first = await call(meta, path, owner);
    const byCursor = await call(meta, `${path}&after=${first.body.paging?.cursors.after}`, owner);
    const byAddress = await (await fetch(first.body.paging?.next ?? "")).json();

    expect(first.body.data).toHaveLength(3);
    expect(byCursor.body.data).toEqual([{ id: "3" }]);
    expect(byCursor.body.paging).not.toHaveProperty("next");
    expect(byAddress).toEqual(byCursor.body);
    expect((await call(meta, `${path}&after=!`, owner)).body.error?.code).toBe(100);
  });

  it("tell their fields and their numbers' as documented, and how they stand", async () => {
    const meta = await startSimulator({
      numbers: [{ ...NUMBER, isRegistered: false, isVerified: false, qualityRating: "RED", nameStatus: "DECLINED" }],
      accounts: [{ wabaId: NUMBER.wabaId, reviewStatus: "PENDING", verificationStatus: "not_verified" }],
    });

    const account = await call(
      meta,
      `${NUMBER.wabaId}?fields=id,name,account_review_status,business_verification_status,country,currency,timezone_id,ownership_type,whatsapp_business_manager_messaging_limit`,
    );
    const numbers = await call(
      meta,
      `${NUMBER.wabaId}/phone_numbers?fields=id,display_phone_number,verified_name,quality_rating,code_verification_status,name_status,new_name_status,status,platform_type,throughput,account_mode,is_official_business_account,is_on_biz_app,is_pin_enabled,certificate,last_onboarded_time,webhook_configuration,host_platform,country_dial_code,search_visibility,username`,
    );

    expect(account.body).toMatchObject({
      account_review_status: "PENDING",
      business_verification_status: "not_verified",
    });
    expect(numbers.body.data).toMatchObject([
      {
        status: "PENDING",
        platform_type: "NOT_APPLICABLE",
        code_verification_status: "NOT_VERIFIED",
        quality_rating: "RED",
        name_status: "DECLINED",
        is_on_biz_app: false,
        is_pin_enabled: false,
        country_dial_code: "1",
      },
    ]);
    expect((await call(meta, `${NUMBER.wabaId}/phone_numbers?fields=id,shoe_size`)).status).toBe(400);
  });

  it("are as healthy as the worst of what they depend on", async () => {
    const payment = {
      error_code: 141006,
      error_description: "There is an error with the payment method.",
      possible_solution: "Add a payment method.",
    };
    const meta = await startSimulator({ appId: "777", businessId: "9001" });
    const health = async () => (await call(meta, `${NUMBER.phoneNumberId}?fields=health_status`)).body;

    expect(await health()).toMatchObject({ health_status: { can_send_message: "AVAILABLE" } });
    meta.changeNumber(NUMBER.phoneNumberId, { health: { canSendMessage: "LIMITED", additionalInfo: ["Slow."] } });
    meta.changeAccount(NUMBER.wabaId, { health: { canSendMessage: "BLOCKED", errors: [payment] } });
    expect(await health()).toEqual({
      id: NUMBER.phoneNumberId,
      health_status: {
        can_send_message: "BLOCKED",
        entities: [
          {
            entity_type: "PHONE_NUMBER",
            id: NUMBER.phoneNumberId,
            can_send_message: "LIMITED",
            additional_info: ["Slow."],
          },
          { entity_type: "WABA", id: NUMBER.wabaId, can_send_message: "BLOCKED", errors: [payment] },
          { entity_type: "BUSINESS", id: "9001", can_send_message: "AVAILABLE" },
          { entity_type: "APP", id: "777", can_send_message: "AVAILABLE" },
        ],
      },
    });
  });
});

describe("a number that Meta does not let send", () => {
  const blocked = { canSendMessage: "BLOCKED" } as const;
  const payment = { error_code: 141006, error_description: "There is an error with the payment method." };
  const codeOf = async (meta: Simulator, message = textTo(ADA.phoneNumber, "Hi")) =>
    (await send(meta, message)).body.error?.code;

  it.each<[NumberChanges, number]>([
    [{ status: "BANNED" }, 131031],
    [{ status: "RESTRICTED" }, 131031],
    [{ status: "FLAGGED" }, 131031],
    [{ status: "RATE_LIMITED" }, 131048],
    [{ status: "DISCONNECTED" }, 133010],
    [{ isRegistered: false }, 133010],
    [{ health: blocked }, 131031],
  ])("is refused for %o with %i, until it is in order", async (changes, code) => {
    const meta = await startSimulator();
    const person = meta.person(ADA);
    person.says("hello");

    meta.changeNumber(NUMBER.phoneNumberId, changes);
    expect(await codeOf(meta)).toBe(code);
    expect(meta.accepted).toEqual([]);

    meta.changeNumber(NUMBER.phoneNumberId, {
      status: "CONNECTED",
      isRegistered: true,
      health: { canSendMessage: "AVAILABLE" },
    });
    expect(await codeOf(meta)).toBeUndefined();
  });

  it("is one whose account is blocked; for want of a payment method answers leave all the same", async () => {
    const meta = await startSimulator();
    meta.person(ADA).says("hello");
    const template = {
      ...textTo(ADA.phoneNumber, ""),
      type: "template",
      template: { name: "hello_again", language: { code: "en_GB" } },
    };

    meta.changeAccount(NUMBER.wabaId, { health: blocked });
    expect([await codeOf(meta), await codeOf(meta, template)]).toEqual([131031, 131031]);
    meta.changeAccount(NUMBER.wabaId, { health: { ...blocked, errors: [payment] } });
    expect([await codeOf(meta), await codeOf(meta, template)]).toEqual([undefined, 131042]);
  });

  it("comes back by being registered, unless it is banned", async () => {
    const away = await startSimulator({ numbers: [{ ...NUMBER, status: "DISCONNECTED" }] });
    const banned = await startSimulator({ numbers: [{ ...NUMBER, status: "BANNED" }] });
    const register = (meta: Simulator) =>
      post(meta, `${NUMBER.phoneNumberId}/register`, { messaging_product: "whatsapp", pin: "212834" });

    await Promise.all([away, banned].map(register));

    expect([await codeOf(away), await codeOf(banned)]).toEqual([undefined, 131031]);
  });
});

describe("who hears of an account", () => {
  it("an address of its own hears messages once it has answered Meta's question, until it is cleared", async () => {
    const [host, own] = [await startHost(), await startHost({ verifyToken: "of-my-own" })];
    const meta = await startSimulator({ webhookUrl: host.url });
    const ada = meta.person(ADA);
    const path = `${NUMBER.wabaId}/subscribed_apps`;
    const override = { override_callback_uri: own.url, verify_token: "of-my-own" };

    const refused = await post(meta, path, { ...override, verify_token: "wrong" });
    const long = await post(meta, path, { ...override, override_callback_uri: `${own.url}?${"x".repeat(200)}` });
    const taken = await post(meta, path, override);
    ada.says("to the override");
    await meta.idle();
    const shown = await call(meta, path);
    const number = await call(meta, `${NUMBER.phoneNumberId}?fields=webhook_configuration`);
    await post(meta, path, {});
    ada.says("to the app");
    await meta.idle();

    expect([refused.body.error?.code, long.body.error?.code, taken.status]).toEqual([2200, 100, 200]);
    expect(shown.body.data).toMatchObject([{ override_callback_uri: own.url }]);
    expect(number.body).toMatchObject({
      webhook_configuration: { application: host.url, whatsapp_business_account: own.url },
    });
    expect(values(own)).toMatchObject([{ messages: [{ text: { body: "to the override" } }] }]);
    expect(values(host)).toMatchObject([{ messages: [{ text: { body: "to the app" } }] }]);
  });

  it("a number's own address comes before its account's", async () => {
    const [ofAccount, ofNumber] = [await startHost(), await startHost()];
    const meta = await startSimulator({
      accounts: [{ wabaId: NUMBER.wabaId, isSubscribed: true, overrideCallbackUri: ofAccount.url }],
    });
    const ada = meta.person(ADA);
    const set = (override_callback_uri: string) =>
      post(meta, NUMBER.phoneNumberId, {
        webhook_configuration: { override_callback_uri, verify_token: "verify-me" },
      });

    await set(ofNumber.url);
    ada.says("one");
    await meta.idle();
    await set("");
    ada.says("two");
    await meta.idle();

    expect([ofNumber.received.length, ofAccount.received.length]).toEqual([1, 1]);
  });

  it("the app says where webhooks go and which, with its own token", async () => {
    const host = await startHost();
    const meta = await startSimulator({ appId: "777" });
    const subscribe = (fields: string, verify_token = "verify-me") =>
      post(
        meta,
        "777/subscriptions",
        { object: "whatsapp_business_account", callback_url: host.url, verify_token, fields },
        byApp(),
      );

    const before = await call(meta, "777/subscriptions", byApp());
    const notTheApp = await call(meta, "777/subscriptions");
    const noField = await subscribe("messages,message_status");
    const unanswered = await subscribe("messages", "wrong");
    const taken = await subscribe("account_update");
    const after = await call(meta, "777/subscriptions", byApp());
    meta.person(ADA).says("not asked for");
    await meta.idle();
    await call(meta, "777/subscriptions", { method: "DELETE", ...byApp() });

    expect(before.body).toEqual({ data: [] });
    expect([notTheApp, noField, unanswered].map(({ body }) => body.error?.code)).toEqual([15, 100, 2200]);
    expect(taken.body).toEqual({ success: true });
    expect(after.body.data).toEqual([
      {
        object: "whatsapp_business_account",
        callback_url: host.url,
        active: true,
        fields: [{ name: "account_update", version: "v25.0" }],
      },
    ]);
    expect(host.received).toEqual([]);
    expect((await call(meta, "777/subscriptions", byApp())).body).toEqual({ data: [] });
  });

  it("nobody, of a field that the app has not subscribed to", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url, webhookFields: ["account_update"] });

    meta.person(ADA).says("Hi");
    meta.removePartner(NUMBER.wabaId);
    await meta.idle();

    expect(meta.deliveries.map(({ kind, outcome }) => [kind, outcome])).toEqual([
      ["message", "dropped"],
      ["account", "acknowledged"],
    ]);
  });

  it("the app tells its name and nothing that Meta does not document", async () => {
    const meta = await startSimulator({ appId: "777", appName: "Corner app" });

    const named = await call(meta, "777?fields=id,name,link", byApp());
    const unknown = await call(meta, "777?fields=shoe_size", byApp());

    expect(named.body).toEqual({ id: "777", name: "Corner app", link: expect.any(String) });
    expect(unknown.body.error).toMatchObject({ code: 100, message: /node type \(Application\)/ });
  });
});
