/** F4b: two processes on one database, each paused for longer than its lease. */
import { setTimeout as pause } from "node:timers/promises";
import { experiment } from "./support/experiment.ts";
import { LEASE_MS, type Stage, startStage } from "./support/stage.ts";

const PEOPLE = 12;

experiment(
  "F4b",
  "a worker paused for longer than its lease and woken again writes nothing twice and nothing out of order",
  { timeoutMs: 60_000 },
  async (random, onFinished) => {
    const stage = await startStage(random, onFinished, { workers: 2 });
    const writing = startWriting(stage);
    for (const worker of stage.workers) {
      await pause(200 + random() * 400);
      await stage.freeze(worker, LEASE_MS * 1.5);
    }
    await writing.stop();
    await stage.check();
  },
);

/** Everybody writes, each the next message once the one before was acknowledged, until it is enough. */
function startWriting(stage: Stage): { stop(): Promise<unknown> } {
  let goesOn = true;
  const everybody = Promise.all(
    Array.from({ length: PEOPLE }, async (_, person) => {
      while (goesOn) {
        await stage.write(person);
        await pause(40);
      }
    }),
  );
  return {
    stop() {
      goesOn = false;
      return everybody;
    },
  };
}
