/** What the channel needs from the world. Each port has one adapter; nothing here knows SQL, HTTP or Meta's spelling. */
import type { HostEvent, Reply, Turn } from "./contract.ts";
import type { Audit } from "./ports/audit.ts";
import type { Connections, Leaving, Onboardings, SignIns } from "./ports/connections.ts";
import type { HostColumn, HostTrouble } from "./ports/host-tables.ts";
import type { InboundMedia } from "./ports/inbound-media.ts";
import type { Inbox } from "./ports/inbox.ts";
import type { Lanes } from "./ports/lanes.ts";
import type { MediaRecords } from "./ports/media.ts";
import type { Alarms, Operations } from "./ports/operations.ts";
import type { OutboundMedia } from "./ports/outbound-media.ts";
import type { HostEvents, Outbox, Sessions, Turns } from "./ports/outbox.ts";
import type { Pace } from "./ports/pace.ts";
import type { Templates } from "./ports/templates.ts";
import type { DeadLetters, Prune } from "./ports/upkeep.ts";

export type * from "./ports/audit.ts";
export type * from "./ports/connections.ts";
export type * from "./ports/erasure.ts";
export type * from "./ports/graph.ts";
export type * from "./ports/health.ts";
export type * from "./ports/host-tables.ts";
export type * from "./ports/inbound-media.ts";
export type * from "./ports/inbox.ts";
export type * from "./ports/lanes.ts";
export type * from "./ports/media.ts";
export type * from "./ports/operations.ts";
export type * from "./ports/outbound-media.ts";
export type * from "./ports/outbox.ts";
export type * from "./ports/pace.ts";
export type * from "./ports/recordings.ts";
export type * from "./ports/secrets.ts";
export type * from "./ports/templates.ts";
export { isUnreadableMessage } from "./ports/unreadable.ts";
export type * from "./ports/upkeep.ts";

/** A pino logger fits. Fields first; they hold ids, never text, numbers or tokens. */
export type Logger = {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

export type Store = {
  readonly lanes: Lanes;
  readonly inbox: Inbox;
  readonly turns: Turns;
  readonly outbox: Outbox;
  readonly hostEvents: HostEvents;
  readonly inboundMedia: InboundMedia;
  readonly connections: Connections;
  readonly signIns: SignIns;
  readonly onboardings: Onboardings;
  readonly leaving: Leaving;
  readonly templates: Templates;
  readonly media: MediaRecords;
  readonly outboundMedia: OutboundMedia;
  readonly sessions: Sessions;
  readonly prune: Prune;
  readonly deadLetters: DeadLetters;
  readonly audit: Audit;
  readonly operations: Operations;
  readonly alarms: Alarms;
  readonly pace: Pace;
  /**
   * Which of these migrations the database has not; none where whoever runs the host may not see the ledger, as with a policy for
   * each table but that. Its error where the database does not answer.
   */
  missing(migrations: readonly string[]): Promise<readonly string[]>;
  /** What keeps us from the host's tables: a column of ours that is gone, a right, row level security. */
  hostTroubles(columns: readonly HostColumn[]): Promise<readonly HostTrouble[]>;
};

/** The host's side: its AI, and its ear. */
export type Host = {
  readonly reply: (turn: Turn) => Promise<Reply> | Reply;
  readonly onEvent: ((event: HostEvent) => Promise<void> | void) | undefined;
};
