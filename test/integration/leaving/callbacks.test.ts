/** Meta's callbacks: a person takes back what they gave, or wants to be forgotten. Believed only when Meta has signed it. */
import { createHmac } from "node:crypto";
import express, { type Express } from "express";
import express4 from "express4";
import supertest from "supertest";
import { afterEach, describe, expect, it } from "vitest";
import { APP_SECRET, quiet, TENANT, type TestChannel } from "../../support/channel.ts";
import { inState, keepBack, meet } from "../outbound/outbound.ts";
import { ADA, dump, finds, wamidOf } from "./canaries.ts";
import { connectNumber, heard, OTHER_TENANT, SECOND_NUMBER, startLeaving, states, tokens } from "./leaving.ts";

const META_USER = "104000000000001";
const running: TestChannel[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((channel) => channel.stop()));
});

/** A number whose token Meta gave to META_USER. */
async function start(options: Parameters<typeof startLeaving>[0] = {}): Promise<TestChannel> {
  const channel = await startLeaving({ ...options, config: { appUrl: "https://host.test", ...options.config } });
  running.push(channel);
  await channel.rows("update whatsapp_oauth_tokens set meta_user_id = ?", [META_USER]);
  return channel;
}

function signed(userId: string, { at = new Date(), secret = APP_SECRET } = {}): string {
  const said = { algorithm: "HMAC-SHA256", issued_at: Math.floor(at.getTime() / 1000), user_id: userId };
  const payload = Buffer.from(JSON.stringify(said)).toString("base64url");
  return `${createHmac("sha256", secret).update(payload).digest("base64url")}.${payload}`;
}

type Callback = "deauthorize" | "data-deletion";

