/** Rule 10: every transaction has its timeouts, and whatever happens to a connection, the host's pool stays usable. */
import type { Knex } from "knex";
import { describe, expect, it, onTestFinished } from "vitest";
import { createDatabase } from "../../../adapters/postgres/database.ts";
import { planSend } from "../../../plugin/pipeline/plan-send.ts";
import { allQuiet } from "../../support/channel.ts";
import { createTestDatabase } from "../../support/postgres.ts";
import { applyAll, channelFor, claimed, delivery, hold, message, startEngine, status } from "./support.ts";

const names = { schema: "public", hostSchema: "public" };

describe("a transaction", () => {
  it("has statement, lock and idle timeouts, whatever it writes", async () => {
    const { store, rows } = await startEngine({ hasListener: true });
    await rows("create table seen (what text, statement text, lock text, idle text)");
    await rows(`create function note() returns trigger language plpgsql security definer as $$ begin
      insert into seen values (tg_table_name, current_setting('statement_timeout'), current_setting('lock_timeout'),
        current_setting('idle_in_transaction_session_timeout')); return null; end $$`);
    for (const table of WRITTEN)
      await rows(`create trigger note after insert or update or delete on ${table} execute function note()`);

    await store.inbox.record([delivery(message({ id: "wamid.1" }), status({ wamid: "wamid.early", status: "read" }))]);
    // A claim never waits for a row, so it is the one statement outside a transaction.
    const own = async (run: () => Promise<unknown>) => {
      await run();
      await rows("delete from seen where what = 'whatsapp_lanes' and statement = '0'");
    };
    await own(() => applyAll(store));
    await own(async () => {
      const lanes = await claimed(store, "turn");
      const [turn] = await store.turns.seal(lanes);
      if (turn) await store.turns.finish([{ turn, send: planned("hello") }]);
    });
    await own(async () => {
      const [part] = await store.outbox.head(await claimed(store, "out"));
      if (part) await store.outbox.begin([{ part, token: "t" }]);
    });
    await own(async () => {
      const [event] = await store.hostEvents.load(await claimed(store, "notify"));
      if (event) await store.hostEvents.done(event.lane, event.id);
    });
    await store.inbox.unpark();

    const seen = await rows<{ what: string }>("select distinct * from seen order by what");
    expect(seen.map(({ what }) => what)).toEqual(
      expect.arrayContaining(["messages", "whatsapp_events", "whatsapp_turns"]),
    );
    for (const row of seen) expect(row).toMatchObject({ statement: "10s", lock: "10s", idle: "10s" });
  });

  it("that renews, postpones or gives back a lane has them too", async () => {
    const { store, rows } = await startEngine();
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    await rows("create table seen (lock text)");
    await rows(`create function note() returns trigger language plpgsql as $$ begin
      insert into seen values (current_setting('lock_timeout')); return null; end $$`);
    const [lane] = await claimed(store);
    if (!lane) throw new Error("there is a lane");
    await rows("create trigger note after update on whatsapp_lanes for each row execute function note()");

    const locks = () => rows<{ lock: string }>("delete from seen returning lock");

    await store.lanes.renew([lane]);
    await store.lanes.postpone(lane, 0, false);
    expect(await locks()).toEqual([{ lock: "10s" }, { lock: "10s" }]);
    const [again] = await claimed(store);
    await locks();
    await store.lanes.release([again ?? lane]);
    expect(await locks()).toEqual([{ lock: "10s" }]);
  });

  it("that asks for a number's pace, slows it down or pauses it has them too", async () => {
    const { store, rows } = await startEngine();
    const [{ id: connectionId }] = (await rows<{ id: string }>("select id from whatsapp_connections")) as [
      { id: string },
    ];
    await rows("create table seen (lock text)");
    await rows(`create function note() returns trigger language plpgsql as $$ begin
      insert into seen values (current_setting('lock_timeout')); return null; end $$`);
    await rows("create trigger note after insert or update on whatsapp_paces for each row execute function note()");

    await store.pace.take([{ connectionId, perSecond: 80, wanted: 1, atMost: 1 }]);
    await store.pace.slowDown(connectionId);
    await store.pace.pause({ connectionId, scope: "number", forMs: 10 });

    expect(await rows("select distinct lock from seen")).toEqual([{ lock: "10s" }]);
    expect((await rows("select 1 from seen")).length).toBeGreaterThanOrEqual(4);
  });

  describe.each([
    ["with a pg that sends ahead (8.23 and later)", undefined],
    ["with a pg that waits for each answer", (connection: { pipeline?: unknown }) => delete connection.pipeline],
  ])("%s", (_what, change) => {
    async function open() {
      const { database } = await startEngine();
      const knex = database.connect({ min: 1, max: 1 });
      const connection = await knex.client.acquireConnection();
      change?.(connection);
      await knex.client.releaseConnection(connection);
      await knex.raw("create table letters (id int primary key)");
      return { knex, connection, db: createDatabase(knex, names) };
    }
    const written = async (knex: Knex) => (await knex.raw("select id from letters order by id")).rows;

    it("carries statements out in the order of the calls, whether they are waited for or not", async () => {
      const { knex, db } = await open();
      const seen = await db.transaction(async (tx) => {
        tx.send("insert into letters values (1)");
        const first = tx.query<{ n: number }>("select count(*)::int as n from letters");
        tx.send("insert into letters values (2)");
        const [[before], [after]] = await Promise.all([
          first,
          tx.query<{ n: number }>("select count(*)::int as n from letters"),
        ]);
        return [before?.n, after?.n];
      });
      expect(seen).toEqual([1, 2]);
      expect(await written(knex)).toEqual([{ id: 1 }, { id: 2 }]);
    });

    it("rejects with what failed first, and nothing is written", async () => {
      const { knex, db } = await open();
      const failing = db.transaction(async (tx) => {
        tx.send("insert into letters values (1)");
        tx.send("insert into letters values (1)");
        tx.send("insert into letters values (2)");
      });
      await expect(failing).rejects.toMatchObject({ code: "23505" });
      const heard = db.transaction(async (tx) => {
        tx.send("insert into letters values (1)");
        tx.send("insert into letters values (1)");
        await tx.query("select 1");
      });
      await expect(heard).rejects.toMatchObject({ code: "23505" });
      await expect(db.bounded("insert into letters values (1), (1)")).rejects.toMatchObject({ code: "23505" });
      expect(await written(knex)).toEqual([]);
    });

    it("goes on after a failure that the caller has caught, from its savepoint", async () => {
      const { knex, db } = await open();
      await db.transaction(async (tx) => {
        tx.send("insert into letters values (1)");
        await tx.query("savepoint before");
        await tx.query("insert into letters values (1)").catch(() => tx.query("rollback to savepoint before"));
        tx.send("insert into letters values (2)");
      });
      expect(await written(knex)).toEqual([{ id: 1 }, { id: 2 }]);
      const failing = db.transaction(async (tx) => {
        await tx.query("savepoint before");
        await tx.query("select 1 / 0").catch(() => tx.query("rollback to savepoint before"));
        tx.send("insert into letters values (1)");
        await tx.query("select 1");
      });
      await expect(failing).rejects.toMatchObject({ code: "23505" });
    });

    it("takes no statement after its end, which would be carried out by itself", async () => {
      const { knex, db } = await open();
      let late: Promise<unknown> = Promise.resolve();
      const failing = db.transaction(async (tx) => {
        const ahead = tx.query("select 1");
        late = ahead
          .then(() => new Promise((resolve) => setTimeout(resolve, 50)))
          .then(() => tx.query("insert into letters values (1)"));
        late.catch(() => undefined);
        throw new Error("no");
      });
      await expect(failing).rejects.toThrow("no");
      await expect(late).rejects.toThrow("The transaction is over");
      expect(await written(knex)).toEqual([]);
    });

    it("gives the connection back as it was", async () => {
      const { knex, db, connection } = await open();
      await db.transaction(async (tx) => tx.send("select 1"));
      await db.bounded("select 1 / 0").catch(() => undefined);
      expect(connection.pipeline).toBe(change === undefined ? false : undefined);
      expect((await knex.raw("select 1 as one")).rows).toEqual([{ one: 1 }]);
    });
  });

  it("leaves no setting behind on the host's connection", async () => {
    const { database } = await startEngine();
    const knex = database.connect({ min: 1, max: 1 });
    const db = createDatabase(knex, { ...names, statementTimeoutMs: 1234 });

    await db.transaction((tx) => tx.query("select 1"));
    await db.transaction(() => Promise.reject(new Error("no"))).catch(() => undefined);

    expect((await knex.raw("show statement_timeout")).rows).toEqual([{ statement_timeout: "0" }]);
    expect((await knex.raw("show lock_timeout")).rows).toEqual([{ lock_timeout: "0" }]);
  });

  it.each([
    ["waits too long for a lock", (table: string) => `lock table ${table}`],
    ["computes too long", () => "select pg_sleep(20)"],
  ])("that %s ends as STORE_UNAVAILABLE, and its connection is usable", async (_name, sql) => {
    const { database } = await startEngine();
    const knex = database.connect({ min: 1, max: 1 });
    const db = createDatabase(knex, { ...names, statementTimeoutMs: 150 });
    const somebody = await hold(database);
    await somebody.query("lock table whatsapp_lanes");

    await expect(db.transaction((tx) => tx.query(sql(db.name("whatsapp_lanes"))))).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
    });

    expect(await one(knex)).toBe(1);
    await somebody.rollback();
  });

  it("that idles too long is ended by the server, and the pool gets a new connection", async () => {
    const { database } = await startEngine();
    const knex = database.connect({ min: 1, max: 1 });
    const db = createDatabase(knex, { ...names, statementTimeoutMs: 150 });

    await expect(
      db.transaction(async (tx) => {
        await tx.query("select 1");
        await new Promise((resolve) => setTimeout(resolve, 400));
        await tx.query("select 1");
      }),
    ).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });

    expect(await one(knex)).toBe(1);
  });

  it("whose server never answers again is given up, so that the pool is not short of one for ever", async () => {
    const { database } = await startEngine();
    const knex = database.connect({ min: 1, max: 1 });
    const db = createDatabase(knex, { ...names, statementTimeoutMs: 50 });

    // The server's own timeout is switched off: as good as a network that has gone silent.
    await expect(
      db.transaction(async (tx) => {
        await tx.query("set local statement_timeout = 0");
        await tx.query("select pg_sleep(5)");
      }),
    ).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });

    expect(await one(knex)).toBe(1);
  });
});

