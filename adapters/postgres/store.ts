/** Everything the channel keeps in the host's Postgres, behind the ports. */
import type { Knex } from "knex";
import type { Store } from "../../plugin/ports.ts";
import { createAlarms } from "./alarms.ts";
import { createAudit } from "./audit.ts";
import { createConnections } from "./connections.ts";
import { createDatabase } from "./database.ts";
import { createDeadLetters } from "./dead-letters.ts";
import type { EffectOptions } from "./effects.ts";
import { createHostAccess } from "./host-access.ts";
import { createHostEvents } from "./host-events.ts";
import { createHostShape } from "./host-tables.ts";
import { createInboundMedia, type InboundMediaOptions } from "./inbound-media.ts";
import { createInbox } from "./inbox.ts";
import { createLanes } from "./lanes.ts";
import { createLeaving } from "./leaving.ts";
import { createMediaRecords } from "./media.ts";
import { createMissing } from "./missing.ts";
import { createOnboardings } from "./onboardings.ts";
import { createOperations } from "./operations.ts";
import { createOutboundMedia } from "./outbound-media.ts";
import { createOutbox } from "./outbox.ts";
import { createPace } from "./pace.ts";
import { createPrune } from "./prune.ts";
import { createReadAgain } from "./read-again.ts";
import { createRecord } from "./record.ts";
import { createSessions } from "./sessions.ts";
import { createSignIns } from "./sign-ins.ts";
import { createTemplates } from "./templates.ts";
import { createTurns } from "./turns.ts";

export type StoreOptions = Omit<EffectOptions, "hostShape" | keyof typeof IN_PART> &
  Partial<Pick<EffectOptions & InboundMediaOptions, keyof typeof IN_PART>> & {
    readonly schema: string;
    readonly hostSchema: string;
    readonly leaseMs: number;
    /** Of the outbox: `OutboxOptions`. */
    readonly reconcileMs?: number;
    /** Of lanes. For whoever works none: never. */
    readonly suspectFrom?: number;
    /** Of the database: `DatabaseOptions`. */
    readonly acquireTimeoutMs?: number;
  };

/** For whoever takes only a part of it: no media, and nothing that waits for its message. */
const IN_PART = {
  mediaWaitMs: 0,
  mediaUrl: (id: string) => id,
  insteadOf: () => null,
  changesOf: () => [],
  mimeTypeOf: (seen: string | null, said: string | null) => seen ?? said,
};

const NEVER = 2 ** 31 - 1;

/** @param knex the host's own: borrowed, never destroyed. */
export function createStore(knex: Knex, given: StoreOptions): Store {
  const options = { ...IN_PART, ...given };
  const db = createDatabase(knex, options);
  const hostShape = createHostShape(db);
  return {
    lanes: createLanes(db, { suspectFrom: NEVER, ...options }),
    inbox: { record: createRecord(db), readAgain: createReadAgain(db), ...createInbox(db, { ...options, hostShape }) },
    turns: createTurns(db, options),
    outbox: createOutbox(db, { ...options, hostShape }),
    hostEvents: createHostEvents(db),
    inboundMedia: createInboundMedia(db, { ...options, hostShape }),
    connections: createConnections(db, options),
    signIns: createSignIns(db),
    onboardings: createOnboardings(db),
    leaving: createLeaving(db, options),
    templates: createTemplates(db),
    media: createMediaRecords(db),
    outboundMedia: createOutboundMedia(db),
    sessions: createSessions(db),
    prune: createPrune(db),
    deadLetters: createDeadLetters(db),
    audit: createAudit(db, hostShape),
    operations: createOperations(db),
    alarms: createAlarms(db, options),
    pace: createPace(db),
    missing: createMissing(db),
    hostTroubles: createHostAccess(db),
  };
}
