/** What a host gives and gets: the options of the plugin, and the plugin. */
import type { Knex } from "knex";
import type { WhatsAppConfigInput } from "../config.ts";
import type { DisconnectRequest } from "../connect/own-numbers.ts";
import type {
  AiResponse,
  AmbiguityPolicy,
  ChannelPlugin,
  Connection,
  HostEvent,
  MediaKind,
  Reply,
  SendReceipt,
  Transformed,
  Turn,
} from "../contract.ts";
import type { DeadLetterService } from "../dead-letters.ts";
import type { DoctorRequest } from "../doctor/doctor.ts";
import type { Diagnosis } from "../doctor/finding.ts";
import type { Erase } from "../erase.ts";
import type { InFrontOf } from "../http/in-front.ts";
import type { AllowMetrics } from "../http/metrics-route.ts";
import type { Router } from "../http/router.ts";
import type { Authenticate } from "../http/session.ts";
import type { AlarmLimits } from "../operations/alarms.ts";
import type { MetricsRegistry } from "../operations/collect.ts";
import type { Metrics } from "../operations/metrics.ts";
import type { MetaLimitsGiven } from "../pipeline/meta-limits.ts";
import type { EffectRules } from "../pipeline/plan-effects.ts";
import type { RetrySchedule } from "../pipeline/retry-schedule.ts";
import type { Tick } from "../pipeline/tick.ts";
import type { Logger, MediaStore, Retention } from "../ports.ts";
import type { TemplateService } from "../templates/manage-templates.ts";
import type { UploadSample } from "../templates/upload-sample.ts";