describe("a pool of one connection", () => {
  it("is enough to say that a conversation is unknown, also one that the host has deleted", async () => {
    const { database, store, another, rows } = await startEngine();
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    await applyAll(store);
    const [deleted] = await rows<{ id: string }>("delete from conversations returning id");
    const { outbox } = another({ knex: database.connect({ min: 0, max: 1 }) });

    for (const id of [deleted?.id ?? "", "00000000-0000-4000-8000-00000000dead"])
      await expect(outbox.enqueue(id, planned("hello"))).rejects.toMatchObject({ code: "CONVERSATION_UNKNOWN" });
  });
});

describe("a pool without a free connection", () => {
  it("is STORE_UNAVAILABLE in time, and what comes free later is not lost", async () => {
    const { database } = await startEngine();
    const knex = database.connect({ min: 0, max: 1 });
    const db = createDatabase(knex, { ...names, acquireTimeoutMs: 100 });
    const taken = await knex.client.acquireConnection();
    const started = performance.now();

    await expect(db.query("select 1")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE", retry: "backoff" });

    // Knex itself would wait for a minute.
    expect(performance.now() - started).toBeLessThan(10_000);
    await knex.client.releaseConnection(taken);
    expect(await db.query("select 1 as n")).toEqual([{ n: 1 }]);
  });

  it("that is just being destroyed is STORE_UNAVAILABLE at once, and nobody waits in it", async () => {
    const { database } = await startEngine();
    const knex = database.connect();
    const db = createDatabase(knex, names);
    const taken = await knex.client.acquireConnection();
    const destroying = knex.destroy();

    await expect(db.query("select 1")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });

    expect(knex.client.pool.numPendingAcquires()).toBe(0);
    await knex.client.releaseConnection(taken);
    await destroying;
  });

  it("that was destroyed is STORE_UNAVAILABLE too", async () => {
    const { database } = await startEngine();
    const knex = database.connect();
    const db = createDatabase(knex, names);
    await knex.destroy();

    await expect(db.query("select 1")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await expect(db.transaction((tx) => tx.query("select 1"))).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  });
});

describe("a statement", () => {
  it("of the way of a message is planned once per connection, and not at each message", async () => {
    const database = await createTestDatabase();
    const knex = database.connect({ min: 1, max: 1 });
    // What is done by the clock, as upkeep and renewals, is not of the way; how often it is done would be the machine's affair.
    const channel = await channelFor({ database, config: { leaseMs: 60_000 }, plugin: { knex, upkeepMs: 600_000 } });
    onTestFinished(async () => {
      await channel.stop();
      await database.drop();
    });
    const ada = channel.meta.person({ name: "Ada", phoneNumber: "447700900123" });
    for (let n = 0; n < 12; n++) {
      ada.says(`message ${n}`);
      await allQuiet(channel);
    }

    const { rows } = await knex.raw(
      "select statement, custom_plans::int, generic_plans::int from pg_prepared_statements where name like 'whatsapp%'",
    );

    const often = (rows as Planned[]).filter(({ custom_plans, generic_plans }) => custom_plans + generic_plans >= 10);
    expect(often.length).toBeGreaterThan(20);
    // Postgres plans the first five for their parameters, and then compares.
    expect(often.filter(({ generic_plans }) => generic_plans === 0).map(({ statement }) => statement)).toEqual([]);
  });

  it("in what stores a delivery is none that is planned anew", async () => {
    const { rows } = await startEngine();
    const [settings] = await rows<{ proconfig: string[] }>(
      "select proconfig from pg_proc where proname = 'whatsapp_record'",
    );

    expect(settings?.proconfig).toEqual(
      expect.arrayContaining([
        "plan_cache_mode=force_generic_plan",
        "enable_seqscan=off",
        "enable_hashjoin=off",
        "enable_mergejoin=off",
      ]),
    );
  });
});

const WRITTEN = [
  "messages",
  "conversations",
  "whatsapp_contacts",
  "whatsapp_contact_aliases",
  "whatsapp_sessions",
  "whatsapp_webhooks",
  "whatsapp_events",
  "whatsapp_turns",
  "whatsapp_lanes",
  "whatsapp_host_events",
  "whatsapp_sends",
  "whatsapp_outbox",
  "whatsapp_send_attempts",
];

type Planned = { readonly statement: string; readonly custom_plans: number; readonly generic_plans: number };

function planned(text: string) {
  return planSend({ what: { response: text }, idempotencyKey: null, replyTo: null, onWindowClosed: "fail" });
}

async function one(knex: Knex): Promise<number> {
  return (await knex.raw("select 1 as n")).rows[0].n;
}
