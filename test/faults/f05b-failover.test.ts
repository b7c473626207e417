/** F5b: the server dies for good, and its replica takes over. */
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import { type Evidence, lost } from "./support/checker.ts";
import { experiment, type OnFinished } from "./support/experiment.ts";
import type { Random } from "./support/random.ts";
import { startReplicated } from "./support/replica.ts";
import { type Stage, startStage } from "./support/stage.ts";
import { peopleFrom, startWriting } from "./support/writing.ts";

const PEOPLE = peopleFrom(1, 10);

// Three servers are made and ended for each seed: by hand only.
experiment(
  "F5b",
  "a server that dies while commits wait for its replica loses, doubles and reorders nothing",
  { timeoutMs: 180_000, alone: true, seeds: 0 },
  async (random, onFinished) => {
    const { stage, before } = await failOverUnderLoad(random, onFinished, true);
    await stage.check();
    console.log(`F5b: ${before} acknowledged before the server died, none lost`);
  },
);

experiment(
  "F5b",
  "a server that dies while nothing waits for its replica loses what the replica had not heard of, and all goes on",
  { timeoutMs: 180_000, alone: true, seeds: 0 },
  async (random, onFinished) => {
    const { stage, before } = await failOverUnderLoad(random, onFinished, false);
    await stage.settle();
    const missing = await lost({ ...stage, accepted: stage.meta.accepted } satisfies Evidence);
    // What the second server has taken is safe, and the loss is a measure, not a promise.
    const after = new Set(stage.acknowledged.slice(before).map(({ wamid }) => `lost ${wamid}`));
    expect(missing.filter((fault) => after.has(fault))).toEqual([]);
    console.log(`F5b: of ${before} acknowledged before the server died ${missing.length} are lost`);
  },
);

/** @returns how many were acknowledged before it. */
async function failOverUnderLoad(
  random: Random,
  onFinished: OnFinished,
  waits: boolean,
): Promise<{ readonly stage: Stage; readonly before: number }> {
  const postgres = await startReplicated(onFinished, waits);
  // A status cannot be stored while there is no server: for longer than that nothing may be sent again.
  const reconcileMs = waits ? 20_000 : 2_000;
  const stage = await startStage(random, onFinished, { workers: 2, postgres, reconcileMs });
  const writing = startWriting(stage, PEOPLE, () => pause(random() * 40));
  while (stage.acknowledged.length < 50) await pause(10);

  // A server that dies has mostly been cut off before.
  postgres.network.silent = true;
  await pause(200 + random() * 800);
  await postgres.failOver();
  // Nothing is taken while there is no server to take it.
  const before = stage.acknowledged.length;
  while (stage.acknowledged.length < before + 50) await pause(10);
  await writing.stop();
  return { stage, before };
}
