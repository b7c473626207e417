/** A real Postgres from the package registry: for the demo, the tests and a host without `DATABASE_URL`. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { freePort } from "./free-port.ts";
import { postgresFolder } from "./postgres-binaries.ts";
import { openDataFolder, passwordOf } from "./postgres-data-folder.ts";
import { unprivilegedUser } from "./postgres-user.ts";

export type EmbeddedPostgres = {
  /** A superuser's connection string to `postgres`; replace the path for another database. */
  readonly url: string;
  databaseUrl(database: string): string;
  /** Stops the server and waits until it has gone, and its temporary data folder with it. */
  stop(): Promise<void>;
};

export type EmbeddedPostgresOptions = {
  /** Kept between runs when given; otherwise a temporary folder. */
  readonly dataDir?: string;
  /** `18` (default) or `15`: the two majors we promise. */
  readonly major?: 15 | 18;
  /** Tests may trade durability of the machine's disk for speed; a crash of Postgres alone still loses nothing. */
  readonly fsync?: boolean;
  /** More of its settings, or others than ours, as `name=value`. */
  readonly settings?: readonly string[];
};

/**
 * Starts it on a free port of 127.0.0.1. Works as root, where Postgres itself refuses: it then runs as another user.
 * However this process ends, the server ends too.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions = {}): Promise<EmbeddedPostgres> {
  const patientUntil = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await start(options);
    } catch (error) {
      if (Date.now() > patientUntil || !PASSES.test((error as Error).message)) throw error;
      await setTimeout(100);
    }
  }
}

const PATIENCE_MS = 5_000;
/** The port that was free a moment ago is taken; the last run's server on this folder is still stopping, or not yet reaped. */
const PASSES = /Address already in use|lock file "postmaster.pid" already exists|shared memory block .* still in use/;

/**
 * A shell stands between us and the server: when this process dies, however it dies, the shell's input ends. `$$` stays
 * the shell's own id, which `exec` hands to Postgres; SIGINT is its fast shutdown, so nothing committed is lost. `$1` is
 * a folder to remove once the server has let go of it, or empty.
 */
const UNTIL_INPUT_ENDS = `
temporary=$1; shift; exec 3<&0
( read -r _ <&3; kill -INT $$ 2>/dev/null
  if [ -n "$temporary" ]; then
    left=100; while [ -e "$temporary/postmaster.pid" ] && [ $left -gt 0 ]; do sleep 0.05; left=$((left - 1)); done
    rm -rf "$temporary"
  fi ) &
exec "$@" </dev/null 3<&-`;

async function start({
  dataDir,
  major = 18,
  fsync = true,
  settings: more = [],
}: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const user = await unprivilegedUser();
  const native = await postgresFolder(major, user);
  const folder = await openDataFolder({ wanted: dataDir, major, native, user });
  const password = await passwordOf(folder);
  const port = await freePort();
  const settings = [
    "listen_addresses=127.0.0.1",
    `port=${port}`,
    "unix_socket_directories=",
    "max_connections=200",
    "max_wal_size=512MB",
    `fsync=${fsync ? "on" : "off"}`,
    ...more,
  ].flatMap((setting) => ["-c", setting]);
  const server = [join(native, "bin", "postgres"), "-D", folder, ...settings];
  const child = spawn("/bin/sh", ["-c", UNTIL_INPUT_ENDS, "sh", dataDir === undefined ? folder : "", ...server], {
    ...user,
    cwd: folder,
    detached: true, // Ctrl-C is for us: we stop the server after the last query.
    env: { PATH: process.env.PATH, LC_ALL: "C" }, // The host's secrets are none of its business.
    stdio: ["pipe", "ignore", "pipe"],
  });
  child.stdin.on("error", () => {}); // It is gone already, which is what we want.
  // The last process that holds its output is the one that cleans up: `exit` would come too early.
  const gone = once(child, "close");
  await new Promise<void>((resolve, reject) => {
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said = `${said}${chunk}`.slice(-20_000);
      // A standby says "read-only connections".
      if (/ready to accept (read-only )?connections/.test(said)) resolve();
    });
    gone.then(() => reject(new Error(`Postgres ended before it was ready:\n${said}`)), reject);
  });
  const databaseUrl = (database: string) => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`;
  return {
    url: databaseUrl("postgres"),
    databaseUrl,
    async stop() {
      child.stdin.end();
      await gone;
    },
  };
}
