/** F1, F1b, F2, F3 and F3b: a process that dies, or loses its database, at the worst moment of each step. */
import { expect } from "vitest";
import type { Moment } from "./support/chaos-proxy.ts";
import { experiment } from "./support/experiment.ts";
import { type Stage, startStage } from "./support/stage.ts";

const STORE = /whatsapp_record"\(|into "public"\."whatsapp_webhooks"/;
const LOAD = /from "public"\."whatsapp_events"[\s\S]*state = 0/;
const EFFECT = /into "public"\."messages"/;
const ATTEMPT = /into "public"\."whatsapp_send_attempts"/;
const SETTLE = /update "public"\."whatsapp_send_attempts" a set state/;

const PEOPLE = [1, 2, 3, 4];

experiment(
  "F1",
  "killed between storing and the 200: the redelivery is a duplicate, and nothing is lost or doubled",
  { timeoutMs: 300_000 },
  async (random, onFinished) => {
    const stage = await startStage(random, onFinished);
    await dieAt(stage, { statement: STORE, at: "after-commit" });
    // Once more, now that everybody is known and storing takes the short way.
    await dieAt(stage, { statement: STORE, at: "after-commit" });
    await stage.check();
    const [{ n }] = (await stage.rows("select count(*)::int as n from messages where role = 'user'")) as [
      { n: number },
    ];
    expect(n).toBe(stage.acknowledged.length);
  },
);

experiment(
  "F1b",
  "a connection lost during COMMIT is never answered 200, and nothing is lost or doubled",
  { timeoutMs: 300_000 },
  async (random, onFinished) => {
    const stage = await startStage(random, onFinished);
    for (const at of ["after-commit", "before-statement", "after-commit"] as const) {
      // Else it is a status of the message before that is lost.
      await stage.settle();
      const lost = stage.proxy.stopAt({ statement: STORE, at });
      const before = stage.answers.length;
      await stage.write(Math.ceil(random() * 4));
      await lost;
      expect([503, 500, null]).toContain(stage.answers[before]);
    }
    stage.proxy.cutAfter(Math.floor(random() * 3_000));
    await Promise.all(PEOPLE.map((person) => stage.write(person)));
    await stage.check();
  },
);

experiment(
  "F2",
  "killed between the 200 and the work: the work is done after a restart",
  { timeoutMs: 300_000 },
  async (random, onFinished) => {
    const stage = await startStage(random, onFinished);
    await stage.write(1);
    const [worker] = stage.workers;
    if (worker) await stage.replace(worker);
    await dieAt(stage, { statement: LOAD, at: "before-statement" });
    await stage.check();
  },
);

experiment(
  "F3",
  "killed in and around the transaction of the effects: each message has its effect once",
  { timeoutMs: 300_000 },
  async (random, onFinished) => {
    const stage = await startStage(random, onFinished);
    for (const at of ["before-statement", "before-commit", "after-commit"] as const)
      await dieAt(stage, { statement: EFFECT, at });
    await stage.check();
  },
);

experiment(
  "F3b",
  "killed around the POST to Meta: no message is sent twice, none is left undecided",
  { timeoutMs: 300_000 },
  async (random, onFinished) => {
    const stage = await startStage(random, onFinished, { reconcileMs: 15_000 });
    await dieAt(stage, { statement: ATTEMPT, at: "after-commit" });
    await dieAt(stage, { statement: SETTLE, at: "before-statement" });
    await dieAt(stage, { statement: SETTLE, at: "before-commit" });
    await stage.check();
  },
);

/** Everybody writes while the worker dies at this moment and comes back. */
async function dieAt(stage: Stage, moment: Moment): Promise<void> {
  const [worker] = stage.workers;
  if (worker === undefined) throw new Error("An experiment needs a worker.");
  const died = stage.proxy.stopAt(moment, () => stage.end(worker, "SIGKILL"));
  const writing = Promise.all(PEOPLE.map((person) => stage.write(person)));
  await died;
  await stage.start(worker);
  await writing;
}
