/** `npm run bench [acks] [turns] [transformer]`: ratios against a stated limit in the same run, in alternating rounds. */
import { cpus } from "node:os";
import knexFactory from "knex";
import { startEmbeddedPostgres } from "../examples/host/embedded-postgres.ts";
import { startLoopbackGraph } from "./graph.ts";
import { buildRequests, type LoadResult, sendAll } from "./load.ts";
import { runServer } from "./run-server.ts";
import { benchTransformer } from "./transformer.ts";

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 7);
const SOCKETS = Number(process.env.BENCH_SOCKETS ?? 96);
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !["acks", "turns", "transformer"].includes(name));
if (unknown.length > 0) {
  console.error(`There is no benchmark "${unknown[0]}". Usage: npm run bench [acks] [turns] [transformer]`);
  process.exit(2);
}
const run = (name: string) => wanted.length === 0 || wanted.includes(name);

console.log(`${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.versions.node}`);
if (run("transformer") && !benchTransformer()) process.exitCode = 1;
if (!run("acks") && !run("turns")) process.exit();

console.log("\nEmbedded Postgres 18 (fsync on), load, server and database on the same cores");
const postgres = await startEmbeddedPostgres();
const graph = await startLoopbackGraph();
try {
  if (run("acks")) await benchAcks();
  if (run("turns")) await benchTurns();
} finally {
  graph.stop();
  await postgres.stop();
}

/** Acknowledged and durable webhooks/s beside an Express route that only checks the HMAC. Bar: 0.80. */
async function benchAcks(): Promise<void> {
  console.log(`\nAcknowledged webhooks, ${SOCKETS} connections, ${ROUNDS} alternating rounds`);
  const count = Number(process.env.BENCH_COUNT ?? 10_000);
  await likeOneInService();
  const ours = await runServer("acks", await freshDatabase("acks"), graph.url);
  const limit = await runServer("hmac");
  // Long enough for both to be compiled: a server that has just started is another matter.
  for (const server of [ours, limit])
    await sendAll(server.port, buildRequests({ count: 40_000, people: 200, run: "warm" }), SOCKETS);
  const rounds: { ours: LoadResult; limit: LoadResult }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const requests = buildRequests({ count, people: 200, run: `r${round}` });
    const pair =
      round % 2 === 0
        ? { limit: await sendAll(limit.port, requests, SOCKETS), ours: await sendAll(ours.port, requests, SOCKETS) }
        : { ours: await sendAll(ours.port, requests, SOCKETS), limit: await sendAll(limit.port, requests, SOCKETS) };
    rounds.push(pair);
    console.log(
      `  round ${round + 1}: HMAC only ${perSecond(pair.limit)}/s · durable ${perSecond(pair.ours)}/s (p50 ${pair.ours.p50.toFixed(1)} ms, p99 ${pair.ours.p99.toFixed(1)} ms) · ratio ${(pair.ours.perSecond / pair.limit.perSecond).toFixed(2)}`,
    );
  }
  const ratio = spread(rounds.map((pair) => pair.ours.perSecond / pair.limit.perSecond));
  console.log(
    `  ratio: median ${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)}), bar 0.80: ${ratio.median >= 0.8 ? "met" : "MISSED"}`,
  );
  await ours.stop();
  await limit.stop();
}

/** From webhook to Graph's acceptance, by leaving stages out: what each adds is its share. */
async function benchTurns(): Promise<void> {
  const count = Number(process.env.BENCH_COUNT ?? 6_000);
  console.log(`\nFull turns, ${count} messages in 200 conversations, one process, loopback Graph without statuses`);
  const times: Record<"acks" | "silent" | "full", number[]> = { acks: [], silent: [], full: [] };
  let answers = 0;
  for (let round = 0; round < ROUNDS; round++)
    for (const mode of ["acks", "silent", "full"] as const) {
      const database = await freshDatabase(`${mode}${round}`);
      const server = await runServer(mode, database, graph.url);
      const knex = knexFactory({ client: "pg", connection: database });
      await sendAll(server.port, buildRequests({ count: 400, people: 200, run: "warm" }), SOCKETS);
      await settled(knex, mode);
      graph.reset();
      const startedAt = performance.now();
      await sendAll(server.port, buildRequests({ count, people: 200, run: `t${round}` }), SOCKETS);
      await settled(knex, mode);
      times[mode].push((performance.now() - startedAt) / 1000);
      if (mode === "full") answers = graph.accepted;
      await knex.destroy();
      await server.stop();
    }
  const median = (mode: keyof typeof times) => spread(times[mode]).median;
  const rate = spread(times.full.map((seconds) => count / seconds));
  console.log(
    `  messages answered/s: median ${rate.median.toFixed(0)} (${rate.min.toFixed(0)} to ${rate.max.toFixed(0)}); ${answers} answers for ${count} messages (bursts are merged)`,
  );
  console.log(
    `  share of the time: store and acknowledge ${share(median("acks"))} · apply and ask the host ${share(median("silent") - median("acks"))} · outbox and Graph ${share(median("full") - median("silent"))}`,
  );

  function share(seconds: number): string {
    return `${Math.round((seconds / median("full")) * 100)} % (${((seconds / count) * 1e6).toFixed(0)} µs per message)`;
  }
}

/**
 * A database in service reuses its WAL segments and checkpoints every five minutes. A fresh one fills each segment with
 * zeros first, a tenth of a second every six thousand deliveries, and a small one checkpoints in the middle of a round.
 */
async function likeOneInService(): Promise<void> {
  const knex = knexFactory({ client: "pg", connection: postgres.url });
  await knex.raw("alter system set min_wal_size = '1GB'");
  await knex.raw("alter system set max_wal_size = '4GB'");
  await knex.raw("select pg_reload_conf()");
  for (let segment = 0; segment < 50; segment++)
    await knex.raw("select pg_logical_emit_message(false, 'bench', repeat('x', 16000000))");
  await knex.raw("checkpoint");
  await knex.destroy();
}

async function settled(knex: ReturnType<typeof knexFactory>, mode: string): Promise<void> {
  if (mode === "acks") return;
  for (;;) {
    const { rows } = await knex.raw("select coalesce(sum(pending), 0)::int as pending from whatsapp_lanes");
    if (rows[0].pending === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function freshDatabase(name: string): Promise<string> {
  const knex = knexFactory({ client: "pg", connection: postgres.url });
  await knex.raw(`create database bench_${name}`);
  await knex.destroy();
  return postgres.databaseUrl(`bench_${name}`);
}

function perSecond(result: LoadResult): string {
  return result.perSecond.toFixed(0);
}

function spread(values: readonly number[]): { readonly min: number; readonly median: number; readonly max: number } {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    min: sorted[0] as number,
    median: sorted[Math.floor(sorted.length / 2)] as number,
    max: sorted.at(-1) as number,
  };
}
