/** At 100 turns/s: from the webhook's last byte written to the Graph request that answers it. */
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

export async function benchLatency({ freshDatabase, graph }: World): Promise<boolean> {
  const rounds = roundsOf(3);
  console.log(`\nLatency at ${PER_SECOND} turns/s, ${rounds} rounds of ${SECONDS} s, coalesceMs 0`);
  const database = await freshDatabase("latency");
  const server = await runServer("full", database, graph.url);
  const sender = await openSender(server.port, 16);
  const yardstick = await startYardstick();
  const all = { p50: [] as number[], p99: [] as number[] };
  await withKnex(database, async (knex) => {
    for (let round = -1; round < rounds; round++) {
      await yardstick.measure();
      // The first is for the compiler.
      const requests = buildRequests({ count: PER_SECOND * SECONDS, people: PEOPLE, run: `l${round}` });
      const latencies = await oneRound(requests, () => settled(knex));
      if (round < 0) continue;
      all.p50.push(at(latencies, 0.5));
      all.p99.push(at(latencies, 0.99));
    }
  });
  sender.close();
  await server.stop();
  await yardstick.stop();
  console.log(`  ${yardstick.say()}`);
  const isFast = judgeLatency("p50", spread(all.p50), MOST_P50_MS);
  return judgeLatency("p99", spread(all.p99), MOST_P99_MS) && isFast;

  function judgeLatency(name: string, measured: Spread, most: number): boolean {
    const there = (measured.median * yardstick.speed()).toFixed(1);
    return judge(`${name} ${say(measured, 1)} ms (${there} at that speed), bar ${most}`, measured.median <= most);
  }

  async function oneRound(requests: readonly Buffer[], untilDone: () => Promise<void>): Promise<readonly number[]> {
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
      await until(startedAt + (n * 1000) / PER_SECOND);
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
