/** How lots of messages are asked for, and what happens to those that get none. */
import { describe, expect, it } from "vitest";
import { META_LIMITS, readMetaLimits } from "../../../plugin/pipeline/meta-limits.ts";
import { createThroughput } from "../../../plugin/pipeline/throughput.ts";
import type { OutgoingPart, Pace, PostOutcome, Rejection, ThroughputLevel } from "../../../plugin/ports.ts";

type Wish = Parameters<Pace["take"]>[0][number];

function setUp(grant: (wish: Wish) => number, rates: Partial<Record<ThroughputLevel, number>> = {}) {
  const asked: Wish[] = [];
  const told: unknown[] = [];
  let now = 0;
  const throughput = createThroughput({
    pace: {
      async take(wishes) {
        asked.push(...wishes);
        return wishes.map((wish) => ({ granted: grant(wish), waitMs: 10, everyMs: 2.5 }));
      },
      slowDown: async (connectionId) => void told.push({ slowDown: connectionId }),
      pause: async (pause) => void told.push(pause),
    },
    messagesPerSecond: readMetaLimits({ messagesPerSecond: rates }).messagesPerSecond,
    clock: () => now,
  });
  const pass = (ms: number) => {
    now += ms;
  };
  return { throughput, asked, told, pass };
}

function parts(count: number, connectionId = "a", throughput: ThroughputLevel = "standard"): OutgoingPart[] {
  return Array.from({ length: count }, () => ({ connection: { connectionId, throughput } }) as unknown as OutgoingPart);
}

describe("the pace of a number", () => {
  it("is Meta's: 80 messages a second, 20 beside the WhatsApp Business app, 1,000 where Meta says so", () => {
    expect(META_LIMITS.messagesPerSecond).toEqual({ standard: 80, coexistence: 20, high: 1_000 });
  });

  it("is that of each number, and a lot is a fortieth of a second's worth or as much as waits", async () => {
    const { throughput, asked } = setUp(({ wanted }) => wanted);

    await throughput.admit([...parts(1), ...parts(5, "b", "coexistence"), ...parts(1, "c", "high")]);

    expect(asked).toEqual([
      { connectionId: "a", perSecond: 80, wanted: 1, atMost: 2 },
      { connectionId: "b", perSecond: 20, wanted: 5, atMost: 5 },
      { connectionId: "c", perSecond: 1_000, wanted: 1, atMost: 25 },
    ]);
  });

  it("makes those wait that are too many, one after the other", async () => {
    const { throughput } = setUp(() => 2);
    const some = parts(5);

    const waits = await throughput.admit(some);

    expect(some.map((part) => waits.get(part) ?? 0)).toEqual([0, 0, 10, 13, 15]);
  });

  it("uses what is left of a lot before it asks again, and forgets it after a tenth of a second", async () => {
    const { throughput, asked, pass } = setUp(({ atMost }) => atMost);

    for (const count of [1, 20, 4]) await throughput.admit(parts(count, "a", "high"));
    expect(asked).toHaveLength(1);
    await throughput.admit(parts(1, "a", "high"));
    expect(asked).toHaveLength(2);
    pass(101);
    await throughput.admit(parts(1, "a", "high"));
    expect(asked).toHaveLength(3);
  });

  it("is not counted where nobody counts", async () => {
    const { throughput, asked } = setUp(() => 0, { standard: Number.POSITIVE_INFINITY });

    expect((await throughput.admit(parts(3))).size).toBe(0);
    expect(asked).toEqual([]);
  });

  it("that is no pace is refused", () => {
    expect(() => readMetaLimits({ messagesPerSecond: { standard: 0 } })).toThrow("metaLimits.messagesPerSecond");
  });
});

describe("what Meta says of the pace", () => {
  const rejected = (over: Partial<Rejection>): PostOutcome => ({
    kind: "rejected",
    rejection: { meta: null, retry: "backoff", retryAfterMs: null, perRecipient: false, message: "", ...over },
  });

  it.each([
    ["too fast", rejected({ throttles: "number" }), [{ slowDown: "a" }]],
    [
      "too fast for a while",
      rejected({ throttles: "account", retryAfterMs: 60_000 }),
      [{ connectionId: "a", scope: "account", forMs: 60_000 }],
    ],
    ["no, for another reason", rejected({}), []],
    ["yes", { kind: "accepted", messageId: "wamid.1" } as const, []],
    [
      "yes, but a budget is nearly spent",
      { kind: "accepted", messageId: "wamid.1", spent: [{ scope: "app", forMs: 5 }] } as const,
      [{ connectionId: "a", scope: "app", forMs: 5 }],
    ],
  ] satisfies [string, PostOutcome, unknown[]][])("%s", async (_, outcome, expected) => {
    const { throughput, told } = setUp(() => 1);

    await throughput.onOutcome(parts(1)[0]!, outcome);

    expect(told).toEqual(expected);
  });
});
