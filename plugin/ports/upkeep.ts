/** What has failed for good, and what is too old to keep. */

/** Where it was given up: reading an event, asking `reply`, telling `onEvent`. Everything in the host's Postgres. */
export type DeadLetterStage = "in" | "turn" | "notify";

export type DeadLetterFilter = {
  /** Null: of every tenant. */
  readonly customerConfigId: string | null;
  readonly stage?: DeadLetterStage | undefined;
  readonly conversationId?: string | undefined;
  /** As it is listed. */
  readonly error?: string | undefined;
  /** Came at this time or later, and before that. */
  readonly from?: Date | undefined;
  readonly until?: Date | undefined;
};

export type DeadLetterRow = {
  readonly id: string;
  readonly stage: DeadLetterStage;
  readonly kind: string;
  readonly conversationId: string | null;
  readonly at: string;
  readonly attempts: number | null;
  readonly lastError: string | null;
};

/** Where a page ends: at this dead letter of its stage. */
export type DeadLetterPlace = {
  readonly at: string;
  readonly stage: DeadLetterStage;
  /** Of the row, without its stage: a whole number, or a turn's uuid. */
  readonly id: string;
};

export type DeadLetters = {
  /** Newest first; of one moment by stage and id, so that the next page begins where this one ends. */
  list(
    filter: DeadLetterFilter,
    page: { readonly limit: number; readonly after: DeadLetterPlace | null },
  ): Promise<readonly DeadLetterRow[]>;
  /**
   * The oldest first; all of them are on their lanes when it resolves, or none. What is nobody's, because Postgres refused to route it, is
   * routed first; while that is refused, or its number is not connected, it stays aside and is none of the `redriven`.
   */
  redrive(
    filter: DeadLetterFilter,
    which: { readonly ids: readonly string[] | null; readonly limit: number },
  ): Promise<{ readonly redriven: number; readonly left: number }>;
};

/** After how many days something settled is deleted. */
export type Retention = {
  /** The bytes of deliveries. */
  readonly rawDays: number;
  /** Events with the keys by which a redelivery is known, and what the AI was asked. */
  readonly eventDays: number;
  /** Sends with their parts, attempts and idempotency keys. */
  readonly sendDays: number;
  /** Media with their bytes. What is on its way is not too old. */
  readonly mediaDays: number;
  /** Dead letters. */
  readonly deadDays: number;
};

/** How many rows went. `others`: sign-ins, onboardings, what is left of erasures, and lanes of messages that are not ours. */
export type Pruned = Readonly<
  Record<"webhooks" | "events" | "turns" | "sends" | "media" | "hostEvents" | "others", number>
> & {
  /** Nothing too old is left, but what somebody holds. */
  readonly isDone: boolean;
};

/**
 * Deletes what is too old, and notes since when something is older than that where it does not get to the end.
 * @param isOver whether it is to leave the rest, after a little of each table in any case. Default: never.
 * @returns soon after the signal aborts.
 */
export type Prune = (retention: Retention, signal: AbortSignal, isOver?: () => boolean) => Promise<Pruned>;
