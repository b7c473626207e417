/** How the work is going, in numbers: what waits in the database, and what this process has done. */
import type { AlarmKind, ConnectionState } from "../contract.ts";
import { nameOf } from "../errors.ts";
import { isHeldUp, isStoreDown } from "../pipeline/failure.ts";
import type { DeadLetterStage, Logger, NumberState, PartBacklog, StageBacklog, Store } from "../ports.ts";
import { COMMIT_SIZES, type Counters, type Counts } from "./counters.ts";

/** Names nobody: neither tenants nor people, and of numbers only our own ids. */
export type Metrics = {
  /** Every instance says the same of these. */
  readonly database: {
    readonly stages: readonly StageBacklog[];
    readonly deadLetters: Readonly<Record<DeadLetterStage, number>>;
    readonly numbers: Readonly<Record<ConnectionState, number>>;
    /** At most 100, those that are in trouble first, then those whose token ends first; without the disconnected ones. */
    readonly eachNumber: readonly NumberState[];
    /** When the first token of all connected numbers ends, also of those that are not among the 100; null when none does. */
    readonly nextTokenExpiresAt: Date | null;
    readonly parts: PartBacklog;
    /** How long ago the newest delivery of any number was stored; null when none is kept. */
    readonly webhookAgeMs: number | null;
    /** Parts that turned out to have been sent twice, of all that are kept. */
    readonly sentTwice: number;
    /** Those that are raised now, oldest first. */
    readonly alarms: readonly { readonly kind: AlarmKind; readonly subject: string; readonly since: Date }[];
  };
  /** Since this process has constructed the plugin; they only rise. */
  readonly process: {
    /** Deliveries at the webhook route, by the status they were answered with: 401 are those whose signature is wrong. */
    readonly webhooks: Readonly<Record<string, number>>;
    readonly events: {
      readonly accepted: number;
      readonly duplicate: number;
      readonly ignored: number;
      readonly applied: number;
    };
    /** The applied ones by kind, as `ChannelEvent` has them. */
    readonly eventsByKind: Readonly<Record<string, number>>;
    /** Commits that stored deliveries, by how many shared one: `upTo` null is the rest. */
    readonly commits: {
      readonly deliveries: number;
      readonly sizes: readonly { readonly upTo: number | null; readonly commits: number }[];
    };
    readonly turns: { readonly answered: number; readonly silent: number };
    /**
     * `accepted`, `rejected`, `postponed`, `ambiguous`: Meta's answers, or that there was none; what is postponed is tried again. `failed`,
     * `expired`, `unknown`: how parts ended without its acceptance. `undelivered`: parts that it called failed by a status.
     */
    readonly sends: {
      readonly accepted: number;
      readonly rejected: number;
      readonly postponed: number;
      readonly ambiguous: number;
      readonly failed: number;
      readonly expired: number;
      readonly unknown: number;
      readonly undelivered: number;
    };
    /** Why attempts and parts were not accepted or not delivered: Meta's number, or our error code where Meta said none. */
    readonly sendErrors: Readonly<Record<string, number>>;
    /** Files that people have sent: fetched and stored, or given up for good. */
    readonly media: { readonly stored: number; readonly expired: number };
    /** What `onEvent` has taken. */
    readonly hostEvents: number;
  };
};

/** @returns reads the metrics. @throws ChannelError STORE_UNAVAILABLE. */
export function createMetrics(
  { operations, alarms }: Pick<Store, "operations" | "alarms">,
  counters: Counters,
): () => Promise<Metrics> {
  return async () => {
    // One after the other: a host's pool may have one connection.
    const stages = await operations.backlog();
    const deadLetters = await operations.deadLetters();
    const numbers = await operations.numbers();
    const parts = await operations.parts();
    const webhookAgeMs = await operations.webhookAgeMs();
    const sentTwice = await operations.sentTwice();
    const raised = await alarms.raised();
    return {
      database: {
        stages,
        deadLetters,
        numbers: numbers.counts,
        eachNumber: numbers.each,
        nextTokenExpiresAt: numbers.nextTokenExpiresAt,
        parts,
        webhookAgeMs,
        sentTwice,
        alarms: raised,
      },
      process: toProcess(counters.read()),
    };
  };
}

/** What a scrape is told: of the database null while that is away, or refuses what is asked. */
export type Scraped = {
  readonly database: Metrics["database"] | null;
  readonly process: Metrics["process"];
  /** The database is there, and something is wrong with what is asked of it: a table, a right, its time. */
  readonly isRefused?: boolean;
};

/** A scrape does not fail with the database: that it is away is what it came for. What it refuses is said once, until it is another or none. */
export function createScrape(
  metrics: () => Promise<Metrics>,
  counters: Counters,
  log: Pick<Logger, "warn">,
): () => Promise<Scraped> {
  let said: string | null = null;
  return async () => {
    try {
      const read = await metrics();
      said = null;
      return read;
    } catch (error) {
      const isRefused = !isStoreDown(error) || isHeldUp(error);
      const name = isRefused ? nameOf(isHeldUp(error) ? (error as Error).cause : error) : null;
      if (name !== null && name !== said) log.warn({ error: name }, "the database refused what the metrics ask of it");
      said = name;
      return { database: null, process: toProcess(counters.read()), isRefused };
    }
  };
}

/** What this process counts, which needs no database. */
export function toProcess(counts: Counts): Metrics["process"] {
  return {
    webhooks: counts.answers,
    events: {
      accepted: counts.eventsAccepted,
      duplicate: counts.eventsDuplicate,
      ignored: counts.eventsIgnored,
      applied: counts.eventsApplied,
    },
    eventsByKind: counts.kinds,
    commits: {
      deliveries: counts.committed,
      sizes: counts.commits.map((commits, i) => ({ upTo: COMMIT_SIZES[i] ?? null, commits })),
    },
    turns: { answered: counts.turnsAnswered, silent: counts.turnsSilent },
    sends: {
      accepted: counts.sendsAccepted,
      rejected: counts.sendsRejected,
      postponed: counts.sendsPostponed,
      ambiguous: counts.sendsAmbiguous,
      failed: counts.sendsFailed,
      expired: counts.sendsExpired,
      unknown: counts.sendsUnknown,
      undelivered: counts.sendsUndelivered,
    },
    sendErrors: counts.reasons,
    media: { stored: counts.mediaStored, expired: counts.mediaExpired },
    hostEvents: counts.hostEventsTaken,
  };
}
