/** What a simulator can be told, and what it assumes when it is not told. */

import type { SimulatedAccount, SimulatedNumber } from "./accounts/simulated-number.ts";
import { WEBHOOK_FIELDS } from "./accounts/webhook-fields.ts";
import { DEFAULT_TEMPLATES } from "./default-templates.ts";
import { isWebAddress } from "./handshake.ts";
import type { LoginOptions } from "./sign-in/login-options.ts";
import type { SimulatedTemplate } from "./templates.ts";

/** When each status follows the acceptance of a message, in milliseconds. */
export type StatusDelays = { readonly sent: number; readonly delivered: number; readonly read: number };

/** A file, as somebody sends or uploads it. */
export type SimulatedFile = {
  readonly bytes: Uint8Array;
  /** E.g. `image/jpeg`, `audio/ogg; codecs=opus`. */
  readonly mime: string;
};

/** Options of `createSimulator`. */
export type SimulatorOptions = {
  /** The Meta app's id; half of the app token `APPID|SECRET`. */
  readonly appId?: string;
  /** What the dialog and `/{app-id}` call it. Default `Simulated app`. */
  readonly appName?: string;
  /** Signs webhooks and checks `appsecret_proof`. */
  readonly appSecret: string;
  /** What the handshake presents to the host. */
  readonly verifyToken: string;
  readonly accessToken: string;
  /** Where webhooks go, as a whole address. Absent: they are recorded as dropped until `setWebhookUrl` is called. */
  readonly webhookUrl?: string;
  readonly numbers: readonly SimulatedNumber[];
  /** Accounts without numbers, and those that are not as their numbers say. */
  readonly accounts?: readonly SimulatedAccount[];
  /** The portfolio that owns what names no other. */
  readonly businessId?: string;
  /** How signing in behaves; `meta.login.set` changes it. */
  readonly login?: LoginOptions;
  /** The fields that the app has subscribed to. Default: all. */
  readonly webhookFields?: readonly string[];
  /**
   * The templates that every account begins with. Default: `hello_world` (en_US) and, in en_GB, `hello_again`,
   * `order_shipped`, `appointment_reminder` (named), `spring_menu` and `cakes_of_the_week` (marketing), `sign_in_code`.
   */
  readonly templates?: readonly SimulatedTemplate[];
  /**
   * How long a template that was created or edited waits for its review, in milliseconds. Default 100. `null`: until
   * `meta.templates.change` decides.
   */
  readonly templateReviewMs?: number | null;
  /** 0, the default, lets the system choose. */
  readonly port?: number;
  readonly host?: string;
  /** The clock of timestamps, the service window and the limits. Timers always run in real time. */
  readonly now?: () => Date;
  /** A number is the step between sent, delivered and read. Default 20. */
  readonly statusDelayMs?: number | StatusDelays;
  /** Collects statuses into deliveries of at most `max`, waiting at most `windowMs`. Default: one status, one delivery. */
  readonly statusBatch?: { readonly max: number; readonly windowMs: number };
  /** How long to wait before try `attempt + 1`, the first try being 1. Default: from 100 ms, doubling, to 2 s. */
  readonly retryDelayMs?: (attempt: number) => number;
  /** How long the host may take to acknowledge before the try counts as failed. Default 10 s. */
  readonly webhookTimeoutMs?: number;
  /** First tries in flight per business number. 1, the default, keeps their order; more is faster, as Meta is. */
  readonly webhookConcurrency?: number;
  /**
   * `"pending"` forgets the bytes of a delivery once it is acknowledged, and what else only the phone shows, for long runs.
   * Default `"all"`.
   */
  readonly keepBytes?: "all" | "pending";
  /** Refuses free-form messages outside the 24-hour service window. Default true. */
  readonly enforceWindow?: boolean;
  /** Whether a closed window shows as a failed status after a 200 (as Meta does, the default) or in the answer itself. */
  readonly windowRefusal?: "status" | "response";
  /** One message per 6 s and person with a burst of 45, else 131056. Default false. */
  readonly enforcePairLimit?: boolean;
  /** Messages per second and number before 130429; below 1: one message in so long. Default: no limit. */
  readonly messagesPerSecond?: number;
  /** Refuses calls without `appsecret_proof`, as an app with "Require App Secret" does. Default true. */
  readonly requireAppSecretProof?: boolean;
  /** The Graph version that a path without one means. Any `vN.N` is accepted. Default `v25.0`. */
  readonly apiVersion?: string;
  /** Addresses that Meta cannot fetch media from: such a message fails later, with 131053. Default: none. */
  readonly cannotFetch?: (link: string) => boolean;
  /** What Meta would find at an address in a message, to be shown on the phone; it fetches nothing itself. Default: nothing. */
  readonly fetchLink?: (link: string) => SimulatedFile | null;
  /** Seed of every random choice the simulator makes about faults. Default 1. */
  readonly seed?: number;
};

