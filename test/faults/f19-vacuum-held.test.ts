/** F19: somebody's snapshot stays open, so that vacuum can remove nothing, while people write. */
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import { experiment, isFull } from "./support/experiment.ts";
import { percentiles } from "./support/percentiles.ts";
import { startStage } from "./support/stage.ts";
import { peopleFrom, startWriting } from "./support/writing.ts";

const HELD_MS = isFull ? 300_000 : 4_000;

/** docs/operating.md gives this to the operator. */
const HOLDERS = `select pid, age(backend_xmin) as age from pg_stat_activity
  where backend_xmin is not null and pid <> pg_backend_pid() and xact_start < now() - interval '1 second' order by 2 desc`;

experiment(
  "F19",
  "with vacuum's horizon pinned the work goes on, nothing is lost, and a query names who pins it",
  { timeoutMs: HELD_MS + 300_000, alone: true },
  async (random, onFinished) => {
    const stage = await startStage(random, onFinished, { workers: 2 });
    const pin = await stage.open();
    await pin.query("begin isolation level repeatable read");
    const { rows: mine } = await pin.query("select pg_backend_pid() as pid, count(*) from whatsapp_lanes");

    const writing = startWriting(stage, peopleFrom(1, 30), () => pause(100));
    await pause(HELD_MS);
    expect((await stage.rows(HOLDERS))[0]).toMatchObject({ pid: mine[0].pid });
    const [dead] = await stage.rows<{ n: number }>(
      "select n_dead_tup::int as n from pg_stat_user_tables where relname = 'whatsapp_lanes'",
    );
    await writing.stop();
    // What is left is done while it is still held: the backlog does not outgrow the work.
    await stage.settle();
    await pin.query("commit");
    await pin.end();
    await stage.check();
    console.log(
      `F19: held for ${HELD_MS} ms, ${stage.acknowledged.length} messages, ${dead?.n} dead rows of lanes; ${percentiles(stage.took)}`,
    );
  },
);
