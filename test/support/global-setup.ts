/** One Postgres for the whole run, with one migrated database that every test database is cloned from. */
import { randomUUID } from "node:crypto";
import pg from "pg";
import type { TestProject } from "vitest/node";
import { startEmbeddedPostgres } from "../../examples/host/embedded-postgres.ts";
import { createDatabase, createTemplate, dropDatabase } from "./databases.ts";

declare module "vitest" {
  interface ProvidedContext {
    readonly postgres: { readonly url: string; readonly major: number; readonly template: string };
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.DATABASE_URL;
  const embedded =
    given === undefined || given === ""
      ? await startEmbeddedPostgres({ fsync: false, settings: ["max_connections=400"] })
      : undefined;
  const url = embedded?.url ?? (given as string);
  const template = `omniops_template_${randomUUID().slice(0, 8)}`;
  try {
    await mayCreateDatabases(url);
    await createTemplate(url, template);
    project.provide("postgres", { url, major: await majorOf(url), template });
  } catch (error) {
    await embedded?.stop();
    throw error;
  }
  return async () => {
    if (embedded === undefined) await dropDatabase(url, template);
    await embedded?.stop();
  };
}

async function majorOf(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ major: number }>(
    "select current_setting('server_version_num')::int / 10000 as major",
  );
  await client.end();
  return rows[0]!.major;
}

async function mayCreateDatabases(url: string): Promise<void> {
  const probe = `omniops_probe_${randomUUID().slice(0, 8)}`;
  await createDatabase(url, probe).catch((cause: { readonly code?: string }) => {
    const mayNot = cause.code === "42501";
    const advice = mayNot
      ? "The tests clone a database each: its user needs CREATEDB."
      : "Is the server up, and are user and password right?";
    throw new Error(`DATABASE_URL does not serve the tests. ${advice}`, { cause });
  });
  await dropDatabase(url, probe);
}
