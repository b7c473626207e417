/** Rule 5: only the database's clock counts; this process may believe in any time at all. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { applyAll, claimed, delivery, message, startEngine } from "./support.ts";

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
    const skewed = another({ leaseMs: 400 });
    await store.inbox.record([delivery(message({ id: "wamid.1", at: ago(0) }))]);
    vi.setSystemTime(real.now + skew);
    const started = performance.now();

    const [lost] = await claimed(skewed);
    expect(await another().lanes.claim("in", 50)).toEqual([]);
    vi.useRealTimers();
    const [found] = await claimed(store);

    expect(found?.laneKey).toBe(lost?.laneKey);
    expect(performance.now() - started).toBeGreaterThan(390);
  });

  it("backs off for as long as any other", async () => {
    const { store } = await startEngine();
    await store.inbox.record([delivery(message({ id: "wamid.1", at: ago(0) }))]);
    vi.setSystemTime(real.now + skew);
    const started = performance.now();
    for (const lane of await claimed(store)) await store.lanes.postpone(lane, 300, true);

    expect(await store.lanes.claim("in", 50)).toEqual([]);
    vi.useRealTimers();
    await claimed(store);

    expect(performance.now() - started).toBeGreaterThan(290);
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
    const { store } = await startEngine({ coalesceMs: 300 });
    vi.setSystemTime(real.now + skew);
    const started = performance.now();

    await store.inbox.record([delivery(message({ id: "wamid.1", at: ago(0) }))]);
    await applyAll(store);

    expect(await store.lanes.claim("turn", 50)).toEqual([]);
    vi.useRealTimers();
    await claimed(store, "turn");
    expect(performance.now() - started).toBeGreaterThan(290);
  });
});
