/** How fast Meta lets us send. */

/** What Meta allows one person to get from a number. */
export type PairLimit = {
  /** One message per this time, in milliseconds; a burst borrows from the messages to come. */
  readonly intervalMs: number;
  readonly burst: number;
};

/** How fast a number may send: `coexistence` when it is also used in the WhatsApp Business app, `high` when Meta says so. */
export type ThroughputLevel = "standard" | "coexistence" | "high";

/** Whom a throttle of Meta's concerns: the number, all numbers of its WhatsApp Business Account, or all of the app. */
export type PaceScope = "number" | "account" | "app";

/** The pace of numbers, counted for all instances together. */
export type Pace = {
  /**
   * Asks for messages to leave now. `atMost` may be more than `wanted`: what is left over serves the next ones for a moment.
   * Whoever is not granted gets a place in the number's queue: the first waits `waitMs`, each after it `everyMs` longer.
   */
  take(
    wishes: readonly {
      readonly connectionId: string;
      readonly perSecond: number;
      readonly wanted: number;
      readonly atMost: number;
    }[],
  ): Promise<readonly { readonly granted: number; readonly waitMs: number; readonly everyMs: number }[]>;
  /** The number was too fast for Meta: half of its pace from now on, which comes back within some ten seconds. */
  slowDown(connectionId: string): Promise<void>;
  /** Nothing leaves for a while. A pause that is as good as there already is not written again. */
  pause(pause: { readonly connectionId: string; readonly scope: PaceScope; readonly forMs: number }): Promise<void>;
};
