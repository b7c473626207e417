/** F23: SIGTERM under load. */
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import { startChat } from "./support/chat.ts";
import { experiment } from "./support/experiment.ts";
import { expectEnded } from "./support/pass-lines.ts";
import { startStage } from "./support/stage.ts";
import { peopleFrom, startWriting } from "./support/writing.ts";

/** Only a lane that was given back comes back within the test. */
const LONG_LEASE_MS = 600_000;
/** Promised (P10, docs/operating.md). */
const STOPPED_MS = 10_000;

experiment(
  "F23",
  "a process that is told to stop under load ends with 0 in time and gives back what it holds; another one goes on",
  { timeoutMs: 300_000 },
  async (random, onFinished) => {
    // Some are thinking whenever the signal comes, one of them for longer than anybody waits.
    let thinking = 0;
    const chat = await startChat(async ({ messages }) => {
      thinking++;
      const isFirst = messages.some(({ externalId }) => externalId === "wamid.P0N1") && !stuck;
      stuck ||= isFirst;
      await pause(isFirst ? 60_000 : random() * 300, undefined, { ref: false });
      return "here you are";
    });
    let stuck = false;
    onFinished(() => chat.stop());
    const stage = await startStage(random, onFinished, { workers: 1, leaseMs: LONG_LEASE_MS, chatUrl: chat.url });
    const [worker] = stage.workers;
    if (worker === undefined) throw new Error("An experiment needs a worker.");

    const writing = startWriting(stage, peopleFrom(0, 30), () => pause(20));
    while (thinking < 20) await pause(10);
    const told = performance.now();
    expect(await stage.end(worker, "SIGTERM")).toBe(0);
    const took = performance.now() - told;
    expect(await stage.rows("select lane_key from whatsapp_lanes where lease_token is not null")).toEqual([]);

    await stage.start(worker);
    await writing.stop();
    await stage.check();
    expectEnded("from SIGTERM to the end", took, STOPPED_MS);
    console.log(`F23: ended ${took.toFixed()} ms after SIGTERM, with a turn under way that would have taken a minute`);
  },
);
