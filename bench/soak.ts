/** `npm run bench soak -- --minutes 10`: at half load, does anything grow that should not? */
import type { Knex } from "knex";
import { buildRequests, openSender, sendAll } from "./load.ts";
import { runServer } from "./run-server.ts";
import { judge, pause, settled, type World, withKnex } from "./world.ts";

const PEOPLE = 200;
const SAMPLE_MS = 5_000;
/** Half a megabyte per minute would be a gigabyte in a day and a half. A short run cannot tell that from noise. */
const mostMbPerMinute = (minutes: number) => (minutes < 5 ? 5 : 0.5);
/** A transaction of ours that is open and idle this long has been forgotten. */
const IDLE_SECONDS = 2;
/** Rows here are per conversation, or gone once they are done: time must not make more of them. */
const STEADY_TABLES = ["lanes", "contacts", "contact_aliases", "sessions", "host_events", "connections"];

type Sample = {
  readonly minutes: number;
  readonly heapMb: number;
  readonly rssMb: number;
  readonly lanesMb: number;
  readonly idle: number;
};

export async function benchSoak({ freshDatabase, graph }: World, minutes: number): Promise<boolean> {
  const database = await freshDatabase("soak");
  const server = await runServer("full", database, graph.url);
  return withKnex(database, async (knex) => {
    const perSecond = Math.round((await fullLoad(knex)) / 2);
    console.log(`\nSoak: ${minutes} minutes at half load (${perSecond} messages/s)`);
    const before = await sizes(knex);
    const samples: Sample[] = [];
    const sender = await openSender(server.port, 32);
    const startedAt = performance.now();
    const minutesSince = () => (performance.now() - startedAt) / 60_000;
    for (let sent = 0, nextSample = SAMPLE_MS; minutesSince() < minutes; ) {
      const due = Math.floor(((performance.now() - startedAt) / 1000) * perSecond);
      for (const request of buildRequests({ count: Math.max(0, due - sent), people: PEOPLE, run: `k${sent}` }))
        sender.send(request);
      sent = Math.max(sent, due);
      if (performance.now() - startedAt > nextSample) {
        nextSample += SAMPLE_MS;
        const memory = await server.memory();
        samples.push({
          minutes: minutesSince(),
          heapMb: memory.heapUsed / 1e6,
          rssMb: memory.rss / 1e6,
          lanesMb: await lanesMb(knex),
          idle: await idleInTransaction(knex),
        });
      }
      await pause(20);
    }
    await settled(knex);
    sender.close();
    const after = await sizes(knex);
    const deadlocks = await deadlocksSoFar(knex);
    await server.stop();
    return report({ samples, before, after, deadlocks, most: mostMbPerMinute(minutes) });
  });

  /** Messages/s, by a burst. */
  async function fullLoad(knex: Knex): Promise<number> {
    await sendAll(server.port, buildRequests({ count: 2_000, people: PEOPLE, run: "warm" }), 96);
    await settled(knex);
    const startedAt = performance.now();
    await sendAll(server.port, buildRequests({ count: 4_000, people: PEOPLE, run: "burst" }), 96);
    await settled(knex);
    return 4_000 / ((performance.now() - startedAt) / 1000);
  }
}

type Soaked = {
  readonly samples: readonly Sample[];
  readonly before: Sizes;
  readonly after: Sizes;
  readonly deadlocks: number;
  readonly most: number;
};

function report({ samples, before, after, deadlocks, most }: Soaked): boolean {
  // The first third is the compiler's and the caches'.
  const later = samples.slice(Math.floor(samples.length / 3));
  const heap = slope(later.map(({ minutes, heapMb }) => [minutes, heapMb]));
  const rss = slope(later.map(({ minutes, rssMb }) => [minutes, rssMb]));
  console.log(
    `  heap after GC ${later[0]?.heapMb.toFixed(1)} → ${later.at(-1)?.heapMb.toFixed(1)} MB, ${heap.toFixed(2)} MB/min · RSS ${later[0]?.rssMb.toFixed(0)} → ${later.at(-1)?.rssMb.toFixed(0)} MB, ${rss.toFixed(2)} MB/min`,
  );
  for (const [name, { rows, bytes }] of Object.entries(after))
    console.log(
      `  whatsapp_${name}: ${before[name]?.rows} → ${rows} rows, ${((before[name]?.bytes ?? 0) / 1e6).toFixed(1)} → ${(bytes / 1e6).toFixed(1)} MB`,
    );
  // Every item of work rewrites a lane's row: what autovacuum gives back must be as much.
  const lanes = slope(later.map(({ minutes, lanesMb }) => [minutes, lanesMb]));
  console.log(
    `  whatsapp_lanes on the disk ${later[0]?.lanesMb.toFixed(1)} → ${later.at(-1)?.lanesMb.toFixed(1)} MB, ${lanes.toFixed(2)} MB/min`,
  );
  const grown = STEADY_TABLES.filter((name) => (after[name]?.rows ?? 0) > (before[name]?.rows ?? 0));
  const idle = Math.max(0, ...samples.map((sample) => sample.idle));
  return [
    judge(`memory ${heap.toFixed(2)} MB/min, bar ${most}`, heap <= most),
    judge(`idle in transaction for ${IDLE_SECONDS} s: at most ${idle}, bar 0`, idle === 0),
    judge(`deadlocks: ${deadlocks}, bar 0`, deadlocks === 0),
    judge(`tables that have grown and should not: ${grown.join(", ") || "none"}`, grown.length === 0),
  ].every(Boolean);
}

type Sizes = Readonly<Record<string, { readonly rows: number; readonly bytes: number }>>;

async function sizes(knex: Knex): Promise<Sizes> {
  const entries = await Promise.all(
    STEADY_TABLES.map(async (name) => {
      const { rows } = await knex.raw(
        `select count(*)::int as rows, pg_total_relation_size('whatsapp_${name}')::float8 as bytes from whatsapp_${name}`,
      );
      return [name, rows[0]] as const;
    }),
  );
  return Object.fromEntries(entries);
}

async function lanesMb(knex: Knex): Promise<number> {
  const { rows } = await knex.raw("select pg_total_relation_size('whatsapp_lanes')::float8 as bytes");
  return rows[0].bytes / 1e6;
}

async function idleInTransaction(knex: Knex): Promise<number> {
  const { rows } = await knex.raw(
    `select count(*)::int as count from pg_stat_activity where datname = current_database()
     and state like 'idle in transaction%' and state_change < now() - interval '${IDLE_SECONDS} seconds'`,
  );
  return rows[0].count;
}

/** Each is a second in which a batch of lanes stood still, and is then worked again. */
async function deadlocksSoFar(knex: Knex): Promise<number> {
  const { rows } = await knex.raw("select deadlocks::int from pg_stat_database where datname = current_database()");
  return rows[0].deadlocks;
}

/** Least squares. */
function slope(points: readonly (readonly [number, number])[]): number {
  const mean = (at: 0 | 1) => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const above = points.reduce((sum, [px, py]) => sum + (px - x) * (py - y), 0);
  const below = points.reduce((sum, [px]) => sum + (px - x) ** 2, 0);
  return below === 0 ? 0 : above / below;
}
