/** How the work is going, as the database tells it: what ticks, metrics and alarms look at. */
import type { Alarm, AlarmKind, ConnectionState } from "../contract.ts";
import type { Stage } from "./lanes.ts";
import type { DeadLetterStage } from "./upkeep.ts";

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

export type NumberStates = {
  readonly counts: Readonly<Record<ConnectionState, number>>;
  /** At most 100, those that are in trouble first, then those whose token ends first; without the disconnected ones. */
  readonly each: readonly NumberState[];
  /** When the first token of all connected numbers ends, also of those that are not shown; null when none does. */
  readonly nextTokenExpiresAt: Date | null;
};

/** How one connected number is doing. */
export type NumberState = {
  /** Ours, not Meta's. */
  readonly connectionId: string;
  readonly state: ConnectionState;
  /** Nothing of it leaves for a while, because Meta said so. */
  readonly paused: boolean;
  /** When its access token ends; null when it does not, or there is none. */
  readonly tokenExpiresAt: Date | null;
};

/** Parts that are on their way, or whose fate nobody knows. */
export type PartBacklog = {
  readonly queued: number;
  /** Waiting for the person to write. */
  readonly held: number;
  /** Attempted, and not settled. */
  readonly sending: number;
  /** Meta's answer was lost and no status came, of all that are kept. */
  readonly unknown: number;
};

export type Operations = {
  /** In how many milliseconds the next lane may be claimed, 0 or less when one may now, or a number is to be caught up with; null when nothing waits. */
  nextReadyMs(): Promise<number | null>;
  /** Every stage, in the order of a message. */
  backlog(): Promise<readonly StageBacklog[]>;
  /** How many lie aside, by stage. */
  deadLetters(): Promise<Readonly<Record<DeadLetterStage, number>>>;
  numbers(): Promise<NumberStates>;
  parts(): Promise<PartBacklog>;
  /** How long ago the newest delivery was stored; null when none is kept. */
  webhookAgeMs(): Promise<number | null>;
  /** Parts of which Meta has turned out to have taken both attempts, of all that are kept. */
  sentTwice(): Promise<number>;
  /** @returns true for one of all callers, and for nobody again until `forMs` have passed; but for who asks for less than is left of them. */
  takeUpkeep(forMs: number): Promise<boolean>;
};

/** Something that was measured and may be too much. */
export type Sign = { readonly kind: AlarmKind; readonly subject: string; readonly value: number };

export type RaisedAlarm = { readonly kind: AlarmKind; readonly subject: string; readonly since: Date };

export type Alarms = {
  /** Reads only, each bounded in time and rows. */
  signs(): Promise<readonly Sign[]>;
  /** What is raised now. */
  raised(): Promise<readonly RaisedAlarm[]>;
  /** Raises and clears, and tells the host, in one transaction. @returns those that nobody else was faster with. */
  change(changes: readonly Omit<Alarm, "since">[]): Promise<readonly Alarm[]>;
};
