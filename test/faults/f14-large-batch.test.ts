/** F14: 1,000 changes in one delivery, and the process or the database dies in the middle of storing or applying them. */
import { expect } from "vitest";
import { until } from "../support/channel.ts";
import { experiment, isFull } from "./support/experiment.ts";
import { message } from "./support/messages.ts";
import { expectFast } from "./support/pass-lines.ts";
import { percentile, percentiles } from "./support/percentiles.ts";
import { type Stage, startStage } from "./support/stage.ts";

const CHANGES = 1_000;
const PEOPLE = isFull ? 400 : 80;
/** 2.8 MB in all; in `npm test` 0.4 MB, which leaves as one part for each person. */
const TEXT = "all work and no play ".repeat(isFull ? 115 : 5);

const EFFECT = /into "public"\."messages"/;

const batch = batchOf("B");
/** As many at once and as large, for a process that has begun long ago. */
const MORE = isFull ? ["C", "D", "E", "F", "G", "H"] : [];
const ACKNOWLEDGED_MS = 500;

experiment(
  "F14",
  "a delivery of 1,000 changes is stored whole or not at all, and applied once, whatever dies in the middle of it",
  { timeoutMs: 300_000, alone: true },
  async (random, onFinished) => {
    const stage = await startStage(random, onFinished, { leaseMs: 3_000 });
    const [worker] = stage.workers;
    if (worker === undefined) throw new Error("An experiment needs a worker.");

    // The server's side dies when half of the rows are written.
    const half = `wamid.B${Math.floor(random() * CHANGES)}`;
    await stage.rows(
      "create function linger() returns trigger language plpgsql as $$ begin perform pg_sleep(60); return new; end $$",
    );
    await stage.rows(
      `create trigger linger before insert on whatsapp_events for each row when (new.external_id = '${half}') execute function linger()`,
    );
    const lost = stage.post(message(...batch));
    await stage.rows("select pg_terminate_backend($1::int)", [await lingering(stage)]);
    expect(await lost).toBe(503);
    expect(await stored(stage)).toBe(0);

    // The process dies at the same moment.
    const cut = stage.post(message(...batch));
    const backend = await lingering(stage);
    await stage.end(worker, "SIGKILL");
    expect(await cut).toBeNull();
    await stage.rows("select pg_terminate_backend($1::int)", [backend]);
    await stage.rows("drop trigger linger on whatsapp_events");
    expect(await stored(stage)).toBe(0);
    await stage.start(worker);

    // And while the effects are written.
    const died = stage.proxy.stopAt({ statement: EFFECT, at: "before-commit" }, () => stage.end(worker, "SIGKILL"));
    expect(await stage.post(message(...batch))).toBe(200);
    expect(await stored(stage)).toBe(CHANGES);
    stage.acknowledged.push(...batch.map(({ person, wamid }) => ({ person: String(person), wamid })));
    await died;
    await stage.start(worker);
    for (const name of MORE) {
      await stage.settle();
      expect(await stage.post(message(...batchOf(name)))).toBe(200);
    }
    await stage.check();
    const [shown] = await stage.rows<{ n: number }>("select count(*)::int as n from messages where role = 'user'");
    expect(shown?.n).toBe(CHANGES * (1 + MORE.length));
    const [first = Number.NaN, ...later] = stage.took;
    console.log(`F14: acknowledged ${first.toFixed()} ms after a process began; later ${percentiles(later)}`);
    expectFast("the acknowledgement", percentile(later, 0.5), ACKNOWLEDGED_MS);
  },
);

function batchOf(name: string) {
  return Array.from({ length: CHANGES }, (_, n) => ({
    person: n % PEOPLE,
    wamid: `wamid.${name}${n}`,
    text: `message ${n} ${TEXT}`,
  }));
}

/** @returns the backend that is in the middle of the delivery. */
async function lingering(stage: Stage): Promise<number> {
  return until(
    async () => {
      const [row] = await stage.rows<{ pid: number }>(
        "select pid from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'",
      );
      return row?.pid;
    },
    "the middle of the delivery",
    30_000,
  );
}

async function stored(stage: Stage): Promise<number> {
  const [row] = await stage.rows<{ n: number }>("select count(*)::int as n from whatsapp_events");
  return row?.n ?? -1;
}
