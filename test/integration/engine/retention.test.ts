/** T72: what is settled and old goes, in small transactions, and nothing that waits or that Meta may bring again. */
import { createWhatsAppPlugin } from "@omniops/whatsapp";
import { describe, expect, it } from "vitest";
import { createStore } from "../../../adapters/postgres/store.ts";
import { advance, isPending } from "../../../plugin/pipeline/part-state.ts";
import { readRetention } from "../../../plugin/pipeline/retention.ts";
import type { Store } from "../../../plugin/ports.ts";
import { APP_SECRET, allQuiet, TOKEN_KEYS, until, VERIFY_TOKEN } from "../../support/channel.ts";
import {
  ADA,
  applyAll,
  BEN,
  channelFor,
  claimed,
  delivery,
  type Engine,
  hold,
  message,
  startEngine,
  status,
  stranded,
} from "./support.ts";

const prune = (store: Store) => store.prune(readRetention(), new AbortController().signal);

async function age(rows: Engine["rows"], days: number, where = "true", tables = ["webhooks", "events"]) {
  for (const table of tables)
    await rows(`update whatsapp_${table} set created_at = now() - ? * interval '1 day' where ${where}`, [days]);
}

const count = async (rows: Engine["rows"], table: string) =>
  Number((await rows<{ n: string }>(`select count(*) as n from ${table}`))[0]?.n);

describe("an old delivery", () => {
  it("goes with its bytes after 30 days, its events with their keys too, and what it became stays", async () => {
    const { store, rows } = await startEngine();
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    await applyAll(store);

    await age(rows, 29);
    await prune(store);
    expect([await count(rows, "whatsapp_webhooks"), await count(rows, "whatsapp_events")]).toEqual([1, 1]);

    await age(rows, 31);
    expect(await prune(store)).toMatchObject({ webhooks: 1, events: 1 });
    expect(await count(rows, "messages")).toBe(1);
  });

  it("that Meta brings again within the kept time is still known", async () => {
    const { store, rows } = await startEngine();
    const same = delivery(message({ id: "wamid.1" }));
    await store.inbox.record([same]);
    await applyAll(store);
    await age(rows, 8);

    await prune(store);
    const [again] = await store.inbox.record([same]);

    expect(again).toMatchObject({ events: [{ outcome: "duplicate" }] });
  });

  it("loses its bytes before its keys, where the host says so", async () => {
    const { store, rows } = await startEngine();
    const same = delivery(message({ id: "wamid.1" }));
    await store.inbox.record([same]);
    await applyAll(store);
    await age(rows, 3);

    await store.prune(readRetention({ rawDays: 2 }), new AbortController().signal);

    expect([await count(rows, "whatsapp_webhooks"), await count(rows, "whatsapp_events")]).toEqual([0, 1]);
    expect(await store.inbox.record([same])).toMatchObject([{ events: [{ outcome: "duplicate" }] }]);
  });
});

describe("what Meta has of ours", () => {
  it("is forgotten when Meta no longer has it", async () => {
    const { store, rows } = await startEngine();
    await rows(
      `insert into whatsapp_media_uploads (phone_number_id, sha256, mime, meta_media_id, expires_at)
       select n::text, 'sum', 'image/png', '4410001', now() + n * interval '1 minute' from unnest(array[-1, 1]) n`,
    );

    await prune(store);

    expect(await rows("select phone_number_id from whatsapp_media_uploads")).toEqual([{ phone_number_id: "1" }]);
  });
});