/** The same with nothing left open. */
export type Settings = Required<
  Omit<SimulatorOptions, "webhookUrl" | "statusDelayMs" | "statusBatch" | "messagesPerSecond">
> & {
  readonly webhookUrl: string | null;
  readonly statusDelays: StatusDelays;
  readonly statusBatch: { readonly max: number; readonly windowMs: number };
  readonly messagesPerSecond: number | null;
};

const DEFAULT_STATUS_STEP_MS = 20;
const DEFAULT_REVIEW_MS = 100;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 2_000;

export function resolveOptions(options: SimulatorOptions): Settings {
  return {
    appId: options.appId ?? "700700700700700",
    appName: options.appName ?? "Simulated app",
    appSecret: options.appSecret,
    verifyToken: options.verifyToken,
    accessToken: options.accessToken,
    webhookUrl: webhookAddress(options.webhookUrl ?? null),
    numbers: options.numbers,
    accounts: options.accounts ?? [],
    businessId: options.businessId ?? "900100200300400",
    login: options.login ?? {},
    webhookFields: options.webhookFields ?? WEBHOOK_FIELDS,
    templates: options.templates ?? DEFAULT_TEMPLATES,
    templateReviewMs: options.templateReviewMs === undefined ? DEFAULT_REVIEW_MS : options.templateReviewMs,
    port: options.port ?? 0,
    host: options.host ?? "127.0.0.1",
    now: options.now ?? (() => new Date()),
    statusDelays: resolveDelays(options.statusDelayMs ?? DEFAULT_STATUS_STEP_MS),
    statusBatch: options.statusBatch ?? { max: 1, windowMs: 0 },
    retryDelayMs: options.retryDelayMs ?? defaultRetryDelayMs,
    webhookTimeoutMs: options.webhookTimeoutMs ?? 10_000,
    webhookConcurrency: options.webhookConcurrency ?? 1,
    keepBytes: options.keepBytes ?? "all",
    enforceWindow: options.enforceWindow ?? true,
    windowRefusal: options.windowRefusal ?? "status",
    enforcePairLimit: options.enforcePairLimit ?? false,
    messagesPerSecond: options.messagesPerSecond ?? null,
    requireAppSecretProof: options.requireAppSecretProof ?? true,
    apiVersion: options.apiVersion ?? "v25.0",
    cannotFetch: options.cannotFetch ?? (() => false),
    fetchLink: options.fetchLink ?? (() => null),
    seed: options.seed ?? 1,
  };
}

/** @throws where nothing can be posted there; the first webhook would end the process otherwise. */
export function webhookAddress(url: string | null): string | null {
  if (url === null || isWebAddress(url)) return url;
  throw new Error("webhookUrl must be a whole address, such as http://127.0.0.1:3000/api/whatsapp/webhook.");
}

function resolveDelays(delay: number | StatusDelays): StatusDelays {
  return typeof delay === "number" ? { sent: delay, delivered: delay * 2, read: delay * 3 } : delay;
}

// Meta retries for days with growing pauses. Capped here, so that a host restarting within a minute misses nothing for long.
function defaultRetryDelayMs(attempt: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** (attempt - 1), LONGEST_RETRY_MS);
}
