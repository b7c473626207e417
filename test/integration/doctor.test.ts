/** "It looks right, why does nothing arrive?": each thing that can be wrong is broken for real, and named with its fix. */
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type CheckId, type Finding, runDoctor, type WhatsAppConfigInput } from "@omniops/whatsapp";
import { afterEach, describe, expect, it } from "vitest";
import { createSecretBox } from "../../adapters/secret-box/secret-box.ts";
import {
  ACCESS_TOKEN,
  APP_SECRET,
  allQuiet,
  NUMBER,
  startChannel,
  TENANT,
  type TestChannel,
  type TestChannelOptions,
  TOKEN_KEYS,
  VERIFY_TOKEN,
} from "../support/channel.ts";
import { createTestDatabase } from "../support/postgres.ts";

const APP_ID = "700700700700700";
const OTHER_TENANT = "00000000-0000-4000-8000-000000000002";
const OTHER_NUMBER = {
  phoneNumberId: "301777000333999",
  wabaId: "201555000111999",
  displayPhoneNumber: "+1 555-777-0199",
  verifiedName: "Other Shop",
};
const SECRETS = [ACCESS_TOKEN, APP_SECRET, VERIFY_TOKEN, TOKEN_KEYS.slice(3), "v1.k1.", "447700900"];

const stops: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function start(options: TestChannelOptions = {}): Promise<TestChannel> {
  const channel = await startChannel(options);
  stops.push(channel.stop);
  return channel;
}

/** As the command line asks: settings of its own, the host's database. */
async function examine(
  channel: TestChannel,
  { config = {}, ...request }: { config?: WhatsAppConfigInput; customerConfigId?: string; offline?: boolean } = {},
) {
  const { checks, healthy } = await runDoctor(channel.database.knex, {
    config: {
      metaAppId: APP_ID,
      metaAppSecret: APP_SECRET,
      verifyToken: VERIFY_TOKEN,
      tokenKeys: TOKEN_KEYS,
      graphUrl: channel.meta.url,
      appUrl: new URL(channel.url).origin,
      ...config,
    },
    ...request,
  });
  for (const secret of SECRETS) expect(JSON.stringify(checks)).not.toContain(secret);
  const find = (id: CheckId, phoneNumberId?: string): Finding | undefined =>
    checks.find((check) => check.id === id && (phoneNumberId === undefined || check.phoneNumberId === phoneNumberId));
  return {
    checks,
    healthy,
    find,
    problems: checks.filter(({ state }) => state === "problem").map(({ id }) => id),
    unwell: checks.filter(({ state }) => state !== "ok").map(({ id, state }) => `${id}: ${state}`),
  };
}

