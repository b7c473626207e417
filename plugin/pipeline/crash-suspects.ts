/** What processes held when they ended, time and again, is worked alone, so that only what ends them goes on being counted. */
import type { ClaimedLane } from "../ports.ts";
import type { RetrySchedule } from "./retry-schedule.ts";

export type CrashSuspects = {
  /** @returns which of these lanes may be worked now, and which wait because a suspect is under way in this process. */
  admit(claimed: readonly ClaimedLane[]): {
    readonly now: readonly ClaimedLane[];
    readonly wait: readonly ClaimedLane[];
  };
  /** To be called for every lane that was admitted. */
  finished(lane: ClaimedLane): void;
};

/** How long the others wait for one: a listener that never comes back must not keep them for ever. */
const ALONE_MS = 10_000;

/** A suspect that has to wait is looked at again this much later. */
export const SUSPECT_AGAIN_MS = 100;

/** An AI that may be away for long is no reason to let the process end more often: of the attempts no more than these count here. */
const MOST_ATTEMPTS = 8;

/** One for all stages of a process: a listener that ends it must not make an event suspect that is applied meanwhile. */
export function createCrashSuspects(retry: RetrySchedule, clock: () => number): CrashSuspects {
  const isSuspect = ({ crashes }: ClaimedLane) => crashes > 0 && crashes >= countedAttempts(retry) / 2;
  let underWay: ClaimedLane | undefined;
  let since = 0;
  return {
    admit(claimed) {
      if (!claimed.some(isSuspect)) return { now: claimed, wait: [] };
      const suspects = claimed.filter(isSuspect);
      // Who was held least often is most likely innocent, and gone before the culprit ends the process again.
      const isFree = underWay === undefined || clock() - since > ALONE_MS;
      const next = isFree ? leastSuspect(suspects) : undefined;
      if (next !== undefined) [underWay, since] = [next, clock()];
      return {
        now: claimed.filter((lane) => lane === next || !isSuspect(lane)),
        wait: suspects.filter((lane) => lane !== next),
      };
    },
    finished(lane) {
      if (underWay === lane) underWay = undefined;
    },
  };
}

function leastSuspect(suspects: readonly ClaimedLane[]): ClaimedLane | undefined {
  return [...suspects].sort((a, b) => a.crashes - b.crashes)[0];
}

/**
 * The process ended so often while it held this lane that its head is taken for the reason. Twice as often as what fails,
 * because a process may also end beside it.
 */
export function endsProcesses({ crashes }: ClaimedLane, retry: RetrySchedule): boolean {
  return crashes >= 2 * countedAttempts(retry);
}

function countedAttempts({ maxAttempts }: RetrySchedule): number {
  return Math.min(maxAttempts, MOST_ATTEMPTS);
}

export class ProcessEnded extends Error {
  override readonly name = "ProcessEnded";
  constructor() {
    super("the process ended during every attempt");
  }
}
