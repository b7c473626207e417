/** A Postgres of an experiment's own, to be stopped, crashed and started again on the same data. */
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll } from "vitest";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../../examples/host/embedded-postgres.ts";
import { createDatabase, createTemplate } from "../../support/databases.ts";

export type OwnPostgres = {
  /** Of the server as it runs now: the port changes with every start. */
  readonly url: string;
  /** The postmaster's process id. */
  readonly pid: number;
  /** A migrated database. @returns its name. */
  createDatabase(): Promise<string>;
  /** Everybody is cut off, what was committed is kept, nothing is written in order: as by `pg_ctl -m immediate stop`. */
  crash(): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
};

const TEMPLATE = "omniops_template";

/** Gone with its data when the file ends. */
export async function startOwnPostgres(): Promise<OwnPostgres> {
  const folder = await mkdtemp(join(tmpdir(), "omniops-faults-"));
  const dataDir = join(folder, "data");
  let server: EmbeddedPostgres = await startEmbeddedPostgres({ dataDir });
  const [{ where }] = (await ask(server.url, "select current_setting('data_directory') as where")) as [
    { where: string },
  ];
  await createTemplate(server.url, TEMPLATE);
  const postgres = {
    url: server.url,
    pid: await pidOf(where),
    async createDatabase() {
      const name = `faults_${randomUUID().slice(0, 8)}`;
      await createDatabase(server.url, name, TEMPLATE);
      return name;
    },
    async crash() {
      process.kill(postgres.pid, "SIGQUIT");
      await server.stop();
    },
    stop: () => server.stop(),
    async start() {
      server = await startEmbeddedPostgres({ dataDir });
      postgres.url = server.url;
      postgres.pid = await pidOf(where);
    },
  };
  afterAll(async () => {
    await server.stop();
    await Promise.all([folder, where].map((path) => rm(path, { recursive: true, force: true })));
  });
  return postgres;
}

async function pidOf(dataDirectory: string): Promise<number> {
  return Number((await readFile(join(dataDirectory, "postmaster.pid"), "utf8")).split("\n")[0]);
}

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return (await client.query(sql).finally(() => client.end())).rows;
}
