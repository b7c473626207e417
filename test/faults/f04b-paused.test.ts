/** F4b: two processes on one database, each paused for longer than its lease. */
import { setTimeout as pause } from "node:timers/promises";
import { experiment } from "./support/experiment.ts";
import { LEASE_MS, startStage } from "./support/stage.ts";
import { peopleFrom, startWriting } from "./support/writing.ts";

experiment(
  "F4b",
  "a worker paused for longer than its lease and woken again writes nothing twice and nothing out of order",
  { timeoutMs: 300_000 },
  async (random, onFinished) => {
    const stage = await startStage(random, onFinished, { workers: 2 });
    const writing = startWriting(stage, peopleFrom(1, 12), () => pause(40));
    for (const worker of stage.workers) {
      await pause(200 + random() * 400);
      await stage.freeze(worker, LEASE_MS * 1.5);
    }
    await writing.stop();
    await stage.check();
  },
);
