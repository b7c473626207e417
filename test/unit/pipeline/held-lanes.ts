/** A lane worker over lanes that a test holds in its hand, and a handler that ends when the test says so. */
import { vi } from "vitest";
import { createLaneWorker, type LaneHandler, type LaneWorkerOptions } from "../../../plugin/pipeline/lane-worker.ts";
import type { ClaimedLane, Lanes } from "../../../plugin/ports.ts";

export const LEASE_MS = 900;
export const POLL_MS = 1_000;

/** Time that a test moves. Turns of the event loop stay real: they pass while it moves. */
export const holdTime = () =>
  void vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "performance"],
  });

export const lane = (laneKey: string): ClaimedLane => ({
  laneKey,
  tenant: laneKey,
  token: `token of ${laneKey}`,
  attempts: 0,
  crashes: 0,
  pacedMs: 0,
});

/** Lanes that are ready are in `ready`; everything asked of the port is in `calls`. */
export function setUp(handle: LaneHandler, options: Partial<LaneWorkerOptions> = {}) {
  const ready: ClaimedLane[] = [];
  const calls: { what: string; lanes: string[] }[] = [];
  const note = (what: string, lanes: readonly ClaimedLane[]) => {
    calls.push({ what, lanes: lanes.map(({ laneKey }) => laneKey) });
  };
  const lanes: Lanes = {
    async claim(_stage, limit, { without, held = [] } = {}) {
      const claimed = ready.splice(0, limit);
      const but = held.length === 0 ? "" : `, but no ${held.join(", no ")}`;
      note(`claim ${limit}${without === undefined ? "" : " in rounds"}${but}`, claimed);
      return claimed;
    },
    async begin(one) {
      note("begin", [one]);
      return true;
    },
    async renew(some) {
      note("renew", some);
      return some;
    },
    async release(some) {
      note("release", some);
    },
    async postpone(one) {
      note("postpone", [one]);
    },
    ...options.lanes,
  };
  const logged: string[] = [];
  const log = (_fields: object, message: string) => void logged.push(message);
  const worker = createLaneWorker({
    stage: "turn",
    batch: 3,
    maxActive: 5,
    leaseMs: LEASE_MS,
    pollMs: POLL_MS,
    random: () => 1,
    log: { debug: log, info: log, warn: log, error: log },
    handle,
    ...options,
    lanes,
  });
  const of = (what: string) => calls.filter((call) => call.what.startsWith(what)).map((call) => call.lanes);
  return { worker, ready, calls, of, logged, settle };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  await vi.advanceTimersByTimeAsync(0);
}

/** A handler that ends when the test says so. */
export function waiting() {
  const handled: string[] = [];
  const ends = new Map<string, { resolve: () => void; reject: (error: unknown) => void }>();
  const signals: AbortSignal[] = [];
  const handle: LaneHandler = async (lanes, { finished, signal }) => {
    signals.push(signal);
    await Promise.all(
      lanes.map(async (one) => {
        handled.push(one.laneKey);
        try {
          await new Promise<void>((resolve, reject) => ends.set(one.laneKey, { resolve, reject }));
          finished(one);
        } catch (error) {
          finished(one, error);
        }
      }),
    );
  };
  return {
    handle,
    handled,
    signals,
    end: (key: string) => ends.get(key)?.resolve(),
    fail: (key: string, error: unknown) => ends.get(key)?.reject(error),
  };
}

/** Ends at once. */
export const nothing: LaneHandler = async () => undefined;
