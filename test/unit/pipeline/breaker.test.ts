/** When a number's sends are paused: at the tenth failure in a row, or at once when Meta blocks it; and how they go on. */
import { describe, expect, it } from "vitest";
import { createBreaker, pauseMs } from "../../../plugin/pipeline/breaker.ts";
import type { OutgoingPart, PostOutcome, Rejection } from "../../../plugin/ports.ts";

const RETRY = { maxAttempts: 8, baseMs: 1_000, maxMs: 300_000 };

function setUp() {
  const told: unknown[] = [];
  const silent = () => undefined;
  const breaker = createBreaker({
    connections: {
      pause: async ({ reason: _, ...pause }) => {
        told.push(pause);
        return true;
      },
      takeProbe: async (probe) => {
        told.push({ probe });
        return false;
      },
      resume: async (connectionId) => {
        told.push({ resume: connectionId });
        return true;
      },
    },
    log: { debug: silent, info: silent, warn: silent, error: silent },
    retry: RETRY,
  });
  const of = (connectionId: string, strikes = 0) =>
    ({ connection: { connectionId, pause: { strikes, leftMs: 0 } } }) as unknown as OutgoingPart;
  const meets = async (outcome: PostOutcome, times = 1, connectionId = "a", strikes = 0) => {
    for (let i = 0; i < times; i++) await breaker.onOutcome(of(connectionId, strikes), outcome);
  };
  return { breaker, told, of, meets };
}

const rejected = (number?: Rejection["number"]): PostOutcome => ({
  kind: "rejected",
  rejection: {
    meta: null,
    retry: "backoff",
    retryAfterMs: null,
    perRecipient: false,
    message: "",
    ...(number && { number }),
  },
});
const ACCEPTED: PostOutcome = { kind: "accepted", messageId: "wamid.1" };
const LOST: PostOutcome = { kind: "ambiguous", reason: "" };

describe("a number", () => {
  it.each([
    ["Meta's trouble", rejected("trouble")],
    ["lost answers", LOST],
  ])("is paused at the tenth of %s in a row, and not before", async (_, outcome) => {
    const { told, meets } = setUp();

    await meets(outcome, 9);
    expect(told).toEqual([]);
    await meets(outcome);
    expect(told).toEqual([{ connectionId: "a", strikes: 0, forMs: 10_000 }]);
  });

  it.each([
    ["one that is accepted", ACCEPTED],
    ["one that is refused for itself", rejected()],
  ])("is not paused for nine and nine with %s between them", async (_, between) => {
    const { told, meets } = setUp();

    await meets(LOST, 9);
    await meets(between);
    await meets(LOST, 9);

    expect(told).toEqual([]);
  });

  it("is not paused for what others meet", async () => {
    const { told, meets } = setUp();
    for (const number of ["a", "b"]) await meets(LOST, 9, number);
    expect(told).toEqual([]);
  });

  it.each([
    ["that Meta blocks", "blocked"],
    ["of an app whose secret Meta does not take", "app"],
  ] as const)("%s is paused at once", async (_, number) => {
    const { told, meets } = setUp();
    await meets(rejected(number));
    expect(told).toEqual([{ connectionId: "a", strikes: 0, forMs: 10_000 }]);
  });

  it("whose probe fails is paused for twice as long each time, and for five minutes at most", async () => {
    const { told, meets } = setUp();
    for (const strikes of [1, 2, 5]) await meets(LOST, 1, "a", strikes);
    expect(told).toEqual([
      { connectionId: "a", strikes: 1, forMs: 20_000 },
      { connectionId: "a", strikes: 2, forMs: 40_000 },
      { connectionId: "a", strikes: 5, forMs: 300_000 },
    ]);
    expect([1, 2, 3].map((strikes) => pauseMs(RETRY, strikes))).toEqual([10_000, 20_000, 40_000]);
  });

  it("lets everybody through while it sends, and asks who may go first after a pause", async () => {
    const { breaker, told, of } = setUp();

    expect(await breaker.mayLeave(of("a"))).toBe(true);
    expect(await breaker.mayLeave(of("a", 2))).toBe(false);

    expect(told).toEqual([{ probe: { connectionId: "a", forMs: 20_000 } }]);
  });

  it("goes on with the first that is accepted", async () => {
    const { told, meets } = setUp();
    await meets(ACCEPTED, 1, "a", 3);
    expect(told).toEqual([{ resume: "a" }]);
  });
});
