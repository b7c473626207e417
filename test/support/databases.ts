/** Creates and drops databases on a server; each call has its own connection, so nothing stays open between tests. */
import knexFactory from "knex";
import pg from "pg";
import { migrate } from "../../migrations/index.ts";

export async function createDatabase(serverUrl: string, name: string, template = "template0"): Promise<string> {
  // The server's files as they are: without `fsync` that takes half the time of writing them through its log.
  await query(serverUrl, `create database "${name}" template "${template}" strategy file_copy`);
  return databaseUrl(serverUrl, name);
}

/** Idempotent, and stronger than a pool that a test forgot to close. */
export async function dropDatabase(serverUrl: string, name: string): Promise<void> {
  await query(serverUrl, `update pg_database set datistemplate = false where datname = '${name}'`).catch(() => {});
  await query(serverUrl, `drop database if exists "${name}" with (force)`);
}

/** A migrated database that nobody can connect to: a connection to it would make cloning fail. */
export async function createTemplate(serverUrl: string, name: string): Promise<void> {
  const knex = knexFactory({
    client: "pg",
    connection: await createDatabase(serverUrl, name),
    pool: { min: 0, max: 1 },
  });
  await migrate(knex).finally(() => knex.destroy());
  await query(serverUrl, `alter database "${name}" with allow_connections false`);
}

export function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.toString();
}

async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}
