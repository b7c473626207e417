/** Very much that came for a number before it was connected: routed afterwards, step by step, in order, whatever happens meanwhile. */
import { erase } from "@omniops/whatsapp";
import { describe, expect, it } from "vitest";
import { planSend } from "../../../plugin/pipeline/plan-send.ts";
import type { NewConnection, Store } from "../../../plugin/ports.ts";
import { NUMBER, quiet, TENANT, until } from "../../support/channel.ts";
import { instance, LONG_LEASE_MS } from "./instance.ts";
import {
  ADA,
  applyAll,
  BEN,
  delivery,
  deliveryOf,
  type Engine,
  hold,
  message,
  startEngine,
  status,
  stranded,
  waiters,
} from "./support.ts";

const OTHER_TENANT = "00000000-0000-4000-8000-000000000002";
const STEP = 500;
const PEOPLE = [ADA, BEN, "447700900789"];

function connect({ store }: Engine, some: Partial<NewConnection> = {}) {
  return store.connections.save({
    customerConfigId: TENANT,
    phoneNumberId: NUMBER.phoneNumberId,
    wabaId: NUMBER.wabaId,
    displayPhoneNumber: NUMBER.displayPhoneNumber,
    verifiedName: null,
    qualityRating: null,
    seal: () => "sealed",
    ...some,
  });
}

const idsOf = (from: number, amount: number) => Array.from({ length: amount }, (_, i) => `wamid.${from + i}`);

/** Three people write in turn. @returns what they wrote, in order. */
async function write(store: Store, from: number, amount: number): Promise<readonly string[]> {
  const ids = idsOf(from, amount);
  for (let at = 0; at < amount; at += 500)
    await store.inbox.record([
      delivery(
        ...ids.slice(at, at + 500).map((id, i) => message({ id, phone: PEOPLE[(from + at + i) % 3] ?? ADA, text: id })),
      ),
    ]);
  return ids;
}

async function catchUpWith(store: Store): Promise<number> {
  for (let steps = 0; ; steps += 1) {
    if (!(await store.inbox.catchUp())) return steps;
    await applyAll(store);
  }
}

const waiting = async ({ rows }: Engine) => (await rows("select 1 from whatsapp_events where state = 4")).length;

/** As they were written: in order of each conversation, and each once. */
async function expectShown({ rows }: Engine, ids: readonly string[]): Promise<void> {
  const shown = await rows<{ external_id: string; phone: string }>(
    `select m.external_id, c.phone_number as phone from messages m join whatsapp_contacts c on c.conversation_id = m.conversation_id
     where m.role = 'user' order by m.written`,
  );
  const inOrder = (some: readonly string[]) => [...some].sort((a, b) => Number(a.slice(6)) - Number(b.slice(6)));
  expect(inOrder(shown.map((row) => row.external_id))).toEqual(inOrder(ids));
  for (const person of PEOPLE) {
    const theirs = shown.filter(({ phone }) => phone === person).map((row) => row.external_id);
    expect(theirs).toEqual(inOrder(theirs));
  }
  expect(
    await rows("select 1 from whatsapp_webhooks where not processed or pending <> 0 or error is not null"),
  ).toEqual([]);
  expect(
    await rows("select 1 from whatsapp_connections where routed_until is not null or others_until is not null"),
  ).toEqual([]);
  expect(await stranded(rows)).toEqual([]);
}

/** Postgres refuses to route it: the person's id is longer than an index takes. @returns what makes it whole again. */
async function poison({ rows }: Engine, id: string): Promise<() => Promise<unknown>> {
  const [was] = await rows<{ payload: object }>("select payload from whatsapp_events where external_id = ?", [id]);
  await rows(
    `update whatsapp_events set payload = jsonb_set(payload::jsonb, '{from,userId}', to_jsonb((
       select string_agg(sha256(n::text::bytea)::text, '') from generate_series(1, 200) n)))::json where external_id = ?`,
    [id],
  );
  return () =>
    rows("update whatsapp_events set payload = ?::json where external_id = ?", [JSON.stringify(was?.payload), id]);
}