async function call(channel: TestChannel, name: Callback, signedRequest: string) {
  const answer = await fetch(`${channel.url}/oauth/${name}`, {
    method: "POST",
    body: new URLSearchParams({ signed_request: signedRequest }),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    text,
    json: text.startsWith("{") ? (JSON.parse(text) as Record<string, string>) : {},
  };
}

describe("POST /oauth/deauthorize", () => {
  it("takes the token, holds what is to be sent, and tells the host once", async () => {
    const channel = await start();
    const ada = await meet(channel, { name: "Ada" });
    const letGo = await keepBack(channel, ada);
    const waiting = await channel.plugin.send({ conversationId: ada.conversationId, response: "later" });

    const answer = await call(channel, "deauthorize", signed(META_USER));
    const again = await call(channel, "deauthorize", signed(META_USER));
    await letGo();

    expect([answer, again]).toEqual([expect.objectContaining({ status: 200, text: "" }), answer]);
    expect(await states(channel)).toEqual(["reauth_required"]);
    expect(await tokens(channel)).toBe(0);
    await channel.until(() => heard(channel).length > 0, "the host to hear of it");
    expect(heard(channel)).toEqual([
      expect.objectContaining({
        state: "reauth_required",
        reason: expect.stringContaining("connect the number again"),
      }),
    ]);
    await inState(channel, waiting, "queued");

    await connectNumber(channel);
    await inState(channel, waiting, "read");
  });

  it("concerns nobody else's token", async () => {
    const channel = await start();
    await connectNumber(channel, SECOND_NUMBER, OTHER_TENANT);

    await call(channel, "deauthorize", signed(META_USER));
    const unknown = await call(channel, "deauthorize", signed("999"));

    expect(unknown.status).toBe(200);
    expect(await states(channel)).toEqual(["reauth_required", "connected"]);
  });

  it("that comes again after the person has connected anew takes nothing from them", async () => {
    const channel = await start();
    const request = signed(META_USER, { at: new Date(Date.now() - 60_000) });

    const answer = await call(channel, "deauthorize", request);

    expect(answer.status).toBe(200);
    expect(await states(channel)).toEqual(["connected"]);
    expect(await tokens(channel)).toBe(1);
  });
});

describe("POST /oauth/data-deletion", () => {
  it("erases the Meta user everywhere and says where that can be seen", async () => {
    const channel = await start();
    await channel.rows(
      `insert into whatsapp_onboardings (customer_config_id, user_id, flow, progress)
       values (?, 'host-user', 'redirect', ?), (?, 'other-user', 'redirect', '{"token": {"metaUserId": "105"}}')`,
      [TENANT, JSON.stringify({ token: { metaUserId: META_USER } }), TENANT],
    );
    await channel.rows(
      `insert into whatsapp_oauth_states (state_hash, customer_config_id, user_id, session_hash, app_id, redirect_uri, return_to, expires_at)
       values ('a', ?, 'host-user', 's', '1', 'https://host.test', '/', now()), ('b', ?, 'other-user', 's', '1', 'https://host.test', '/', now())`,
      [TENANT, TENANT],
    );
    await channel.rows("update customer_configs set whatsapp_oauth_metadata = ? where id = ?", [
      JSON.stringify({ user_id: META_USER }),
      TENANT,
    ]);
    expect(finds(await dump(channel), [META_USER])).toHaveLength(3);

    const answer = await call(channel, "data-deletion", signed(META_USER));

    const { url, confirmation_code: code } = answer.json;
    expect(answer.status).toBe(200);
    expect(code).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(url).toBe(`https://host.test/api/whatsapp/oauth/data-deletion/${code}`);
    expect(finds(await dump(channel), [META_USER])).toEqual([]);
    expect(await states(channel)).toEqual(["reauth_required"]);
    expect(await channel.rows("select user_id from whatsapp_onboardings")).toEqual([{ user_id: "other-user" }]);
    expect(await channel.rows("select user_id from whatsapp_oauth_states")).toEqual([{ user_id: "other-user" }]);

    const json = await fetch(`${channel.url}/oauth/data-deletion/${code}`);
    const page = await fetch(`${channel.url}/oauth/data-deletion/${code}`, { headers: { accept: "text/html,*/*" } });
    expect([json.status, await json.json()]).toEqual([200, { status: "deleted", deleted_at: expect.any(String) }]);
    expect([page.status, page.headers.get("content-type"), await page.text()]).toEqual([
      200,
      "text/html; charset=utf-8",
      expect.stringContaining("Your data was deleted on"),
    ]);
  });

  it("erases a person who writes to the business by that id, too", async () => {
    const channel = await start();
    await meet(channel, ADA);
    await quiet(channel);

    const answer = await call(channel, "data-deletion", signed(ADA.userId));

    expect(answer.status).toBe(200);
    expect(finds(await dump(channel), [ADA.phoneNumber, ADA.userId, ADA.name, wamidOf(ADA.phoneNumber, 0)])).toEqual(
      [],
    );
    expect(await states(channel)).toEqual(["connected"]);
  });

  it("tells nobody without the code", async () => {
    const channel = await start();

    for (const accept of ["application/json", "text/html"]) {
      const answer = await fetch(`${channel.url}/oauth/data-deletion/${"x".repeat(32)}`, { headers: { accept } });
      expect(answer.status).toBe(404);
    }
  });
});

describe("a callback that Meta has not signed", () => {
  it.each<[string, string, Record<string, string>]>([
    ["is unsigned", `signed_request=x.${Buffer.from("{}").toString("base64url")}`, {}],
    ["is signed with another secret", `signed_request=${signed(META_USER, { secret: "another-secret" })}`, {}],
    ["is empty", "", {}],
    ["has two", `signed_request=${signed(META_USER)}&signed_request=${signed(META_USER)}`, {}],
    ["is JSON", JSON.stringify({ signed_request: signed(META_USER) }), { "content-type": "application/json" }],
    ["is longer than 16 KB", `signed_request=${signed(META_USER)}&more=${"x".repeat(17_000)}`, {}],
    ["is from last month", `signed_request=${signed(META_USER, { at: new Date(Date.now() - 30 * 86_400_000) })}`, {}],
  ])("because it %s is told nothing, and changes nothing", async (_why, body, headers) => {
    const channel = await start({ start: false });

    for (const name of ["deauthorize", "data-deletion"]) {
      const answer = await fetch(`${channel.url}/oauth/${name}`, {
        method: "POST",
        body,
        headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
      });
      expect([name, answer.status, await answer.text()]).toEqual([name, 401, ""]);
    }
    expect(await states(channel)).toEqual(["connected"]);
    expect(await tokens(channel)).toBe(1);
    expect(await channel.rows("select 1 from whatsapp_erasures")).toEqual([]);
  });
});

const HOSTS: readonly (readonly [string, () => Express])[] = [
  ["Express 5", () => express()],
  ["Express 5 after urlencoded()", () => express().use(express.urlencoded({ extended: true }))],
  ["Express 5 after json() and urlencoded()", () => express().use(express.json(), express.urlencoded())],
  ["Express 5 after text()", () => express().use(express.text({ type: "*/*" }))],
  ["Express 5 after raw()", () => express().use(express.raw({ type: "*/*" }))],
  ["Express 4", () => express4() as unknown as Express],
  ["Express 4 after json()", () => (express4() as unknown as Express).use(express4.json())],
  [
    "Express 4 after urlencoded()",
    () => (express4() as unknown as Express).use(express4.urlencoded({ extended: false })),
  ],
];

describe.each(HOSTS)("on %s", (_host, make) => {
  it("a callback is read", async () => {
    const channel = await start({ start: false });
    const app = make();
    app.use("/wa", channel.plugin.router);

    const answer = await supertest(app)
      .post("/wa/oauth/deauthorize")
      .type("form")
      .send({ signed_request: signed(META_USER) });
    const bad = await supertest(app).post("/wa/oauth/deauthorize").type("form").send({ signed_request: "x.y" });

    expect([answer.status, answer.text, bad.status, bad.text]).toEqual([200, "", 401, ""]);
    expect(await states(channel)).toEqual(["reauth_required"]);
  });
});

describe("the secret of a callback", () => {
  it.each(["the-app-secret", "another-of-the-app"])("may be that of either variable: %s", async (secret) => {
    const channel = await start({
      start: false,
      connect: false,
      config: { metaAppSecret: "the-app-secret", appSecret: "another-of-the-app" },
      meta: { appSecret: "the-app-secret" },
    });
    await connectNumber(channel);
    await channel.rows("update whatsapp_oauth_tokens set meta_user_id = ?", [META_USER]);

    const answer = await call(channel, "deauthorize", signed(META_USER, { secret }));

    expect(answer.status).toBe(200);
    expect(await states(channel)).toEqual(["reauth_required"]);
  });
});
