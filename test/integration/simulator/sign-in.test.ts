/** Signing in: what the dialog asks and refuses, and what its code is worth. */
import { createHash } from "node:crypto";
import type { Simulator } from "@omniops/whatsapp/simulator";
import { describe, expect, it } from "vitest";
import { type Answer, APP_SECRET, by, call, NUMBER, startSimulator } from "./simulated.ts";

const CALLBACK = "http://127.0.0.1:4000/callback?tenant=a";

function dialogUrl(meta: Simulator, more: Readonly<Record<string, string | null>> = {}): URL {
  const url = new URL(`${meta.url}/v25.0/dialog/oauth`);
  const asked = {
    client_id: "777",
    redirect_uri: CALLBACK,
    state: "s/1 =",
    response_type: "code",
    config_id: "CFG1",
    override_default_response_type: "true",
    ...more,
  };
  for (const [name, value] of Object.entries(asked)) if (value !== null) url.searchParams.set(name, value);
  return url;
}

async function exchange(meta: Simulator, more: Readonly<Record<string, string>>, method: "GET" | "POST" = "POST") {
  const parameters = new URLSearchParams({ client_id: "777", client_secret: APP_SECRET, ...more });
  const url = `${meta.url}/v25.0/oauth/access_token`;
  const response =
    method === "GET" ? await fetch(`${url}?${parameters}`) : await fetch(url, { method, body: parameters });
  return { status: response.status, body: (await response.json()) as Answer };
}

const codeIn = (url: URL) => url.searchParams.get("code") ?? "";
const params = (url: URL) => Object.fromEntries(url.searchParams);

describe("the dialog", () => {
  it("sends the browser back with a code and the state, into the address as it was", async () => {
    const meta = await startSimulator({ appId: "777" });

    const url = meta.login.decide(dialogUrl(meta));

    expect(url.href.startsWith("http://127.0.0.1:4000/callback?tenant=a&code=AQ")).toBe(true);
    expect(params(url)).toMatchObject({ tenant: "a", state: "s/1 =" });
    expect(url.hash).toBe("#_=_");
  });

  it("says that the person cancelled, or what Meta could not do", async () => {
    const meta = await startSimulator({ appId: "777" });

    const cancelled = meta.login.decide(dialogUrl(meta), { cancel: true });
    const failed = meta.login.decide(dialogUrl(meta), { error: { code: 1349048, message: "Can't load URL" } });

    expect(params(cancelled)).toEqual({
      tenant: "a",
      error: "access_denied",
      error_code: "200",
      error_description: "Permissions error",
      error_reason: "user_denied",
      state: "s/1 =",
    });
    expect(cancelled.search).toContain("error_description=Permissions+error");
    expect(params(failed)).toEqual({
      tenant: "a",
      error_code: "1349048",
      error_message: "Can't load URL",
      state: "s/1 =",
    });
  });

  it.each([
    ["another app", { client_id: "778" }, "Invalid App ID"],
    ["no redirect_uri", { redirect_uri: null }, "redirect_uri is required"],
    ["an address that nobody registered", { redirect_uri: "https://evil.test/callback" }, "URL Blocked"],
    ["an address that only begins like a loopback", { redirect_uri: "http://localhost.evil.test/" }, "URL Blocked"],
  ])("shows a page and sends nobody anywhere for %s", async (_, more, text) => {
    const meta = await startSimulator({ appId: "777" });

    const page = await fetch(dialogUrl(meta, more), { redirect: "manual" });

    expect([page.status, page.headers.get("content-type")]).toEqual([400, "text/html; charset=utf-8"]);
    expect(await page.text()).toContain(text);
    expect(() => meta.login.decide(dialogUrl(meta, more))).toThrow(text);
  });

  it("compares a registered address byte by byte", async () => {
    const meta = await startSimulator({ appId: "777", login: { redirectUris: ["https://host.test/callback"] } });
    const at = (redirect_uri: string) => meta.login.decide(dialogUrl(meta, { redirect_uri }));

    expect(at("https://host.test/callback").host).toBe("host.test");
    for (const other of ["https://host.test/callback/", "https://host.test/callback?a=1", CALLBACK])
      expect(() => at(other)).toThrow("URL Blocked");
  });

  it.each([
    ["another configuration", { config_id: "CFG2" }],
    ["a token instead of a code", { response_type: "token" }],
    ["a business token's code without the override", { override_default_response_type: null }],
  ])("refuses %s to the app, with error_code and without error", async (_, more) => {
    const meta = await startSimulator({ appId: "777", login: { configId: "CFG1" } });

    const { status, headers } = await fetch(dialogUrl(meta, more), { redirect: "manual" });
    const url = new URL(headers.get("location") ?? "");

    expect(status).toBe(303);
    expect(params(url)).toEqual({
      tenant: "a",
      error_code: "100",
      error_message: expect.any(String),
      state: "s/1 =",
    });
    expect(params(meta.login.decide(dialogUrl(meta, more)))).toEqual(params(url));
  });

  it("tells what was granted where the app asks for that", async () => {
    const meta = await startSimulator({ appId: "777", login: { scopes: ["whatsapp_business_messaging"] } });

    const url = meta.login.decide(dialogUrl(meta, { response_type: "code granted_scopes" }));

    expect(params(url)).toMatchObject({ granted_scopes: "whatsapp_business_messaging", code: expect.any(String) });
  });

  it("escapes what it shows", async () => {
    const number = { ...NUMBER, verifiedName: '<img src=x onerror="alert(1)">' };
    const meta = await startSimulator({ appId: "777", numbers: [number] });

    const page = await (await fetch(dialogUrl(meta, { state: '"><script>' }))).text();

    expect(page).not.toContain("<img");
    expect(page).not.toContain("<script");
  });
});

