/** F13: a process that dies again and again at the same place. What it tries is bounded, and everybody else is served. */
import { expect } from "vitest";
import { experiment } from "./support/experiment.ts";
import { type Stage, startStage } from "./support/stage.ts";
import type { WorkerProcess } from "./support/worker-process.ts";

const ADA = 0;
const OTHERS = [1, 2, 3, 4];
const MAX_ATTEMPTS = 3;
const CRASHES = 10;

/** The outcome of a POST is written down. */
const SETTLE = /update "public"\."whatsapp_send_attempts" a set state/;

const retry = { maxAttempts: MAX_ATTEMPTS, baseMs: 10, maxMs: 50 };

experiment(
  "F13",
  "a process that dies ten times after its POST sends no part more than twice, and nothing without need",
  { timeoutMs: 300_000, seeds: 1 },
  async (random, onFinished) => {
    const stage = await startStage(random, onFinished, { reconcileMs: 1_500 });
    const [worker] = stage.workers;
    if (worker === undefined) throw new Error("An experiment needs a worker.");
    for (let n = 0; n < CRASHES; n++) {
      const died = stage.proxy.stopAt({ statement: SETTLE, at: "before-statement" }, () =>
        stage.end(worker, "SIGKILL"),
      );
      const writing = stage.write(OTHERS[n % OTHERS.length] as number);
      await died;
      await stage.start(worker);
      await writing;
    }
    // A status may come later than the reconciliation waits while the process is down: one resend, never two.
    await stage.check({ copiesAllowed: 2 });
    const attempts = await stage.rows<{ n: number }>(
      "select count(*)::int as n from whatsapp_send_attempts group by outbox_id order by 1 desc",
    );
    expect(attempts[0]?.n).toBeLessThanOrEqual(2);
    expect(attempts.reduce((sum, { n }) => sum + n, 0)).toBeLessThanOrEqual(attempts.length + CRASHES);
  },
);

experiment(
  "F13",
  "an event that ends whoever applies it is parked, and everybody else's are applied",
  { timeoutMs: 300_000, seeds: 0 },
  async (random, onFinished) => {
    const stage = await startStage(random, onFinished, { reconcileMs: 20_000, options: { retry } });
    const [worker] = stage.workers;
    if (worker === undefined) throw new Error("An experiment needs a worker.");
    // Whoever applies it is shot by the test, because Postgres says when it does.
    await stage.rows(`create function linger() returns trigger language plpgsql as $$
      begin perform pg_sleep(60); return new; end $$`);
    await stage.rows(
      `create trigger linger before insert on messages for each row when (new.external_id = 'wamid.P${ADA}N1') execute function linger()`,
    );
    for (const person of [ADA, ADA, ...OTHERS, ...OTHERS]) await stage.write(person);

    const crashes = await shootUntilParked(stage, worker);
    await stage.check();

    expect(crashes).toBeLessThanOrEqual(2 * MAX_ATTEMPTS);
    expect(await stage.rows("select external_id from whatsapp_events where state = 2")).toEqual([
      { external_id: `wamid.P${ADA}N1` },
    ]);
  },
);

/** @returns how often it had to be shot. */
async function shootUntilParked(stage: Stage, worker: WorkerProcess): Promise<number> {
  for (let crashes = 0; ; ) {
    const [now] = await stage.rows<{ parked: boolean; backend: number | null }>(
      `select exists (select 1 from whatsapp_events where state = 2) as parked,
         (select pid from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep') as backend`,
    );
    if (now?.parked) return crashes;
    if (now?.backend === null || now === undefined) continue;
    if (crashes > 2 * MAX_ATTEMPTS) expect.fail("it is tried for ever");
    crashes++;
    await stage.end(worker, "SIGKILL");
    await stage.rows("select pg_terminate_backend($1::int)", [now.backend]);
    await stage.start(worker);
  }
}
