/** F13: a process that dies again and again at the same place. What it tries is bounded, and everybody else is served. */
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import { startChat } from "./support/chat.ts";
import { experiment, type OnFinished } from "./support/experiment.ts";
import type { Random } from "./support/random.ts";
import { type Stage, type StageOptions, startStage } from "./support/stage.ts";
import type { WorkerProcess } from "./support/worker-process.ts";

const ADA = 0;
const OTHERS = [1, 2, 3, 4];
const FATAL = `wamid.P${ADA}N1`;
const MAX_ATTEMPTS = 3;
const CRASHES = 10;

/** The outcome of a POST is written down. */
const SETTLE = /update "public"\."whatsapp_send_attempts" a set state/;

const retry = { maxAttempts: MAX_ATTEMPTS, baseMs: 10, maxMs: 50 };

experiment(
  "F13",
  "a process that dies ten times after its POST sends no part more than twice, and nothing without need",
  { timeoutMs: 300_000 },
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
  { timeoutMs: 180_000 },
  async (random, onFinished) => {
    const stage = await startCrashing(random, onFinished, {});
    // Whoever applies it is shot by the test, because Postgres says when it does.
    await stage.rows(`create function linger() returns trigger language plpgsql as $$
      begin perform pg_sleep(60); return new; end $$`);
    await stage.rows(
      `create trigger linger before insert on messages for each row when (new.external_id = '${FATAL}') execute function linger()`,
    );
    const writing = everybodyWrites(stage, random);

    const crashes = await startAgainUntil(stage, "select 1 from whatsapp_events where state = 2", async (worker) => {
      const [lingering] = await stage.rows<{ pid: number }>(
        "select pid from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'",
      );
      if (lingering === undefined) return;
      await stage.end(worker, "SIGKILL");
      await stage.rows("select pg_terminate_backend($1::int)", [lingering.pid]);
    });
    await writing;
    await stage.check({ exits: [] });

    expect(crashes).toBeLessThanOrEqual(2 * MAX_ATTEMPTS);
    expect(await stage.rows("select external_id, last_error from whatsapp_events where state = 2")).toEqual([
      { external_id: FATAL, last_error: "ProcessEnded" },
    ]);
    expect(await stage.rows("select 1 from whatsapp_turns where state = 2")).toEqual([]);
  },
);

experiment(
  "F13",
  "a turn whose answer ends the process is parked, and everybody else is answered",
  { timeoutMs: 180_000 },
  async (random, onFinished) => {
    // Others are always being asked when it ends.
    const chat = await startChat(async () => {
      await pause(random() * 300, undefined, { ref: false });
      return "here you are";
    });
    onFinished(() => chat.stop());
    const stage = await startCrashing(random, onFinished, { chatUrl: chat.url, endsAt: { turn: FATAL } });
    const writing = everybodyWrites(stage, random);

    const crashes = await startAgainUntil(stage, "select 1 from whatsapp_turns where state = 2");
    await writing;
    await stage.check({ exits: [] });

    expect(crashes).toBeLessThanOrEqual(2 * MAX_ATTEMPTS);
    expect(
      await stage.rows(
        "select messages -> 0 ->> 'externalId' as first, last_error from whatsapp_turns where state = 2",
      ),
    ).toEqual([{ first: FATAL, last_error: "ProcessEnded" }]);
    expect(await stage.rows("select 1 from whatsapp_events where state = 2")).toEqual([]);
  },
);

experiment(
  "F13",
  "an event whose listener ends the process is parked, and every other is told",
  { timeoutMs: 180_000 },
  async (random, onFinished) => {
    const stage = await startCrashing(random, onFinished, { listens: true, endsAt: { event: FATAL } });
    const writing = everybodyWrites(stage, random);

    const crashes = await startAgainUntil(stage, "select 1 from whatsapp_host_events where state = 2");
    await writing;
    await stage.check({ exits: [] });

    expect(crashes).toBeLessThanOrEqual(2 * MAX_ATTEMPTS);
    expect(
      await stage.rows("select event -> 'event' ->> 'messageId' as about, last_error from whatsapp_host_events"),
    ).toEqual([{ about: FATAL, last_error: "ProcessEnded" }]);
    for (const table of ["whatsapp_events", "whatsapp_turns"])
      expect(await stage.rows(`select 1 from ${table} where state = 2`)).toEqual([]);
  },
);

function startCrashing(random: Random, onFinished: OnFinished, orders: StageOptions): Promise<Stage> {
  return startStage(random, onFinished, { leaseMs: 600, ...orders, options: { retry } });
}

/** Whoever ends the processes is in the middle of them. */
async function everybodyWrites(stage: Stage, random: Random): Promise<void> {
  const all = [ADA, ADA, ...OTHERS, ...OTHERS, ...OTHERS];
  const shuffled = all.map((person) => ({ person, at: random() })).sort((a, b) => a.at - b.at);
  for (const { person } of shuffled) await stage.write(person);
}

/**
 * Starts the worker again whenever it has ended, until the query finds something.
 * @param meanwhile called all the time.
 * @returns how often it had ended.
 */
async function startAgainUntil(
  stage: Stage,
  query: string,
  meanwhile: (worker: WorkerProcess) => Promise<unknown> = async () => undefined,
): Promise<number> {
  const [worker] = stage.workers;
  if (worker === undefined) throw new Error("An experiment needs a worker.");
  let crashes = 0;
  while ((await stage.rows(query)).length === 0) {
    await meanwhile(worker);
    if (worker.isRunning) await pause(20);
    else {
      crashes++;
      if (crashes > 2 * MAX_ATTEMPTS) expect.fail("it is tried for ever");
      await stage.start(worker);
    }
  }
  return crashes;
}
