/** What a commit of many, and the ends of parts that Meta never accepted, add to the counters. */
import { expect, it } from "vitest";
import { countWork } from "../../../plugin/operations/count-work.ts";
import { createCounters } from "../../../plugin/operations/counters.ts";
import type { Store } from "../../../plugin/ports.ts";

type Some = { readonly inbox?: object; readonly outbox?: object; readonly inboundMedia?: object };

const counting = (some: Some) => {
  const counters = createCounters();
  return { store: countWork(some as unknown as Store, counters), counters };
};

it("deliveries that share a commit are counted together", async () => {
  const { store, counters } = counting({ inbox: { record: async () => [] } });

  await store.inbox.record(Array(3).fill({}) as never);

  expect(counters.read()).toMatchObject({ committed: 3, commits: [0, 0, 1, 0, 0, 0, 0, 0] });
});

it("each end of a part without Meta's acceptance has a number of its own, and one that somebody else settled has none", async () => {
  const ends = ["failed", "expired", "unknown", "unknown", "failed"].map((state) => ({
    attempt: null,
    error: null,
    next: { kind: "done", state },
  }));
  const { store, counters } = counting({ outbox: { settle: async () => ends.map((_, i) => i < 4) } });

  await store.outbox.settle(ends as never);

  expect(counters.read()).toMatchObject({ sendsFailed: 1, sendsExpired: 1, sendsUnknown: 2, sendsAccepted: 0 });
});

it("a refusal after which it is tried again is none: a throttle, a closed window that a template answers", async () => {
  const error = { code: "GRAPH_REJECTED", message: "Refused.", meta: { code: 131056 } };
  const settlements = [
    { kind: "retry", state: "queued", delayMs: 1 },
    { kind: "replace", by: {} },
    { kind: "done", state: "failed" },
  ].map((next) => ({ attempt: "rejected", error, next }));
  const { store, counters } = counting({ outbox: { settle: async () => settlements.map(() => true) } });

  await store.outbox.settle(settlements as never);

  expect(counters.read()).toMatchObject({
    sendsPostponed: 2,
    sendsRejected: 1,
    sendsFailed: 1,
    reasons: { 131056: 3 },
  });
});

it("media that will not come are counted once", async () => {
  const answers = [true, false];
  const { store, counters } = counting({ inboundMedia: { expire: async () => answers.shift() } });

  for (const reason of ["Meta has it no longer", "the same again"])
    await store.inboundMedia.expire({} as never, reason);

  expect(counters.read().mediaExpired).toBe(1);
});
