/** A tick's time: when it begins nothing more, how long it lets things finish, and what it does not wait for. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Pipeline } from "../../../plugin/pipeline/pipeline.ts";
import { createTick } from "../../../plugin/pipeline/tick.ts";
import type { Store } from "../../../plugin/ports.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

type World = {
  /** What `nextReadyMs` says, one after the other; the last for ever. */
  readonly next?: readonly (number | null)[];
  readonly busy?: boolean;
  readonly fails?: boolean;
  readonly upkeep?: (signal: AbortSignal) => Promise<boolean>;
};

function setUp({ next = [null], busy = false, fails = false, upkeep = async () => false }: World = {}) {
  const did: string[] = [];
  let asked = 0;
  const never = new Promise<void>(() => undefined);
  const pipeline = {
    start: () => void did.push("start"),
    look: async () => void did.push("look"),
    idle: () => (busy ? never : Promise.resolve()),
    stop: async (ms: number) => {
      did.push(`stop ${ms}`);
      if (busy) await new Promise((resolve) => setTimeout(resolve, ms));
    },
  };
  const nextReadyMs = async () => {
    if (fails) throw new Error("the database is away");
    return next[Math.min(asked++, next.length - 1)] ?? null;
  };
  const store = { operations: { nextReadyMs } };
  const tick = createTick({
    store: store as unknown as Store,
    openPipeline: () => pipeline as unknown as Pipeline,
    upkeep: { runIfDue: upkeep },
    coalesceMs: 700,
  });
  return { tick, did };
}

async function resolvedAfter(ticking: Promise<unknown>): Promise<number> {
  const began = Date.now();
  let ended = Number.NaN;
  void ticking.then(() => {
    ended = Date.now() - began;
  });
  await vi.advanceTimersByTimeAsync(1_000_000);
  return ended;
}

describe("a tick", () => {
  it("ends at once when nothing is ready, and leaves no timer", async () => {
    const { tick, did } = setUp();

    await expect(tick()).resolves.toMatchObject({ more: false, nextInMs: null });
    expect(did).toEqual(["start", "look", "stop 2000"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    [8_000, 2_000],
    [400, 100],
    [60_000, 10_000],
  ])("of %i ms begins nothing in its last %i ms, and is over in time", async (maxMs, drainMs) => {
    const { tick, did } = setUp({ busy: true });
    const ticking = tick({ maxMs });

    await vi.advanceTimersByTimeAsync(maxMs - drainMs - 1);
    expect(did).toEqual(["start"]);
    await vi.advanceTimersByTimeAsync(1);
    expect(did).toEqual(["start", `stop ${drainMs}`]);
    expect(await resolvedAfter(ticking)).toBe(drainMs);
  });

  it("waits for a burst that is still coming in, and not for a lane that backs off", async () => {
    const burst = setUp({ next: [700, null] });
    expect(await resolvedAfter(burst.tick())).toBe(700);
    expect(burst.did.filter((what) => what === "look")).toHaveLength(2);

    const backingOff = setUp({ next: [5_000] });
    await expect(backingOff.tick()).resolves.toMatchObject({ more: false, nextInMs: 5_000 });
  });

  it("does not spin over a lane that is ready and that somebody else takes", async () => {
    const { tick, did } = setUp({ next: [...Array.from({ length: 5 }, () => -10), null] });

    expect(await resolvedAfter(tick())).toBe(5 * 20);
    expect(did.filter((what) => what === "look")).toHaveLength(6);
  });

  it("says that there is more when something could be worked at its end", async () => {
    const { tick } = setUp({ next: [null, -5] });

    await expect(tick()).resolves.toMatchObject({ more: true, nextInMs: 0 });
  });

  it("tells upkeep when the time for work is over, and does not wait for one that hangs", async () => {
    let toldAfter = Number.NaN;
    const began = Date.now();
    const { tick } = setUp({
      upkeep: (signal) =>
        new Promise(() =>
          signal.addEventListener("abort", () => {
            toldAfter = Date.now() - began;
          }),
        ),
    });
    const ticking = tick({ maxMs: 8_000 });

    expect(await resolvedAfter(ticking)).toBe(8_000);
    expect(toldAfter).toBe(6_000);
    await expect(ticking).resolves.toMatchObject({ upkeep: false });
  });

  it("gives its lanes back when the database fails it", async () => {
    const { tick, did } = setUp({ fails: true });

    await expect(tick()).rejects.toThrow("the database is away");
    expect(did.at(-1)).toBe("stop 2000");
    expect(vi.getTimerCount()).toBe(0);
  });
});