/** What a host gives to `createWhatsAppPlugin`. Only the first three are needed; `docs/reference/options.md` is written from here. */
export type WhatsAppPluginOptions = {
  /** The host's own, on Postgres 15 or later; borrowed, never destroyed. */
  readonly knex: Knex;
  /** `whatsappConfigFromEnv(process.env)`, or a plain object with the same values. */
  readonly config: WhatsAppConfigInput;
  /**
   * The host's AI. Called at least once per turn; `turn.turnId` is its idempotency key. What it throws is tried again, as
   * `retry` says.
   */
  readonly reply: (turn: Turn) => Promise<Reply> | Reply;
  /**
   * Who asks on the tenant routes: `{ customerConfigId, userId, sessionId, permissions: ["connect"] }`, or only the
   * tenant's id, which may read and send but connect nothing.
   * @defaultValue nobody: they answer 403
   */
  // biome-ignore lint/suspicious/noExplicitAny: the host's own request type, whichever Express it runs.
  readonly authenticate?: Authenticate<any>;
  /**
   * Who may read `GET /metrics`, which speaks of all tenants together: a secret of the scraper's, an address.
   * @defaultValue nobody: it answers 403
   */
  // biome-ignore lint/suspicious/noExplicitAny: the host's own request type, whichever Express it runs.
  readonly allowMetrics?: AllowMetrics<any>;
  /**
   * Above which value each alarm is raised (`onEvent` hears of it, and the log at `warn`): `lag`, `long-transaction` and
   * `webhooks-silent` (86400 at most) in seconds, the others a count, most of them of the last hour. `Infinity` turns one off, `false` all.
   * @defaultValue `{ lag: 60, failing: 0, "long-transaction": 120, "dead-rows": 1000000, "webhooks-silent": 600, "webhooks-elsewhere": 0, "unknown-sends": 0, "sent-twice": 0, "dead-letters": 0, "media-store": 0, retention: 3600, quarantined: 0 }`
   */
  readonly alarms?: Partial<AlarmLimits> | false;
  /**
   * Hears of messages, statuses, media, connections and alarms: at least once, in order per conversation. What it throws is tried again.
   * @defaultValue nobody hears
   */
  readonly onEvent?: (event: HostEvent) => Promise<void> | void;
  /**
   * Where log lines go: one per outcome, ids only, never a number, a name, a text or a secret. One that throws harms nothing.
   * @defaultValue pino at level `info`, on stdout
   */
  readonly logger?: Logger;
  /**
   * Where the bytes of media are kept. With several machines take `createS3MediaStore` of `@omniops/whatsapp/s3`.
   * @defaultValue a folder, `WHATSAPP_MEDIA_DIR`, which all instances must share
   */
  readonly mediaStore?: MediaStore;
  /**
   * How many bytes of media one tenant may have, sent and received; `Infinity`: as many as fit. More is refused (413).
   * @defaultValue `10737418240`
   */
  readonly mediaQuotaBytes?: number;
  /**
   * For Graph calls through a proxy or tracer.
   * @defaultValue a keep-alive agent of our own
   */
  readonly fetch?: typeof globalThis.fetch;
  /**
   * Schema of our tables, created when missing.
   * @defaultValue `"public"`
   */
  readonly schema?: string;
  /**
   * Schema of the host's `customer_configs`, `conversations` and `messages`.
   * @defaultValue `"public"`
   */
  readonly hostSchema?: string;
  /**
   * How failures of the host's AI and listener, and of single events, are tried again: how often in all, and after how many
   * milliseconds first and at most; the wait doubles. By default that is some 23 minutes.
   * @defaultValue `{ maxAttempts: 13, baseMs: 1000, maxMs: 300000 }`
   */
  readonly retry?: Partial<RetrySchedule>;
  /**
   * Longest wait between two looks for work that another process has left, in milliseconds.
   * @defaultValue `1000`
   */
  readonly pollMs?: number;
  /**
   * How often tokens near their end, old rows, alarms and the like are looked after, in milliseconds.
   * @defaultValue `60000`
   */
  readonly upkeepMs?: number;
  /**
   * Days until what is settled is deleted. `rawDays` is at least 1, `eventDays`, `mediaDays` and `deadDays` 8, because Meta
   * brings a delivery again for 7; `sendDays` 30, because a status may come that late. What waits is never deleted, but for
   * events of a number that nobody connects (`deadDays`).
   * @defaultValue `{ rawDays: 30, eventDays: 30, sendDays: 90, mediaDays: 90, deadDays: 90 }`
   */
  readonly retention?: Partial<Retention>;
  /**
   * What wakes the AI beside what people write: reactions, messages that WhatsApp cannot show us, and messages that were
   * older than the service window when they reached the inbox: they came late, or waited for their number to be connected.
   * @defaultValue `{ reactions: false, unsupported: false, late: false }`
   */
  readonly wakeOn?: Partial<EffectRules["wakeOn"]>;
  /**
   * How long the AI is silent after staff has answered in the WhatsApp Business app, in milliseconds; 0: not at all. A hundred
   * years at most.
   * @defaultValue `3600000`
   */
  readonly pauseAfterStaffMs?: number;
  /**
   * Whether a message whose answer was lost is sent once more, by class of messages: `resend` may make it arrive twice,
   * with `hold` it ends `unknown` and never does.
   * @defaultValue `{ session: "resend", template: "hold", marketing: "hold", authentication: "hold" }`
   */
  readonly onAmbiguous?: Partial<AmbiguityPolicy>;
  /**
   * How fast Meta lets us send, where it is not what Meta's documentation says: for load tests against a stand-in. A burst of
   * messages to one person and the milliseconds after which each comes back; messages per second of a number, by its level.
   * @defaultValue `{ pair: { intervalMs: 6000, burst: 45 }, messagesPerSecond: { standard: 80, coexistence: 20, high: 1000 } }`
   * @see https://developers.facebook.com/docs/whatsapp/cloud-api/overview#throughput
   */
  readonly metaLimits?: MetaLimitsGiven;
  /**
   * How long a turn waits for the bytes of its pictures and voice notes before `reply` is asked without them, in milliseconds;
   * 0: not at all. In the default all but large files come.
   * @defaultValue `5000`
   */
  readonly mediaWaitMs?: number;
  /**
   * How large a file that somebody sends may be, in bytes. 100 MB is Meta's own limit.
   * @defaultValue `{ image: 26214400, sticker: 2097152, audio: 104857600, video: 104857600, document: 104857600 }`
   * @see https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media
   */
  readonly mediaMaxBytes?: Partial<Record<MediaKind, number>>;
  /**
   * After how many milliseconds without a byte, and altogether, a download from Meta is given up and tried again. In the
   * default the largest file needs 7 Mbit/s.
   * @defaultValue `{ stallMs: 15000, totalMs: 120000 }`
   */
  readonly mediaTimeouts?: { readonly stallMs?: number; readonly totalMs?: number };
  /**
   * How long `reply` may take for one turn, a stream to its end, in milliseconds; then its signal aborts and the turn is tried again.
   * @defaultValue `300000`
   */
  readonly replyTimeoutMs?: number;
  /**
   * How long `onEvent` may take for one event, in milliseconds; then it counts as failed, and the event is told again.
   * @defaultValue `60000`
   */
  readonly eventTimeoutMs?: number;
};

