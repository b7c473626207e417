/** `npm run bench:hostile`: how long signed deliveries wait while somebody floods the route, beside the same without. Bar: p99 at most doubled. */
import { type ChildProcess, fork } from "node:child_process";
import { cpus } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import knexFactory from "knex";
import { startEmbeddedPostgres } from "../examples/host/embedded-postgres.ts";
import { startLoopbackGraph } from "./graph.ts";
import { buildRequests, type LoadResult, sendAll } from "./load.ts";
import { runServer } from "./run-server.ts";

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const COUNT = Number(process.env.BENCH_COUNT ?? 2_000);
/** As many at once as Meta has for a host of some size; not as many as the machine can. */
const SOCKETS = 8;
const FLOODS = ["unsigned", "declared", "chunked", "whole", "slow"];

console.log(`${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.versions.node}`);
console.log(
  `${COUNT} signed deliveries over ${SOCKETS} connections, ${ROUNDS} alternating rounds, all on the same cores`,
);
const postgres = await startEmbeddedPostgres();
const graph = await startLoopbackGraph();
try {
  const knex = knexFactory({ client: "pg", connection: postgres.url });
  await knex.raw("create database bench_hostile");
  await knex.destroy();
  const server = await runServer("acks", postgres.databaseUrl("bench_hostile"), graph.url);
  await send("warm", 20_000);
  for (const kind of FLOODS) {
    const rounds: { quiet: LoadResult; flooded: LoadResult }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const quiet = await send(`${kind}q${round}`, COUNT);
      const flood = startFlood(kind);
      await pause(500);
      const flooded = await send(`${kind}f${round}`, COUNT);
      flood.kill("SIGKILL");
      await pause(500);
      rounds.push({ quiet, flooded });
    }
    const [quiet, flooded] = [median(rounds.map((one) => one.quiet.p99)), median(rounds.map((one) => one.flooded.p99))];
    const ratio = median(rounds.map((one) => one.flooded.p99 / one.quiet.p99));
    console.log(
      `  ${kind.padEnd(9)} p99 ${quiet.toFixed(1)} ms quiet, ${flooded.toFixed(1)} ms flooded: ×${ratio.toFixed(2)}, bar 2: ${ratio <= 2 ? "met" : "MISSED"}`,
    );
  }
  await server.stop();

  function startFlood(kind: string): ChildProcess {
    return fork(fileURLToPath(new URL("flood.ts", import.meta.url)), [String(server.port), kind], {
      execArgv: ["--import", "tsx"],
    });
  }

  function send(run: string, count: number): Promise<LoadResult> {
    return sendAll(server.port, buildRequests({ count, people: 200, run }), SOCKETS);
  }
} finally {
  graph.stop();
  await postgres.stop();
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}