describe("what is not settled", () => {
  it("stays however old it is: pending, parked; a dead letter, and what is for nobody, stays for 90 days", async () => {
    const { store, rows } = await startEngine();
    await store.inbox.record([delivery(message({ id: "wamid.dead" }))]);
    await applyAll(store);
    await rows("update whatsapp_events set state = 2");
    await store.inbox.record([delivery(status({ wamid: "wamid.parked", status: "delivered" }))]);
    await applyAll(store);
    await store.inbox.record([delivery(message({ id: "wamid.nobody", to: "399999999999999" }))]);
    await store.inbox.record([delivery(message({ id: "wamid.pending" }))]);
    await age(rows, 80);

    await prune(store);
    expect(await rows("select state, external_id from whatsapp_events order by id")).toEqual([
      { state: 2, external_id: "wamid.dead" },
      { state: 3, external_id: "wamid.parked" },
      { state: 4, external_id: "wamid.nobody" },
      { state: 0, external_id: "wamid.pending" },
    ]);
    // Only the delivery of which something is still to be applied keeps its bytes.
    expect(await count(rows, "whatsapp_webhooks")).toBe(1);

    await age(rows, 91);
    expect(await prune(store)).toMatchObject({ events: 2 });
    expect(await count(rows, "whatsapp_events")).toBe(2);
    await applyAll(store);
    expect(await rows("select content from messages where content = 'wamid.pending'")).toHaveLength(1);
  });

  it("goes when it was kept for a tenant who was connecting the number again, and never did", async () => {
    const { store, rows } = await startEngine();
    await rows("update whatsapp_connections set state = 'disconnected', disconnected_at = now()");
    await rows(
      `insert into whatsapp_onboardings (customer_config_id, flow, access_token_enc, progress)
       select customer_config_id, 'redirect', 'sealed', jsonb_build_object('chosen', jsonb_build_array(phone_number_id)) from whatsapp_connections`,
    );
    await store.inbox.record([delivery(message({ id: "wamid.kept" }))]);
    expect(await rows("select state from whatsapp_events")).toEqual([{ state: 4 }]);

    await age(rows, 31);
    await prune(store);

    expect(await count(rows, "whatsapp_events")).toBe(0);
  });

  it("a send stays while a part of it waits, and goes with parts and attempts once all have ended", async () => {
    const channel = await channelFor();
    channel.meta.person({ name: "Ada", phoneNumber: ADA }).says("hello");
    await allQuiet(channel);
    // The running channel would send what is held, and remove what is old.
    await channel.plugin.stop();
    await age(channel.rows, 100, "true", ["sends", "outbox", "turns"]);
    await channel.rows("update whatsapp_outbox set state = 'held'");
    const store = createStore(channel.database.knex, {
      schema: "public",
      hostSchema: "public",
      leaseMs: 1_000,
      coalesceMs: 0,
      hasListener: false,
      advance,
      isPending,
    });

    expect(await prune(store)).toMatchObject({ sends: 0, turns: 1 });
    await channel.rows("update whatsapp_outbox set state = 'read'");
    expect(await prune(store)).toMatchObject({ sends: 1 });

    for (const table of ["whatsapp_outbox", "whatsapp_send_attempts"]) expect(await count(channel.rows, table)).toBe(0);
  });
});

describe("the lane of a message that nobody here has sent", () => {
  const statusLanes = (rows: Engine["rows"]) =>
    rows<{ lane_key: string; pending: number }>(
      "select lane_key, pending from whatsapp_lanes where lane_key like 'in:status:%' order by lane_key",
    );
  const report = (store: Store, wamids: readonly string[], name: "sent" | "delivered" = "sent") =>
    store.inbox.record([delivery(...wamids.map((wamid) => status({ wamid, status: name })))]);

  it("goes when nothing waits in it and nobody works it, and comes back with the next status", async () => {
    const { store, rows } = await startEngine();
    await report(store, ["wamid.idle", "wamid.worked", "wamid.other"]);
    await applyAll(store);
    await report(store, ["wamid.worked"], "delivered");
    await claimed(store);
    await report(store, ["wamid.waits"]);
    await store.inbox.record([delivery(message({ id: "wamid.message", phone: BEN }))]);

    expect(await prune(store)).toMatchObject({ others: 2 });
    expect((await statusLanes(rows)).map(({ pending }) => pending)).toEqual([1, 1]);
    expect(await rows("select 1 from whatsapp_lanes where lane_key like 'in:contact:%'")).toHaveLength(1);

    await report(store, ["wamid.idle"], "delivered");
    await rows("update whatsapp_lanes set lease_token = null, ready_at = now() where pending > 0");
    await applyAll(store);
    expect(await rows("select 1 from whatsapp_events where external_id = 'wamid.idle' and state = 3")).toHaveLength(2);
    expect(await stranded(rows)).toEqual([]);
  });

  it("that comes back when its message is known is its tenant's again", async () => {
    const { store, rows } = await startEngine();
    await report(store, ["wamid.early"]);
    await applyAll(store);
    const before = await rows("select lane_key, tenant from whatsapp_lanes where lane_key like 'in:status:%'");
    await prune(store);
    await store.inbox.record([delivery(message({ id: "wamid.hello" }))]);
    await applyAll(store);
    await rows(
      `with sent as (
         insert into whatsapp_sends (customer_config_id, conversation_id, request_hash)
         select customer_config_id, conversation_id, '' from whatsapp_contacts returning id, conversation_id)
       insert into whatsapp_outbox (send_id, part_index, lane_key, customer_config_id, connection_id, contact_id, conversation_id,
         kind, payload, needs_window, state, message_id)
       select sent.id, 0, 'out:contact:' || c.id, c.customer_config_id, c.connection_id, c.id, c.conversation_id,
         'text', '{}', true, 'accepted', 'wamid.early' from sent, whatsapp_contacts c`,
    );

    expect(await store.inbox.unpark()).toBe(1);
    expect(await rows("select lane_key, tenant from whatsapp_lanes where lane_key like 'in:status:%'")).toEqual(before);
  });
});

