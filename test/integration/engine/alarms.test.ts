/** F19 and others: what goes wrong is seen in the database, told once by all instances together, and told to be over. */
import { randomUUID } from "node:crypto";
import type { Alarm, HostEvent } from "@omniops/whatsapp";
import { signatureOf } from "@omniops/whatsapp/simulator";
import { describe, expect, it } from "vitest";
import { readAlarmLimits } from "../../../plugin/operations/alarms.ts";
import { createWatch } from "../../../plugin/operations/watch.ts";
import type { Store } from "../../../plugin/ports.ts";
import { APP_SECRET, NUMBER, TENANT, until } from "../../support/channel.ts";
import { ADA, channelFor, claimed, delivery, type Engine, hold, message, startEngine } from "./support.ts";

type Rows = Engine["rows"];

async function sign(store: Pick<Store, "alarms">, kind: Alarm["kind"], subject = ""): Promise<number | undefined> {
  const found = (await store.alarms.signs()).find((one) => one.kind === kind && one.subject === subject);
  return found?.value;
}

async function connectionOf(rows: Rows): Promise<string> {
  const [row] = await rows<{ id: string }>("select id from whatsapp_connections");
  return row?.id ?? expect.fail("no number is connected");
}

/** Parts that have left so many minutes ago and are in this state since. */
async function sent(rows: Rows, states: readonly string[], minutesAgo: number, isMarketing = false): Promise<void> {
  const connection = await connectionOf(rows);
  for (const state of states) {
    const send = randomUUID();
    await rows(
      "insert into whatsapp_sends (id, customer_config_id, conversation_id, request_hash) values (?, ?, ?, 'x')",
      [send, TENANT, randomUUID()],
    );
    await rows(
      `insert into whatsapp_outbox (send_id, part_index, lane_key, connection_id, customer_config_id, contact_id,
         conversation_id, kind, payload, state, is_marketing, updated_at)
       values (?, 0, 'out:x', ?, ?, 1, gen_random_uuid(), 'text', '{}', ?, ?, now() - ? * interval '1 minute')`,
      [send, connection, TENANT, state, isMarketing, minutesAgo],
    );
  }
}

async function heard(rows: Rows, minutesAgo: number, number = NUMBER.phoneNumberId): Promise<void> {
  await rows(
    `insert into whatsapp_events (dedupe_key, kind, phone_number_id, payload, state, webhook_id, created_at)
     values (?, 'status', ?, '{}', 1, 1, now() - ? * interval '1 minute')`,
    [randomUUID(), number, minutesAgo],
  );
}

describe("the database shows", () => {
  it("work that nobody takes, by stage", async () => {
    const { store, rows } = await startEngine();
    await rows(
      `insert into whatsapp_lanes (lane_key, stage, pending, ready_at, lease_token) values
         ('a', 'turn', 1, now() - interval '90 seconds', null), ('b', 'turn', 1, now() - interval '10 seconds', null),
         ('c', 'in', 1, now() + interval '1 hour', null), ('d', 'out', 1, now() - interval '5 seconds', gen_random_uuid())`,
    );

    expect(await sign(store, "lag", "turn")).toBeGreaterThanOrEqual(90);
    expect(await sign(store, "lag", "in")).toBeUndefined();
    // Its lease has run out, and nobody has taken it yet.
    expect(await sign(store, "lag", "out")).toBeGreaterThanOrEqual(5);
  });

  it("conversations whose next step fails again and again, by stage, and none that failed for a moment", async () => {
    const { store, rows } = await startEngine();
    await rows(
      `insert into whatsapp_lanes (lane_key, stage, pending, ready_at, attempts) values
         ('a', 'turn', 1, now() + interval '1 minute', 7), ('b', 'turn', 1, now(), 12), ('c', 'turn', 1, now(), 6),
         ('d', 'media', 1, now(), 30), ('e', 'notify', 0, null, 9)`,
    );

    expect(await sign(store, "failing", "turn")).toBe(2);
    expect(await sign(store, "failing", "notify")).toBeUndefined();
    expect(await sign(store, "failing", "media")).toBeUndefined();
  });

  it("a transaction that holds vacuum back, while it is open (F19)", async () => {
    const engine = await startEngine();
    expect(await sign(engine.store, "long-transaction")).toBeUndefined();

    const reader = await hold(engine.database);
    await reader.query("set transaction isolation level repeatable read");
    await reader.query("select count(*) from whatsapp_lanes");
    expect(await sign(engine.store, "long-transaction")).toBeGreaterThan(0);

    await reader.commit();
    expect(await sign(engine.store, "long-transaction")).toBeUndefined();
  });

  it("dead letters of the last hour by stage, and no older ones", async () => {
    const { store, rows } = await startEngine();
    await rows(
      `insert into whatsapp_host_events (lane_key, event, state, created_at)
       select 'x', '{"kind":"account"}', 2, now() - n * interval '40 minutes' from generate_series(0, 3) n`,
    );

    expect(await sign(store, "dead-letters", "notify")).toBe(2);
    expect(await sign(store, "dead-letters", "turn")).toBe(0);
  });

  it("a dead letter by when it died, however long ago it came, and no more once it is put back", async () => {
    const { store, rows } = await startEngine();
    await store.inbox.record([delivery(message({ id: "wamid.old" }))]);
    await rows("update whatsapp_events set created_at = now() - interval '2 hours'");
    const [lane] = await claimed(store);
    const [event] = await store.inbox.load([lane!], 1);
    await store.inbox.bury(lane!, event!.eventId, "error P0001");
    await rows(
      `insert into whatsapp_host_events (lane_key, event, state, created_at, died_at)
       select 'x', '{"kind":"account"}', 2, now() - interval '1 day', now() - n * interval '40 minutes' from generate_series(0, 3) n`,
    );

    expect(await sign(store, "dead-letters", "in")).toBe(1);
    expect(await sign(store, "dead-letters", "notify")).toBe(2);
    await store.deadLetters.redrive({ customerConfigId: null }, { ids: null, limit: 10 });
    expect(await sign(store, "dead-letters", "in")).toBe(0);
    expect(await rows("select 1 from whatsapp_events where died_at is not null")).toEqual([]);
    expect(await rows("select 1 from whatsapp_host_events where died_at is not null")).toEqual([]);
  });

  it("deliveries that could not be read", async () => {
    const channel = await channelFor({ start: false });
    const store = (await startEngine()).another({ knex: channel.database.knex });
    const body = Buffer.from("{not json");
    const answer = await fetch(`${channel.url}/webhook`, {
      method: "POST",
      headers: { "x-hub-signature-256": signatureOf(body, APP_SECRET) },
      body,
    });

    expect(answer.status).toBe(200);
    expect(await sign(store, "quarantined")).toBe(1);
    await channel.rows("update whatsapp_webhooks set created_at = now() - interval '61 minutes'");
    expect(await sign(store, "quarantined")).toBe(0);
  });

  it("parts that became unknown within the hour", async () => {
    const { store, rows } = await startEngine();
    await sent(rows, ["unknown", "unknown", "delivered"], 10);
    await sent(rows, ["unknown"], 70);

    expect(await sign(store, "unknown-sends")).toBe(2);
  });
});

