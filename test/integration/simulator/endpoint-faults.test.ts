/** Whatever connecting a number asks of Meta can go wrong, and is carried out or not as the fault says. */
import type { GraphEndpoint } from "@omniops/whatsapp/simulator";
import { describe, expect, it } from "vitest";
import { by, byApp, call, NUMBER, post, startSimulator } from "./simulated.ts";

const NO_TOKEN = { token: null, proof: null };
const { phoneNumberId, wabaId } = NUMBER;

const REQUESTS: Readonly<Record<string, readonly [GraphEndpoint, string, RequestInit & { token?: string | null }]>> = {
  "the dialog": ["dialog", "dialog/oauth?client_id=777", NO_TOKEN],
  "the SDK": ["sdk", "en_US/sdk.js", NO_TOKEN],
  "an exchange": ["oauth_access_token", "oauth/access_token?client_id=777", NO_TOKEN],
  "a look at a token": ["debug_token", "debug_token?input_token=x", {}],
  "who I am": ["me", "me", {}],
  portfolios: ["businesses", "me/businesses", {}],
  permissions: ["permissions", "me/permissions", {}],
  accounts: ["accounts", "9001/owned_whatsapp_business_accounts", {}],
  "an account": ["account", wabaId, {}],
  numbers: ["phone_numbers", `${wabaId}/phone_numbers`, {}],
  subscribing: ["subscribed_apps", `${wabaId}/subscribed_apps`, { method: "POST" }],
  "a number": ["phone-number", phoneNumberId, {}],
  "a PIN": ["phone-settings", phoneNumberId, { method: "POST", body: '{"pin":"212834"}' }],
  registering: ["register", `${phoneNumberId}/register`, { method: "POST" }],
  deregistering: ["deregister", `${phoneNumberId}/deregister`, { method: "POST" }],
  "a profile": ["profile", `${phoneNumberId}/whatsapp_business_profile`, {}],
  synchronising: ["smb_app_data", `${phoneNumberId}/smb_app_data`, { method: "POST" }],
  "the app": ["app", "777", {}],
  "the app's webhooks": ["subscriptions", "777/subscriptions", byApp()],
};

describe("a fault", () => {
  it.each(Object.entries(REQUESTS))("befalls %s once, by its name", async (_, [on, path, init]) => {
    const meta = await startSimulator({ appId: "777", businessId: "9001" });
    meta.faults.next({ on, do: { error: { code: 2 } } });
    meta.faults.next({ on, do: "reset-before-accept" });

    const refused = await call(meta, path, init);

    expect(refused).toMatchObject({ status: 503, body: { error: { code: 2 } } });
    await expect(call(meta, path, init)).rejects.toThrow("fetch failed");
    expect(meta.faults.injected.map((fault) => fault.on)).toEqual([on, on]);
  });

  it("may choose one of two numbers", async () => {
    const other = { ...NUMBER, phoneNumberId: "301777000999999" };
    const meta = await startSimulator({ numbers: [NUMBER, other] });
    meta.faults.next({ on: "register", to: other.phoneNumberId, do: { error: { code: 133004, httpStatus: 503 } } });
    const body = { messaging_product: "whatsapp", pin: "212834" };

    const spared = await post(meta, `${NUMBER.phoneNumberId}/register`, body);
    const hit = await post(meta, `${other.phoneNumberId}/register`, body);

    expect([spared.status, hit.status]).toEqual([200, 503]);
  });

  it("of an answer that is lost leaves a code used and a number registered", async () => {
    const meta = await startSimulator({ appId: "777", numbers: [{ ...NUMBER, isRegistered: false }] });
    const body = { messaging_product: "whatsapp", pin: "212834" };
    meta.faults.next({ on: "register", do: "accept-then-reset" });

    await expect(post(meta, `${phoneNumberId}/register`, body, by(meta.issueToken()))).rejects.toThrow("fetch failed");

    expect(meta.numbers()).toMatchObject([{ isRegistered: true, pin: "212834" }]);
  });
});
