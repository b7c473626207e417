/** What the channel needs of the host's own tables, and what it finds there. */

/** A column that we have added. */
export type HostColumn = {
  readonly table: string;
  readonly column: string;
  /** As `add column` wants it. */
  readonly definition: string;
};

/** Something that keeps us from one of the host's tables, in sentences for whoever runs the host. */
export type HostTrouble = {
  /** No message can come or go. Else it may keep some from us, or something rarer than messages. */
  readonly isCertain: boolean;
  readonly seen: string;
  readonly fix: string;
};
