/** The button: to Meta and back, and then people are answered. */
import { describe, expect, it } from "vitest";
import { NUMBER, quiet, TENANT } from "../../support/channel.ts";
import { APP_ID, APP_URL, CALLBACK, CONFIG_ID, exchanges, FRESH, startConnecting } from "../../support/connecting.ts";

describe("connecting by redirect", () => {
  it("leads from the button to an answered message in one flow", async () => {
    const connecting = await startConnecting();
    const { meta } = connecting.channel;

    const result = await connecting.connect();

    expect(Object.fromEntries(result)).toEqual({ whatsapp_connected: "true" });
    expect(await connecting.status()).toMatchObject({
      enabled: true,
      state: "connected",
      phone_number: NUMBER.displayPhoneNumber,
    });
    const ada = meta.person({ name: "Ada", phoneNumber: "447700900123" });
    ada.says("Are you open?");
    await meta.waitFor(() => ada.transcript().some(({ direction }) => direction === "outbound"));
    await quiet(connecting.channel);
  });

  it("asks Meta's dialog for exactly what it needs, with a state that nobody can guess", async () => {
    const connecting = await startConnecting();

    const first = await connecting.press();
    const second = await connecting.press();

    const { state, ...rest } = Object.fromEntries(first.searchParams);
    expect(rest).toEqual({
      client_id: APP_ID,
      redirect_uri: CALLBACK,
      response_type: "code",
      config_id: CONFIG_ID,
      override_default_response_type: "true",
      extras: '{"setup":{}}',
    });
    expect(first.pathname).toBe("/v25.0/dialog/oauth");
    expect(Buffer.from(state ?? "", "base64url").byteLength).toBe(32);
    expect(second.searchParams.get("state")).not.toBe(state);
  });

  it("asks for the classic scopes without a configuration, and makes the hour-long token last", async () => {
    const connecting = await startConnecting({
      config: { metaConfigId: undefined },
      meta: { login: { tokenKind: "user" } },
    });

    const dialog = await connecting.press();
    expect(dialog.searchParams.get("scope")).toBe(
      "business_management,whatsapp_business_management,whatsapp_business_messaging",
    );
    expect(dialog.searchParams.has("config_id")).toBe(false);
    const answer = await connecting.comeBack(connecting.channel.meta.login.decide(dialog));

    expect(answer.headers.get("location")).toContain("whatsapp_connected=true");
    const [token] = await connecting.channel.rows<{ days: number; type: string }>(
      "select extract(day from expires_at - now())::int as days, token_metadata ->> 'type' as type from whatsapp_oauth_tokens",
    );
    expect(token).toMatchObject({ type: "USER" });
    expect(token?.days).toBeGreaterThan(50);
  });

  it("answers the callback with a clean address at once", async () => {
    const connecting = await startConnecting();

    const answer = await connecting.comeBack(connecting.channel.meta.login.decide(await connecting.press()));

    expect(answer.status).toBe(303);
    expect(answer.headers.get("location")).toBe("/dashboard/integrations?whatsapp_connected=true");
    expect(answer.headers.get("referrer-policy")).toBe("no-referrer");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(await answer.text()).toBe("");
  });

  it("subscribes, registers with a PIN of its own, and stores token, PIN, templates and profile", async () => {
    const connecting = await startConnecting({ meta: { numbers: [{ ...FRESH, profile: { vertical: "RETAIL" } }] } });
    const { channel } = connecting;

    await connecting.connect();

    const [number] = channel.meta.numbers();
    expect(number).toMatchObject({ isRegistered: true, isSubscribed: true });
    expect(number?.pin).toMatch(/^\d{6}$/);
    const [row] = await channel.rows<Record<string, unknown>>(
      "select c.pin_enc, c.profile, c.templates_synced_at, t.access_token_enc, t.scopes, t.meta_user_id from whatsapp_connections c join whatsapp_oauth_tokens t on t.connection_id = c.id",
    );
    expect(row?.pin_enc).toMatch(/^v1\.k1\./);
    expect(row?.access_token_enc).toMatch(/^v1\.k1\./);
    expect(row?.scopes).toEqual(["whatsapp_business_management", "whatsapp_business_messaging"]);
    expect(row?.meta_user_id).toMatch(/^\d+$/);
    expect(row?.templates_synced_at).toBeInstanceOf(Date);
    expect(row?.profile).toMatchObject({ vertical: "RETAIL" });
    const onboarding = await connecting.onboarding();
    expect(onboarding).toMatchObject({ state: "done", error: null, chosen: [FRESH.phoneNumberId] });
    expect(onboarding.steps.map((one: { step: string; state: string }) => `${one.step} ${one.state}`)).toEqual([
      "exchange done",
      "inspect done",
      "accounts done",
      "choice done",
      "subscribe done",
      "register done",
      "connect done",
      "templates done",
      "profile done",
      "sync skipped",
    ]);
    expect(await channel.rows("select access_token_enc from whatsapp_onboardings")).toEqual([
      { access_token_enc: null },
    ]);
  });

  it("does without the account's name where Meta does not tell it", async () => {
    const connecting = await startConnecting();
    connecting.channel.meta.faults.next({ on: "account", do: { error: { code: 100 } } });

    expect(Object.fromEntries(await connecting.connect())).toEqual({ whatsapp_connected: "true" });
  });

  it("tells the host of the new connection", async () => {
    const connecting = await startConnecting();

    await connecting.connect();
    await quiet(connecting.channel);

    expect(connecting.channel.events).toEqual([
      { kind: "connection", connection: expect.objectContaining({ customerConfigId: TENANT, state: "connected" }) },
    ]);
  });

  it.each([
    ["cancelled", { cancel: true }, "access_denied"],
    ["an error of Meta's", { error: { code: 1349187, message: "Feature unavailable" } }, "dialog_failed"],
    [
      "a domain that the app does not know",
      { error: { code: 1349048, message: "Domain not allowed" } },
      "invalid_redirect_uri",
    ],
  ] as const)("ends on the dashboard when the dialog is %s", async (_what, decision, code) => {
    const connecting = await startConnecting();

    const result = await connecting.connect(decision);

    expect(Object.fromEntries(result)).toEqual({ whatsapp_error: code });
    expect(exchanges(connecting)).toBe(0);
  });

  it.each([
    ["a code that took too long", { login: { codeLifeMs: 0 } }, "code_refused"],
    ["a permission that was switched off", { login: { scopes: ["whatsapp_business_messaging"] } }, "scopes_missing"],
  ] as const)("ends on the dashboard for %s", async (_what, meta, code) => {
    const connecting = await startConnecting({ meta });

    const result = await connecting.connect();

    expect(Object.fromEntries(result)).toEqual({ whatsapp_error: code });
    expect(await connecting.status()).toMatchObject({ enabled: false });
  });

  it("says when no account was shared", async () => {
    const connecting = await startConnecting();

    const result = await connecting.connect({ grant: [] });

    expect(Object.fromEntries(result)).toEqual({ whatsapp_error: "no_business_accounts" });
    const onboarding = await connecting.onboarding();
    expect(onboarding.error.message).toContain("No WhatsApp Business Accounts found");
  });

  it("says when the app's secret is not Meta's", async () => {
    const connecting = await startConnecting({ meta: { appSecret: "another-app-secret" } });

    expect(Object.fromEntries(await connecting.connect())).toEqual({ whatsapp_error: "login_not_configured" });
  });

  it("says when Meta cannot be reached for the token", async () => {
    const connecting = await startConnecting();
    connecting.channel.meta.faults.next({ on: "oauth_access_token", do: "reset-before-accept" });

    expect(Object.fromEntries(await connecting.connect())).toEqual({ whatsapp_error: "graph_unreachable" });
  });

  it("says what is not configured, on the dashboard, with its status", async () => {
    const connecting = await startConnecting({ config: { metaAppId: undefined } });

    const answer = await connecting.get("/oauth/authorize?domain=shop.example", { headers: { accept: "text/html" } });

    expect(answer.status).toBe(500);
    expect(answer.headers.get("refresh")).toBe("0; url=/dashboard/integrations?whatsapp_error=login_not_configured");
    expect(await answer.text()).toContain("META_APP_ID");
  });

  it("comes back to another page of the host's when that is on the list", async () => {
    const connecting = await startConnecting({ config: { returnPaths: "/dashboard/integrations,/settings/channels" } });

    const dialog = await connecting.press({}, "?domain=shop.example&returnTo=/settings/channels");
    const answer = await connecting.comeBack(connecting.channel.meta.login.decide(dialog));

    expect(answer.headers.get("location")).toBe("/settings/channels?whatsapp_connected=true");
  });

  it("takes the callback's address from the configuration and never from the request", async () => {
    const connecting = await startConnecting();
    const evil = {
      host: "evil.example",
      "x-forwarded-host": "evil.example",
      "x-forwarded-proto": "http",
      forwarded: "host=evil.example",
    };

    const dialog = await connecting.press({ headers: evil });

    expect(dialog.searchParams.get("redirect_uri")).toBe(`${APP_URL}/api/whatsapp/oauth/callback`);
  });
});
