/** S2: dispatcher, outbox and statuses on a real Postgres, through any sequence of sends, answers, crashes, statuses and time. */
import { signatureOf } from "@omniops/whatsapp/simulator";
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { createStore } from "../../../adapters/postgres/store.ts";
import type { OnAmbiguous, PartState } from "../../../plugin/contract.ts";
import { createApplyEvents } from "../../../plugin/pipeline/apply-events.ts";
import { createDispatchOutbox } from "../../../plugin/pipeline/dispatch-outbox.ts";
import { META_LIMITS } from "../../../plugin/pipeline/meta-limits.ts";
import { advance, isPending } from "../../../plugin/pipeline/part-state.ts";
import { DEFAULT_RULES } from "../../../plugin/pipeline/plan-effects.ts";
import type { PostOutcome, Store } from "../../../plugin/ports.ts";
import { APP_SECRET, NUMBER, startChannel, type TestChannel } from "../../support/channel.ts";

const RECONCILE_MS = 60_000;
const LEASE_MS = 30_000;
const SCHEDULE = { maxAttempts: 4, baseMs: 100, maxMs: 2_000 };
const ANSWERS = ["ok", "reset", "500", "429", "refused", "190", "crash-before", "crash-after"] as const;
type Answer = (typeof ANSWERS)[number];
/** Whether Meta has taken it, whatever we heard. */
const TAKEN: ReadonlySet<Answer> = new Set(["ok", "500", "crash-after"]);

let channel: TestChannel;
let people = 0;

beforeAll(async () => {
  channel = await startChannel({ start: false });
});

/** The rules stand in `check`: they need no memory between the commands. */
type Model = object;

/** One conversation with a dispatcher that can die. */
type Machine = {
  send(policy: OnAmbiguous): Promise<void>;
  deliver(answer: Answer): Promise<void>;
  tick(ms: number): Promise<void>;
  status(nth: number, by: "token" | "wamid"): Promise<void>;
  inbound(): Promise<void>;
  reconnect(): Promise<void>;
  check(): Promise<void>;
  readonly counts: { posts: number; resent: number; crashes: number };
};

class Command implements fc.AsyncCommand<Model, Machine> {
  readonly #name: string;
  readonly #run: (machine: Machine) => Promise<void>;
  constructor(name: string, run: (machine: Machine) => Promise<void>) {
    this.#name = name;
    this.#run = run;
  }
  check = () => true;
  async run(_model: Model, machine: Machine): Promise<void> {
    await this.#run(machine);
    await machine.check();
  }
  toString = () => this.#name;
}

const commands = fc.commands(
  [
    fc
      .constantFrom<OnAmbiguous>("resend", "hold")
      .map((policy) => new Command(`send(${policy})`, (machine) => machine.send(policy))),
    // As often as everything else together.
    ...[0, 1, 2, 3].map(() =>
      fc.constantFrom(...ANSWERS).map((answer) => new Command(answer, (machine) => machine.deliver(answer))),
    ),
    fc
      .constantFrom(2_100, LEASE_MS + 100, RECONCILE_MS + 100, RECONCILE_MS * 11)
      .map((ms) => new Command(`tick(${ms})`, (machine) => machine.tick(ms))),
    // What a resend needs: somebody was heard, and the time is over.
    fc.constant(
      new Command("inbound, tick", async (machine) => {
        await machine.inbound();
        await machine.tick(RECONCILE_MS + 100);
      }),
    ),
    fc
      .tuple(fc.nat(9), fc.constantFrom("token" as const, "wamid" as const))
      .map(([nth, by]) => new Command(`status(${nth}, ${by})`, (machine) => machine.status(nth, by))),
    fc.constantFrom(
      new Command("inbound", (machine) => machine.inbound()),
      new Command("reconnect", (machine) => machine.reconnect()),
    ),
  ],
  { maxCommands: 40, size: "max" },
);
/** What is there to begin with. */
const policies = fc.array(fc.constantFrom<OnAmbiguous>("resend", "hold"), { minLength: 1, maxLength: 3 });

