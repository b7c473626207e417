/** People who are forgotten. */

/** A person to be forgotten. */
export type ErasureSubject =
  | { readonly phoneNumber: string; readonly userId?: undefined }
  | { readonly userId: string; readonly phoneNumber?: undefined };

/** How many rows hold something of a person. */
export type ErasureCounts = {
  readonly contacts: number;
  readonly conversations: number;
  /** Rows of the host's inbox. */
  readonly messages: number;
  /** Files that they have sent; their bytes go with the next upkeep. */
  readonly media: number;
  readonly events: number;
  /** Webhooks whose bytes go. */
  readonly deliveries: number;
  readonly turns: number;
  readonly sends: number;
  readonly hostEvents: number;
};

export type Erasure = {
  /** Whether anybody is known by this name. */
  isKnown(subject: ErasureSubject): Promise<boolean>;
  /** What {@link Erasure.erase} would take away. Changes nothing. */
  count(subject: ErasureSubject, customerConfigId: string | null): Promise<ErasureCounts>;
  /** Everything that is known of a person, in one transaction. Safe to repeat. @param customerConfigId null: of every tenant. */
  erase(subject: ErasureSubject, customerConfigId: string | null): Promise<ErasureCounts>;
};
