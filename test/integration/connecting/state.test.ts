/** Who may finish what was started: the state is random, one-time, hashed, ten minutes old at most, and somebody's own. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { returnPath, withResult } from "../../../plugin/connect/return-path.ts";
import { TENANT } from "../../support/channel.ts";
import {
  APP_URL,
  type Connecting,
  exchanges,
  OTHER_TENANT,
  startConnecting,
  type Who,
} from "../../support/connecting.ts";

async function refused(connecting: Connecting, url: URL, who?: Who): Promise<void> {
  const answer = await connecting.comeBack(url, who);
  expect(answer.status).toBe(403);
  expect(answer.headers.get("refresh")).toBe("0; url=/dashboard/integrations?whatsapp_error=invalid_state");
  const { error } = (await answer.json()) as { error: { code: string; message: string } };
  expect(error.code).toBe("INVALID_STATE");
  expect(error.message).toContain("Invalid state parameter");
  expect(exchanges(connecting)).toBe(0);
  expect(await connecting.channel.rows("select 1 from whatsapp_connections")).toEqual([]);
}

describe("the state of a sign-in", () => {
  it.each([
    ["another session of the same person", { session: "s2" }],
    ["another person of the same tenant", { user: "eve" }],
    ["nobody in particular", { user: null }],
    ["another tenant", { tenant: OTHER_TENANT }],
  ])("is refused from %s, and the one who started can still finish", async (_what, who) => {
    const connecting = await startConnecting();
    const url = connecting.channel.meta.login.decide(await connecting.press());

    await refused(connecting, url, who);

    expect((await connecting.comeBack(url)).headers.get("location")).toContain("whatsapp_connected=true");
  });

  it("is refused when somebody is sent a dialog that another has started", async () => {
    const connecting = await startConnecting();
    const attackers = await connecting.press({ user: "eve", session: "eves" });

    await refused(connecting, connecting.channel.meta.login.decide(attackers), { user: "ada", session: "s1" });
  });

  it("is refused without a session of the host's", async () => {
    const connecting = await startConnecting();
    const url = connecting.channel.meta.login.decide(await connecting.press());

    const answer = await connecting.comeBack(url, { tenant: null });

    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ error: { code: "NOT_AUTHENTICATED" } });
    expect(exchanges(connecting)).toBe(0);
  });

  it("is bound by a cookie of ours where the host names no session", async () => {
    const connecting = await startConnecting();
    const answer = await connecting.get("/oauth/authorize", { session: null });
    const cookie = answer.headers.get("set-cookie") ?? "";
    const url = connecting.channel.meta.login.decide(answer.headers.get("location") as string);

    expect(cookie).toMatch(
      /^whatsapp_connect=[\w-]{43}; Path=\/api\/whatsapp\/oauth; Max-Age=600; HttpOnly; SameSite=Lax; Secure$/,
    );
    await refused(connecting, url, { session: null });
    const value = cookie.split(";")[0] as string;
    await refused(connecting, url, { session: null, headers: { cookie: "whatsapp_connect=AAAAAAAAAAAAAAAAAAAAAAAA" } });
    const back = await connecting.comeBack(url, { session: null, headers: { cookie: `other=1; ${value}` } });
    expect(back.headers.get("location")).toContain("whatsapp_connected=true");
  });

  it("lives ten minutes from the second press as well, and the first stays of use", async () => {
    const connecting = await startConnecting();
    const first = await connecting.get("/oauth/authorize", { session: null });
    const cookie = first.headers.get("set-cookie") ?? "";
    const headers = { cookie: cookie.split(";")[0] as string };

    const second = await connecting.get("/oauth/authorize", { session: null, headers });

    expect(second.headers.get("set-cookie")).toBe(cookie);
    const url = connecting.channel.meta.login.decide(first.headers.get("location") as string);
    const back = await connecting.comeBack(url, { session: null, headers });
    expect(back.headers.get("location")).toContain("whatsapp_connected=true");
  });

  it("is opaque: what somebody makes up or encodes is refused", async () => {
    const connecting = await startConnecting();
    const real = connecting.channel.meta.login.decide(await connecting.press());
    const forged = Buffer.from(JSON.stringify({ tenant: TENANT, user: "ada" })).toString("base64");

    for (const state of [forged, "", "null", `${real.searchParams.get("state")}A`, "\u0000", "'; drop table x; --"]) {
      const url = new URL(real);
      url.searchParams.set("state", state);
      await refused(connecting, url);
    }
    const twice = new URL(real);
    twice.searchParams.append("state", "another");
    await refused(connecting, twice);
    const without = new URL(real);
    without.searchParams.delete("state");
    await refused(connecting, without);
  });

  it("is refused after ten minutes", async () => {
    const connecting = await startConnecting();
    const url = connecting.channel.meta.login.decide(await connecting.press());
    const [row] = await connecting.channel.rows<{ minutes: number }>(
      "select extract(minute from expires_at - created_at)::int as minutes from whatsapp_oauth_states",
    );
    expect(row?.minutes).toBe(10);
    await connecting.channel.rows("update whatsapp_oauth_states set expires_at = now() - interval '1 millisecond'");

    await refused(connecting, url);
  });

  it("serves once, also when fifty browsers come back at the same time", async () => {
    const connecting = await startConnecting();
    const url = connecting.channel.meta.login.decide(await connecting.press());

    const answers = await Promise.all(Array.from({ length: 50 }, () => connecting.comeBack(url)));

    expect(answers.map(({ status }) => status).sort()).toEqual([303, ...Array.from({ length: 49 }, () => 403)]);
    expect(exchanges(connecting)).toBe(1);
  });

  it("is used up by a cancel too", async () => {
    const connecting = await startConnecting();
    const dialog = await connecting.press();
    await connecting.comeBack(connecting.channel.meta.login.decide(dialog, { cancel: true }));

    await refused(connecting, connecting.channel.meta.login.decide(dialog));
  });

  it("is not in the database, nor is anything else that a browser carries", async () => {
    const connecting = await startConnecting({ config: { pkce: "S256" } });
    const dialog = await connecting.press({ session: "a-session-of-adas" });

    const [row] = await connecting.channel.rows<{ text: string }>(
      "select s::text as text from whatsapp_oauth_states s",
    );

    expect(row?.text).not.toContain(dialog.searchParams.get("state"));
    expect(row?.text).not.toContain("a-session-of-adas");
  });

  it("comes with a verifier where the server supports it, and another sign-in's code is refused", async () => {
    const connecting = await startConnecting({ config: { pkce: "S256" } });
    const dialog = await connecting.press();
    expect(dialog.searchParams.get("code_challenge_method")).toBe("S256");
    const mine = connecting.channel.meta.login.decide(dialog);
    const other = connecting.channel.meta.login.decide(await connecting.press());

    const stolen = new URL(mine);
    stolen.searchParams.set("code", other.searchParams.get("code") as string);
    const answer = await connecting.comeBack(stolen);

    expect(answer.headers.get("location")).toBe("/dashboard/integrations?whatsapp_error=code_refused");
    expect(Object.fromEntries(await connecting.connect())).toEqual({ whatsapp_connected: "true" });
  });

  it("belongs to the app that it was made for", async () => {
    const connecting = await startConnecting();
    const url = connecting.channel.meta.login.decide(await connecting.press());
    await connecting.channel.rows("update whatsapp_oauth_states set app_id = '1'");

    await refused(connecting, url);
  });

  it("does not help when the answer names another issuer", async () => {
    const connecting = await startConnecting();
    const url = connecting.channel.meta.login.decide(await connecting.press());
    url.searchParams.set("iss", "https://another.example");

    const answer = await connecting.comeBack(url);

    expect(answer.headers.get("location")).toContain("whatsapp_error=");
    expect(exchanges(connecting)).toBe(0);
  });
});

describe("what a person may do", () => {
  it.each([
    ["GET", "/oauth/authorize"],
    ["GET", "/oauth/callback?code=x&state=y"],
    ["POST", "/oauth/embedded-signup"],
    ["GET", "/oauth/onboarding"],
    ["POST", "/oauth/onboarding"],
  ])("is nothing by default: %s %s is refused without the permission", async (method, path) => {
    const connecting = await startConnecting();
    const call = method === "GET" ? connecting.get : (to: string, who: Who) => connecting.post(to, { code: "x" }, who);

    const answer = await call(path, { permissions: "none" });

    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ error: { code: "NOT_PERMITTED" } });
    expect(exchanges(connecting)).toBe(0);
  });

  it("is not done for another site's page", async () => {
    const connecting = await startConnecting();
    const code = connecting.channel.meta.login.code();

    const answer = await connecting.post(
      "/oauth/embedded-signup",
      { code },
      { headers: { "sec-fetch-site": "cross-site" } },
    );

    expect(answer.status).toBe(403);
    expect(exchanges(connecting)).toBe(0);
  });
});

describe("what Meta says in the address", () => {
  it("is never shown to anybody", async () => {
    const connecting = await startConnecting();
    const dialog = await connecting.press();
    const url = connecting.channel.meta.login.decide(dialog, { cancel: true });
    url.searchParams.set("error_description", "<img src=x onerror=alert(1)>");
    url.searchParams.set("error", "<img src=x onerror=alert(1)>");

    const answer = await connecting.comeBack(url, { headers: { accept: "text/html" } });
    const page = await connecting.comeBack(url, { headers: { accept: "text/html" } });

    expect(`${answer.headers.get("location")}`).toBe("/dashboard/integrations?whatsapp_error=dialog_failed");
    expect(page.status).toBe(403);
    expect(await page.text()).not.toContain("<img");
    expect(JSON.stringify(connecting.channel.logs)).not.toContain("onerror");
  });
});

describe("the page to come back to", () => {
  const ALLOWED = ["/dashboard/integrations", "/settings/channels"];

  it.each([
    "//evil.example",
    "/\\evil.example",
    "https://evil.example",
    "javascript:alert(1)",
    "/settings/channels/../../evil",
    "/settings/channels\r\nset-cookie: a=b",
    "%2f%2fevil.example",
    "",
  ])("is never %s", (wanted) => {
    expect(() => returnPath(wanted, ALLOWED)).toThrow(expect.objectContaining({ code: "RETURN_TO_NOT_ALLOWED" }));
  });

  it("stays on our origin whatever is asked for", () => {
    fc.assert(
      fc.property(fc.oneof(fc.webUrl(), fc.string(), fc.webPath(), fc.constantFrom(...ALLOWED)), (wanted) => {
        let path: string;
        try {
          path = returnPath(wanted, ALLOWED);
        } catch {
          return;
        }
        expect(new URL(withResult(path, { whatsapp_connected: "true" }), APP_URL).origin).toBe(APP_URL);
      }),
      { numRuns: Number(process.env.FC_RUNS ?? 5_000) },
    );
  });

  it("is refused over HTTP on the dashboard, and the value is not repeated", async () => {
    const connecting = await startConnecting();

    const answer = await connecting.get("/oauth/authorize?returnTo=//evil.example");

    expect(answer.status).toBe(400);
    expect(answer.headers.get("refresh")).toBe("0; url=/dashboard/integrations?whatsapp_error=return_to_not_allowed");
    expect(await answer.text()).not.toContain("evil");
  });
});