describe("the database also shows", () => {
  it("parts that turned out to have been sent twice within the hour", async () => {
    const { store, rows } = await startEngine();
    await sent(rows, ["delivered", "delivered"], 10);
    expect(await sign(store, "sent-twice")).toBe(0);

    await rows("update whatsapp_outbox set duplicate_message_id = 'wamid.' || id");
    expect(await sign(store, "sent-twice")).toBe(2);
    expect(await store.operations.sentTwice()).toBe(2);
    await rows("update whatsapp_outbox set updated_at = now() - interval '61 minutes'");
    expect(await sign(store, "sent-twice")).toBe(0);
  });
});

describe("a number's webhooks are silent", () => {
  const silent = async ({ store, rows }: Engine) => sign(store, "webhooks-silent", await connectionOf(rows));

  it("when its messages are accepted and nothing comes of them, for as long as the eldest of them waits", async () => {
    const engine = await startEngine();
    await sent(engine.rows, ["delivered"], 40);
    await heard(engine.rows, 30);
    await heard(engine.rows, 1, "another number");
    await sent(engine.rows, ["accepted", "accepted", "accepted"], 20);

    expect(Math.round((await silent(engine)) ?? 0)).toBe(1_200);
  });

  it("not when anything of it has come since", async () => {
    const engine = await startEngine();
    await sent(engine.rows, ["delivered"], 40);
    await sent(engine.rows, ["accepted", "accepted", "accepted"], 20);
    await heard(engine.rows, 10);

    expect(await silent(engine)).toBeUndefined();
  });

  it("not when others are so busy that its own events are too far back to be looked at", async () => {
    const engine = await startEngine();
    await sent(engine.rows, ["delivered"], 40);
    await sent(engine.rows, ["accepted", "accepted", "accepted"], 20);
    await heard(engine.rows, 10);
    await engine.rows(
      `insert into whatsapp_events (dedupe_key, kind, phone_number_id, payload, state, webhook_id, created_at)
       select 'busy' || n, 'status', 'another number', '{}', 1, 1, now() - interval '5 minutes' from generate_series(1, 200000) n`,
    );

    expect(await silent(engine)).toBeUndefined();
  });

  it.each<[string, (rows: Rows) => Promise<void>]>([
    [
      "one or two statuses are missing",
      async (rows) => {
        await sent(rows, ["delivered"], 40);
        await sent(rows, ["accepted", "accepted"], 20);
      },
    ],
    ["it never got a status", (rows) => sent(rows, ["accepted", "accepted", "accepted"], 20)],
    [
      "what waits are advertisements, which Meta may hold",
      async (rows) => {
        await sent(rows, ["delivered"], 40);
        await sent(rows, ["accepted", "accepted", "accepted"], 20, true);
      },
    ],
    [
      "it needs a reconnect: that is told already",
      async (rows) => {
        await sent(rows, ["delivered"], 40);
        await sent(rows, ["accepted", "accepted", "accepted"], 20);
        await rows("update whatsapp_connections set state = 'reauth_required'");
      },
    ],
    ["nothing was sent: nobody writing is no fault", (rows) => heard(rows, 600)],
  ])("not when %s", async (_, arrange) => {
    const engine = await startEngine();
    await arrange(engine.rows);

    expect(await silent(engine)).toBeUndefined();
  });
});