describe("many old rows", () => {
  async function manyOld(rows: Engine["rows"], n: number) {
    await rows(
      `insert into whatsapp_events (dedupe_key, kind, payload, state, webhook_id, created_at)
       select 'old' || i, 'message', '{}', 1, 0, now() - interval '40 days' from generate_series(1, ?) i`,
      [n],
    );
  }

  it("go by the thousand, also behind thousands that stay", async () => {
    const { store, rows } = await startEngine();
    await rows(
      `insert into whatsapp_events (dedupe_key, kind, payload, state, webhook_id, created_at)
       select 'kept' || i, 'message', '{}', 4, 0, now() - interval '40 days' from generate_series(1, 2500) i`,
    );
    await manyOld(rows, 3_500);

    expect(await prune(store)).toMatchObject({ events: 3_500 });
    expect(await count(rows, "whatsapp_events")).toBe(2_500);
  });

  it("go to the end, however many they are, and are no longer behind then", async () => {
    const { store, rows } = await startEngine();
    await manyOld(rows, 25_000);

    expect(await prune(store)).toMatchObject({ events: 25_000, isDone: true });
    expect(await rows("select 1 from whatsapp_upkeep")).toEqual([]);
  });

  it("that do not fit the turn wait for the next, and meanwhile it is known since when they should be gone", async () => {
    const { store, rows } = await startEngine();
    await manyOld(rows, 25_000);
    const retention = readRetention({ eventDays: 39 });

    const first = await store.prune(retention, new AbortController().signal, () => true);
    const behind = (await store.alarms.signs()).find(({ kind }) => kind === "retention");

    expect(first).toMatchObject({ events: 20_000, isDone: false });
    expect(behind?.value).toBeGreaterThan(86_390);
    expect(behind?.value).toBeLessThan(86_500);
    expect(await store.prune(retention, new AbortController().signal, () => true)).toMatchObject({ isDone: true });
    expect((await store.alarms.signs()).filter(({ kind }) => kind === "retention")).toEqual([]);
  });

  it("are all that is looked at where others stay for longer: what came to nobody's number is found without them", async () => {
    const { store, rows } = await startEngine();
    const retention = readRetention({ eventDays: 365, deadDays: 30 });
    await manyOld(rows, 25_000);
    await rows("update whatsapp_events set state = 4 where id <= 10");

    expect(await store.prune(retention, new AbortController().signal, () => true)).toMatchObject({
      events: 10,
      isDone: true,
    });
    expect((await store.alarms.signs()).filter(({ kind }) => kind === "retention")).toEqual([]);
  });

  it("are begun in every table, however short the turn, and none of them once it is stopped", async () => {
    const { store, rows } = await startEngine();
    await manyOld(rows, 2_500);
    await rows(
      `insert into whatsapp_webhooks (webhook_type, body, created_at) select 'message', '', now() - interval '40 days'
       from generate_series(1, 20500)`,
    );
    const stopping = new AbortController();
    stopping.abort();

    expect(await store.prune(readRetention(), stopping.signal)).toMatchObject({
      webhooks: 0,
      events: 0,
      isDone: false,
    });
    expect(await store.prune(readRetention(), new AbortController().signal, () => true)).toMatchObject({
      webhooks: 20_000,
      events: 2_500,
      isDone: false,
    });
  });

  it("are not late because no process ran: one that was stopped or killed while it deleted, and is started hours later, wakes nobody", async () => {
    const { store, rows } = await startEngine();
    const hoursPass = () => rows("update whatsapp_upkeep set due_at = due_at - interval '2 hours'");
    const late = async () => (await store.alarms.signs()).find(({ kind }) => kind === "retention")?.value ?? 0;
    await manyOld(rows, 10);
    const stopping = new AbortController();
    stopping.abort();

    await store.prune(readRetention(), stopping.signal);
    await hoursPass();
    expect(await late()).toBeLessThan(60);

    await prune(store);
    await rows("alter table whatsapp_turns rename to turns_away");
    await prune(store).catch(() => {});
    await rows("alter table turns_away rename to whatsapp_turns");
    await hoursPass();
    expect(await late()).toBeLessThan(60);
  });

  it("are seen to stay where deleting fails, from the first time on", async () => {
    const { store, rows } = await startEngine();
    await manyOld(rows, 10);
    await rows("alter table whatsapp_turns rename to turns_away");

    await expect(prune(store)).rejects.toThrow();
    await rows("update whatsapp_upkeep set due_at = now() - interval '2 hours'");
    await expect(prune(store)).rejects.toThrow();
    await rows("alter table turns_away rename to whatsapp_turns");

    const behind = (await store.alarms.signs()).find(({ kind }) => kind === "retention");
    expect(behind?.value).toBeGreaterThan(7_190);
  });

  it("are shared by two instances, and each goes once", async () => {
    const { store, another, rows } = await startEngine();
    await manyOld(rows, 6_000);

    const both = await Promise.all([prune(store), prune(another())]);

    expect(both[0].events + both[1].events).toBe(6_000);
    expect(await count(rows, "whatsapp_events")).toBe(0);
  });

  it("wait for nobody: a row that somebody holds is left for the next time", async () => {
    const { store, rows, database } = await startEngine();
    await manyOld(rows, 10);
    const holder = await hold(database);
    await holder.query("select 1 from whatsapp_events where dedupe_key = 'old3' for update");

    expect(await prune(store)).toMatchObject({ events: 9 });
    await holder.commit();
    expect(await prune(store)).toMatchObject({ events: 1 });
  });
});

