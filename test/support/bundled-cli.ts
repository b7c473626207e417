/** The command line in few files: a process that has to read the sources would take three times as long, and there are a hundred. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, stop } from "esbuild";
import { afterAll, beforeAll } from "vitest";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** To be called at the top of a test file. @returns the path of the file, which is there from the first test to the last. */
export function bundleCli(): string {
  const folder = join(ROOT, ".data", `cli-${process.pid}`);
  beforeAll(async () => {
    await build({
      entryPoints: [join(ROOT, "cli/main.ts")],
      outdir: folder,
      outExtension: { ".js": ".mjs" },
      bundle: true,
      // A command is read when it is asked for, as it is in the package.
      splitting: true,
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
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "main.mjs");
}
