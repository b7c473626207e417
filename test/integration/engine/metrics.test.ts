/** The numbers that an operator watches: what waits, what was done, what was refused, and nobody's name. */
import { signatureOf } from "@omniops/whatsapp/simulator";
import { describe, expect, it } from "vitest";
import { APP_SECRET, allQuiet, NUMBER, TENANT, until } from "../../support/channel.ts";
import { ADA, channelFor, delivery, gate, message } from "./support.ts";

describe("metrics", () => {
  it("count what this process has received, refused, applied, answered and sent", async () => {
    const channel = await channelFor();
    const ada = channel.meta.person({ name: "Ada", phoneNumber: ADA });
    ada.says("hello");
    await channel.meta.waitFor(() => channel.meta.accepted.length === 1);
    await allQuiet(channel);
    const before = (await channel.plugin.metrics()).process;
    const { body } = delivery(message({ id: "wamid.again" }));
    const post = (signature: string) =>
      fetch(`${channel.url}/webhook`, {
        method: "POST",
        headers: { "x-hub-signature-256": signature, "content-type": "application/json" },
        body: Buffer.from(body),
      });

    expect((await post(signatureOf(Buffer.from(body), "another-secret"))).status).toBe(401);
    expect((await post("unsigned")).status).toBe(401);
    expect((await post(signatureOf(Buffer.from(body), APP_SECRET))).status).toBe(200);
    expect((await post(signatureOf(Buffer.from(body), APP_SECRET))).status).toBe(200);
    await channel.meta.waitFor(() => channel.meta.accepted.length === 2);
    await allQuiet(channel);

    const { process } = await channel.plugin.metrics();
    const [{ n: stored } = { n: "" }] = await channel.rows<{ n: string }>("select count(*) as n from whatsapp_events");
    expect(process.events).toEqual({ accepted: Number(stored), duplicate: 1, ignored: 0, applied: Number(stored) });
    expect(process.webhooks["401"]).toBe(2);
    expect(process.eventsByKind).toEqual({ message: 2, status: Number(stored) - 2 });
    expect(process.sendErrors).toEqual({});
    const deliveries = await channel.rows("select 1 from whatsapp_webhooks");
    expect(process.webhooks["200"]).toBe(deliveries.length);
    expect(process.commits.deliveries).toBe(deliveries.length);
    expect(process.turns).toEqual({ answered: 2, silent: 0 });
    expect(process.sends).toEqual({
      accepted: 2,
      rejected: 0,
      postponed: 0,
      ambiguous: 0,
      failed: 0,
      expired: 0,
      unknown: 0,
      undelivered: 0,
    });
    expect(process.hostEvents).toBe(channel.events.length);
    expect(before.webhooks["401"]).toBe(0);
  });

  it("tell a turn that was answered in pieces from one that was met with silence", async () => {
    const channel = await channelFor({
      async reply(turn) {
        if (turn.messages[0]?.text === "quiet") return null;
        return (async function* () {
          yield "One paragraph.\n\n";
          yield "Another one.";
        })();
      },
    });
    const ada = channel.meta.person({ name: "Ada", phoneNumber: ADA });
    ada.says("quiet");
    await until(async () => (await channel.plugin.metrics()).process.turns.silent === 1, "the silent turn");
    ada.says("speak");
    await until(async () => (await channel.plugin.metrics()).process.turns.answered === 1, "the answered turn");

    expect((await channel.plugin.metrics()).process.turns).toEqual({ answered: 1, silent: 1 });
  });

  it("count refusals of Meta, answers that were lost, and how parts ended", async () => {
    const channel = await channelFor();
    const ada = channel.meta.person({ name: "Ada", phoneNumber: ADA });
    channel.meta.faults.next({ do: { error: { code: 131009, details: "Parameter value is not valid" } } });
    ada.says("refused");
    await until(async () => (await channel.plugin.metrics()).process.sends.failed === 1, "the refusal");
    channel.meta.faults.next({ do: "accept-then-reset" });
    ada.says("lost");
    await until(async () => (await channel.plugin.metrics()).process.sends.ambiguous === 1, "the lost answer");
    await allQuiet(channel);

    expect((await channel.plugin.metrics()).process.sends).toMatchObject({ rejected: 1, ambiguous: 1, failed: 1 });
    expect((await channel.plugin.metrics()).process.sendErrors).toEqual({ 131009: 1, GRAPH_AMBIGUOUS: 1 });
  });

  it("show what waits in each stage and for how long, what lies aside, and the numbers by their state", async () => {
    const thinking = gate("done");
    const channel = await channelFor({ reply: () => thinking.promise });
    channel.meta.person({ name: "Ada", phoneNumber: ADA }).says("hello");
    await until(
      async () =>
        (await channel.plugin.metrics()).database.stages.some(({ stage, leased }) => stage === "turn" && leased === 1),
      "the turn to be worked",
    );
    await channel.plugin.stop();
    await channel.rows("update whatsapp_lanes set ready_at = now() - interval '90 seconds' where stage = 'turn'");
    await channel.rows(
      "insert into whatsapp_lanes (lane_key, stage, pending, ready_at) values ('out:x', 'out', 1, now() + interval '1 hour')",
    );
    await channel.rows(
      "insert into whatsapp_host_events (lane_key, event, state) select 'n', '{\"kind\":\"account\"}', 2 from generate_series(1, 3)",
    );

    const { database } = await channel.plugin.metrics();

    const of = (wanted: string) => database.stages.find(({ stage }) => stage === wanted);
    expect(database.stages.map(({ stage }) => stage)).toEqual(["in", "media", "turn", "out", "notify"]);
    expect(of("turn")).toMatchObject({ ready: 1, leased: 0, later: 0 });
    expect(of("turn")?.oldestWaitMs).toBeGreaterThanOrEqual(90_000);
    expect(of("out")).toEqual({ stage: "out", ready: 0, leased: 0, later: 1, oldestWaitMs: 0 });
    expect(database.deadLetters).toEqual({ in: 0, turn: 0, notify: 3 });
    expect(database.numbers).toEqual({ connected: 1, reauth_required: 0, disconnected: 0 });
    expect(database.parts).toEqual({ queued: 0, held: 0, sending: 0, unknown: 0 });
    expect(database.webhookAgeMs).toBeGreaterThanOrEqual(0);
    await channel.rows("delete from whatsapp_lanes");
  });

  it("name no more than a hundred numbers, those in trouble first, and count all", async () => {
    const channel = await channelFor({ start: false });
    await channel.rows(
      `insert into whatsapp_connections (customer_config_id, phone_number_id, waba_id, display_phone_number, state)
       select ?, n::text, '1', 'x', case when n <= 130 then 'connected' when n <= 133 then 'reauth_required' else 'disconnected' end
       from generate_series(1, 140) n`,
      [TENANT],
    );

    await channel.rows(
      `insert into whatsapp_paces (connection_id, paused_until)
       select id, now() + case when state = 'connected' then interval '-1 minute' else '1 minute' end
       from whatsapp_connections where phone_number_id <> '133'`,
    );

    // And one that the breaker has paused; of the connected ones the oldest are shown.
    await channel.rows(
      "update whatsapp_connections set paused_until = now() + interval '1 minute', pause_strikes = 1, created_at = now() - interval '1 day' where phone_number_id = '1'",
    );

    await channel.rows(
      `insert into whatsapp_oauth_tokens (customer_config_id, connection_id, access_token_enc, expires_at)
       select customer_config_id, id, 'sealed', '2030-01-01T00:00:00Z' from whatsapp_connections where phone_number_id = '131'`,
    );

    const { numbers, eachNumber } = (await channel.plugin.metrics()).database;

    expect(numbers).toEqual({ connected: 131, reauth_required: 3, disconnected: 7 });
    expect(eachNumber).toHaveLength(100);
    expect(eachNumber.map(({ paused }) => paused)).toHaveLength(100);
    expect(eachNumber.filter(({ paused }) => paused)).toHaveLength(3);
    expect(
      eachNumber.flatMap(({ tokenExpiresAt }) => (tokenExpiresAt === null ? [] : [tokenExpiresAt.toISOString()])),
    ).toEqual(["2030-01-01T00:00:00.000Z"]);
    expect(eachNumber.map(({ state }) => state)).toEqual([
      ...Array.from({ length: 3 }, () => "reauth_required"),
      ...Array.from({ length: 97 }, () => "connected"),
    ]);
  });
});

