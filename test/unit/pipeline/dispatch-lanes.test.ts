/** What becomes of the lanes of one claim when the database takes some of it and not all. */
import { expect, it } from "vitest";
import { createDispatchOutbox, type DispatchDeps } from "../../../plugin/pipeline/dispatch-outbox.ts";
import { META_LIMITS } from "../../../plugin/pipeline/meta-limits.ts";
import type { ClaimedLane, OutgoingPart } from "../../../plugin/ports.ts";
import { lane } from "./held-lanes.ts";

const RETRY = { maxAttempts: 3, baseMs: 10, maxMs: 10 };

const part = (of: ClaimedLane) =>
  ({ lane: of, state: "queued", connection: {}, recipient: {}, ambiguous: { attempts: 0 } }) as unknown as OutgoingPart;

/** Nothing can be postponed, and whatever waits for its number's pace is put down by `settle`. */
function working(heads: readonly (OutgoingPart | null)[], settle: () => Promise<readonly boolean[]>) {
  const dispatch = createDispatchOutbox({
    lanes: { postpone: () => Promise.reject(new Error("database away")) } as never,
    outbox: { head: async () => heads, settle } as never,
    throughput: { admit: async (parts: readonly OutgoingPart[]) => new Map(parts.map((one) => [one, 100])) } as never,
    policy: { reconcileMs: 100, retry: RETRY, pair: META_LIMITS.pair, random: () => 0.5 },
    log: { debug() {}, info() {}, warn() {}, error() {} },
    onSettled: () => undefined,
    onPaced: () => undefined,
  } as unknown as DispatchDeps);
  const finished: [string, boolean][] = [];
  return {
    finished,
    work: (lanes: readonly ClaimedLane[]) =>
      dispatch(lanes, {
        signal: new AbortController().signal,
        finished: (one, error) => void finished.push([one.laneKey, error === undefined]),
      }),
  };
}

it("a lane that cannot be put back does not let go of the others", async () => {
  const [empty, sent] = [lane("empty"), lane("sent")];
  let end: (answers: boolean[]) => void = () => undefined;
  const ended = new Promise<boolean[]>((resolve) => {
    end = resolve;
  });
  const { finished, work } = working([null, part(sent)], () => ended);
  const done = work([empty, sent]);
  await expect.poll(() => finished).toEqual([["empty", false]]);

  end([true]);
  await done;
  expect(finished[1]).toEqual(["sent", true]);
});

it("a lane whose outcome and whose postponement are both refused is handed over to be put back soon", async () => {
  const failing = lane("failing");
  const { finished, work } = working([part(failing)], () => Promise.reject(new Error("database away")));
  await work([failing]);
  expect(finished).toEqual([["failing", false]]);
});