async function createMachine(): Promise<Machine> {
  const { rows, plugin } = channel;
  const store: Store = createStore(channel.database.knex, {
    schema: "public",
    hostSchema: "public",
    leaseMs: LEASE_MS,
    coalesceMs: 0,
    hasListener: true,
    advance,
    isPending,
  });
  const common = {
    lanes: store.lanes,
    retry: SCHEDULE,
    random: () => 0.5,
    log: { debug() {}, info() {}, warn() {}, error() {} },
  };
  const apply = createApplyEvents({
    ...common,
    inbox: store.inbox,
    rules: DEFAULT_RULES as never,
    onApplied: () => undefined,
  });
  const phone = String(447_700_920_000 + people++);
  const taken: { token: string; wamid: string }[] = [];
  const counts = { posts: 0, resent: 0, crashes: 0 };
  const seen = new Map<string, PartState>();
  let answer: Answer = "ok";
  let crashed = false;
  let tokens = 0;
  let inFlight = 0;
  let violation: unknown;

  async function receive(value: object): Promise<void> {
    const metadata = { display_phone_number: NUMBER.displayPhoneNumber, phone_number_id: NUMBER.phoneNumberId };
    const changes = [{ field: "messages", value: { messaging_product: "whatsapp", metadata, ...value } }];
    const rawBody = Buffer.from(
      JSON.stringify({ object: "whatsapp_business_account", entry: [{ id: NUMBER.wabaId, changes }] }),
    );
    await plugin.receive({ rawBody, signature: signatureOf(rawBody, APP_SECRET) });
    await store.inbox.unpark();
    for (;;) {
      const lanes = await store.lanes.claim("in", 50);
      if (lanes.length === 0) return;
      await apply(lanes, { signal: new AbortController().signal, finished: () => undefined });
    }
  }

  let wamids = 0;
  const heard = (text: string) =>
    receive({
      contacts: [{ profile: { name: "Ada" }, wa_id: phone }],
      messages: [
        {
          from: phone,
          id: `wamid.in.${phone}.${wamids++}`,
          timestamp: String(Math.floor(Date.now() / 1_000)),
          type: "text",
          text: { body: text },
        },
      ],
    });
  await heard("hello");
  const [ada] = (await rows<{ id: string; conversation_id: string }>(
    "select id, conversation_id from whatsapp_contacts where phone_number = ?",
    [phone],
  )) as [{ id: string; conversation_id: string }];
  const laneKey = `out:contact:${ada.id}`;

  /** What must hold at every request. */
  async function checkRequest(token: string): Promise<void> {
    expect(++inFlight, "requests at once").toBe(1);
    const attempts = await rows<{ token: string; state: string; age_ms: number; alive: boolean; policy: string }>(
      `select a.token, a.state, extract(epoch from clock_timestamp() - a.started_at)::float8 * 1000 as age_ms, o.on_ambiguous as policy,
         exists (select 1 from whatsapp_events e where e.created_at > a.started_at) as alive
       from whatsapp_send_attempts a join whatsapp_outbox o on o.id = a.outbox_id
       where a.outbox_id = (select outbox_id from whatsapp_send_attempts where token = ?) order by a.id`,
      [token],
    );
    expect(attempts.at(-1)).toMatchObject({ token, state: "intent" });
    const before = attempts.slice(0, -1);
    const unclear = before.filter(({ state }) => state === "intent" || state === "ambiguous");
    expect(before.map(({ state }) => state)).not.toContain("accepted");
    expect(unclear.length).toBeLessThanOrEqual(attempts[0]?.policy === "hold" ? 0 : 1);
    for (const { age_ms, alive } of unclear) {
      expect(age_ms).toBeGreaterThanOrEqual(RECONCILE_MS);
      expect(alive).toBe(true);
      counts.resent += 1;
    }
    const [connection] = await rows<{ state: string }>("select state from whatsapp_connections");
    expect(connection?.state).toBe("connected");
  }

  async function postMessage(token: string): Promise<PostOutcome> {
    counts.posts += 1;
    // The dispatcher survives whatever a request throws, this included.
    await checkRequest(token).catch((error: unknown) => {
      violation ??= error;
    });
    inFlight -= 1;
    const wamid = `wamid.out.${token}`;
    if (TAKEN.has(answer)) taken.push({ token, wamid });
    if (answer === "ok") return { kind: "accepted", messageId: wamid };
    if (answer === "reset" || answer === "500") return { kind: "ambiguous", reason: answer };
    if (answer.startsWith("crash")) {
      crashed = true;
      counts.crashes += 1;
      throw new Error("the process ended");
    }
    const retry = answer === "429" ? "backoff" : answer === "190" ? "reauth" : "never";
    return {
      kind: "rejected",
      rejection: { meta: null, retry, retryAfterMs: null, perRecipient: false, message: "no" },
    };
  }

  /** Another process each time it has died: nothing is kept in memory. */
  const dispatcher = () =>
    createDispatchOutbox({
      ...common,
      // The dead write nothing.
      lanes: { ...store.lanes, postpone: async (...args) => (crashed ? undefined : store.lanes.postpone(...args)) },
      outbox: store.outbox,
      connections: store.connections,
      graphApi: {
        postMessage: ({ body }: { body: Readonly<Record<string, unknown>> }) =>
          postMessage(String(body.biz_opaque_callback_data)),
      } as never,
      secretBox: { open: () => "token" } as never,
      policy: { reconcileMs: RECONCILE_MS, retry: SCHEDULE, pair: META_LIMITS.pair, random: () => 0.5 },
      newToken: () => `${phone}-${++tokens}`,
      onSettled: () => undefined,
      throughput: { admit: async () => new Map(), onOutcome: async () => undefined },
      onPaced: () => undefined,
      prepareMedia: () => Promise.reject(new Error("nobody sends media here")),
      outboundMedia: store.outboundMedia,
      verifyToken: async () => "dead",
    });

  return {
    counts,
    async send(policy) {
      await plugin.send({ conversationId: ada.conversation_id, response: "one", onAmbiguous: policy });
    },
    async deliver(next) {
      answer = next;
      crashed = false;
      const claimed = (await store.lanes.claim("out", 50)).filter((lane) => lane.laneKey === laneKey);
      await dispatcher()(claimed, { signal: new AbortController().signal, finished: () => undefined });
    },
    async tick(ms) {
      for (const [table, column] of [
        ["whatsapp_send_attempts", "started_at"],
        ["whatsapp_events", "created_at"],
        ["whatsapp_lanes", "ready_at"],
      ])
        await rows(`update ${table} set ${column} = ${column} - ? * interval '1 millisecond'`, [ms]);
    },
    async status(nth, by) {
      const one = taken[nth % Math.max(1, taken.length)];
      if (one === undefined) return;
      const token = by === "token" ? { biz_opaque_callback_data: one.token } : {};
      const status = ["sent", "delivered", "read"][nth % 3];
      await receive({
        statuses: [
          { id: one.wamid, status, timestamp: String(Math.floor(Date.now() / 1_000)), recipient_id: phone, ...token },
        ],
      });
    },
    inbound: () => heard("still here"),
    async reconnect() {
      await rows("update whatsapp_connections set state = 'connected'");
      await rows(
        "update whatsapp_lanes set ready_at = now() where lane_key = ? and lease_token is null and pending > 0",
        [laneKey],
      );
    },
    async check() {
      if (violation !== undefined) throw violation;
      const parts = await rows<{
        id: string;
        state: PartState;
        wamids: string[];
        message_id: string | null;
        duplicate: string | null;
        open: number;
        policy: string;
      }>(
        `select o.id, o.state, o.message_id, o.duplicate_message_id as duplicate, o.on_ambiguous as policy,
           array_remove(array_agg(a.message_id) filter (where a.state = 'accepted'), null) as wamids,
           (count(*) filter (where a.state in ('intent', 'ambiguous')))::int as open
         from whatsapp_outbox o left join whatsapp_send_attempts a on a.outbox_id = o.id
         where o.conversation_id = ? group by o.id order by o.id`,
        [ada.conversation_id],
      );
      for (const { id, state, wamids, message_id, duplicate, open, policy } of parts) {
        const before = seen.get(id);
        // What is settled never waits again, and what Meta has said never goes back.
        if (before !== undefined && !isPending(before)) expect(advance(before, state as never)).toBe(state);
        seen.set(id, state);
        expect(open + (wamids ?? []).length, "attempts that may have arrived").toBeLessThanOrEqual(
          policy === "hold" ? 1 : 2,
        );
        // An acceptance that we know of is never forgotten.
        if ((wamids ?? []).length > 0) expect(isPending(state) || state === "unknown").toBe(false);
        expect([message_id, duplicate].filter((one) => one !== null).sort()).toEqual([...(wamids ?? [])].sort());
      }
      // In order: nothing was tried of a part while one before it still waits.
      const [waiting] = await rows<{ n: number }>(
        `select count(*)::int as n from whatsapp_outbox later join whatsapp_outbox o
           on o.conversation_id = later.conversation_id and o.id < later.id
         where later.conversation_id = ? and later.attempts > 0 and o.state in ('queued', 'held', 'sending')`,
        [ada.conversation_id],
      );
      expect(waiting?.n).toBe(0);
      const [lane] = await rows<{ pending: number; waiting: number }>(
        `select pending, (select count(*)::int from whatsapp_outbox where lane_key = l.lane_key and state in ('queued', 'held', 'sending')) as waiting
         from whatsapp_lanes l where lane_key = ?`,
        [laneKey],
      );
      if (lane !== undefined) expect(lane.pending).toBe(lane.waiting);
    },
  };
}

it("never has two live attempts, keeps to the policy, and never forgets an acceptance, on a real database", {
  timeout: 300_000,
}, async () => {
  const seen = { posts: 0, resent: 0, crashes: 0 };
  await fc.assert(
    fc.asyncProperty(policies, commands, async (policies, sequence) => {
      const machine = await createMachine();
      await machine.reconnect();
      for (const policy of policies) await machine.send(policy);
      try {
        await fc.asyncModelRun(() => ({ model: {}, real: machine }), sequence);
      } finally {
        // The next one is not to meet what this one has left.
        await channel.rows("update whatsapp_lanes set ready_at = null, lease_token = null, pending = 0");
        for (const key of ["posts", "resent", "crashes"] as const) seen[key] += machine.counts[key];
      }
    }),
    { numRuns: Number(process.env.MODEL_RUNS ?? 25) },
  );
  console.log(`S2: ${seen.posts} requests, ${seen.resent} of them again, ${seen.crashes} crashes`);
  expect(seen.posts).toBeGreaterThan(50);
  expect(seen.resent).toBeGreaterThan(0);
});
