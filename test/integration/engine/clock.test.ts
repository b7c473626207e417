/** Rule 5: only the database's clock counts; this process may believe in any time at all. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type DispatchPolicy, decideAfter, decideBefore } from "../../../plugin/pipeline/decide-next.ts";
import { planSend } from "../../../plugin/pipeline/plan-send.ts";
import { readRetention } from "../../../plugin/pipeline/retention.ts";
import type { OutgoingPart, Store } from "../../../plugin/ports.ts";
import { TENANT } from "../../support/channel.ts";
import { applyAll, BEN, claimed, delivery, type Engine, message, startEngine, status } from "./support.ts";

const MINUTE = 60_000;
const YEAR = 365 * 24 * 60 * MINUTE;

describe.each([
  ["ten minutes slow", -10 * MINUTE],
  ["ten minutes fast", 10 * MINUTE],
  ["a year fast", YEAR],
])("a process whose clock is %s", (_name, skew) => {
  const real = { now: 0 };
  beforeEach(() => {
    real.now = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now: real.now });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  /** Meta's own time, which is the real one. */
  const ago = (ms: number) => new Date(real.now - ms);

  it("leases lanes for as long as any other", async () => {
    const { store, another } = await startEngine();
    const skewed = another({ leaseMs: 1_500 });
    const other = another();
    // Connecting is no part of the lease's time.
    await Promise.all([skewed, other].map(({ lanes }) => lanes.claim("out", 1)));
    await store.inbox.record([delivery(message({ id: "wamid.1", at: ago(0) }))]);
    vi.setSystemTime(real.now + skew);
    const started = performance.now();

    const [lost] = await claimed(skewed);
    expect(await other.lanes.claim("in", 50)).toEqual([]);
    vi.useRealTimers();
    const [found] = await claimed(store);

    expect(found?.laneKey).toBe(lost?.laneKey);
    expect(performance.now() - started).toBeGreaterThan(1_490);
  });

  it("backs off for as long as any other", async () => {
    const { store } = await startEngine();
    await store.inbox.record([delivery(message({ id: "wamid.1", at: ago(0) }))]);
    vi.setSystemTime(real.now + skew);
    const started = performance.now();
    for (const lane of await claimed(store)) await store.lanes.postpone(lane, 1_500, true);

    expect(await store.lanes.claim("in", 50)).toEqual([]);
    vi.useRealTimers();
    await claimed(store);

    expect(performance.now() - started).toBeGreaterThan(1_490);
  });

  it("opens the same window, and marks the same messages as late", async () => {
    const { store, rows } = await startEngine();
    vi.setSystemTime(real.now + skew);

    await store.inbox.record([
      delivery(
        message({ id: "wamid.1", phone: "447700900001", at: ago(0) }),
        message({ id: "wamid.2", phone: "447700900002", at: ago(23.9 * 60 * MINUTE) }),
        message({ id: "wamid.3", phone: "447700900003", at: ago(24.1 * 60 * MINUTE) }),
      ),
    ]);
    await applyAll(store);

    const found = await rows<{ conversation_id: string; external_id: string; late: string | null }>(
      "select conversation_id, external_id, channel_metadata ->> 'late' as late from messages order by external_id",
    );
    expect(found.map(({ late }) => late)).toEqual([null, null, "true"]);
    expect(await rows("select 1 from whatsapp_turns")).toHaveLength(2);
    const windows = await Promise.all(found.map(({ conversation_id }) => store.sessions.status(conversation_id)));
    expect(windows.map((window) => window?.state)).toEqual(["open", "open", "closed"]);
    expect(windows[0]?.secondsRemaining).toBeGreaterThan(24 * 3600 - 60);
    expect(windows[0]?.secondsRemaining).toBeLessThanOrEqual(24 * 3600);
    expect(windows[1]?.secondsRemaining).toBeLessThanOrEqual(0.1 * 3600);
  });

  it("waits as long for more messages of a burst", async () => {
    const { store } = await startEngine({ coalesceMs: 1_500 });
    vi.setSystemTime(real.now + skew);
    const started = performance.now();

    await store.inbox.record([delivery(message({ id: "wamid.1", at: ago(0) }))]);
    await applyAll(store);

    expect(await store.lanes.claim("turn", 50)).toEqual([]);
    vi.useRealTimers();
    await claimed(store, "turn");
    expect(performance.now() - started).toBeGreaterThan(1_490);
  });

  it("waits as long for the status of an answer that was lost, and then sends once more", async () => {
    const engine = await startEngine({ reconcileMs: MINUTE });
    const { store, rows } = engine;
    await write(engine, "hello");
    vi.setSystemTime(real.now + skew);
    const part = await head(store);
    await store.outbox.begin([{ part, token: "lost" }]);
    await store.outbox.settle([decideAfter(part, "lost", { kind: "ambiguous", reason: "no answer" }, POLICY)]);
    // Something else of the number's comes: its webhooks are alive.
    await store.inbox.record([delivery(status({ wamid: "wamid.other", status: "sent", phone: BEN }))]);

    const [lane] = await rows<{ ms: number }>(
      "select extract(epoch from ready_at - now())::float8 * 1000 as ms from whatsapp_lanes where stage = 'out'",
    );
    expect(lane?.ms).toBeGreaterThan(MINUTE / 2);
    expect(lane?.ms).toBeLessThanOrEqual(MINUTE);
    await rows("update whatsapp_lanes set ready_at = now() where stage = 'out'");
    const early = await head(store);
    expect(early.ambiguous.ageMs).toBeLessThan(MINUTE / 2);
    expect(decideBefore(early, POLICY)).toMatchObject({ settlement: { next: { kind: "retry", state: "sending" } } });
    await rows("update whatsapp_send_attempts set started_at = started_at - interval '1 minute'");
    await rows("update whatsapp_events set created_at = created_at - interval '30 seconds' where kind = 'status'");
    const [late] = await store.outbox.head([early.lane]);
    expect(late?.ambiguous).toMatchObject({ count: 1, webhooksAlive: true });
    expect(decideBefore(late!, POLICY)).toEqual({ kind: "post" });
  });

  it("lets one person have no more at once, and waits no longer", async () => {
    const engine = await startEngine({ pair: POLICY.pair });
    const { store, rows } = engine;
    await write(engine, "one");
    vi.setSystemTime(real.now + skew);
    const part = await head(store);
    await store.outbox.begin([{ part, token: "t" }]);
    await store.outbox.settle([decideAfter(part, "t", { kind: "accepted", messageId: "wamid.out" }, POLICY)]);
    await write(engine, "two");

    const { lane } = await head(store);
    expect(lane.pacedMs).toBeGreaterThan(MINUTE / 2);
    expect(lane.pacedMs).toBeLessThan(2 * MINUTE);
    await store.lanes.release([lane]);
    await rows("update whatsapp_lanes set paced_until = paced_until - interval '1 minute'");
    expect((await head(store)).lane.pacedMs).toBe(0);
  });

  it("pauses a number for as long as any other", async () => {
    const engine = await startEngine();
    const { store, rows } = engine;
    await write(engine, "hello");
    const [number] = await rows<{ id: string }>("select id from whatsapp_connections");
    const connectionId = number!.id;
    vi.setSystemTime(real.now + skew);

    await store.connections.pause({ connectionId, strikes: 0, forMs: MINUTE, reason: "blocked" });

    const { connection } = await head(store);
    expect(connection.pause.leftMs).toBeGreaterThan(MINUTE / 2);
    expect(connection.pause.leftMs).toBeLessThanOrEqual(MINUTE);
    expect(await store.connections.takeProbe({ connectionId, forMs: MINUTE })).toBe(false);
    await rows("update whatsapp_connections set paused_until = paused_until - interval '1 minute'");
    expect(await store.connections.takeProbe({ connectionId, forMs: MINUTE })).toBe(true);
  });

  it("takes a sign-in as long as it lives, and no longer", async () => {
    const { store, rows } = await startEngine();
    const started = { customerConfigId: TENANT, userId: null, sessionHash: "session", appId: "app" };
    const more = { redirectUri: "https://host.example/back", returnTo: "/", pkceVerifierEnc: null };
    vi.setSystemTime(real.now + skew);

    for (const stateHash of ["in time", "too late"])
      await store.signIns.begin({ ...started, ...more, stateHash }, 10 * MINUTE);

    const lives = "select extract(epoch from expires_at - now())::float8 * 1000 as ms from whatsapp_oauth_states";
    for (const { ms } of await rows<{ ms: number }>(lives)) {
      expect(ms).toBeGreaterThan(9 * MINUTE);
      expect(ms).toBeLessThanOrEqual(10 * MINUTE);
    }
    await rows("update whatsapp_oauth_states set expires_at = now() + interval '1 minute'");
    expect(await store.signIns.take({ ...started, stateHash: "in time" })).toMatchObject(more);
    await rows("update whatsapp_oauth_states set expires_at = now() - interval '1 second'");
    expect(await store.signIns.take({ ...started, stateHash: "too late" })).toBeNull();
  });

  it("keeps what is old for as long as any other", async () => {
    const { store, rows } = await startEngine();
    await store.inbox.record([delivery(message({ id: "wamid.1", at: ago(0) }))]);
    await applyAll(store);
    const age = (minutes: number) =>
      rows("update whatsapp_events set created_at = now() - interval '30 days' - ? * interval '1 minute'", [minutes]);
    const prune = () => store.prune(readRetention(), new AbortController().signal);
    vi.setSystemTime(real.now + skew);

    await rows("update whatsapp_webhooks set created_at = now() - interval '30 days' + interval '5 minutes'");
    await age(-5);
    expect(await prune()).toMatchObject({ webhooks: 0, events: 0 });
    await rows("update whatsapp_webhooks set created_at = now() - interval '30 days' - interval '5 minutes'");
    await age(5);
    expect(await prune()).toMatchObject({ webhooks: 1, events: 1 });
  });
});

const POLICY: DispatchPolicy = {
  reconcileMs: MINUTE,
  retry: { maxAttempts: 3, baseMs: 20, maxMs: 200 },
  pair: { intervalMs: MINUTE, burst: 1 },
  random: () => 0.5,
};

/** Somebody has written by now, and the host sends them something. */
async function write({ store, rows }: Engine, response: string): Promise<void> {
  await store.inbox.record([delivery(message({ id: `wamid.before.${response}` }))]);
  await applyAll(store);
  const [one] = await rows<{ id: string }>("select id from conversations");
  const send = planSend({ what: { response }, idempotencyKey: null, replyTo: null, onWindowClosed: "fail" });
  await store.outbox.enqueue(one!.id, send);
}

/** The part at the head of the one lane of stage `out`, which is leased. */
async function head(store: Store): Promise<OutgoingPart> {
  const lanes = await store.lanes.claim("out", 50);
  const [part] = await store.outbox.head(lanes);
  if (!part) throw new Error("There is a part.");
  return part;
}
