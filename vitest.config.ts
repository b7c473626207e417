/** Groups of tests: `unit` and `alone` run at once, everything else gets a real Postgres first. Sources are resolved as tsc does. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/**
 * Need a process each: nock changes Node's own modules (nothing else imports it: `test/package/architecture.test.ts`), and what counts how
 * often the engine runs a block must see it from the beginning.
 */
const ALONE = [
  "test/unit/graph-api/**/*.test.ts",
  "test/unit/chat-api/**/*.test.ts",
  "test/unit/transformer/growth.test.ts",
];

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^@omniops\/whatsapp$/, replacement: source("plugin/index.ts") },
      { find: /^@omniops\/whatsapp\/contract$/, replacement: source("plugin/contract.ts") },
      { find: /^@omniops\/whatsapp\/migrations$/, replacement: source("migrations/index.ts") },
      { find: /^@omniops\/whatsapp\/testing$/, replacement: source("qa/index.ts") },
      { find: /^@omniops\/whatsapp\/simulator$/, replacement: source("simulator/index.ts") },
    ],
  },
  test: {
    environment: "node",
    // The gate counts from the file.
    reporters: process.env.CI ? ["default", ["json", { outputFile: ".data/test-results.json" }]] : ["default"],
    pool: "forks",
    // One more than two cores: a worker often waits for a process, a lease or Meta.
    maxWorkers: 3,
    execArgv: ["--unhandled-rejections=strict"],
    globalSetup: ["test/support/scratch.ts"],
    setupFiles: ["test/support/each-file.ts", "test/support/prototypes.ts", "test/support/no-internet.ts"],
    // Of a busy machine: what never comes fails all the same.
    expect: { poll: { timeout: 10_000 } },
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
    projects: [
      {
        extends: true,
        test: { name: "alone", include: ALONE, testTimeout: 20_000 },
      },
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          exclude: ALONE,
          isolate: false,
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          name: "postgres",
          include: ["test/**/*.test.ts"],
          exclude: ["test/unit/**"],
          // One process runs many files: loading our modules anew for each was a fifth of the time.
          isolate: false,
          globalSetup: ["test/support/global-setup.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // Of experiments with faults, each of which is several processes: five beside each other on two cores take five to seven times as long each as two.
          maxConcurrency: 2,
        },
      },
    ],
  },
});
