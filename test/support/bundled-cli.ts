/** The command line as one file: a process that has to read the sources would take three times as long, and there are a hundred. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, stop } from "esbuild";
import { afterAll, beforeAll } from "vitest";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** To be called at the top of a test file. @returns the path of the file, which is there from the first test to the last. */
export function bundleCli(): string {
  const file = join(ROOT, ".data", `cli-${process.pid}.mjs`);
  beforeAll(async () => {
    await build({
      entryPoints: [join(ROOT, "cli/main.ts")],
      outfile: file,
      bundle: true,
      packages: "external",
      alias: {
        "@omniops/whatsapp/migrations": "./migrations/index.ts",
        "@omniops/whatsapp/simulator": "./simulator/index.ts",
        "@omniops/whatsapp": "./plugin/index.ts",
      },
      platform: "node",
      target: "node20",
      format: "esm",
      sourcemap: "inline",
      logLevel: "silent",
    });
    await stop();
  });
  afterAll(() => rm(file, { force: true }));
  return file;
}