/** Nobody has the number yet. */
async function unconnected(): Promise<Engine> {
  const engine = await startEngine({ connected: false, leaseMs: LONG_LEASE_MS });
  await engine.rows("alter table messages add column written bigserial");
  return engine;
}

describe("very many events that came before the connection", () => {
  it("are routed so many at a time, the first with the connection, and what comes meanwhile after them", async () => {
    const engine = await unconnected();
    const { store } = engine;
    const early = await write(store, 0, 2 * STEP + 100);

    await connect(engine);
    expect(await waiting(engine)).toBe(STEP + 100);
    await applyAll(store);
    // Everybody is known by now: the ordinary way of storing must not be taken either.
    const [recorded] = await store.inbox.record([delivery(message({ id: "wamid.1100" }))]);
    expect(recorded?.events).toEqual([
      { kind: "message", outcome: "ignored", lane: null, eventId: expect.any(String) },
    ]);

    expect(await catchUpWith(store)).toBe(2);
    const [after] = await store.inbox.record([delivery(message({ id: "wamid.1101" }))]);
    await applyAll(store);

    expect(after?.events).toMatchObject([{ outcome: "accepted" }]);
    await expectShown(engine, [...early, "wamid.1100", "wamid.1101"]);
  });

  it("are routed once and in order by two instances, while people go on writing", async () => {
    const engine = await unconnected();
    const [one, two] = [
      instance(engine.store, { reply: () => null }),
      instance(engine.another(), { reply: () => null }),
    ];
    const early = await write(engine.store, 0, 2 * STEP + 500);
    const first = write(engine.another(), early.length, 3);
    await Promise.all([first, connect(engine)]);
    one.start();
    two.start();
    one.onConnected();
    two.onConnected();

    const late: string[] = [];
    for (let from = early.length + 3; (await waiting(engine)) > 0 || late.length < 6; from += 3)
      late.push(...(await write(engine.store, from, 3)));
    await quiet(engine, 60_000);
    await Promise.all([one.stop(1_000), two.stop(1_000)]);

    await expectShown(engine, [...early, ...(await first), ...late]);
  });

  it("are gone on with where whoever routed them is killed", async () => {
    const engine = await unconnected();
    const ids = await write(engine.store, 0, STEP + 10);
    await connect(engine);
    const somebody = await hold(engine.database);
    await somebody.query("lock table whatsapp_lanes in exclusive mode");

    const killed = engine.another().inbox.catchUp();
    await waiters(engine.rows, 1);
    await Promise.all([
      expect(killed).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" }),
      engine.rows(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      ),
    ]);
    await somebody.commit();
    expect(await waiting(engine)).toBe(10);

    await catchUpWith(engine.store);
    await applyAll(engine.store);
    await expectShown(engine, ids);
  });

  it("are routed by a running pipeline, by a look of one that does not run, and a host that only ticks is told that there is more", async () => {
    const engine = await unconnected();
    const ids = await write(engine.store, 0, 2 * STEP + 10);
    await connect(engine);
    await engine.rows("update whatsapp_lanes set ready_at = now() + interval '1 hour' where ready_at is not null");
    expect(await engine.store.operations.nextReadyMs()).toBe(0);
    await engine.rows("update whatsapp_lanes set ready_at = now() where ready_at is not null");
    const pipeline = instance(engine.store, { reply: () => null });

    await pipeline.look();
    expect(await waiting(engine)).toBe(10);
    pipeline.start();
    await until(async () => (await waiting(engine)) === 0, "the rest to be routed");
    await quiet(engine, 60_000);
    await pipeline.stop(1_000);

    await expectShown(engine, ids);
  });

  it("do not keep what became of our own messages waiting", async () => {
    const engine = await unconnected();
    const { store, rows } = engine;
    await write(store, 0, STEP + 10);
    await connect(engine);
    await applyAll(store);
    const [{ id } = { id: "" }] = await rows<{ id: string }>(
      "select conversation_id as id from whatsapp_contacts where phone_number = ?",
      [ADA],
    );
    await store.outbox.enqueue(
      id,
      planSend({ what: { response: "hi" }, idempotencyKey: null, replyTo: null, onWindowClosed: "fail" }),
    );
    await rows("update whatsapp_outbox set state = 'sent', message_id = 'wamid.ours'");

    const [recorded] = await store.inbox.record([delivery(status({ wamid: "wamid.ours", status: "read" }))]);
    await applyAll(store);

    expect(recorded?.events).toMatchObject([{ outcome: "accepted" }]);
    expect(await rows("select state from whatsapp_outbox")).toEqual([{ state: "read" }]);
    expect(await waiting(engine)).toBe(10);
  });

  it("wait for their tenant where the number leaves in the middle, and come after what was routed", async () => {
    const engine = await unconnected();
    const { store } = engine;
    const ids = await write(store, 0, 2 * STEP + 10);
    await connect(engine);
    await store.leaving.disconnect({ customerConfigId: TENANT, phoneNumberId: null, reason: "left" });

    expect(await store.inbox.catchUp()).toBe(false);
    await applyAll(store);
    await connect(engine);
    await catchUpWith(store);
    await applyAll(store);

    await expectShown(engine, ids);
  });

  it("are not another tenant's who gets the number in the middle, and are gone before what comes then", async () => {
    const engine = await unconnected();
    const { store, rows } = engine;
    await rows("insert into customer_configs (id) values (?)", [OTHER_TENANT]);
    const ids = await write(store, 0, 3 * STEP + 10);
    await connect(engine);

    await connect(engine, { customerConfigId: OTHER_TENANT, takeover: true });
    const own = await write(store, ids.length, 3);
    expect(await waiting(engine)).toBe(STEP + 13);
    // Twice, as whoever presses a button: what waits is still the other's.
    await connect(engine, { customerConfigId: OTHER_TENANT });
    await catchUpWith(store);
    await applyAll(store);

    const shown = await rows<{ external_id: string; tenant: string }>(
      `select m.external_id, c.customer_config_id as tenant from messages m
       join whatsapp_contacts c on c.conversation_id = m.conversation_id order by m.written`,
    );
    const of = (tenant: string) => shown.filter((row) => row.tenant === tenant).map((row) => row.external_id);
    expect(of(OTHER_TENANT)).toEqual(own);
    expect(of(TENANT).toSorted()).toEqual([...ids.slice(0, STEP)].sort());
    expect(await rows("select distinct state from whatsapp_events order by state")).toEqual([
      { state: 1 },
      { state: 5 },
    ]);
    expect(
      await rows("select state, routed_until, others_until from whatsapp_connections where customer_config_id = ?", [
        OTHER_TENANT,
      ]),
    ).toEqual([{ state: "connected", routed_until: null, others_until: null }]);
    expect(await stranded(rows)).toEqual([]);
  });

  it.each([
    ["they are met", BEN],
    ["another name of theirs is learnt", "447700900999"],
  ])(
    "leave nothing of a person who is erased in the middle, though %s while it is looked for",
    async (_what, first) => {
      const engine = await unconnected();
      const { store, database, rows } = engine;
      await store.inbox.record([delivery(message({ id: "wamid.first", phone: first }))]);
      await write(store, 0, STEP - 1);
      // By their number, and then by an id alone, which nobody knows to be theirs before both are routed.
      await store.inbox.record([delivery(message({ id: "wamid.both", phone: "447700900999", userId: "GB.999" }))]);
      await store.inbox.record([delivery(message({ id: "wamid.id", phone: null, userId: "GB.999" }))]);
      for (const table of ["events", "webhooks"])
        await rows(`update whatsapp_${table} set created_at = created_at - interval '1 hour'`);
      await connect(engine);
      await applyAll(store);
      const somebody = await hold(database);
      await somebody.query(`select pg_advisory_xact_lock(hashtext('"public"."whatsapp_contacts"'))`);
      const routing = store.inbox.catchUp();
      await waiters(rows, 1);
      const erasing = erase(database.connect(), { phoneNumber: "+447700900999" });
      await waiters(rows, 2);
      await somebody.commit();
      await Promise.all([routing, erasing]);
      await applyAll(store);

      expect(await rows("select 1 from whatsapp_events where payload::text like '%GB.999%'")).toEqual([]);
      expect(await rows("select 1 from whatsapp_contacts where user_id = 'GB.999'")).toEqual([]);
      expect(await rows("select 1 from messages where external_id in ('wamid.both', 'wamid.id')")).toEqual([]);
      expect(await rows("select 1 from whatsapp_webhooks where convert_from(body, 'UTF8') like '%GB.999%'")).toEqual(
        [],
      );
      expect(await rows("select 1 from whatsapp_webhooks where pending <> 0")).toEqual([]);
      expect(await stranded(rows)).toEqual([]);
    },
  );

  it("are all routed, though one of a step was deleted by its age before it was locked", async () => {
    const engine = await unconnected();
    const { store, database, rows } = engine;
    const ids = await write(store, 0, 2 * STEP + 100);
    await connect(engine);
    const somebody = await hold(database);
    await somebody.query("delete from whatsapp_events where external_id = 'wamid.500'");
    const step = store.inbox.catchUp();
    await waiters(rows, 1);
    await somebody.commit();
    await step;

    expect(await catchUpWith(store)).toBe(1);
    await applyAll(store);
    await expectShown(
      engine,
      ids.filter((id) => id !== "wamid.500"),
    );
  });

  it("do not wait behind one that Postgres refuses, nor does the connection: it lies aside", async () => {
    const engine = await unconnected();
    const { store, rows } = engine;
    const ids = await write(store, 0, 20);
    await poison(engine, "wamid.7");

    await connect(engine);
    await catchUpWith(store);
    await applyAll(store);

    const shown = await rows<{ external_id: string }>("select external_id from messages order by written");
    expect(shown.map((row) => row.external_id).toSorted()).toEqual(ids.filter((id) => id !== "wamid.7").toSorted());
    expect(await store.deadLetters.list({ customerConfigId: TENANT }, { limit: 10, after: null })).toMatchObject([
      { stage: "in", kind: "message", lastError: expect.stringMatching(/54000/) },
    ]);
    expect(await rows("select left(error, 12) as error from whatsapp_webhooks")).toEqual([{ error: "dead letter:" }]);
    expect(await stranded(rows)).toEqual([]);
  });

  it("are shown and answered where one that Postgres refused is mended and put back, and not before", async () => {
    const engine = await unconnected();
    const { store, rows } = engine;
    const whose = { customerConfigId: TENANT };
    const ids = await write(store, 0, 3);
    // Of somebody who wrote nothing else.
    const mend = await poison(engine, "wamid.1");
    await poison(engine, "wamid.2");
    await connect(engine);
    await catchUpWith(store);
    await applyAll(store);

    expect(await store.deadLetters.redrive(whose, { ids: null, limit: 10 })).toEqual({ redriven: 0, left: 0 });
    expect(await store.deadLetters.list(whose, { limit: 10, after: null })).toHaveLength(2);
    await mend();
    expect(await store.deadLetters.redrive(whose, { ids: null, limit: 10 })).toEqual({ redriven: 1, left: 0 });
    await applyAll(store);

    expect(await store.deadLetters.list(whose, { limit: 10, after: null })).toHaveLength(1);
    expect(
      await rows(
        `select m.external_id, c.phone_number as phone from messages m join whatsapp_contacts c on c.conversation_id = m.conversation_id
         join whatsapp_turns t on t.contact_id = c.id where m.role = 'user' order by m.external_id`,
      ),
    ).toEqual(ids.slice(0, 2).map((id, i) => ({ external_id: id, phone: PEOPLE[i] })));
    expect(await stranded(rows)).toEqual([]);
  });

  it("go to nobody where one that Postgres refused is put back while another tenant has the number", async () => {
    const engine = await unconnected();
    const { store, rows } = engine;
    await rows("insert into customer_configs (id) values (?)", [OTHER_TENANT]);
    await write(store, 0, 1);
    const mend = await poison(engine, "wamid.0");
    await connect(engine);
    await catchUpWith(store);
    await mend();
    await connect(engine, { customerConfigId: OTHER_TENANT, takeover: true });
    const redrive = () => store.deadLetters.redrive({ customerConfigId: TENANT }, { ids: null, limit: 10 });

    expect(await redrive()).toEqual({ redriven: 0, left: 0 });
    expect(await rows("select 1 from whatsapp_contacts")).toEqual([]);
    await connect(engine, { takeover: true });
    expect(await redrive()).toEqual({ redriven: 1, left: 0 });
    await applyAll(store);

    expect(await rows("select external_id from messages")).toEqual([{ external_id: "wamid.0" }]);
    expect(await rows("select customer_config_id from whatsapp_contacts")).toEqual([{ customer_config_id: TENANT }]);
  });

  it("are not put in the place of one that Postgres refused, where another number is furthest behind by then", async () => {
    const engine = await unconnected();
    const { store, database, rows } = engine;
    const other = "301777000333999";
    await write(store, 0, 1);
    await poison(engine, "wamid.0");
    await connect(engine);
    await connect(engine, { phoneNumberId: other, displayPhoneNumber: "15550009999" });
    const isBehind = (until: number) =>
      rows("update whatsapp_connections set routed_until = ? where phone_number_id = ?", [until, other]);
    await isBehind(1);
    await store.inbox.record([delivery(message({ id: "wamid.other", phone: BEN, to: other }))]);
    // The last step of the halving, with one event, waits in the middle.
    await rows("create sequence steps");
    await rows(`create function hold_last() returns trigger language plpgsql as $$ begin
      if nextval('steps') = ${Math.ceil(Math.log2(STEP)) + 1} then perform pg_advisory_xact_lock(42); end if; return new; end $$`);
    await rows("create trigger hold_last before insert on whatsapp_contacts for each row execute function hold_last()");
    const somebody = await hold(database);
    await somebody.query("select pg_advisory_xact_lock(42)");

    const catching = store.inbox.catchUp();
    await waiters(rows, 1);
    await isBehind(-1);
    await somebody.commit();
    await catching;
    await catchUpWith(store);
    await applyAll(store);

    expect(await rows("select external_id from messages")).toEqual([{ external_id: "wamid.other" }]);
    expect(await rows("select external_id from whatsapp_events where state = 2")).toEqual([{ external_id: "wamid.0" }]);
    expect(await waiting(engine)).toBe(0);
    expect(await stranded(rows)).toEqual([]);
  });

  it("are looked for from the first where the number is in another account by then", async () => {
    const engine = await unconnected();
    const { store, rows } = engine;
    const value = {
      event: "PAUSED",
      message_template_id: 1,
      message_template_name: "a",
      message_template_language: "en",
    };
    const entry = [{ id: "299", changes: [{ field: "message_template_status_update", value }] }];
    await store.inbox.record([deliveryOf(JSON.stringify({ object: "whatsapp_business_account", entry }))]);
    const ids = await write(store, 0, 2 * STEP + 10);
    await connect(engine);
    expect(await rows("select state from whatsapp_events where kind = 'template'")).toEqual([{ state: 4 }]);

    await connect(engine, { wabaId: "299" });
    await catchUpWith(store);
    await applyAll(store);

    expect(await rows("select state from whatsapp_events where kind = 'template'")).toEqual([{ state: 1 }]);
    await expectShown(engine, ids);
  });

  it("hold no delivery while they wait for a lane: who works on one has the lane, and waits for deliveries", async () => {
    const engine = await unconnected();
    const { store, database, rows } = engine;
    await rows("insert into customer_configs (id) values (?)", [OTHER_TENANT]);
    await write(store, 0, 2 * STEP + 10);
    await connect(engine);
    await connect(engine, { customerConfigId: OTHER_TENANT, takeover: true });
    await write(store, 2 * STEP + 10, 1);
    const somebody = await hold(database);
    await somebody.query("lock table whatsapp_lanes in exclusive mode");

    const catching = store.inbox.catchUp();
    await waiters(rows, 1);
    const free = await somebody.query("select 1 from whatsapp_webhooks for update skip locked");
    const all = await rows("select 1 from whatsapp_webhooks");
    await somebody.commit();
    await catching;

    expect(free).toHaveLength(all.length);
    expect(await waiting(engine)).toBe(0);
  });
});
