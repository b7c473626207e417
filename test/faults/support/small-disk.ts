/** A Postgres whose disk is small, so that it can be filled. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import pg from "pg";
import { createDatabase, createTemplate } from "../../support/databases.ts";
import type { OnFinished } from "./experiment.ts";
import type { OwnPostgres } from "./own-postgres.ts";

export type SmallDisk = Pick<OwnPostgres, "url" | "createDatabase"> & {
  /** Writes until nothing fits any more. */
  fill(): Promise<void>;
  empty(): Promise<void>;
};

const SIZE = "224m";
const DATABASE = "small";
const POSTGRES = pathToFileURL(join(process.cwd(), "examples/host/embedded-postgres.ts")).href;

/** The disk is memory, mounted where only these processes see it: it is gone when they are. */
const ON_A_DISK_OF_ITS_OWN = `mount -t tmpfs -o size=${SIZE},mode=0755 tmpfs "$1" || exit 77; shift; exec "$@"`;

/** @returns null where this user may not mount anything. */
export async function startOnSmallDisk(onFinished: OnFinished): Promise<SmallDisk | null> {
  const disk = await mkdtemp(join(tmpdir(), "omniops-disk-"));
  onFinished(() => rm(disk, { recursive: true, force: true }));
  const script = `import { startEmbeddedPostgres } from ${JSON.stringify(POSTGRES)};
    const postgres = await startEmbeddedPostgres({ dataDir: ${JSON.stringify(join(disk, "data"))} });
    process.stdin.on("end", async () => { await postgres.stop(); process.exit(0); }).resume();
    console.log(postgres.url);`;
  const node = [
    process.execPath,
    "--unhandled-rejections=strict",
    "--import",
    "tsx",
    "--input-type=module",
    "-e",
    script,
  ];
  const child = spawn("unshare", ["--mount", "sh", "-c", ON_A_DISK_OF_ITS_OWN, "sh", disk, ...node], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const gone = once(child, "exit").catch(() => [1]);
  const [line] = await Promise.race([once(child.stdout, "data"), gone.then(() => [null])]);
  if (line === null) return null;
  onFinished(async () => {
    child.stdin.end();
    await gone;
  });
  const url = String(line).trim();
  await createTemplate(url, DATABASE);
  const ask = async (sql: string) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    return client.query(sql).finally(() => client.end());
  };
  const ballast = `${(await ask("show data_directory")).rows[0].data_directory}/ballast`;
  return {
    url,
    async createDatabase() {
      await createDatabase(url, "faults", DATABASE);
      return "faults";
    },
    async fill() {
      // Room in the log for what fails, so that the server itself stays up: a full log ends it, and that is F5.
      await ask("select pg_switch_wal()");
      await ask("checkpoint");
      const full = await ask(`copy (select repeat('x', 8000) from generate_series(1, 1000000)) to '${ballast}'`).then(
        () => false,
        (error: { readonly code?: string }) => error.code === "53100",
      );
      if (!full) throw new Error("The disk is larger than it should be.");
    },
    async empty() {
      await ask(`copy (select 1 where false) to '${ballast}'`);
    },
  };
}
