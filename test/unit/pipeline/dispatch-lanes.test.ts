/** What becomes of the lanes of one claim when the database takes some of it and not all. */
import { expect, it } from "vitest";
import { createDispatchOutbox, type DispatchDeps } from "../../../plugin/pipeline/dispatch-outbox.ts";
import { META_LIMITS } from "../../../plugin/pipeline/meta-limits.ts";
import type { ClaimedLane, OutgoingPart } from "../../../plugin/ports.ts";
import { lane } from "./held-lanes.ts";

const RETRY = { maxAttempts: 3, baseMs: 10, maxMs: 10 };

it("a lane that cannot even be put back is handed over to be put back soon, and the others go on", async () => {
  const [failing, empty, sent] = [lane("failing"), lane("empty"), lane("sent")];
  let end: (answers: boolean[]) => void = () => undefined;
  const ended = new Promise<boolean[]>((resolve) => {
    end = resolve;
  });
  const part = (of: ClaimedLane) =>
    ({
      lane: of,
      state: "queued",
      connection: {},
      recipient: {},
      ambiguous: { attempts: 0 },
    }) as unknown as OutgoingPart;
  const dispatch = createDispatchOutbox({
    lanes: { postpone: () => Promise.reject(new Error("database away")) } as never,
    outbox: {
      head: async () => [part(failing), null, part(sent)],
      settle: async (all: readonly { readonly part: OutgoingPart }[]) =>
        all.some((one) => one.part.lane === failing) ? Promise.reject(new Error("database away")) : ended,
    } as never,
    throughput: { admit: async (parts: readonly OutgoingPart[]) => new Map(parts.map((one) => [one, 100])) } as never,
    policy: { reconcileMs: 100, retry: RETRY, pair: META_LIMITS.pair, random: () => 0.5 },
    log: { debug() {}, info() {}, warn() {}, error() {} },
    onSettled: () => undefined,
    onPaced: () => undefined,
  } as unknown as DispatchDeps);
  const finished: [string, boolean][] = [];
  const working = dispatch([failing, empty, sent], {
    signal: new AbortController().signal,
    finished: (one, error) => void finished.push([one.laneKey, error === undefined]),
  });
  await expect.poll(() => finished.length).toBe(2);
  expect(finished).toEqual(
    expect.arrayContaining([
      ["failing", false],
      ["empty", false],
    ]),
  );

  end([true]);
  await working;
  expect(finished[2]).toEqual(["sent", true]);
});
