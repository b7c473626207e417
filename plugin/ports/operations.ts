/** How the work is going, as the database tells it: what ticks, metrics and alarms look at. */
import type { Stage } from "./lanes.ts";

/** The lanes of one stage that have something to do. */
export type StageBacklog = {
  readonly stage: Stage;
  /** Could be worked now, and nobody does. */
  readonly ready: number;
  /** Being worked. */
  readonly leased: number;
  /** Waiting for their time: a burst that is still coming, a retry, an open window. */
  readonly later: number;
  /** How long the longest of those that are ready has been so; 0 when none is. */
  readonly oldestWaitMs: number;
};

export type Operations = {
  /** In how many milliseconds the next lane may be claimed, 0 or less when one may now; null when nothing waits. */
  nextReadyMs(): Promise<number | null>;
  /** Every stage, in the order of a message. */
  backlog(): Promise<readonly StageBacklog[]>;
  /** @returns true for one of all callers, and for nobody again until `forMs` have passed. */
  takeUpkeep(forMs: number): Promise<boolean>;
};
