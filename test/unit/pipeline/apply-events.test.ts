/** Stage `in` over an inbox that a test holds in its hand: what is locked or broken is found, and keeps nobody else. */
import { describe, expect, it } from "vitest";
import { ChannelError } from "../../../plugin/errors.ts";
import { createApplyEvents } from "../../../plugin/pipeline/apply-events.ts";
import { isHeldUp, mayBeAnItems } from "../../../plugin/pipeline/failure.ts";
import { DEFAULT_RULES } from "../../../plugin/pipeline/plan-effects.ts";
import { DEFAULT_RETRY } from "../../../plugin/pipeline/retry-schedule.ts";
import type { ClaimedLane, Inbox, Lanes } from "../../../plugin/ports.ts";
import { lane } from "./held-lanes.ts";

const storeDown = (code?: string) =>
  new ChannelError("STORE_UNAVAILABLE", "The database did not carry out the statement.", {
    cause: code === undefined ? undefined : Object.assign(new Error(), { code }),
  });

/** @param refuses what applying these lanes throws. */
function applying(refuses: (keys: readonly string[]) => Error | null) {
  const applied: string[][] = [];
  const postponed: [string, boolean][] = [];
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const apply = createApplyEvents({
    lanes: {
      postpone: async ({ laneKey }: ClaimedLane, _delayMs: number, failed: boolean) =>
        void postponed.push([laneKey, failed]),
    } as unknown as Lanes,
    inbox: {
      load: async () => [],
      async apply(lanes: readonly ClaimedLane[]) {
        const keys = lanes.map(({ laneKey }) => laneKey);
        const error = refuses(keys);
        if (error !== null) throw error;
        applied.push(keys);
        return [];
      },
    } as unknown as Inbox,
    rules: DEFAULT_RULES,
    log,
    retry: DEFAULT_RETRY,
    random: () => 1,
    onApplied() {},
  });
  const run = (...keys: string[]) =>
    apply(keys.map(lane), { signal: new AbortController().signal, finished: () => undefined });
  return { run, applied, postponed };
}

describe("a lane of which a row is locked for long", () => {
  it.each(["55P03", "57014", "40P01"])(
    "is found among its neighbours (%s), which go on, and goes alone from then on",
    async (code) => {
      const { run, applied, postponed } = applying((keys) => (keys.includes("b") ? storeDown(code) : null));

      await run("a", "b", "c");

      expect(applied).toEqual([["a"], ["c"]]);
      expect(postponed).toEqual([["b", true]]);
    },
  );

  it("is tried for as long as it takes once it goes alone: a lock is no failure of an event", async () => {
    const { run, postponed } = applying(() => storeDown("57014"));

    await run("a");
    expect(postponed).toEqual([["a", true]]);
  });
});

describe("a database that is away", () => {
  it("is asked once for all of them, and none is taken for the cause", async () => {
    let asked = 0;
    const { run, postponed } = applying(() => {
      asked++;
      return storeDown("57P01");
    });

    await run("a", "b");

    expect(asked).toBe(1);
    expect(postponed).toEqual([
      ["a", false],
      ["b", false],
    ]);
  });

  it("is told from a row that is locked", () => {
    expect([storeDown(), storeDown("57P01"), storeDown("53300")].map(isHeldUp)).toEqual([false, false, false]);
    expect([storeDown(), storeDown("40P01"), new Error("poison")].map(mayBeAnItems)).toEqual([false, true, true]);
  });
});
