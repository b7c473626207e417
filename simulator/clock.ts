/** The simulator's clock, which can be moved on: windows close, tokens and media expire. */

/** The clock of timestamps, windows and expiries. Timers run in real time. */
export type Clock = {
  now(): Date;
  /** Moves it on by so many milliseconds; a moved clock keeps running. Throws for a time that would go back. */
  moveOn(milliseconds: number): void;
  /** How far it is ahead of the option `now`, in milliseconds. */
  readonly aheadMs: number;
};

export function createClock(base: () => Date): Clock {
  let aheadMs = 0;
  return {
    now: () => new Date(base().getTime() + aheadMs),
    moveOn(milliseconds) {
      if (!Number.isFinite(milliseconds) || milliseconds < 0)
        throw new Error("The simulator's clock moves on by a number of milliseconds, and never back.");
      aheadMs += milliseconds;
    },
    get aheadMs() {
      return aheadMs;
    },
  };
}
