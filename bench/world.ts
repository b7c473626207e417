/** What every benchmark with a database needs: the database, a loopback Graph, and the arithmetic of rounds. */
import knexFactory, { type Knex } from "knex";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../examples/host/embedded-postgres.ts";
import { startLoopbackGraph } from "./graph.ts";

export type World = {
  readonly graph: Awaited<ReturnType<typeof startLoopbackGraph>>;
  /** Recycled WAL segments, and no checkpoint within a run: see below. */
  likeOneInService(): Promise<void>;
  /** @returns the URL of an empty database. */
  freshDatabase(name: string): Promise<string>;
  stop(): Promise<void>;
};

export const SOCKETS = Number(process.env.BENCH_SOCKETS ?? 96);

/** @returns how many rounds: what the environment says, or `usual`. */
export const roundsOf = (usual: number): number => Number(process.env.BENCH_ROUNDS ?? usual);

export const countOf = (usual: number): number => Number(process.env.BENCH_COUNT ?? usual);

export async function openWorld(): Promise<World> {
  const postgres = await startEmbeddedPostgres({
    // What is said at its start holds, whatever a configuration says later.
    settings: ["min_wal_size=1GB", "max_wal_size=4GB", "checkpoint_timeout=30min"],
  });
  const graph = await startLoopbackGraph();
  return {
    graph,
    likeOneInService: () => likeOneInService(postgres),
    async freshDatabase(name) {
      await withKnex(postgres.url, (knex) => knex.raw(`create database bench_${name}`));
      return postgres.databaseUrl(`bench_${name}`);
    },
    async stop() {
      graph.stop();
      await postgres.stop();
    },
  };
}

/**
 * A database in service reuses its WAL segments and checkpoints every five minutes. A fresh one fills each segment with
 * zeros first, a tenth of a second every six thousand deliveries, and a small one checkpoints in the middle of a round.
 */
async function likeOneInService(postgres: EmbeddedPostgres): Promise<void> {
  await withKnex(postgres.url, async (knex) => {
    for (let segment = 0; segment < 50; segment++)
      await knex.raw("select pg_logical_emit_message(false, 'bench', repeat('x', 16000000))");
    await knex.raw("checkpoint");
  });
}

export async function withKnex<T>(url: string, run: (knex: Knex) => Promise<T>): Promise<T> {
  const knex = knexFactory({ client: "pg", connection: url, pool: { min: 0, max: 2 } });
  try {
    return await run(knex);
  } finally {
    await knex.destroy();
  }
}

/** Resolves once nothing waits in any lane. */
export async function settled(knex: Knex): Promise<void> {
  while ((await pendingOf(knex, ["in", "media", "turn", "out", "notify"])) > 0) await pause(20);
}

export async function pendingOf(knex: Knex, stages: readonly string[]): Promise<number> {
  const { rows } = await knex.raw(
    "select coalesce(sum(pending), 0)::int as pending from whatsapp_lanes where stage = any(?)",
    [[...stages]],
  );
  return rows[0].pending;
}

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export type Spread = { readonly min: number; readonly median: number; readonly max: number };

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    min: sorted[0] as number,
    median: sorted[Math.floor(sorted.length / 2)] as number,
    max: sorted.at(-1) as number,
  };
}

export function say({ min, median, max }: Spread, digits = 2): string {
  return `median ${median.toFixed(digits)} (${min.toFixed(digits)} to ${max.toFixed(digits)})`;
}

/** Prints the verdict on a limit. @returns whether it was kept. */
export function judge(what: string, isMet: boolean): boolean {
  console.log(`  ${what}: ${isMet ? "met" : "MISSED"}`);
  return isMet;
}