describe("the end of a token", () => {
  it("is known of all numbers, and those that end first are among the hundred that are shown", async () => {
    const channel = await channelFor({ start: false });
    await channel.rows(
      `insert into whatsapp_connections (customer_config_id, phone_number_id, waba_id, display_phone_number, state)
       select ?, n::text, '1', 'x', case when n <= 230 then 'connected' else 'reauth_required' end from generate_series(1, 231) n`,
      [TENANT],
    );
    // The youngest number's ends first, in two days; a number that needs a reconnect has its own alert.
    await channel.rows(
      `insert into whatsapp_oauth_tokens (customer_config_id, connection_id, access_token_enc, expires_at)
       select customer_config_id, id, 'sealed', timestamptz '2030-01-01T00:00:00Z' - phone_number_id::int * interval '1 day'
       from whatsapp_connections where waba_id = '1'`,
    );

    const { eachNumber, nextTokenExpiresAt } = (await channel.plugin.metrics()).database;

    expect(nextTokenExpiresAt?.toISOString()).toBe("2029-05-16T00:00:00.000Z");
    expect(eachNumber).toHaveLength(100);
    expect(eachNumber.slice(1).map(({ tokenExpiresAt }) => tokenExpiresAt?.getTime())).toEqual(
      Array.from({ length: 99 }, (_, i) => Date.parse("2029-05-16T00:00:00Z") + i * 86_400_000),
    );
  });
});

