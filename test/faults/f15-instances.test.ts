/** F15 and F18: several processes at once on one backlog, small and large, while people go on writing. */
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import { experiment, isFull } from "./support/experiment.ts";
import { message } from "./support/messages.ts";
import { expectFast } from "./support/pass-lines.ts";
import { percentile, percentiles } from "./support/percentiles.ts";
import { type Stage, startStage } from "./support/stage.ts";
import { peopleFrom, startWriting } from "./support/writing.ts";

for (const workers of [2, 4])
  experiment(
    "F15",
    `${workers} workers that start at once on one backlog lose, double and reorder nothing`,
    { timeoutMs: 300_000, alone: true },
    async (random, onFinished) => {
      const stage = await startStage(random, onFinished, { workers, start: false, reconcileMs: 60_000 });
      await storeBacklog(stage, isFull ? 400 : 100, isFull ? 1_200 : 300);
      await stage.rows("update whatsapp_lanes set ready_at = now() + interval '1 hour'");
      await Promise.all(stage.workers.map((worker) => stage.start(worker)));
      // Within a second: who comes first would take all of them with one claim.
      await stage.rows(
        "update whatsapp_lanes set ready_at = now() + abs(hashtext(lane_key) % 1000) * interval '1 millisecond'",
      );
      await stage.check();
      // Each has had its share, or it was no test of several.
      const worked = stage.workers.filter((worker) => worker.output().includes('"stage":"out"'));
      expect(worked.length).toBeGreaterThan(1);
    },
  );

const BACKLOG = isFull ? { people: 10_000, events: 100_000 } : { people: 100, events: 750 };

experiment(
  "F18",
  `a backlog of ${BACKLOG.events} events in ${BACKLOG.people} conversations is worked off in order while others write`,
  { timeoutMs: isFull ? 1_800_000 : 300_000, alone: true },
  async (random, onFinished) => {
    const stage = await startStage(random, onFinished, {
      workers: 2,
      start: false,
      leaseMs: 10_000,
      reconcileMs: 60_000,
    });
    await storeBacklog(stage, BACKLOG.people, BACKLOG.events);
    await Promise.all(stage.workers.map((worker) => stage.start(worker)));

    const started = performance.now();
    const writing = startWriting(stage, peopleFrom(BACKLOG.people, 4), () => pause(50));
    await applied(stage);
    const drained = performance.now() - started;
    const meanwhile = [...stage.took];
    await writing.stop();
    await stage.settle(isFull ? 1_200_000 : 120_000);
    await stage.check();
    console.log(
      `F18: ${BACKLOG.events} events applied in ${(drained / 1000).toFixed(1)} s, ${meanwhile.length} messages of others ` +
        `acknowledged meanwhile (${percentiles(meanwhile)}), all answered after ${((performance.now() - started) / 1000).toFixed(1)} s`,
    );
    expectFast("applying the backlog", drained, 120_000);
    expectFast("p95 of the acknowledgements meanwhile", percentile(meanwhile, 0.95), 250);
  },
);

/** As many as Meta puts into one delivery, each. */
async function storeBacklog(stage: Stage, people: number, events: number): Promise<void> {
  for (let first = 0; first < events; first += 1_000) {
    const some = Array.from({ length: Math.min(1_000, events - first) }, (_, n) => ({
      person: (first + n) % people,
      wamid: `wamid.B${first + n}`,
      text: `message ${first + n}`,
    }));
    await stage.store(message(...some));
    stage.acknowledged.push(...some.map(({ person, wamid }) => ({ person: String(person), wamid })));
  }
}

async function applied(stage: Stage): Promise<void> {
  for (;;) {
    const [row] = await stage.rows<{ n: number }>(
      "select count(*)::int as n from whatsapp_events where state = 0 and external_id like 'wamid.B%'",
    );
    if (row?.n === 0) return;
    await pause(100);
  }
}