async function serve(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stops.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("the doctor", () => {
  it("finds nothing where all is well, and changes nothing", async () => {
    const channel = await start();
    const ada = channel.meta.person({ name: "Ada", phoneNumber: "447700900123" });
    ada.says("hello");
    await channel.meta.waitFor(() => channel.meta.accepted.length === 1);
    await allQuiet(channel);
    const before = { ...channel.meta.requests };

    const { healthy, unwell } = await examine(channel);

    expect(unwell).toEqual([]);
    expect(healthy).toBe(true);
    const made = Object.keys(channel.meta.requests).filter((call) => channel.meta.requests[call] !== before[call]);
    expect(made.filter((call) => !call.startsWith("GET "))).toEqual([]);
  });

  it("says that an account is not subscribed, and what to do", async () => {
    const channel = await start();
    channel.meta.changeAccount(NUMBER.wabaId, { isSubscribed: false });

    const { problems, find } = await examine(channel);

    expect(problems).toEqual(["subscription"]);
    expect(find("subscription")).toMatchObject({
      seen: expect.stringContaining(NUMBER.wabaId),
      fix: expect.stringContaining("/subscribed_apps"),
      phoneNumberId: NUMBER.phoneNumberId,
    });
  });

  it("sees another address at the number, and at the account", async () => {
    const channel = await start();
    channel.meta.changeNumber(NUMBER.phoneNumberId, { overrideCallbackUri: "https://provider.example.net/in" });
    const atNumber = await examine(channel);
    channel.meta.changeNumber(NUMBER.phoneNumberId, { overrideCallbackUri: null });
    channel.meta.changeAccount(NUMBER.wabaId, { overrideCallbackUri: "https://elsewhere.example.net/in" });
    const atAccount = await examine(channel);

    expect(atNumber.problems).toEqual(["override"]);
    expect(atNumber.find("override")?.seen).toContain("this number's messages to https://provider.example.net instead");
    expect(atAccount.problems).toEqual(["override"]);
    expect(atAccount.find("override")?.seen).toContain(
      "this account's messages to https://elsewhere.example.net instead",
    );
  });

  it("says why a revoked token died, and blames nothing else for it", async () => {
    const channel = await start();
    channel.meta.revokeToken({ subcode: 458 });

    const { problems, find } = await examine(channel);

    expect(problems).toEqual(["token"]);
    expect(find("token")?.seen).toContain("the app was removed from the business");
    expect(find("registration")).toMatchObject({ state: "skipped", seen: expect.stringContaining("Access token") });
  });

  it("knows a token of another app, of other accounts, without a permission, and near its end", async () => {
    const channel = await start({ meta: { numbers: [NUMBER, OTHER_NUMBER] } });
    const withToken = async (accessToken: string) => {
      const key = Buffer.from(TOKEN_KEYS.slice(3), "base64");
      const [{ id: rowId }] = (await channel.rows<{ id: string }>("select id from whatsapp_connections")) as [
        { id: string },
      ];
      const sealed = createSecretBox([{ kid: "k1", key }]).seal(accessToken, {
        customerConfigId: TENANT,
        rowId,
        field: "access_token",
      });
      await channel.rows("update whatsapp_oauth_tokens set access_token_enc = ?", [sealed]);
      const { find, problems } = await examine(channel);
      return { problems, token: find("token")?.seen, expiry: find("token-expiry"), registration: find("registration") };
    };

    const ofAnother = await withToken(channel.meta.issueToken({ appId: "999999999999999" }));
    expect(ofAnother.problems).toEqual(["token"]);
    expect(ofAnother.registration).toMatchObject({ state: "skipped", seen: expect.stringContaining("Access token") });
    expect(ofAnother.token).toContain("another app (999999999999999)");
    const elsewhere = await withToken(channel.meta.issueToken({ wabaIds: [OTHER_NUMBER.wabaId] }));
    expect(elsewhere.problems).toEqual(["token"]);
    expect(elsewhere.token).toContain(`other accounts than ${NUMBER.wabaId}`);
    const silent = await withToken(channel.meta.issueToken({ scopes: ["whatsapp_business_management"] }));
    expect(silent.problems).toContain("token");
    expect(silent.token).toContain("whatsapp_business_messaging was not granted");
    const ending = await withToken(channel.meta.issueToken({ expiresInSeconds: 5 * 86_400 }));
    expect(ending.problems).toEqual([]);
    expect(ending.expiry).toMatchObject({ state: "warning", seen: expect.stringMatching(/ends in 5 days/) });
    const forAll = await withToken(channel.meta.issueToken({ omitTargetIds: true }));
    expect(forAll.problems).toEqual([]);
  });

  it("says that the key of a token is missing", async () => {
    const channel = await start();
    const other = `k2:${Buffer.alloc(32, 7).toString("base64")}`;

    const { problems, find } = await examine(channel, { config: { tokenKeys: other } });

    expect(problems).toEqual(["token"]);
    expect(find("token")).toMatchObject({
      seen: expect.stringContaining("key id is not in WHATSAPP_TOKEN_KEYS"),
      fix: expect.stringContaining("back into WHATSAPP_TOKEN_KEYS"),
    });
  });

  it("sees a number that is not registered, and what Meta holds against it", async () => {
    const channel = await start();
    channel.meta.changeNumber(NUMBER.phoneNumberId, { isRegistered: false, qualityRating: "RED" });
    channel.meta.changeAccount(NUMBER.wabaId, {
      reviewStatus: "REJECTED",
      health: {
        canSendMessage: "BLOCKED",
        errors: [{ error_code: 141006, error_description: "There is an error with the payment method." }],
      },
    });

    const { problems, find } = await examine(channel);

    expect(problems).toEqual(["registration", "quality", "health", "payment"]);
    expect(find("payment")?.fix).toContain("add a payment method");
  });

  it("sees where Meta calls another address, none, or without messages", async () => {
    const channel = await start();
    const ours = new URL(channel.url).origin;
    const elsewhere = await serve((_request, response) => response.writeHead(404).end());
    channel.meta.setWebhookUrl(`${elsewhere}/hook`);
    const another = await examine(channel);
    expect(another.problems).toEqual(["callback-at-meta"]);
    expect(another.find("callback-at-meta")).toMatchObject({
      seen: expect.stringContaining(`${elsewhere}/hook`),
      fix: expect.stringContaining(`enter ${ours}/api/whatsapp/webhook`),
    });
    channel.meta.setWebhookUrl(null);
    expect((await examine(channel)).problems).toEqual(["callback-at-meta", "fields"]);

    const deaf = await start({ meta: { webhookFields: ["account_update"] } });
    expect((await examine(deaf)).problems).toEqual(["fields"]);
  });

  it("asks its own address as Meta does: wrong token, redirect, a page, nobody there, silence", async () => {
    const channel = await start();
    const at = async (appUrl: string) => {
      channel.meta.setWebhookUrl(`${appUrl}/api/whatsapp/webhook`);
      const { find, problems } = await examine(channel, { config: { appUrl } });
      expect(problems).toEqual(["callback"]);
      return find("callback")?.seen;
    };
    let followed = 0;
    const target = await serve((_request, response) => {
      followed += 1;
      response.end();
    });

    const ours = new URL(channel.url).origin;
    expect((await examine(channel, { config: { verifyToken: "another-verify-token" } })).problems).toEqual([
      "callback",
    ]);
    expect(await at(await serve((_q, response) => response.writeHead(308, { location: target }).end()))).toContain(
      "308",
    );
    expect(followed).toBe(0);
    expect(await at(await serve((_q, response) => response.end("<h1>Hello</h1>")))).toContain("something else");
    const gone = await serve((_q, response) => response.end());
    const server = stops.splice(-2);
    for (const stop of server) await stop();
    expect(await at(gone)).toContain("ECONNREFUSED");
    channel.meta.setWebhookUrl(`${ours}/api/whatsapp/webhook`);
  });

  it("knows an app secret that belongs to another app", async () => {
    const channel = await start();

    const { problems, find } = await examine(channel, { config: { metaAppSecret: "secret-of-another-app" } });

    expect(problems[0]).toBe("app");
    expect(find("fields")).toMatchObject({ state: "skipped" });
  });

  it("knows it without the app's id too, by what Meta says to the number's token", async () => {
    const channel = await start();

    const { healthy, checks, problems } = await examine(channel, {
      config: { metaAppId: undefined, metaAppSecret: "secret-of-another-app" },
    });

    expect([healthy, problems]).toEqual([false, ["app"]]);
    expect(checks.filter(({ seen }) => seen.startsWith("Could not be looked at"))).toEqual([]);
  });

  it("sees that a number is gone at Meta", async () => {
    const channel = await start();
    await channel.rows("update whatsapp_connections set phone_number_id = '301777000333000'");

    const { healthy, problems, find } = await examine(channel);

    expect([healthy, problems]).toEqual([false, ["registration"]]);
    expect(find("name")).toMatchObject({ state: "skipped" });
  });

  it("says what it cannot know without the app's id, and looks at the rest", async () => {
    const channel = await start();

    const { problems, find } = await examine(channel, { config: { metaAppId: undefined, appUrl: undefined } });

    expect(problems).toEqual([]);
    expect(find("app")).toMatchObject({ state: "skipped", seen: expect.stringContaining("Configuration") });
    expect(find("token")).toMatchObject({ state: "warning", seen: expect.stringContaining("Meta accepts it") });
    expect(find("subscription")).toMatchObject({ state: "warning", seen: expect.stringContaining(APP_ID) });
    expect(find("registration")?.state).toBe("ok");
  });

  it("counts deliveries for numbers that nobody has connected, for the operator alone", async () => {
    const channel = await start({ meta: { numbers: [NUMBER, OTHER_NUMBER] } });
    channel.meta.person({ name: "Ada", phoneNumber: "447700900123" }).says("hello", { to: OTHER_NUMBER.phoneNumberId });
    await channel.meta.idle();

    const operator = await examine(channel);
    const tenant = await examine(channel, { customerConfigId: TENANT });

    expect(operator.find("unrouted")).toMatchObject({ state: "warning", seen: expect.stringContaining("1 for …3999") });
    expect(tenant.find("unrouted")).toMatchObject({ state: "ok" });
  });

  it("says that nobody works, when the host has forgotten to start", async () => {
    const channel = await start({ start: false });
    channel.meta.person({ name: "Ada", phoneNumber: "447700900123" }).says("hello");
    await channel.meta.idle();
    await channel.rows("update whatsapp_lanes set ready_at = now() - interval '5 minutes'");

    const { problems, find } = await examine(channel);

    expect(problems).toEqual(["queue"]);
    expect(find("queue")?.fix).toContain("whatsapp.start()");
  });

  it("tells of the last send's failure, and of sends that wait for a token", async () => {
    const channel = await start({ reply: () => "hi" });
    channel.meta.faults.next({ do: { error: { code: 131026 } } });
    channel.meta.person({ name: "Ada", phoneNumber: "447700900123" }).says("hello");
    await channel.until(
      async () => (await channel.rows("select 1 from whatsapp_outbox where state = 'failed'")).length === 1,
      "the failure",
    );
    const failed = await examine(channel);
    channel.meta.revokeToken();
    channel.meta.person({ name: "Ada", phoneNumber: "447700900123" }).says("hello again");
    await channel.until(
      async () =>
        (await channel.rows("select 1 from whatsapp_connections where state = 'reauth_required'")).length === 1,
      "the refusal",
    );
    const waiting = await examine(channel);

    expect(failed.find("sent")).toMatchObject({
      state: "warning",
      seen: expect.stringContaining("cannot be reached on WhatsApp"),
    });
    expect(waiting.find("sent")).toMatchObject({ state: "problem", seen: "1 message waits for a new token." });
    expect(waiting.find("connection")?.state).toBe("problem");
  });

  it("survives without Meta, without a database, without tables, and without a configuration", async () => {
    const channel = await start();
    const withoutMeta = await examine(channel, { config: { graphUrl: "http://127.0.0.1:9" } });
    expect(withoutMeta.problems).toEqual(["graph"]);
    expect(withoutMeta.find("registration")?.seen).toContain("Meta's Graph API");

    const offline = await examine(channel, { offline: true });
    expect(offline.healthy).toBe(true);

    const unconfigured = await runDoctor(channel.database.knex, { config: {} });
    expect(unconfigured.checks.filter(({ state }) => state === "problem").map(({ id }) => id)).toEqual([
      "configuration",
    ]);
    expect(unconfigured.checks[0]?.seen).toContain("WHATSAPP_VERIFY_TOKEN");

    const empty = await createTestDatabase({ empty: true });
    stops.push(empty.drop);
    const bare = await runDoctor(empty.knex, { config: {} });
    expect(bare.checks.filter(({ state }) => state === "problem").map(({ id }) => id)).toEqual([
      "configuration",
      "migrations",
    ]);
    expect(bare.checks.find(({ id }) => id === "queue")?.seen).toContain("Migrations");

    await empty.knex.destroy();
    const gone = await runDoctor(empty.knex, { config: {} });
    expect(gone.checks.find(({ id }) => id === "database")?.state).toBe("problem");
  });
});

describe("GET /doctor", () => {
  it("shows a tenant their own numbers, and nothing of others or of secrets", async () => {
    const channel = await start({
      config: { metaAppId: APP_ID },
      meta: { numbers: [NUMBER, OTHER_NUMBER] },
    });
    await channel.rows("insert into customer_configs (id) values (?)", [OTHER_TENANT]);
    const { phoneNumberId, wabaId } = OTHER_NUMBER;
    await channel.plugin.connect({ customerConfigId: OTHER_TENANT, accessToken: ACCESS_TOKEN, phoneNumberId, wabaId });

    const nobody = await fetch(`${channel.url}/doctor`);
    const answer = await fetch(`${channel.url}/doctor`, { headers: { "x-tenant": TENANT } });
    const text = await answer.text();

    expect(nobody.status).toBe(403);
    expect(answer.status).toBe(200);
    const { healthy, checks } = JSON.parse(text);
    expect(healthy).toBe(true);
    expect(checks[0]).toEqual({
      id: "configuration",
      title: "Configuration",
      state: "warning",
      seen: expect.any(String),
      fix: expect.any(String),
      phone_number_id: null,
    });
    const numbers = new Set(checks.map((check: { phone_number_id: string | null }) => check.phone_number_id));
    expect([...numbers]).toEqual([null, NUMBER.phoneNumberId]);
    for (const foreign of [...SECRETS, OTHER_NUMBER.phoneNumberId, OTHER_NUMBER.wabaId, "Other Shop", OTHER_TENANT])
      expect(text).not.toContain(foreign);
  });

  it("examines once for all who ask at the same time", async () => {
    const channel = await start({ config: { metaAppId: APP_ID } });
    const before = channel.meta.requests[`GET /${APP_ID}`] ?? 0;

    await Promise.all(Array.from({ length: 5 }, () => channel.plugin.doctor({ customerConfigId: TENANT })));

    expect((channel.meta.requests[`GET /${APP_ID}`] ?? 0) - before).toBe(1);
  });
});
