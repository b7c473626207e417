/** Two servers: everything that the first writes is copied to the second, which takes its place when it dies. */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { appendFile, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../../examples/host/embedded-postgres.ts";
import { createDatabase, createTemplate } from "../../support/databases.ts";
import { type ChaosProxy, startChaosProxy } from "./chaos-proxy.ts";
import type { OnFinished } from "./experiment.ts";
import type { OwnPostgres } from "./own-postgres.ts";

export type Replicated = Pick<OwnPostgres, "url" | "createDatabase"> & {
  /** Between the two: what is silenced here reaches the standby never. */
  readonly network: ChaosProxy;
  /** The first one dies as by a power cut, the second one takes over: `url` is its from now on. */
  failOver(): Promise<void>;
};

/** @param waits whether a commit waits until the standby has it. */
export async function startReplicated(onFinished: OnFinished, waits: boolean): Promise<Replicated> {
  const [first, second] = ["primary", "standby"].map((name) => join(tmpdir(), `omniops-${name}-${randomUUID()}`)) as [
    string,
    string,
  ];
  const servers: EmbeddedPostgres[] = [];
  onFinished(async () => {
    for (const server of servers) await server.stop();
    await Promise.all([first, second].map((folder) => rm(folder, { recursive: true, force: true })));
  });
  const start = async (dataDir: string) => {
    const server = await startEmbeddedPostgres({ dataDir });
    servers.push(server);
    return server;
  };

  await createTemplate((await start(first)).url, "template");
  await servers.pop()?.stop();
  // As root the server runs as somebody else, who must own the copy too.
  await promisify(execFile)("cp", ["-a", first, second]);
  const primary = await start(first);
  const network = await startChaosProxy(() => Number(new URL(primary.url).port));
  onFinished(() => network.close());
  const { password } = new URL(primary.url);
  await appendFile(
    join(second, "postgresql.auto.conf"),
    `primary_conninfo = 'host=127.0.0.1 port=${network.port} user=postgres password=${password} application_name=standby'\n`,
  );
  await writeFile(join(second, "standby.signal"), "");
  const standby = await start(second);
  await ask(primary.url, `alter system set synchronous_standby_names = '${waits ? "standby" : ""}'`);
  await ask(primary.url, "select pg_reload_conf()");

  const pair = {
    url: primary.url,
    network,
    async createDatabase() {
      const name = `faults_${randomUUID().slice(0, 8)}`;
      await createDatabase(primary.url, name, "template");
      return name;
    },
    async failOver() {
      process.kill(Number((await readFile(join(first, "postmaster.pid"), "utf8")).split("\n")[0]), "SIGQUIT");
      await primary.stop();
      servers.splice(servers.indexOf(primary), 1);
      await ask(standby.url, "select pg_promote()");
      pair.url = standby.url;
    },
  };
  return pair;
}

async function ask(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}
