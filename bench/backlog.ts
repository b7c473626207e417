/** What an event costs while 100,000 others wait, beside what it costs while 1,000 do: a queue must not be slower when it is long. */
import type { Knex } from "knex";
import { buildBatches, sendAll } from "./load.ts";
import { runServer } from "./run-server.ts";
import { judge, pause, pendingOf, roundsOf, say, settled, spread, type World, withKnex } from "./world.ts";

const LONG = Number(process.env.BENCH_BACKLOG ?? 100_000);
const SHORT = 1_000;
/** Measured at the head of the long one, so that the queue is long all the while. */
const SLICE = 20_000;
const PER_LANE = 10;
const MOST_RATIO = 1.25;

export async function benchBacklog({ freshDatabase, graph, likeOneInService }: World): Promise<boolean> {
  const rounds = roundsOf(25);
  console.log(
    `\nAn event's cost with ${LONG} waiting on ${LONG / PER_LANE} lanes, beside ${SHORT} on ${SHORT / PER_LANE}`,
  );
  await likeOneInService();
  const database = await freshDatabase("backlog");
  const server = await runServer("silent", database, graph.url);
  const ratio = await withKnex(database, async (knex) => {
    // Everybody is known, and every lane is there: both cases look things up in tables of the same size.
    await store("known", LONG / PER_LANE, LONG / PER_LANE);
    await settled(knex);
    const short = [];
    for (let round = 0; round < rounds; round++)
      short.push(await microsecondsPerEvent(knex, `s${round}`, SHORT, SHORT));
    const long = await microsecondsPerEvent(knex, "long", LONG, Math.min(SLICE, LONG));
    console.log(`  ${SHORT} waiting: ${say(spread(short), 0)} µs per event · ${LONG} waiting: ${long.toFixed(0)} µs`);
    return long / spread(short).median;
  });
  await server.stop();
  return judge(`ratio ${ratio.toFixed(2)}, bar ${MOST_RATIO}`, ratio <= MOST_RATIO);

  async function store(run: string, count: number, people: number): Promise<void> {
    await sendAll(server.port, buildBatches({ count, people, run, perDelivery: 50 }), 8);
  }

  /** Stores `count` events on lanes that are told to wait, lets them go, and watches the first `slice` being applied. */
  async function microsecondsPerEvent(knex: Knex, run: string, count: number, slice: number): Promise<number> {
    await knex.raw("update whatsapp_lanes set ready_at = now() + interval '1 hour' where stage = 'in'");
    await store(run, count, count / PER_LANE);
    await knex.raw("vacuum analyze whatsapp_lanes");
    await knex.raw("update whatsapp_lanes set ready_at = case when pending > 0 then now() end where stage = 'in'");
    const begun = await fallen(knex, count - 1);
    const done = await fallen(knex, count - slice);
    if (slice === count) await settled(knex);
    return ((done.at - begun.at) * 1e6) / (begun.pending - done.pending) / 1000;
  }
}

/** Waits until at most `target` events wait. @returns when that was, in milliseconds, and how many did. */
async function fallen(knex: Knex, target: number): Promise<{ readonly at: number; readonly pending: number }> {
  for (;;) {
    const pending = await pendingOf(knex, ["in"]);
    if (pending <= target) return { at: performance.now(), pending };
    await pause(10);
  }
}
