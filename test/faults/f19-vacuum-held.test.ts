/** F19: somebody's snapshot stays open, so that vacuum can remove nothing, while people write. */
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import { codeBlockUnder } from "../support/code-blocks.ts";
import { experiment, isFull } from "./support/experiment.ts";
import { expectFast, onThisMachine } from "./support/pass-lines.ts";
import { percentile, percentiles } from "./support/percentiles.ts";
import { type Stage, startStage } from "./support/stage.ts";
import { peopleFrom, startWriting } from "./support/writing.ts";

const HELD_MS = isFull ? 300_000 : 4_000;
const ACKNOWLEDGED_MS = 250;
const BASELINE_MS = 120_000;
/** So many dead rows vacuum leaves alone: `autovacuum_vacuum_threshold` of the lanes. */
const LEFT_ALONE = 500;

/** What the page gives to the operator who finds many dead rows. */
const WHO_HOLDS_IT = codeBlockUnder("docs/operating.md", "is open for long, and vacuum waits for it:", "sql")
  .text.split(";")
  .filter((sql) => sql.trim() !== "");

experiment(
  "F19",
  "with vacuum's horizon pinned the work goes on, nothing is lost, and the queries of the page name who pins it",
  { timeoutMs: HELD_MS + 600_000, alone: true },
  async (random, onFinished) => {
    const stage = await startStage(random, onFinished, { workers: 2 });
    const pin = await stage.open();
    await pin.query("begin isolation level repeatable read");
    const { rows: mine } = await pin.query("select pg_backend_pid() as pid, count(*) from whatsapp_lanes");

    const writing = startWriting(stage, peopleFrom(1, 30), () => pause(100));
    await pause(HELD_MS);
    expect((await holders(stage))[0]).toMatchObject({ pid: mine[0].pid, state: "idle in transaction" });
    const dead = await deadLanes(stage);
    const held = [...stage.took];
    await writing.stop();
    expectFast("p99 of the acknowledgements while it was held", percentile(held, 0.99), ACKNOWLEDGED_MS);
    // What is left is done while it is still held: the backlog does not outgrow the work.
    await stage.settle();
    await pin.query("commit");
    expect((await holders(stage)).map(({ pid }) => pid)).not.toContain(mine[0].pid);
    await pin.end();
    const back = isFull ? await untilAsBefore(stage) : null;
    await stage.check();
    console.log(
      `F19: held for ${HELD_MS} ms, ${held.length} messages, ${dead} dead rows of lanes; ${percentiles(held)}` +
        (back === null ? "" : `; as before after ${(back / 1000).toFixed()} s`),
    );
    if (back !== null) expectFast("until it was as before", back, BASELINE_MS);
  },
);

/** As the operator finds them. */
async function holders(stage: Stage): Promise<readonly { readonly pid: number; readonly state: string }[]> {
  const found: { readonly pid: number; readonly state: string }[] = [];
  for (const sql of WHO_HOLDS_IT) found.push(...(await stage.rows<(typeof found)[number]>(sql)));
  return found;
}

async function deadLanes(stage: Stage): Promise<number> {
  const [lanes] = await stage.rows<{ n: number }>(
    "select n_dead_tup::int as n from pg_stat_user_tables where relname = 'whatsapp_lanes'",
  );
  return lanes?.n ?? Number.NaN;
}

/** People go on writing. @returns how long it took until vacuum had been there and they were acknowledged in time again. */
async function untilAsBefore(stage: Stage): Promise<number> {
  const released = performance.now();
  const writing = startWriting(stage, peopleFrom(101, 30), () => pause(100));
  for (;;) {
    const before = stage.took.length;
    await pause(5_000);
    const isCleared = (await deadLanes(stage)) <= LEFT_ALONE;
    if (isCleared && percentile(stage.took.slice(before), 0.99) <= onThisMachine(ACKNOWLEDGED_MS)) break;
    if (performance.now() - released > 2 * onThisMachine(BASELINE_MS)) break;
  }
  await writing.stop();
  return performance.now() - released;
}