/** The channel, as `createWhatsAppPlugin` makes it: the contract's four verbs, and what only WhatsApp on Express and Knex has. */
export type WhatsAppPlugin = ChannelPlugin & {
  /** To be mounted at any path: `app.use("/api/whatsapp", whatsapp.router)`. */
  readonly router: Router;
  /**
   * For a server of your own under load: takes Meta's deliveries before `app` sees them, and hands everything else on. They are
   * then acknowledged at about one and a half times the rate, without `app`'s middleware. Mount the router as well, at `WHATSAPP_BASE_PATH`.
   *
   *     createServer(whatsapp.inFrontOf(app)).listen(3000);
   */
  readonly inFrontOf: InFrontOf;
  /** Brings the database up to this version; safe from many processes at once. @returns the names applied. */
  migrate(): Promise<readonly string[]>;
  /**
   * Starts working. Before it no timer, connection or listener of ours exists.
   * @throws ChannelError MIGRATIONS_PENDING where the database is behind this version, HOST_TABLE_INCOMPATIBLE where every message
   * would fail at the host's tables, STORE_UNAVAILABLE.
   */
  start(): Promise<void>;
  /**
   * Stops claiming, lets what is under way finish, gives the rest back; resolves within 10 s. From its first moment `GET /health`
   * answers 503 `draining`, until `start`; deliveries are stored as before, for another instance to work.
   */
  stop(): Promise<void>;
  /**
   * One round of work, for a host that is only alive while it is called, and never calls `start`: all stages until nothing is ready
   * or the time is over, and upkeep when it is due. Safe beside other ticks and running instances; leases are given back at its end.
   * @throws ChannelError REQUEST_INVALID, STORE_UNAVAILABLE.
   */
  readonly tick: Tick;
  /**
   * A tenant gives up a number, or all of them, as with `POST /disconnect`: at once, whether or not Meta can be told now. Sends that
   * waited end `CONNECTION_MISSING`. Safe to repeat. @throws ChannelError NUMBER_UNKNOWN, REQUEST_INVALID, STORE_UNAVAILABLE.
   */
  disconnect(request: DisconnectRequest): Promise<void>;
  /** A tenant's numbers, oldest first, with those that were disconnected; none of a tenant that is not known. @throws ChannelError STORE_UNAVAILABLE. */
  connections(customerConfigId: string): Promise<readonly Connection[]>;
  /** What would be sent for an AI response: pure, for a host that sends by itself. */
  transform(response: AiResponse | string): Transformed;
  /**
   * Forgets a person: everything that is stored of them, of every tenant unless one is given, and in the host's inbox.
   * Safe to repeat. @returns what there was.
   * @throws ChannelError REQUEST_INVALID, STORE_UNAVAILABLE, HOST_TABLE_INCOMPATIBLE where the host's tables keep what they wrote, or may hide it.
   */
  readonly erase: Erase;
  /** Looks for whatever keeps messages from arriving or leaving, and says how to mend it. Changes nothing. */
  doctor(request?: DoctorRequest): Promise<Diagnosis>;
  /** How the work is going: what waits in the database, and what this process has done. @throws ChannelError STORE_UNAVAILABLE. */
  metrics(): Promise<Metrics>;
  /**
   * Puts our metrics on the host's own registry of prom-client, beside its own: `whatsapp.collectInto(register)`, once. Each scrape
   * reads the database once; while that is away, `whatsapp_up` is 0 and the counters of this process are still there.
   */
  collectInto(registry: MetricsRegistry): void;
  /** The sample of a template's header, from a file of the tenant's to Meta's `header_handle`. */
  readonly uploadTemplateSample: UploadSample;
  /** A tenant's templates: listed, and created, edited, deleted and read again at Meta. */
  readonly templates: TemplateService;
  /** What was moved aside after its last try: listed, and put back in order. */
  readonly deadLetters: DeadLetterService;
  /** @returns what became of a send, or null when this tenant has none with that id. */
  receipt(sendId: string, customerConfigId: string): Promise<SendReceipt | null>;
};