describe("a code", () => {
  it.each(["GET", "POST"] as const)("is worth a token that never expires, by %s", async (method) => {
    const meta = await startSimulator({ appId: "777" });
    const code = codeIn(meta.login.decide(dialogUrl(meta)));

    const { status, body } = await exchange(meta, { code, redirect_uri: CALLBACK }, method);

    expect([status, body]).toEqual([200, { access_token: expect.stringMatching(/^EAA/), token_type: "bearer" }]);
    expect((await call(meta, `${NUMBER.phoneNumberId}?fields=id`, by(body.access_token ?? ""))).status).toBe(200);
  });

  it("of a classic login is worth a user's token, which can be exchanged for one of sixty days", async () => {
    const meta = await startSimulator({ appId: "777" });
    const url = dialogUrl(meta, {
      config_id: null,
      override_default_response_type: null,
      scope: "business_management,whatsapp_business_management",
    });

    const short = await exchange(meta, { code: codeIn(meta.login.decide(url)), redirect_uri: CALLBACK });
    const long = await exchange(meta, {
      grant_type: "fb_exchange_token",
      fb_exchange_token: short.body.access_token ?? "",
    });

    expect(short.body).toMatchObject({ token_type: "bearer", expires_in: 5_400 });
    expect(long.body).toMatchObject({ access_token: expect.any(String), expires_in: 5_184_000 });
    expect(long.body.access_token).not.toBe(short.body.access_token);
  });

  it("of the popup takes no redirect_uri, or an empty one", async () => {
    const meta = await startSimulator({ appId: "777" });

    const absent = await exchange(meta, { code: meta.login.code() });
    const empty = await exchange(meta, { code: meta.login.code(), redirect_uri: "", grant_type: "authorization_code" });
    const given = await exchange(meta, { code: meta.login.code(), redirect_uri: CALLBACK });

    expect([absent.status, empty.status]).toEqual([200, 200]);
    expect(given).toMatchObject({ status: 400, body: { error: { code: 100, error_subcode: 36008 } } });
  });

  it("is worth nothing a second time", async () => {
    const meta = await startSimulator({ appId: "777" });
    const code = meta.login.code();

    await exchange(meta, { code });

    expect(await exchange(meta, { code })).toMatchObject({
      status: 400,
      body: {
        error: {
          message: "This authorization code has been used.",
          type: "OAuthException",
          code: 100,
          error_subcode: 36009,
          fbtrace_id: expect.any(String),
        },
      },
    });
  });

  it.each([
    ["popup", {}, 30_000],
    ["redirect", { redirectUri: CALLBACK }, 600_000],
  ])("of a %s expires", async (_, about, lifeMs) => {
    const now = new Date("2026-11-27T12:00:00Z");
    const meta = await startSimulator({ appId: "777", now: () => now });
    const redirect = "redirectUri" in about ? { redirect_uri: CALLBACK } : {};
    const early = meta.login.code(about);
    const late = meta.login.code(about);

    now.setTime(now.getTime() + lifeMs - 1);
    const inTime = await exchange(meta, { code: early, ...redirect });
    now.setTime(now.getTime() + 1);
    const tooLate = await exchange(meta, { code: late, ...redirect });

    expect(inTime.status).toBe(200);
    expect(tooLate.body.error).toMatchObject({ code: 100, error_subcode: 36007 });
  });

  it("survives being presented wrongly", async () => {
    const meta = await startSimulator({ appId: "777" });
    const code = codeIn(meta.login.decide(dialogUrl(meta)));

    const secret = await exchange(meta, { code, redirect_uri: CALLBACK, client_secret: "wrong" });
    const app = await exchange(meta, { code, redirect_uri: CALLBACK, client_id: "778" });
    const address = await exchange(meta, { code, redirect_uri: `${CALLBACK}&b=1` });
    const none = await exchange(meta, { code });
    const right = await exchange(meta, { code, redirect_uri: CALLBACK });

    expect(secret).toMatchObject({
      status: 400,
      body: { error: { code: 1, message: "Error validating client secret." } },
    });
    expect(app).toMatchObject({ status: 401, body: { error: { code: 101 } } });
    expect([address.body.error?.error_subcode, none.body.error?.error_subcode]).toEqual([36008, 36008]);
    expect(right.status).toBe(200);
  });

  it("of another app, and one that Meta never gave out, is refused", async () => {
    const meta = await startSimulator({ appId: "777" });

    const foreign = await exchange(meta, { code: meta.login.code({ appId: "778" }) });
    const invented = await exchange(meta, { code: "AQinvented" });

    expect([foreign, invented]).toMatchObject([
      { status: 400, body: { error: { code: 100 } } },
      { status: 400, body: { error: { code: 100, message: "Invalid verification code format." } } },
    ]);
  });

  it("asks for the verifier where the dialog was given a challenge, unless Meta ignores both", async () => {
    const meta = await startSimulator({ appId: "777" });
    const verifier = "a-verifier-that-is-long-enough-to-be-one-000";
    const code_challenge = createHash("sha256").update(verifier).digest("base64url");
    const url = dialogUrl(meta, { code_challenge, code_challenge_method: "S256" });
    const redeem = (code_verifier: string | null) =>
      exchange(meta, {
        code: codeIn(meta.login.decide(url)),
        redirect_uri: CALLBACK,
        ...(code_verifier !== null && { code_verifier }),
      });

    const answers = [await redeem(verifier), await redeem("another"), await redeem(null)];
    meta.login.set({ supportsPkce: false });
    const ignored = await redeem(null);

    expect(answers.map(({ status }) => status)).toEqual([200, 400, 400]);
    expect(ignored.status).toBe(200);
  });

  it("stands for what the person chose, and for what the token really gets", async () => {
    const other = { ...NUMBER, phoneNumberId: "301777000999999", wabaId: "201555000999999" };
    const meta = await startSimulator({ appId: "777", numbers: [NUMBER, other] });
    meta.login.set({ scopes: ["whatsapp_business_management"], expiresInSeconds: 5_184_000 });

    const url = meta.login.decide(dialogUrl(meta), { grant: [other.wabaId] });
    const { body } = await exchange(meta, { code: codeIn(url), redirect_uri: CALLBACK });
    const owner = by(body.access_token ?? "");
    const seen = await call(meta, `${other.wabaId}/phone_numbers?fields=id`, owner);
    const unseen = await call(meta, NUMBER.wabaId, owner);
    const message = JSON.stringify({ messaging_product: "whatsapp", to: "447700900123", text: { body: "Hi" } });
    const sent = await call(meta, `${other.phoneNumberId}/messages`, { ...owner, method: "POST", body: message });

    expect(body.expires_in).toBe(5_184_000);
    expect(seen.body.data).toEqual([{ id: other.phoneNumberId }]);
    expect(unseen.body.error).toMatchObject({ code: 100, error_subcode: 33 });
    expect(sent).toMatchObject({ status: 403, body: { error: { code: 200 } } });
  });
});
