/** Work waiting in lanes: leased, worked in order, given back. */

/** Where work waits. A lane is one conversation in one stage: leased to one worker at a time, worked in order. */
export type Stage = "in" | "media" | "notify" | "out" | "turn";

/** A lane this process may work on until its lease ends. The token is the fence: without it nothing commits. */
export type ClaimedLane = {
  readonly laneKey: string;
  /** Stands for whose it is; zeros where nobody knows. */
  readonly tenant: string;
  readonly token: string;
  /** Failures in a row of the item at its head that were reported. */
  readonly attempts: number;
  /** Leases in a row that ended without a word, mostly because the process had ended. */
  readonly crashes: number;
  /** Lanes out: how long the next message must wait, so that this person gets no more at once than Meta allows; 0: not at all. */
  readonly pacedMs: number;
};

export type ClaimOptions = {
  /** As many lanes of each tenant, but none of these tenants'. Absent: those that have waited longest. */
  readonly without?: readonly string[];
  /** Tokens of lanes that this process still works though their leases may have run out: another process may have them, it itself not. */
  readonly held?: readonly string[];
};

export type Lanes = {
  /** @returns up to `limit` lanes. */
  claim(stage: Stage, limit: number, options?: ClaimOptions): Promise<readonly ClaimedLane[]>;
  /** From now on the end of the process counts against this suspect. @returns whether it is still ours. */
  begin(lane: ClaimedLane): Promise<boolean>;
  /** Makes the leases last again. @returns the lanes that are still ours. */
  renew(lanes: readonly ClaimedLane[]): Promise<readonly ClaimedLane[]>;
  /** Gives lanes back untouched, for another instance to take at once, or after `delayMs`. */
  release(lanes: readonly ClaimedLane[], delayMs?: number): Promise<void>;
  /** Gives a lane back to be tried again later; `failed` counts towards the limit of attempts. */
  postpone(lane: ClaimedLane, delayMs: number, failed: boolean): Promise<void>;
};
