/** One round of work for a host that runs only when it is called: all stages until nothing is ready, or the time is over. */
import { ChannelError } from "../errors.ts";
import { countWork } from "../operations/count-work.ts";
import { type Counter, createCounters } from "../operations/counters.ts";
import type { Operations, Store } from "../ports.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Upkeep } from "./upkeep.ts";

/** How long one call of `tick` may take. */
export type TickOptions = {
  /**
   * After this many milliseconds it has resolved, from 100 to 900000; default 8000. Nothing new is begun in its last quarter, at most
   * the last 10 s. Longer than your AI takes for an answer: a turn that is cut off is given back and counts as tried.
   */
  readonly maxMs?: number | undefined;
};

/** What one call of `tick` has done, and when the next is of use. */
export type TickReport = {
  /** What this call has done; of sends, what Meta answered. */
  readonly done: {
    readonly events: number;
    readonly turns: number;
    readonly sends: number;
    /** Files that people have sent: stored, or given up for good. */
    readonly media: number;
    readonly hostEvents: number;
  };
  /** Whether the upkeep was due and this call did it: old rows, tokens near their end, alarms. */
  readonly upkeep: boolean;
  /** Something could be worked at once: call again now. */
  readonly more: boolean;
  /** In how many milliseconds the next thing may be worked; 0 when `more`, null when nothing waits. */
  readonly nextInMs: number | null;
};

/**
 * Works until nothing is ready or the time is over.
 * @throws ChannelError REQUEST_INVALID, STORE_UNAVAILABLE.
 */
export type Tick = (options?: TickOptions) => Promise<TickReport>;

export type TickDeps = {
  readonly store: Store;
  /** Stages of its own for each call, so that it does not matter whether `start` was called. */
  readonly openPipeline: (store: Store) => Pipeline;
  readonly upkeep: Pick<Upkeep, "runIfDue">;
  /** A burst that is still coming in is waited for. */
  readonly coalesceMs: number;
};

const DEFAULT_MS = 8_000;
const MOST_MS = 900_000;
const LONGEST_DRAIN_MS = 10_000;
/** Between two looks at a lane that is ready and that somebody else is just taking. */
const LOOK_AGAIN_MS = 20;

/** @throws ChannelError REQUEST_INVALID, STORE_UNAVAILABLE. */
export function createTick({ store, openPipeline, upkeep, coalesceMs }: TickDeps): Tick {
  return async ({ maxMs = DEFAULT_MS } = {}) => {
    if (!Number.isInteger(maxMs) || maxMs < 100 || maxMs > MOST_MS)
      throw new ChannelError("REQUEST_INVALID", `maxMs is a whole number from 100 to ${MOST_MS}.`);
    const counters = createCounters();
    const pipeline = openPipeline(countWork(store, counters));
    const drainMs = Math.min(maxMs / 4, LONGEST_DRAIN_MS);
    const workTime = startTime(maxMs - drainMs);
    const wholeTime = startTime(maxMs);
    try {
      const upkeeping = upkeep.runIfDue(workTime.signal);
      pipeline.start();
      await workUntilIdle(pipeline, store.operations, coalesceMs + LOOK_AGAIN_MS, workTime).finally(() =>
        pipeline.stop(drainMs),
      );
      // One that hangs on Meta ends by itself, and whatever it leaves is done by the next.
      const kept = (await Promise.race([upkeeping, wholeTime.over])) === true;
      const nextMs = await store.operations.nextReadyMs();
      return {
        done: doneOf(counters.read()),
        upkeep: kept,
        more: nextMs !== null && nextMs <= 0,
        nextInMs: nextMs === null ? null : Math.max(0, Math.ceil(nextMs)),
      };
    } finally {
      workTime.end();
      wholeTime.end();
    }
  };
}

async function workUntilIdle(
  pipeline: Pipeline,
  operations: Pick<Operations, "nextReadyMs">,
  aheadMs: number,
  time: Time,
): Promise<void> {
  while (!time.signal.aborted) {
    await Promise.race([pipeline.idle(), time.over]);
    if (time.signal.aborted) return;
    await pipeline.look();
    await Promise.race([pipeline.idle(), time.over]);
    const nextMs = await operations.nextReadyMs();
    if (nextMs === null || nextMs > aheadMs) return;
    await time.pause(Math.max(nextMs, LOOK_AGAIN_MS));
  }
}

function doneOf(counts: Readonly<Record<Counter, number>>): TickReport["done"] {
  return {
    events: counts.eventsApplied,
    turns: counts.turnsAnswered + counts.turnsSilent,
    sends: counts.sendsAccepted + counts.sendsRejected + counts.sendsPostponed + counts.sendsAmbiguous,
    media: counts.mediaStored + counts.mediaExpired,
    hostEvents: counts.hostEventsTaken,
  };
}

type Time = {
  /** Aborted when it is over. */
  readonly signal: AbortSignal;
  readonly over: Promise<void>;
  /** Resolves after so long, or when the time is over. */
  pause(ms: number): Promise<void>;
  /** It is no longer of interest. */
  end(): void;
};

function startTime(ms: number): Time {
  const aborter = new AbortController();
  const over = new Promise<void>((resolve) =>
    aborter.signal.addEventListener("abort", () => resolve(), { once: true }),
  );
  const timer = setTimeout(() => aborter.abort(), ms);
  return {
    signal: aborter.signal,
    over,
    async pause(pauseMs) {
      let waking: NodeJS.Timeout | undefined;
      await Promise.race([over, new Promise<void>((resolve) => (waking = setTimeout(resolve, pauseMs)))]);
      clearTimeout(waking);
    },
    end: () => clearTimeout(timer),
  };
}