describe("of all instances", () => {
  it("one raises and one clears, however many look at the same time", async () => {
    const engine = await startEngine({ hasListener: true });
    const logged: string[] = [];
    const log = (_fields: object, text: string) => void logged.push(text);
    const limits = readAlarmLimits({ "long-transaction": Number.POSITIVE_INFINITY }) ?? expect.fail();
    const instances = [engine.store, engine.another(), engine.another()].map((store) =>
      createWatch({ alarms: store.alarms, limits, log: { debug: log, info: log, warn: log, error: log } }),
    );
    const all = () => Promise.all(instances.map((watch) => watch()));
    const told = async () =>
      (await engine.rows<{ event: HostEvent }>("select event from whatsapp_host_events order by id")).map(
        ({ event }) => (event.kind === "alarm" ? [event.alarm.kind, event.alarm.state] : event.kind),
      );
    await sent(engine.rows, ["unknown"], 10);

    await all();
    await all();
    expect(await told()).toEqual([["unknown-sends", "raised"]]);
    expect(logged).toHaveLength(1);

    await engine.rows("update whatsapp_outbox set state = 'delivered'");
    await all();
    await all();
    expect(await told()).toEqual([
      ["unknown-sends", "raised"],
      ["unknown-sends", "cleared"],
    ]);
    expect(logged).toHaveLength(2);
    expect(await engine.rows("select 1 from whatsapp_alarms")).toEqual([]);
  });
});

describe("several instances that see the same", () => {
  it("raise it once and clear it once: the others are told that somebody was faster", async () => {
    const engine = await startEngine();
    const stores = [engine.store, engine.another(), engine.another()];
    const change = (state: Alarm["state"]) => ({
      kind: "lag" as const,
      state,
      subject: "turn",
      value: 90,
      limit: 60,
      unit: "seconds" as const,
      message: "",
    });
    const all = async (state: Alarm["state"]) =>
      (await Promise.all(stores.map(({ alarms }) => alarms.change([change(state)])))).flat().map((one) => one.state);

    expect(await all("raised")).toEqual(["raised"]);
    expect(await all("cleared")).toEqual(["cleared"]);
  });
});

describe("a host", () => {
  it("hears of an alarm and of its end, sees it in the metrics, and finds it in the log", async () => {
    let fails = true;
    const channel = await channelFor({
      reply: () => {
        if (fails) throw new TypeError("the AI is away");
        return "here";
      },
      plugin: { alarms: { "dead-letters": 0 }, retry: { maxAttempts: 1, baseMs: 1, maxMs: 1 } },
    });
    const alarms = () => channel.events.flatMap((event) => (event.kind === "alarm" ? [event.alarm] : []));
    channel.meta.person({ name: "Ada", phoneNumber: ADA }).says("hello");

    await until(() => alarms().some(({ kind }) => kind === "dead-letters"), "the alarm");
    expect(alarms()).toEqual([
      {
        kind: "dead-letters",
        state: "raised",
        subject: "turn",
        since: expect.stringMatching(/^\d{4}-.*Z$/),
        value: 1,
        limit: 0,
        unit: "count",
        message: expect.stringContaining("whatsapp-channel dead-letters list --stage turn"),
      },
    ]);
    expect((await channel.plugin.metrics()).database.alarms).toMatchObject([{ kind: "dead-letters", subject: "turn" }]);
    expect(channel.logs.filter(({ fields }) => "alarm" in fields)).toMatchObject([{ level: "warn" }]);

    fails = false;
    await channel.plugin.deadLetters.redrive({});
    await until(() => alarms().some(({ state }) => state === "cleared"), "its end");
    expect(alarms().map(({ state, subject }) => [state, subject])).toEqual([
      ["raised", "turn"],
      ["cleared", "turn"],
    ]);
    expect((await channel.plugin.metrics()).database.alarms).toEqual([]);
  });

  it("that wants no alarms has none, and one that does not listen has them in its log", async () => {
    const off = await channelFor({ start: false, plugin: { alarms: false } });
    const deaf = await channelFor({ start: false, plugin: { alarms: {}, onEvent: undefined as never } });
    for (const channel of [off, deaf]) {
      await channel.rows(
        "insert into whatsapp_host_events (lane_key, event, state) values ('x', '{\"kind\":\"account\"}', 2)",
      );
      await channel.plugin.tick();
    }

    expect(await off.rows("select 1 from whatsapp_alarms")).toEqual([]);
    expect(await deaf.rows("select kind, subject from whatsapp_alarms")).toEqual([
      { kind: "dead-letters", subject: "notify" },
    ]);
    expect(await deaf.rows("select 1 from whatsapp_lanes where stage = 'notify'")).toEqual([]);
    expect(deaf.logs.filter(({ fields }) => "alarm" in fields)).toHaveLength(1);
  });
});
