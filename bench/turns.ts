/** From webhook to Graph's acceptance, by leaving stages out (what each adds is its share), and by two instances. */
import { buildRequests, sendAll } from "./load.ts";
import { runServer } from "./run-server.ts";
import type { ServerMode } from "./server.ts";
import { countOf, judge, roundsOf, SOCKETS, say, settled, spread, type World, withKnex } from "./world.ts";
import { startYardstick } from "./yardstick.ts";

const LEAST_PER_SECOND = 1_200;
const GOAL_PER_SECOND = 2_000;
const LEAST_OF_ONE = 0.9;
const PEOPLE = 200;

export async function benchTurns(world: World): Promise<boolean> {
  const count = countOf(4_000);
  console.log(
    `\nFull turns, ${count} messages in ${PEOPLE} conversations, one process, loopback Graph without statuses`,
  );
  const times: Record<"acks" | "silent" | "full", number[]> = { acks: [], silent: [], full: [] };
  let answers = 0;
  const yardstick = await startYardstick();
  const speeds: number[] = [await yardstick.measure()];
  for (let round = 0; round < roundsOf(5); round++) {
    for (const mode of ["acks", "silent", "full"] as const) {
      const run = { mode, instances: 1, count, people: PEOPLE, warmUp: 400 };
      times[mode].push(await drain(world, { ...run, name: `${mode}${round}` }));
      if (mode === "full") answers = world.graph.accepted;
    }
    speeds.push(await yardstick.measure());
  }
  await yardstick.stop();
  const median = (mode: keyof typeof times) => spread(times[mode]).median;
  const share = (seconds: number) =>
    `${Math.round((seconds / median("full")) * 100)} % (${((seconds / count) * 1e6).toFixed(0)} µs per message)`;
  const rates = times.full.map((seconds) => count / seconds);
  const rate = spread(rates);
  // As fast as the machine was around the round.
  const there = spread(rates.map((one, round) => (one * 2) / ((speeds[round] ?? 1) + (speeds[round + 1] ?? 1))));
  console.log(`  ${answers} answers for ${count} messages (bursts are merged)`);
  console.log(
    `  share of the time: store and acknowledge ${share(median("acks"))} · apply and ask the host ${share(median("silent") - median("acks"))} · outbox and Graph ${share(median("full") - median("silent"))}`,
  );
  console.log(`  ${yardstick.say()}`);
  console.log(`  told, not judged: in proportion to that, messages answered/s ${say(there, 0)}`);
  judge(`messages answered/s ${say(rate, 0)}, goal ${GOAL_PER_SECOND}`, rate.median >= GOAL_PER_SECOND);
  return judge(`at least ${LEAST_PER_SECOND}/s`, rate.median >= LEAST_PER_SECOND);
}

export async function benchInstances(world: World): Promise<boolean> {
  const count = countOf(3_000);
  console.log(`\nTwo instances on one database beside one, ${count} messages of as many people, same cores`);
  await world.likeOneInService();
  const ratios = [];
  for (let round = 0; round < roundsOf(5); round++) {
    const order = round % 2 === 0 ? [1, 2] : [2, 1];
    const seconds: Record<number, number> = {};
    for (const instances of order) {
      const run = { mode: "full", instances, count, people: count, warmUp: 2 * count } as const;
      seconds[instances] = await drain(world, { ...run, name: `n${instances}r${round}` });
      // Two answer sooner, so they would merge less and do more for the same messages.
      if (world.graph.accepted !== count) throw new Error(`${world.graph.accepted} answers for ${count} messages`);
    }
    ratios.push((seconds[1] as number) / (seconds[2] as number));
  }
  const ratio = spread(ratios);
  return judge(`turns/s of two ÷ of one: ${say(ratio)}, bar ${LEAST_OF_ONE}`, ratio.median >= LEAST_OF_ONE);
}

type Run = {
  readonly mode: ServerMode;
  readonly instances: number;
  readonly count: number;
  readonly people: number;
  /** So many messages are answered before: each process has its own compiler to warm. */
  readonly warmUp: number;
  readonly name: string;
};

/** @returns seconds from the first webhook until nothing is left to do. */
async function drain({ freshDatabase, graph }: World, run: Run): Promise<number> {
  const { mode, instances, count, people, warmUp, name } = run;
  const database = await freshDatabase(name);
  const servers: Awaited<ReturnType<typeof runServer>>[] = [];
  // One after the other: the first migrates and connects.
  for (let n = 0; n < instances; n++) servers.push(await runServer(mode, database, graph.url));
  const send = (requests: readonly Buffer[]) =>
    Promise.all(
      servers.map((server, n) =>
        sendAll(
          server.port,
          requests.filter((_request, at) => at % servers.length === n),
          SOCKETS / servers.length,
        ),
      ),
    );
  const seconds = await withKnex(database, async (knex) => {
    const untilDone = async () => (mode === "acks" ? undefined : settled(knex));
    await send(buildRequests({ count: warmUp, people, run: "warm" }));
    await untilDone();
    graph.reset();
    const startedAt = performance.now();
    await send(buildRequests({ count, people, run: "turns" }));
    // Whether anything waits costs a look at every lane: not asked before it can be so.
    if (mode === "full" && people === count) await graph.until(count);
    await untilDone();
    return (performance.now() - startedAt) / 1000;
  });
  for (const server of servers) await server.stop();
  return seconds;
}
