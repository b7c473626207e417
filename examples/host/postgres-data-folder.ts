/** A folder that Postgres can start on: made complete or not at all, and never one of another version or user. */
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { chown, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { mayEnter, type PostgresUser, temporaryFolder } from "./postgres-user.ts";

export type DataFolderOptions = {
  /** Undefined: a temporary one. */
  readonly wanted: string | undefined;
  readonly major: number;
  readonly native: string;
  readonly user: PostgresUser;
};

export async function openDataFolder({ wanted, major, native, user }: DataFolderOptions): Promise<string> {
  if (wanted === undefined) return initialise(join(await temporaryFolder(user), "omniops-postgres-"), native, user);
  const folder = await reachable(resolve(wanted), user);
  if ((await majorOf(folder)) === undefined) {
    // A crash in the middle leaves nothing of that name, and of two at once the first to rename wins.
    const fresh = await initialise(`${folder}.new-`, native, user);
    await rename(fresh, folder).catch(() => rm(fresh, { recursive: true, force: true }));
  }
  const found = await majorOf(folder);
  const advice = "Remove it, choose another, or set DATABASE_URL.";
  if (found === undefined) throw new Error(`${folder} holds something that is not Postgres data. ${advice}`);
  if (found !== major)
    throw new Error(`${folder} holds the data of Postgres ${found}, and this is Postgres ${major}. ${advice}`);
  if ((await stat(folder)).uid !== (user?.uid ?? process.getuid?.()))
    throw new Error(`${folder} belongs to another user than the one that Postgres would run as. ${advice}`);
  return folder;
}

/** The superuser's, made up when the folder was: it stays with the data. */
export async function passwordOf(folder: string): Promise<string> {
  return (await readFile(join(folder, PASSWORD_FILE), "utf8")).trim();
}

const PASSWORD_FILE = "password";

/** As root in a folder that only root may enter, the data lives in the temporary folder under a name of its own. */
async function reachable(folder: string, user: PostgresUser): Promise<string> {
  await mkdir(dirname(folder), { recursive: true });
  if (await mayEnter(user, dirname(folder))) return folder;
  const name = createHash("sha256").update(folder).digest("hex").slice(0, 16);
  return join(await temporaryFolder(user), `omniops-postgres-${name}`);
}

async function majorOf(folder: string): Promise<number | undefined> {
  const version = await readFile(join(folder, "PG_VERSION"), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  return version === undefined ? undefined : Number(version.trim());
}

async function initialise(prefix: string, native: string, user: PostgresUser): Promise<string> {
  const folder = await mkdtemp(prefix);
  // initdb wants an empty folder, so the password waits beside it.
  const waiting = `${folder}.password`;
  try {
    await writeFile(waiting, `${randomBytes(16).toString("hex")}\n`, { mode: 0o600 });
    if (user !== undefined) for (const path of [folder, waiting]) await chown(path, user.uid, user.gid);
    await promisify(execFile)(
      join(native, "bin", "initdb"),
      [
        `--pgdata=${folder}`,
        "--auth=scram-sha-256",
        "--username=postgres",
        `--pwfile=${waiting}`,
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
      ],
      { ...user, cwd: folder, env: { PATH: process.env.PATH, LC_ALL: "C" } },
    );
    await rename(waiting, join(folder, PASSWORD_FILE));
  } catch (error) {
    await Promise.all([folder, waiting].map((path) => rm(path, { recursive: true, force: true })));
    throw error;
  }
  return folder;
}
