/** A newer version's migrations run beside processes that work: neither they nor the migrations meet the other's locks in another order. */
import { setTimeout as pause } from "node:timers/promises";
import { migrate, planMigrations } from "@omniops/whatsapp/migrations";
import type { Knex } from "knex";
import { describe, expect, it } from "vitest";
import { MIGRATIONS } from "../../../migrations/all.ts";
import { until } from "../../support/channel.ts";
import { applyOnce, delivery, type Engine, hold, message, startEngine, stranded, waiters } from "./support.ts";

/** All that came after the first version: each must find its way beside processes that work. */
const LATER = MIGRATIONS.filter(({ name }) => !name.startsWith("20261122"));
/** Those without which this version's engine works too, as the one before them did: it is what works beside them here. */
const UNUSED = LATER.filter(({ name }) => name !== "20261128000006_very_many");
const NAMES = UNUSED.map(({ name }) => name);
const SCHEMAS = { schema: "public", hostSchema: "public" };

async function startEarlier(without = UNUSED): Promise<Engine> {
  const engine = await startEngine();
  for (const { down } of without.toReversed()) await down(engine.database.knex, SCHEMAS);
  await engine.rows("delete from whatsapp_migrations where name = any(?)", [without.map(({ name }) => name)]);
  return engine;
}

describe("an upgrade beside processes that work", () => {
  it.each([
    [
      "a person's messages, being applied",
      "select 1 from whatsapp_contacts for no key update",
      "update whatsapp_events set state = state",
    ],
    [
      "a template",
      "select 1 from whatsapp_contacts for no key update",
      "update whatsapp_templates set status = status",
    ],
    ["turns", "update whatsapp_turns set state = state", "update whatsapp_events set state = state"],
    ["statuses", "update messages set status = status", "update whatsapp_events set state = state"],
    ["what the host hears", "insert into whatsapp_host_events (lane_key, event) values ('n', '{}')", "table messages"],
    [
      "a number that is being connected",
      "select 1 from whatsapp_events for update",
      "select 1 from whatsapp_contacts for update",
    ],
    [
      "a delivery of which some waits for its number",
      "select 1 from whatsapp_contacts for no key update",
      "update whatsapp_webhooks set pending = pending - 1",
    ],
  ])("does not fail, and fails nobody: %s", async (_what, first, then) => {
    const { database, store, rows } = await startEarlier();
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    await rows("update whatsapp_webhooks set error = 'unrouted: …'");
    const worker = await hold(database);
    await worker.query(first);

    const migrating = migrate(database.knex).catch((error: unknown) => error);
    await waiters(rows);
    await worker.query(then);
    await worker.commit();

    expect(await migrating).toEqual(NAMES);
  });

  it("is not noticed by four who apply what comes", async () => {
    const { another, database, rows } = await startEarlier();
    const first = another();
    // So many that on a slow machine too the migration ends before they do.
    const people = 400;
    const writes = (n: number) => message({ id: `wamid.${n}`, phone: `4477009${String(n).padStart(5, "0")}` });
    for (let n = 0; n < people; n += 50)
      await first.inbox.record(Array.from({ length: 50 }, (_, i) => delivery(writes(n + i))));
    let applied = 0;
    const working = Promise.all(
      [1, 2, 3, 4].map(async () => {
        const store = another();
        while (applied < people) {
          const lanes = await store.lanes.claim("in", 2);
          if (lanes.length > 0 && (await applyOnce(store, lanes))) applied += lanes.length;
          else await pause(10);
        }
      }),
    );
    working.catch(() => {});
    await until(async () => applied > 10, "the first to be applied");

    expect(await migrate(database.knex)).toEqual(NAMES);

    expect(applied).toBeLessThan(people);
    await working;
    expect(await stranded(rows)).toEqual([]);
  }, 60_000);

  it("does what takes long before it locks a table: what comes meanwhile is stored", async () => {
    const { database, store, rows } = await startEarlier();
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    const holder = await hold(database);
    // What it reads to find statuses that nobody takes up.
    await holder.query("lock table whatsapp_outbox in access exclusive mode");

    const migrating = migrate(database.knex).catch((error: unknown) => error);
    await waiters(rows);
    const [stored] = await store.inbox.record([delivery(message({ id: "wamid.2" }))]);

    expect(stored?.events).toMatchObject([{ outcome: "accepted" }]);
    await holder.commit();
    expect(await migrating).toEqual(NAMES);
  });

  it("gives up where somebody does not let go of a table, and has changed nothing", async () => {
    const { database, rows } = await startEarlier();
    const dump = await hold(database);
    await dump.query("lock table whatsapp_events in access share mode");

    await expect(migrate(database.knex)).rejects.toMatchObject({ code: "55P03" });

    await dump.commit();
    expect(await rows("select 1 from whatsapp_migrations where name = any(?)", [NAMES])).toEqual([]);
    expect(await migrate(database.knex)).toEqual(NAMES);
  }, 60_000);

  it("locks nothing against others that it has not locked at its head, which the plan shows", async () => {
    const { database } = await startEarlier(LATER);
    const { sql } = await planMigrations(database.knex);
    const there = await tablesOf(database.knex);

    const locked = await database.knex.transaction(async (trx) => {
      await migrate(trx);
      const { rows } = await trx.raw(
        `select distinct relation::regclass::text as name, mode from pg_locks join pg_class c on c.oid = relation
         where pid = pg_backend_pid() and relkind = 'r' and relnamespace = 'public'::regnamespace
           and mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')`,
      );
      return (rows as { name: string; mode: string }[]).filter(({ name }) => there.includes(name));
    });

    const head = [...sql.matchAll(/lock table "public"\."(\w+)" in ([a-z ]+) mode/g)].map(([, name, mode]) => ({
      name,
      mode,
    }));
    expect(locked.length).toBeGreaterThan(5);
    for (const { name, mode } of locked) {
      const atHead = head.find((one) => one.name === name)?.mode ?? "nothing";
      expect(STRENGTH.indexOf(atHead), `${name}: ${mode}`).toBeGreaterThanOrEqual(STRENGTH.indexOf(inWords(mode)));
    }
    expect(sql.indexOf("lock table")).toBeLessThan(sql.indexOf("alter table"));
  });
});

const STRENGTH = ["nothing", "share", "share row exclusive", "exclusive", "access exclusive"];

/** `ShareRowExclusiveLock` → `share row exclusive`. */
function inWords(mode: string): string {
  return mode
    .replace(/Lock$/, "")
    .replaceAll(/(?!^)([A-Z])/g, " $1")
    .toLowerCase();
}

async function tablesOf(knex: Knex): Promise<readonly string[]> {
  const { rows } = await knex.raw("select tablename from pg_tables where schemaname = 'public'");
  return rows.map((row: { tablename: string }) => row.tablename);
}