describe("GET /metrics", () => {
  it("is for nobody, unless the host lets them in", async () => {
    const closed = await channelFor({ start: false });
    expect((await fetch(`${closed.url}/metrics`, { headers: { "x-tenant": TENANT } })).status).toBe(403);

    const open = await channelFor({
      start: false,
      plugin: {
        allowMetrics: (request: { headers: Record<string, string | undefined> }) =>
          request.headers.authorization === "Bearer scraper",
      },
    });
    expect((await fetch(`${open.url}/metrics`)).status).toBe(403);
    const answer = await fetch(`${open.url}/metrics`, { headers: { authorization: "Bearer scraper" } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(await answer.text()).toContain('whatsapp_numbers{state="connected"} 1\n');
  });

  it("says that the database is away, as the alerts look for, and what this process has counted", async () => {
    const channel = await channelFor({ start: false, plugin: { allowMetrics: () => true } });
    await fetch(`${channel.url}/webhook`, { method: "POST", body: "{}" });
    await channel.database.drop();

    const answer = await fetch(`${channel.url}/metrics`);
    const text = await answer.text();

    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(text).toContain("\nwhatsapp_up 0\n");
    expect(text).toContain("\nwhatsapp_metrics_refused 0\n");
    expect(text).toContain('\nwhatsapp_webhook_answers_total{code="401"} 1\n');
    expect(text).toContain("# TYPE whatsapp_numbers gauge\n");
    expect(text).not.toMatch(/^whatsapp_numbers/m);
  });

  it("tells a database that refuses from one that is away, and the log says by which SQLSTATE", async () => {
    const channel = await channelFor({ start: false, plugin: { allowMetrics: () => true } });
    await channel.rows("alter table whatsapp_alarms rename to alarms_away");

    const text = await (await fetch(`${channel.url}/metrics`)).text();

    expect(text).toContain("\nwhatsapp_up 1\n");
    expect(text).toContain("\nwhatsapp_metrics_refused 1\n");
    expect(channel.logs.filter(({ message }) => message.startsWith("the database refused"))).toMatchObject([
      { level: "warn", fields: { error: "error 42P01" } },
    ]);
    await channel.rows("alter table alarms_away rename to whatsapp_alarms");
    expect(await (await fetch(`${channel.url}/metrics`)).text()).toContain("\nwhatsapp_metrics_refused 0\n");
  });

  it("names no tenant, no person and no business number", async () => {
    const channel = await channelFor({ plugin: { allowMetrics: () => true } });
    channel.meta.person({ name: "Ada", phoneNumber: ADA }).says("hello");
    await channel.meta.waitFor(() => channel.meta.accepted.length === 1);
    await allQuiet(channel);

    const text = await (await fetch(`${channel.url}/metrics`)).text();

    for (const secret of [
      ADA,
      "Ada",
      TENANT,
      NUMBER.phoneNumberId,
      NUMBER.wabaId,
      NUMBER.displayPhoneNumber,
      "Test Shop",
    ])
      expect(text).not.toContain(secret);
    expect(text).toContain('whatsapp_sends_total{outcome="accepted"} 1\n');
  });
});
