/** A program in few files: a process that has to read the sources takes ten times as long to begin, and there are a hundred. */
import { readFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, type Plugin, stop } from "esbuild";
import { afterAll, beforeAll } from "vitest";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * To be called at the top of a test file.
 * @param entry a source file, from the root of the checkout. Wherever ours ask where they are, they are told where they were.
 * @returns the path of the program, which is there from the first test to the last.
 */
export function bundleProgram(entry: string): string {
  const name = basename(entry, ".ts");
  const folder = join(ROOT, ".data", `bundled-${process.pid}-${name}`);
  beforeAll(async () => {
    await build({
      entryPoints: [join(ROOT, entry)],
      outdir: folder,
      outExtension: { ".js": ".mjs" },
      bundle: true,
      // A command is read when it is asked for, as it is in the package.
      splitting: true,
      packages: "external",
      alias: {
        "@omniops/whatsapp/migrations": "./migrations/index.ts",
        "@omniops/whatsapp/simulator": "./simulator/index.ts",
        "@omniops/whatsapp/testing": "./qa/index.ts",
        "@omniops/whatsapp": "./plugin/index.ts",
      },
      plugins: [whereItWas],
      platform: "node",
      target: "node20",
      format: "esm",
      sourcemap: "inline",
      logLevel: "silent",
    });
    await stop();
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return join(folder, `${name}.mjs`);
}

const whereItWas: Plugin = {
  name: "where-it-was",
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href)),
      loader: "ts",
    }));
  },
};