describe("the running plugin", () => {
  it("deletes what is too old by itself, by the host's own ages", async () => {
    const channel = await channelFor({ plugin: { upkeepMs: 30, retention: { eventDays: 10, rawDays: 5 } } });
    channel.meta.person({ name: "Ada", phoneNumber: ADA }).says("hello");
    await allQuiet(channel);
    // The statuses of the answer: one that came later would be younger than all the rest.
    await allQuiet(channel);

    await age(channel.rows, 6);
    await until(async () => (await count(channel.rows, "whatsapp_webhooks")) === 0, "the bytes to go");
    expect(await count(channel.rows, "whatsapp_events")).toBeGreaterThan(0);
    await age(channel.rows, 11);
    await until(async () => (await count(channel.rows, "whatsapp_events")) === 0, "the events to go");
  });

  it.each([{ eventDays: 7 }, { rawDays: 0 }, { sendDays: 29 }, { deadDays: 1.5 }])(
    "does not take an age that would lose something: %o",
    async (retention) => {
      const { database } = await startEngine({ connected: false });

      expect(() =>
        createWhatsAppPlugin({
          knex: database.knex,
          config: { metaAppSecret: APP_SECRET, verifyToken: VERIFY_TOKEN, tokenKeys: TOKEN_KEYS },
          reply: () => null,
          retention,
        }),
      ).toThrow(`retention.${Object.keys(retention)[0]}`);
    },
  );
});
