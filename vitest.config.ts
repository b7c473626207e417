/** Groups of tests: `unit` and `nock` run at once, everything else gets a real Postgres first. Sources are resolved as tsc does. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Nothing else imports nock: `test/package/architecture.test.ts`. */
const WITH_NOCK = ["test/unit/graph-api/**/*.test.ts", "test/unit/chat-api/**/*.test.ts"];

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
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
    projects: [
      {
        extends: true,
        // A process for each file: nock changes Node's own modules.
        test: { name: "nock", include: WITH_NOCK, testTimeout: 20_000 },
      },
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          exclude: WITH_NOCK,
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
          testTimeout: 20_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
