/** How fast Meta lets us send. */

/** What Meta allows one person to get from a number. */
export type PairLimit = {
  /** One message per this time, in milliseconds; a burst borrows from the messages to come. */
  readonly intervalMs: number;
  readonly burst: number;
};
