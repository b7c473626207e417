/** F16: the next version's migration runs while processes of this one work, then they are replaced one after the other. */
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import { experiment } from "./support/experiment.ts";
import type { Random } from "./support/random.ts";
import { type Stage, startStage } from "./support/stage.ts";
import { peopleFrom, startWriting } from "./support/writing.ts";

experiment(
  "F16",
  "a migration that only adds, run by several at once, and a rolling restart are not noticed by anybody",
  { timeoutMs: 300_000, alone: true },
  async (random, onFinished) => {
    const stage = await startStage(random, onFinished, { workers: 2, poolMax: 10 });
    const writing = startWriting(stage, peopleFrom(1, 10), () => pause(20));
    await pause(300);

    const ours = stage.plugin.migrate.bind(stage.plugin);
    const [applied] = await Promise.all([Promise.all([ours(), ours(), ours(), ours()]), expand(stage, random)]);
    expect(applied).toEqual([[], [], [], []]);
    for (const worker of stage.workers) {
      // A socket that is closed while a request is on its way to it would be the balancer's mistake.
      await stage.drain(worker);
      expect(await stage.end(worker, "SIGTERM")).toBe(0);
      // As a host does when it starts, on a schema that is newer than itself.
      expect(await ours()).toEqual([]);
      await stage.start(worker);
      await pause(200);
    }

    await writing.stop();
    await stage.check();
    expect(stage.refusals).toEqual([]);
    expect(stage.answers).not.toContain(null);
    const complaints = stage.workers.flatMap((worker) => worker.output().match(/^.*"level":"?(?:50|error).*$/gm) ?? []);
    expect(complaints).toEqual([]);
  },
);

/** What a migration may do (CONTRIBUTING): a column on each table that rows are read from, a table, an index. */
async function expand(stage: Stage, random: () => number): Promise<void> {
  const tables = await stage.rows<{ name: string }>(
    "select relname as name from pg_class where relname like 'whatsapp%' and relkind = 'r' and relname <> 'whatsapp_migrations'",
  );
  for (const { name } of tables) {
    await addColumn(stage, name, random);
    await pause(random() * 30);
  }
  await stage.rows("create table whatsapp_v2 (id bigint primary key)");
  await stage.rows("create index concurrently whatsapp_v2_index on whatsapp_events (v2) where v2 is not null");
  await stage.rows(`insert into whatsapp_migrations (name, batch, migration_time)
    values ('29990101000001_v2', 99, now())`);
}

/**
 * Gives way to whoever works, and tries again in a while: the lock that it waits for holds up everybody behind it, and at once again
 * it would hold them up until their patience ends.
 */
async function addColumn(stage: Stage, table: string, random: Random): Promise<void> {
  for (;;) {
    try {
      await stage.rows(
        `do $$ begin set local lock_timeout = '200ms'; alter table ${table} add column v2 text default 'v2'; end $$`,
      );
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== "55P03") throw error;
      await pause(100 + random() * 200);
    }
  }
}
