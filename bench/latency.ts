/** At 100 turns/s: from the webhook's last byte written to the Graph request that answers it. Also told: the same in proportion to the machine. */
import { buildRequests, openSender } from "./load.ts";
import { runServer } from "./run-server.ts";
import { judge, roundsOf, type Spread, say, settled, spread, type World, withKnex } from "./world.ts";
import { startYardstick } from "./yardstick.ts";

const PER_SECOND = 100;
const SECONDS = 10;
const MOST_P50_MS = 15;
const MOST_P99_MS = 60;
/** Each writes every two seconds, so nobody's second message meets the first. */
const PEOPLE = 200;

type Measured = { readonly p50: number[]; readonly p99: number[] };

export async function benchLatency({ freshDatabase, graph }: World): Promise<boolean> {
  const rounds = roundsOf(3);
  console.log(`\nLatency at ${PER_SECOND} turns/s, ${rounds} rounds of ${SECONDS} s each, coalesceMs 0`);
  const database = await freshDatabase("latency");
  const server = await runServer("full", database, graph.url);
  const sender = await openSender(server.port, 16);
  const yardstick = await startYardstick();
  /** `here` as the clock says, which is judged; `there` at the speed of the goals, which is told. */
  const [here, there]: [Measured, Measured] = [
    { p50: [], p99: [] },
    { p50: [], p99: [] },
  ];
  await withKnex(database, async (knex) => {
    const untilDone = () => settled(knex);
    for (let round = -1; round < rounds; round++) {
      // A machine of half the speed is one on which time passes twice as fast: half the turns, and twice the milliseconds.
      const before = await yardstick.measure();
      const slowed = await oneRound(`t${round}`, PER_SECOND * before, untilDone);
      const speed = (before + (await yardstick.measure())) / 2;
      const whole = await oneRound(`h${round}`, PER_SECOND, untilDone);
      // The first is for the compiler.
      if (round < 0) continue;
      for (const [name, share] of [["p50", 0.5] as const, ["p99", 0.99] as const]) {
        there[name].push(at(slowed, share) * speed);
        here[name].push(at(whole, share));
      }
    }
  });
  sender.close();
  await server.stop();
  await yardstick.stop();
  console.log(`  ${yardstick.say()}`);
  const inProportion = `p50 ${say(spread(there.p50), 1)} ms, p99 ${say(spread(there.p99), 1)} ms`;
  console.log(`  told, not judged: in proportion to that, with as many turns fewer or more, ${inProportion}`);
  const isFast = judgeLatency("p50", spread(here.p50), MOST_P50_MS);
  return judgeLatency("p99", spread(here.p99), MOST_P99_MS) && isFast;

  function judgeLatency(name: string, measured: Spread, most: number): boolean {
    return judge(`${name} ${say(measured, 1)} ms, bar ${most}`, measured.median <= most);
  }

  async function oneRound(run: string, perSecond: number, untilDone: () => Promise<void>): Promise<readonly number[]> {
    const requests = buildRequests({ count: Math.round(perSecond * SECONDS), people: PEOPLE, run });
    const sentAt = new Map<string, number>();
    const latencies: number[] = [];
    graph.onMessage = (to) => {
      const since = sentAt.get(to);
      sentAt.delete(to);
      if (since !== undefined) latencies.push(performance.now() - since);
    };
    const startedAt = performance.now();
    for (const [n, request] of requests.entries()) {
      // Open loop: a slow answer does not keep the next message from coming.
      await until(startedAt + (n * 1000) / perSecond);
      const phone = String(447700900000 + (n % PEOPLE));
      // Two that are answered together count from the first.
      if (!sentAt.has(phone)) sentAt.set(phone, performance.now());
      sender.send(request);
    }
    await untilDone();
    graph.onMessage = () => {};
    return latencies.sort((a, b) => a - b);
  }
}

function until(time: number): Promise<unknown> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, time - performance.now())));
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number;
}
