/** F3b: processes that die between Meta's acceptance and our commit, and answers that are lost, under each policy. */
import { setTimeout as pause } from "node:timers/promises";
import type { AcceptedMessage, FaultKind } from "@omniops/whatsapp/simulator";
import { expect } from "vitest";
import { startChat } from "./support/chat.ts";
import { experiment, isFull, type OnFinished } from "./support/experiment.ts";
import type { Random } from "./support/random.ts";
import { type Stage, type StageOptions, startStage } from "./support/stage.ts";
import { checkTold, writeDownWhatIsTold } from "./support/told.ts";

/** Everybody writes at least so often, and until so many processes were killed. */
const SIZE = isFull ? { people: 60, messagesEach: 10, kills: 20 } : { people: 16, messagesEach: 4, kills: 3 };
const TIMES = { timeoutMs: isFull ? 600_000 : 240_000 };
const RECONCILE_MS = 4_000;
/** Of a hundred requests. */
const FAULTS: readonly (readonly [share: number, FaultKind])[] = [
  [4, "accept-then-reset"],
  [3, "reset-before-accept"],
  [3, "accept-then-500"],
  [4, { error: { code: 130429, httpStatus: 429 } }],
];
const RETRY = { maxAttempts: 8, baseMs: 50, maxMs: 500 };

type Policy = Pick<StageOptions, "options" | "isNaive">;

const NAIVE: Policy = { isNaive: true, options: { retry: RETRY } };
const RESEND: Policy = { options: { retry: RETRY, onAmbiguous: { session: "resend" } } };
const HOLD: Policy = { options: { retry: RETRY, onAmbiguous: { session: "hold" } } };

experiment(
  "F3b",
  "a sender that tries again whatever was not answered sends twice: the experiment bites",
  { ...TIMES, seeds: 1 },
  async (random, onFinished) => {
    const { doubled } = await play(random, onFinished, NAIVE);
    expect(doubled).toBeGreaterThan(0);
  },
);

experiment(
  "F3b",
  "where every status comes in time, resending doubles nothing, and only what was lost twice is unknown",
  TIMES,
  async (random, onFinished) => {
    const { stage, doubled, unknown } = await play(random, onFinished, RESEND);
    const late = await checkResends(stage, 2, { everyStatusComes: true });
    await stage.check();
    expect(doubled - late.size).toBe(0);
    for (const { id, tries, taken } of unknown) expect({ id, tries, taken }).toEqual({ id, tries: 2, taken: 0 });
  },
);

// What is lost twice is seen in many messages only.
if (isFull)
  experiment(
    "F3b",
    "where half of the statuses are lost, resending sends nothing a third time, and nothing again of which a status came in time",
    TIMES,
    async (random, onFinished) => {
      const { stage, doubled } = await play(random, onFinished, RESEND, 0.5);
      const late = await checkResends(stage, 2);
      await stage.check({ copiesAllowed: 2 });
      expect(doubled - late.size).toBe(0);
    },
  );

experiment("F3b", "where statuses are lost, holding doubles nothing", TIMES, async (random, onFinished) => {
  const { stage, doubled, unknown } = await play(random, onFinished, HOLD, 0.05);
  await checkResends(stage, 1);
  await stage.check({ reconcileMs: undefined });
  expect(doubled).toBe(0);
  expect(unknown.length).toBeGreaterThan(0);
});

/** Everybody writes and is answered, while requests go wrong and whichever worker is killed as Meta accepts something. */
async function play(random: Random, onFinished: OnFinished, policy: Policy, statusesLost = 0) {
  const chat = await startChat();
  onFinished(() => chat.stop());
  const stage = await startStage(random, onFinished, {
    workers: 2,
    chatUrl: chat.url,
    reconcileMs: RECONCILE_MS,
    listens: true,
    ...policy,
  });
  await writeDownWhatIsTold(stage.rows);
  const { faults } = stage.meta;
  faults.webhooks({ dropStatusesRate: statusesLost });
  // Two of each for certain; the others by chance.
  for (const [, kind] of FAULTS) faults.next({ do: kind, times: 2 });
  faults.random({
    rate: FAULTS.reduce((sum, [share]) => sum + share, 0) / 100,
    kinds: FAULTS.flatMap(([share, kind]) => Array<FaultKind>(share).fill(kind)),
    seed: Math.ceil(random() * 1e9),
  });

  const killing = killAtAcceptances(stage, random);
  await Promise.all(
    Array.from({ length: SIZE.people }, async (_, person) => {
      for (let n = 0; n < SIZE.messagesEach || !killing.isOver(); n++) {
        await stage.write(person);
        await pause(100 + random() * 400);
      }
    }),
  );
  await killing.last();
  // As any number is written to: without that, silence would prove nothing.
  faults.random({ rate: 0, kinds: [] });
  while (await isUnclear(stage)) {
    await stage.write(SIZE.people);
    await pause(300);
  }
  await stage.settle(120_000);

  const { accepted } = stage.meta;
  await checkTold(stage.rows);
  expectInOrder(accepted);
  const copies = copiesOf(accepted);
  const doubled = [...copies.values()].filter((n) => n > 1).length;
  const unknown = await stage.rows<{ id: string; tries: number; taken: number }>(
    `select o.id, (count(*) filter (where a.state in ('intent', 'ambiguous')))::int as tries,
       (count(*) filter (where a.token = any($1)))::int as taken
     from whatsapp_outbox o join whatsapp_send_attempts a on a.outbox_id = o.id
     where o.state = 'unknown' group by o.id`,
    [accepted.map(({ callbackData }) => callbackData)],
  );
  const [made] = await stage.rows<{ parts: number; attempts: number }>(
    "select (select count(*)::int from whatsapp_outbox) as parts, (select count(*)::int from whatsapp_send_attempts) as attempts",
  );
  console.log(
    `F3b ${policy.isNaive ? "naive" : policy.options?.onAmbiguous?.session}, ${statusesLost * 100} % of statuses lost: ` +
      `${SIZE.kills} kills, ${made?.parts} messages, ${made?.attempts} requests, ${doubled} doubled, ` +
      `${Number(made?.parts) - copies.size} never taken, ${unknown.length} unknown`,
  );
  return { stage, doubled, unknown };
}

