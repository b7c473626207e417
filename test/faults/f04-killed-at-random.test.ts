/** F4: two processes are killed at any moment, and Postgres crashes, under load. */
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import { startChat } from "./support/chat.ts";
import { experiment, isFull } from "./support/experiment.ts";
import { type OwnPostgres, startOwnPostgres } from "./support/own-postgres.ts";
import type { Random } from "./support/random.ts";
import { type Stage, startStage } from "./support/stage.ts";

const SIZE = isFull ? { people: 500, kills: 40, crashes: 3 } : { people: 200, kills: 8, crashes: 1 };
const PRODUCERS = 4;
const AT_ONCE = 20;

let postgres: Promise<OwnPostgres> | undefined;

experiment(
  "F4",
  "two workers killed at random and Postgres crashing lose, double and reorder nothing",
  { timeoutMs: 600_000, alone: true },
  async (random, onFinished) => {
    const chat = await startChat();
    onFinished(() => chat.stop());
    postgres ??= startOwnPostgres();
    const stage = await startStage(random, onFinished, {
      workers: 2,
      postgres: await postgres,
      chatUrl: chat.url,
      reconcileMs: 10_000,
    });

    const writing = startWriting(stage, random);
    await killAndCrash(stage, random, await postgres);
    await writing.stop();
    await stage.check();

    // Nothing lies aside, and whatever was asked again was asked the same.
    const aside = await stage.rows(
      "select 'event ' || id || ' is ' || state || ': ' || coalesce(last_error, '') from whatsapp_events where state not in (1, 3) union all select 'turn ' || id || ' is ' || state || ': ' || coalesce(last_error, '') from whatsapp_turns where state <> 1",
    );
    expect(aside).toEqual([]);
    for (const [turnId, tries] of chat.asked) expect(new Set(tries).size, `turn ${turnId}`).toBe(1);
    const again = [...chat.asked.values()].filter(({ length }) => length > 1).length;
    console.log(
      `F4: ${stage.acknowledged.length} messages acknowledged, ${SIZE.kills} kills, ${SIZE.crashes} crashes of Postgres, ` +
        `${stage.answers.length} webhooks, ${again} turns asked again, ${stage.meta.accepted.length} messages sent`,
    );
  },
);

/** Each producer has people of its own, so that each of them waits for the acknowledgement before the next message. */
function startWriting(stage: Stage, random: Random): { stop(): Promise<unknown> } {
  let goesOn = true;
  const people = SIZE.people / PRODUCERS;
  const producers = Promise.all(
    Array.from({ length: PRODUCERS }, async (_, nth) => {
      while (goesOn) {
        const some = Array.from({ length: AT_ONCE }, () => nth + PRODUCERS * Math.floor(random() * people));
        await Promise.all([...new Set(some)].map((person) => stage.write(person)));
      }
    }),
  );
  return {
    stop() {
      goesOn = false;
      return producers;
    },
  };
}

/** Spreads the crashes over the kills, which go on meanwhile: a worker may have to come up while Postgres is down. */
async function killAndCrash(stage: Stage, random: Random, server: OwnPostgres): Promise<void> {
  let crashing: Promise<void> = Promise.resolve();
  const crashAfter = Math.floor(SIZE.kills / (SIZE.crashes + 1));
  for (let kill = 1; kill <= SIZE.kills; kill++) {
    await pause(300 + random() * 400);
    if (kill % crashAfter === 0 && kill < SIZE.kills) crashing = crashing.then(() => crash(server));
    const worker = stage.workers[Math.floor(random() * stage.workers.length)];
    if (worker === undefined) throw new Error("An experiment needs workers.");
    await stage.replace(worker);
  }
  await crashing;
}

async function crash(server: OwnPostgres): Promise<void> {
  await server.crash();
  await server.start();
}
