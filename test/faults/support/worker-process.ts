/** Processes of a host that can be killed. The next one is loaded while the last one runs, so that a life begins at once. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { build, stop } from "esbuild";
import { afterEveryFile } from "../../support/clear-away.ts";
import { spawnNode } from "../../support/node-process.ts";
import type { WorkerOrders } from "./worker.ts";

/** One place of a host: at most one process at a time. */
export type WorkerProcess = {
  /** Of the process that runs now. */
  readonly url: string;
  /** Everything that was printed, over all lives. */
  readonly output: () => string;
  /** How each life ended that was not killed; null by a signal of somebody else's. */
  readonly exits: readonly (number | null)[];
  /** Whether a process has been started and has not ended. */
  readonly isRunning: boolean;
  /** Resolves when it works and listens. */
  start(): Promise<void>;
  /** Without waiting for anything. */
  signal(signal: NodeJS.Signals): void;
  /** @returns the exit code; null when a signal ended it, or nothing was running. */
  end(signal: "SIGKILL" | "SIGTERM"): Promise<number | null>;
};

const spares: Promise<Life>[] = [];
const bundle = join(process.cwd(), ".data", `faults-worker-${process.pid}.cjs`);
const RUN_COMPILED = "test/faults/support/run-compiled.js";
let bundling: Promise<unknown> | undefined;

type Life = { readonly child: ChildProcess; said: string };

export function createWorkerProcess(orders: WorkerOrders): WorkerProcess {
  let life: Life | undefined;
  let before = "";
  let ending = false;
  const exits: (number | null)[] = [];
  const worker = {
    url: "",
    get isRunning() {
      return life !== undefined && life.child.exitCode === null && life.child.signalCode === null;
    },
    exits,
    output: () => before + (life?.said ?? ""),
    async start() {
      const next = await takeSpare();
      before = worker.output();
      life = next;
      ending = false;
      next.child.on("exit", (code) => {
        if (!ending) exits.push(code);
      });
      next.child.send(orders);
      const answer = await Promise.race([once(next.child, "message"), once(next.child, "exit")]);
      // Killed on the way up: whoever did so knows.
      if (next.child.killed) return;
      const [message] = answer as [{ readonly url: string } | number];
      if (typeof message !== "object") throw new Error(`a worker ended with ${message}:\n${next.said}`);
      worker.url = message.url;
    },
    signal(signal: NodeJS.Signals) {
      life?.child.kill(signal);
    },
    async end(signal: "SIGKILL" | "SIGTERM") {
      const child = life?.child;
      if (child === undefined || !worker.isRunning) return null;
      ending = true;
      const gone = once(child, "exit");
      child.kill(signal);
      const [code] = await gone;
      if (signal === "SIGTERM") exits.push(code);
      return code;
    },
  };
  return worker;
}

/** So many are ready at any time. */
const SPARES = 2;

async function takeSpare(): Promise<Life> {
  const life = spares.shift() ?? load();
  while (spares.length < SPARES) spares.push(load());
  return life;
}

async function load(): Promise<Life> {
  bundling ??= makeBundle();
  await bundling;
  const child = spawnNode([RUN_COMPILED, bundle], { env: { PATH: process.env.PATH ?? "" }, withIpc: true });
  const life = { child, said: "" };
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      life.said += chunk.toString();
    });
  await Promise.race([
    once(child, "message"),
    once(child, "exit").then(([code]) => Promise.reject(new Error(`a worker ended with ${code}:\n${life.said}`))),
  ]);
  return life;
}

/** What the client of another database would bring; knex asks for it only when that database is used. */
const NOT_INSTALLED = [
  "better-sqlite3",
  "mariadb",
  "mysql",
  "mysql2",
  "oracledb",
  "pg-native",
  "pg-query-stream",
  "sqlite3",
  "tedious",
];

/** One file of plain JavaScript, libraries too, and no map, which would be read at every start: half the time of our modules alone in one. */
async function makeBundle(): Promise<void> {
  await mkdir(join(process.cwd(), ".data"), { recursive: true });
  await build({
    entryPoints: ["test/faults/support/worker.ts"],
    outfile: bundle,
    bundle: true,
    platform: "node",
    external: NOT_INSTALLED,
    format: "cjs",
    banner: { js: 'const here = require("node:url").pathToFileURL(__filename).href;' },
    define: { "import.meta.url": "here" },
    alias: { "@omniops/whatsapp": "./plugin/index.ts" },
    logLevel: "warning",
  });
  await stop();
}

afterEveryFile(async () => {
  for (const spare of spares.splice(0)) (await spare).child.kill("SIGKILL");
  for (const file of [bundle, `${bundle}.compiled`]) await rm(file, { force: true });
  bundling = undefined;
});