/** The answer that Meta was about to give is never heard, and neither are those of the requests beside it. */
function killAtAcceptances(stage: Stage, random: Random): { isOver(): boolean; last(): Promise<void> } {
  let left = 5 + random() * 10;
  let kills = 0;
  let replacing: Promise<void> | null = null;
  stage.meta.onAccepted(() => {
    left -= 1;
    const worker = stage.workers[Math.floor(random() * stage.workers.length)];
    if (left > 0 || kills === SIZE.kills || replacing !== null || worker === undefined) return;
    left = 5 + random() * 15;
    kills += 1;
    // The signal is on its way before this returns.
    replacing = stage.replace(worker).finally(() => {
      replacing = null;
    });
  });
  return {
    isOver: () => kills === SIZE.kills,
    async last() {
      await replacing;
    },
  };
}

/**
 * P7 in the database: at most so many attempts of which nobody knew at the time, the second no sooner than a status could have
 * come, and none where a status of the first was there by then.
 * @param everyStatusComes whether Meta leaves out none: one that is not stored is then our loss, and excuses nothing.
 * @returns the parts that were taken twice because the first's status came too late, or was lost by Meta.
 */
async function checkResends(
  stage: Stage,
  atMost: number,
  { everyStatusComes = false } = {},
): Promise<ReadonlySet<string>> {
  const attempts = await stage.rows<Attempt>(
    `select a.outbox_id as part, a.started_at, a.token = any($1) as taken, (
       select min(e.created_at) from whatsapp_events e where e.kind = 'status' and e.payload ->> 'callbackData' = a.token) as told_at
     from whatsapp_send_attempts a where a.state <> 'rejected' order by a.id`,
    [stage.meta.accepted.map(({ callbackData }) => callbackData)],
  );
  if (everyStatusComes)
    expect(
      attempts.filter(({ taken, told_at }) => taken && told_at === null),
      "taken, and never told of",
    ).toEqual([]);
  const byPart = new Map<string, Attempt[]>();
  for (const one of attempts) byPart.set(one.part, [...(byPart.get(one.part) ?? []), one]);
  const late = new Set<string>();
  for (const [part, [first, second, ...more]] of byPart) {
    if (first === undefined || second === undefined) continue;
    const due = Number(first.started_at) + RECONCILE_MS;
    expect(more, `attempts of part ${part}`).toHaveLength(0);
    expect(2, `attempts of part ${part}`).toBeLessThanOrEqual(atMost);
    expect(Number(second.started_at), `part ${part} was sent again too soon`).toBeGreaterThanOrEqual(due);
    if (first.told_at) expect(Number(first.told_at), `part ${part} was known to be there`).toBeGreaterThanOrEqual(due);
    if (first.taken && second.taken) late.add(part);
  }
  return late;
}

type Attempt = {
  readonly part: string;
  readonly started_at: Date;
  /** Whether Meta accepted it. */
  readonly taken: boolean;
  /** When the first status of it was stored. */
  readonly told_at: Date | null;
};

async function isUnclear(stage: Stage): Promise<boolean> {
  const [row] = await stage.rows<{ n: number }>(
    `select count(*)::int as n from whatsapp_outbox o where o.state in ('queued', 'held', 'sending') and exists (
       select 1 from whatsapp_send_attempts a where a.outbox_id = o.id and a.state in ('intent', 'ambiguous'))`,
  );
  return row?.n !== 0;
}

/** Each answer says other numbers to the person it is for. */
function copiesOf(accepted: readonly AcceptedMessage[]): ReadonlyMap<string, number> {
  const copies = new Map<string, number>();
  for (const { recipient, text } of accepted)
    copies.set(`${recipient} ${text}`, (copies.get(`${recipient} ${text}`) ?? 0) + 1);
  return copies;
}

/** A copy may come again, but nothing that was said earlier comes after what was said later. */
function expectInOrder(accepted: readonly AcceptedMessage[]): void {
  const last = new Map<string, number>();
  for (const { recipient, text } of accepted) {
    const highest = Math.max(...(text.match(/\d+/g) ?? []).map(Number));
    expect(highest, "the last of the numbers that an answer says").toBeGreaterThanOrEqual(last.get(recipient) ?? 0);
    last.set(recipient, highest);
  }
}
