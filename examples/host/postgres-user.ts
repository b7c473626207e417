/** Who Postgres runs as when we are root, which it refuses to be, and where that user can go. */
import { execFile } from "node:child_process";
import { realpath, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { promisify } from "node:util";

/** Undefined: the one we are. */
export type PostgresUser = { readonly uid: number; readonly gid: number } | undefined;

/** No user is created: `nobody` exists wherever there is a root. */
export async function unprivilegedUser(): Promise<PostgresUser> {
  if (process.getuid === undefined) throw new Error("There is no embedded Postgres on Windows: set DATABASE_URL.");
  if (process.getuid() !== 0) return undefined;
  for (const name of ["postgres", "nobody"]) {
    const ids = await Promise.all(["-u", "-g"].map((flag) => promisify(execFile)("id", [flag, name]))).catch(() => []);
    const [uid, gid] = ids.map(({ stdout }) => Number(stdout));
    if (uid !== undefined && gid !== undefined) return { uid, gid };
  }
  throw new Error("Postgres does not run as root, and there is no user postgres or nobody: set DATABASE_URL.");
}

/** A checkout below /root cannot be entered by another user, whatever the folder itself allows. */
export async function mayEnter(user: PostgresUser, folder: string): Promise<boolean> {
  if (user === undefined) return true;
  let at = await realpath(folder);
  while (((await stat(at)).mode & 0o001) !== 0) {
    if (at === dirname(at)) return true;
    at = dirname(at);
  }
  return false;
}

export async function temporaryFolder(user: PostgresUser): Promise<string> {
  return (await mayEnter(user, tmpdir())) ? tmpdir() : "/tmp";
}
