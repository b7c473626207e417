/** Runs work in order per lane, and only so much of it at once. */

export type Lanes = {
  /** Starts `run` when everything queued in this lane before has started and a place is free. */
  enter(lane: string, run: () => Promise<void>): void;
  /** Starts nothing any more. */
  close(): void;
};

type Lane = { readonly waiting: (() => Promise<void>)[]; head: number; busy: number };

/** How many entries that have left may stay in front of a lane before it is tidied. */
const TIDY_AFTER = 1_024;

export function createLanes(concurrency: number): Lanes {
  const lanes = new Map<string, Lane>();
  let isClosed = false;

  function advance(lane: Lane): void {
    while (!isClosed && lane.busy < concurrency) {
      const run = lane.waiting[lane.head];
      if (!run) break;
      lane.head += 1;
      lane.busy += 1;
      void run().finally(() => {
        lane.busy -= 1;
        advance(lane);
      });
    }
    // An index instead of shift(): a long backlog would otherwise be moved once per delivery.
    if (lane.head < lane.waiting.length && lane.head < TIDY_AFTER) return;
    lane.waiting.splice(0, lane.head);
    lane.head = 0;
  }

  return {
    enter(name, run) {
      const lane = lanes.get(name) ?? { waiting: [], head: 0, busy: 0 };
      lanes.set(name, lane);
      lane.waiting.push(run);
      advance(lane);
    },
    close() {
      isClosed = true;
    },
  };
}
