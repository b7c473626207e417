/** Which browser the tests drive: CHROMIUM, the one from the registry where it runs, or an installed one. */
import { execFile } from "node:child_process";
import { access, chmod, constants, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const require = createRequire(import.meta.url);
const DATA = fileURLToPath(new URL("../../.data/", import.meta.url));
const INSTALLED = ["google-chrome-stable", "google-chrome", "chromium", "chromium-browser", "chrome"];
const MAC = ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];

export type Chromium = { readonly path: string; readonly env: Readonly<Record<string, string>> };

/** @throws Error that says how to give the tests a browser. */
export async function findChromium(
  env: Readonly<Record<string, string | undefined>> = process.env,
  isPackagedOneFit = runsPackagedOne(),
): Promise<Chromium> {
  if (env.CHROMIUM) {
    if (await isExecutable(env.CHROMIUM)) return { path: env.CHROMIUM, env: {} };
    throw new Error(`CHROMIUM=${env.CHROMIUM} is not a program that may be run: give the path of Chrome or Chromium.`);
  }
  if (isPackagedOneFit) return unpackedChromium();
  const names = (env.PATH ?? "").split(delimiter).flatMap((folder) => INSTALLED.map((name) => join(folder, name)));
  for (const path of [...names, ...MAC]) if (await isExecutable(path)) return { path, env: {} };
  throw new Error(
    "The tests need a browser: the packaged Chromium is for Linux on x64 with glibc. " +
      "Install Chrome or Chromium, or set CHROMIUM to the path of one.",
  );
}

/** It is built for Linux on x64 and glibc; musl has no version to report. */
function runsPackagedOne(): boolean {
  if (process.platform !== "linux" || process.arch !== "x64") return false;
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime !== undefined;
}

/** Unpacked once beside the other data of the tests; a rename makes it complete or absent, whoever else is at it. */
async function unpackedChromium(): Promise<Chromium> {
  const entry = require.resolve("@sparticuz/chromium");
  const { version } = JSON.parse(await readFile(join(dirname(entry), "../../package.json"), "utf8"));
  const folder = join(DATA, `chromium-${version}`);
  if (!(await isExecutable(join(folder, "chromium")))) await unpack(entry, folder);
  return {
    path: join(folder, "chromium"),
    // Its own libraries and fonts: a machine without any shows the same pages.
    env: { LD_LIBRARY_PATH: join(folder, "al2023/lib"), FONTCONFIG_FILE: join(folder, "fonts.conf"), HOME: folder },
  };
}

async function unpack(entry: string, folder: string): Promise<void> {
  await mkdir(DATA, { recursive: true });
  const staging = await mkdtemp(join(DATA, "unpacking-"));
  try {
    // The package unpacks into the temporary folder, and its libraries only where it takes itself to be on AWS.
    await run(process.execPath, ["-e", "require(process.argv[1]).executablePath()", entry], {
      env: { TMPDIR: staging, AWS_EXECUTION_ENV: "AWS_Lambda_nodejs20.x" },
    });
    await writeFile(join(staging, "fonts.conf"), fontsConf(folder));
    await chmod(join(staging, "chromium"), 0o755);
    await chmod(staging, 0o755);
    await rename(staging, folder);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    if (!(await isExecutable(join(folder, "chromium")))) throw error;
  }
}

function fontsConf(folder: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${folder}/fonts/fonts</dir><cachedir>${folder}/fonts-cache</cachedir></fontconfig>
`;
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
