/** A database of its own for a test: migrated unless asked to be empty, and gone when the test file ends. */
import { randomUUID } from "node:crypto";
import knexFactory, { type Knex } from "knex";
import { inject } from "vitest";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../examples/host/embedded-postgres.ts";
import { afterEveryFile } from "./clear-away.ts";
import { createDatabase, createTemplate, dropDatabase } from "./databases.ts";

export type TestDatabase = {
  readonly url: string;
  /** A pool of at most 10 connections; a test of several processes makes more with {@link connect}. */
  readonly knex: Knex;
  /** Another instance on the same database, closed by `drop`. */
  connect(pool?: Knex.PoolConfig): Knex;
  /** Closes every knex of it and drops it. Called after the file's last test for what is left. */
  drop(): Promise<void>;
};

export type TestDatabaseOptions = {
  /** Without our tables. */
  readonly empty?: boolean;
  /** Insist on this major; the run's own server is used when it fits, else one is started for this file. */
  readonly major?: 15 | 18;
};

/** Knex prints what it also throws, whole migrations included. */
const SILENT = { error: () => {}, warn: () => {} };

type Server = { readonly url: string; readonly template: string };

const open = new Set<TestDatabase>();
const started = new Map<number, Promise<{ readonly postgres: EmbeddedPostgres; readonly template: string }>>();

export async function createTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const server = await serverFor(options.major);
  const name = `omniops_test_${randomUUID().replaceAll("-", "").slice(0, 16)}`;
  const url = await createDatabase(server.url, name, options.empty === true ? undefined : server.template);
  const instances: Knex[] = [];
  const connect = (pool: Knex.PoolConfig = { min: 0, max: 10 }) => {
    const knex = knexFactory({ client: "pg", connection: url, pool, log: SILENT });
    instances.push(knex);
    return knex;
  };
  const database: TestDatabase = {
    url,
    knex: connect(),
    connect,
    async drop() {
      if (!open.delete(database)) return;
      await Promise.all(instances.map((knex) => knex.destroy()));
      await dropDatabase(server.url, name);
    },
  };
  open.add(database);
  return database;
}

async function serverFor(major: number | undefined): Promise<Server> {
  const shared = inject("postgres");
  if (shared === undefined) throw new Error("test/unit runs without Postgres: put this test into test/integration.");
  if (major === undefined || major === shared.major) return shared;
  const starting = started.get(major) ?? startServer(major as 15 | 18);
  started.set(major, starting);
  const { postgres, template } = await starting;
  return { url: postgres.url, template };
}

async function startServer(major: 15 | 18) {
  const postgres = await startEmbeddedPostgres({ major, fsync: false });
  await createTemplate(postgres.url, "omniops_template");
  return { postgres, template: "omniops_template" };
}

afterEveryFile(async () => {
  await Promise.all([...open].map((database) => database.drop()));
  const servers = [...started.values()];
  started.clear();
  for (const starting of servers) await (await starting).postgres.stop();
});
