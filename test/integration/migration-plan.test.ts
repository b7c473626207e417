/** What a DBA reviews and runs by hand is what `migrate` would have run: the two leave the same database. */
import {
  type MigrateOptions,
  migrate,
  migrateDown,
  migrationStatus,
  type PlanOptions,
  planMigrations,
} from "@omniops/whatsapp/migrations";
import type { Knex } from "knex";
import pg from "pg";
import { describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { everythingIn } from "../support/schema-objects.ts";

const HOST = `
  create table customer_configs (id uuid primary key, domain text not null);
  create table conversations (id uuid primary key, session_id text not null, channel text not null);
  create table messages (id uuid primary key default gen_random_uuid(), conversation_id uuid not null, role text not null,
    content text not null, external_id text, created_at timestamptz default now());
  create index whatsapp_messages_external_id on messages (external_id)`;

const CASES: Readonly<Record<string, readonly [string, MigrateOptions]>> = {
  "a database with nothing in it": ["select 1", {}],
  "a host that has tables, an index and half of our columns": [HOST, {}],
  "a host with one of the three tables": ["create table conversations (id uuid primary key, session_id text)", {}],
  "schemas of their own, with a quote in the name": [
    `create schema "it's"`,
    { schema: `our "own"`, hostSchema: "it's" },
  ],
};

/** As `psql --file` does: the whole text to the server. */
async function runByHand({ url }: TestDatabase, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

async function planned(knex: Knex, options: PlanOptions): Promise<string> {
  const before = await everythingIn(knex);
  const { sql } = await planMigrations(knex, options);
  expect(await everythingIn(knex)).toEqual(before);
  return sql;
}

/** What the migrations have written down for themselves. */
async function ledgersOf(knex: Knex, { schema = "public" }: MigrateOptions): Promise<object> {
  return {
    migrations: await knex("whatsapp_migrations").withSchema(schema).select("id", "name", "batch").orderBy("id"),
    lock: await knex("whatsapp_migrations_lock").withSchema(schema).select(),
    host: await knex("whatsapp_host_changes")
      .withSchema(schema)
      .select("kind", "table_name", "object_name")
      .orderBy("id"),
  };
}

describe("the plan", () => {
  test.each(Object.entries(CASES))("for %s does the same as migrate, and down again", async (_, [sql, options]) => {
    const [byHand, byCode] = await Promise.all([
      createTestDatabase({ empty: true }),
      createTestDatabase({ empty: true }),
    ]);
    for (const { knex } of [byHand, byCode]) await knex.raw(sql);
    const empty = await everythingIn(byHand.knex);

    const up = await planned(byHand.knex, options);
    await runByHand(byHand, up);
    await migrate(byCode.knex, options);

    expect(await everythingIn(byHand.knex)).toEqual(await everythingIn(byCode.knex));
    expect(await ledgersOf(byHand.knex, options)).toEqual(await ledgersOf(byCode.knex, options));
    expect(await migrationStatus(byHand.knex, options)).toEqual(await migrationStatus(byCode.knex, options));
    expect(await migrate(byHand.knex, options)).toEqual([]);
    expect(await planMigrations(byHand.knex, options)).toEqual({ migrations: [], sql: "" });

    const down = await planned(byHand.knex, { ...options, direction: "down" });
    await runByHand(byHand, down);

    expect(await everythingIn(byHand.knex)).toEqual(empty);
    expect(await planned(byHand.knex, { ...options, direction: "down" })).toBe("");
    await Promise.all([byHand.drop(), byCode.drop()]);
  });
});

describe("a plan", () => {
  test("holds what is pending only, in a batch of its own", async () => {
    const { knex, ...database } = await createTestDatabase({ empty: true });
    await migrate(knex);
    const whole = await everythingIn(knex);
    // As if the last one had come with a newer version.
    const name = "20261128000002_when_it_died";
    await knex.raw("drop index whatsapp_events_dead_order, whatsapp_events_dead_webhook, whatsapp_turns_dead_order");
    for (const table of ["whatsapp_events", "whatsapp_host_events"])
      await knex.raw("alter table ?? drop column died_at", [table]);
    await knex("whatsapp_migrations").where({ name }).delete();

    const plan = await planMigrations(knex);
    await runByHand({ knex, ...database }, plan.sql);

    expect(plan.migrations).toEqual([name]);
    expect(plan.sql).not.toContain("create table");
    expect(await everythingIn(knex)).toEqual(whole);
    expect(await knex("whatsapp_migrations").where({ name }).pluck("batch")).toEqual([2]);
  });

  test("that is run a second time, or too late, fails and changes nothing", async () => {
    const database = await createTestDatabase({ empty: true });
    const { sql } = await planMigrations(database.knex);
    await database.knex.raw("create table messages (id uuid primary key)");
    const before = await everythingIn(database.knex);

    await expect(runByHand(database, sql)).rejects.toThrow("already exists");

    expect(await everythingIn(database.knex)).toEqual(before);
  });

  test("asks for no lock and no right to write: a table that is being altered does not hold it up", async () => {
    const { knex, connect } = await createTestDatabase({ empty: true });
    await knex.raw(HOST);
    const busy = await connect().transaction();
    await busy.raw("lock table messages in access exclusive mode");
    const reader = connect({ min: 0, max: 1 });
    await reader.raw("set default_transaction_read_only = on");

    const { sql } = await planMigrations(reader);

    expect(sql).toContain(`alter table "public"."messages" add column "status" text;`);
    await busy.rollback();
  });

  test("is refused where migrate would be", async () => {
    const { knex } = await createTestDatabase({ empty: true });
    await knex.raw("create table conversations (id uuid primary key, tenant text not null)");

    await expect(planMigrations(knex)).rejects.toMatchObject({ code: "HOST_TABLE_INCOMPATIBLE" });
    await knex.raw("drop table conversations");
    await migrate(knex);
    await knex("whatsapp_migrations").insert({ name: "20301231000001_future", batch: 2, migration_time: new Date() });

    await expect(planMigrations(knex, { direction: "down" })).rejects.toMatchObject({ code: "MIGRATION_UNKNOWN" });
    await expect(migrateDown(knex)).rejects.toMatchObject({ code: "MIGRATION_UNKNOWN" });
  });
});
