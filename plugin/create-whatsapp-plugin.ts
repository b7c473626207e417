/** The composition root: the one file that sees the plugin and its adapters. */
import { randomBytes, randomInt } from "node:crypto";
import type { Knex } from "knex";
import { pino } from "pino";
import { createCallWebhook } from "../adapters/graph-api/call-webhook.ts";
import { createGraphApi } from "../adapters/graph-api/graph-api.ts";
import { createFetchTransport, createHttpTransport } from "../adapters/graph-api/http-transport.ts";
import { createMetaAccounts } from "../adapters/graph-api/meta-accounts.ts";
import { createMetaHealth } from "../adapters/graph-api/meta-health.ts";
import { createMetaOauth } from "../adapters/meta-oauth/meta-oauth.ts";
import { createDatabase } from "../adapters/postgres/database.ts";
import { createErasure } from "../adapters/postgres/erase.ts";
import { createExamination } from "../adapters/postgres/examination.ts";
import { createReadAgain } from "../adapters/postgres/read-again.ts";
import { createSealedValues } from "../adapters/postgres/sealed-values.ts";
import { createStore } from "../adapters/postgres/store.ts";
import { createSecretBox } from "../adapters/secret-box/secret-box.ts";
import { migrate, migrationStatus } from "../migrations/index.ts";
import { parseConfig, type WhatsAppConfig, type WhatsAppConfigInput } from "./config.ts";
import { createConnect } from "./connect/connect-with-token.ts";
import { createDataDeletion } from "./connect/data-deletion.ts";
import { createDisconnect } from "./connect/disconnect.ts";
import { createFinishLeaving } from "./connect/finish-leaving.ts";
import { createOnboard } from "./connect/onboard.ts";
import { createRenewTokens } from "./connect/renew-tokens.ts";
import { type KeyRotation, rotateKeys as rotate } from "./connect/rotate-keys.ts";
import { createSignIn } from "./connect/sign-in.ts";
import { createUpkeep } from "./connect/upkeep.ts";
import type { AiResponse, ChannelPlugin, HostEvent, Reply, SendReceipt, Transformed, Turn } from "./contract.ts";
import { createDoctor, type Doctor, type DoctorRequest } from "./doctor/doctor.ts";
import type { Diagnosis } from "./doctor/finding.ts";
import { settingsOf } from "./doctor/settings.ts";
import { createErase, type Erase } from "./erase.ts";
import { ChannelError } from "./errors.ts";
import type { ConnectDeps } from "./http/connect-routes.ts";
import { createRouter, type Router } from "./http/router.ts";
import type { Authenticate } from "./http/session.ts";
import { manifest } from "./manifest.ts";
import { advance, isPending } from "./pipeline/part-state.ts";
import { createPipeline } from "./pipeline/pipeline.ts";
import { DEFAULT_RULES, type EffectRules } from "./pipeline/plan-effects.ts";
import { createPrepareSend } from "./pipeline/prepare-send.ts";
import { DEFAULT_RETRY, type RetrySchedule } from "./pipeline/retry-schedule.ts";
import type { ErasureCounts, ErasureSubject, Logger, ReadAgain } from "./ports.ts";
import { createReceive } from "./receive.ts";
import { createSend } from "./send.ts";
import { createSessionStatus } from "./session-status.ts";
import { createAccountTemplates } from "./templates/account-templates.ts";
import { transformResponse } from "./transformer/transform-response.ts";
import { parseWebhook } from "./webhook/parse-webhook.ts";
import { readPayload } from "./webhook/read-payload.ts";

export type WhatsAppPluginOptions = {
  /** The host's own; borrowed, never destroyed. */
  readonly knex: Knex;
  /** `whatsappConfigFromEnv(process.env)`, or a plain object. */
  readonly config: WhatsAppConfigInput;
  /** The host's AI. Called at least once per turn; `turn.turnId` is its idempotency key. */
  readonly reply: (turn: Turn) => Promise<Reply> | Reply;
  /**
   * Who asks on the tenant routes: `{ customerConfigId, userId, sessionId, permissions: ["connect"] }`, or only the
   * tenant's id, which may read and send but connect nothing. Default: nobody, they answer 403.
   */
  // biome-ignore lint/suspicious/noExplicitAny: the host's own request type, whichever Express it runs.
  readonly authenticate?: Authenticate<any>;
  /** Hears of messages, statuses and connections: at least once, in order per conversation. */
  readonly onEvent?: (event: HostEvent) => Promise<void> | void;
  /** Default: pino at level `info`, one line per outcome, ids only. */
  readonly logger?: Logger;
  /** For Graph calls through a proxy or tracer. Default: a keep-alive agent of our own. */
  readonly fetch?: typeof globalThis.fetch;
  /** Schema of our tables (default `public`) and of the host's three (default `public`). */
  readonly schema?: string;
  readonly hostSchema?: string;
  /** How failures of the host's AI and listener, and of single events, are tried again. Default: 8 tries in about 10 minutes. */
  readonly retry?: Partial<RetrySchedule>;
  /** Longest wait between two looks for work that another process has left, in milliseconds. Default 1000. */
  readonly pollMs?: number;
  /** How often tokens near their end and the like are looked after, in milliseconds. Default one minute. */
  readonly upkeepMs?: number;
  /**
   * What wakes the AI beside what people write: reactions, messages that WhatsApp cannot show us, and messages that were
   * older than the service window when they came. Default: none of them.
   */
  readonly wakeOn?: Partial<EffectRules["wakeOn"]>;
  /** How long the AI is silent after staff has answered in the WhatsApp Business app, in milliseconds. Default one hour; 0: not at all. */
  readonly pauseAfterStaffMs?: number;
  /** How long `reply` may take for one turn, in milliseconds; then its signal aborts and the turn is tried again. Default 5 minutes. */
  readonly replyTimeoutMs?: number;
};

export type WhatsAppPlugin = ChannelPlugin & {
  /** To be mounted at any path: `app.use("/api/whatsapp", whatsapp.router)`. */
  readonly router: Router;
  /** Brings the database up to this version; safe from many processes at once. @returns the names applied. */
  migrate(): Promise<readonly string[]>;
  /** Starts working. Before it no timer, connection or listener of ours exists. */
  start(): Promise<void>;
  /** Stops claiming, lets what is under way finish, gives the rest back; resolves within 10 s. */
  stop(): Promise<void>;
  /** What would be sent for an AI response: pure, for a host that sends by itself. */
  transform(response: AiResponse | string): Transformed;
  /**
   * Forgets a person: everything that is stored of them, of every tenant unless one is given, and in the host's inbox.
   * Safe to repeat. @returns what there was.
   * @throws ChannelError REQUEST_INVALID, STORE_UNAVAILABLE.
   */
  readonly erase: Erase;
  /** Looks for whatever keeps messages from arriving or leaving, and says how to mend it. Changes nothing. */
  doctor(request?: DoctorRequest): Promise<Diagnosis>;
  /** @returns what became of a send, or null when this tenant has none with that id. */
  receipt(sendId: string, customerConfigId: string): Promise<SendReceipt | null>;
};

/** How often what ages is looked at. */
const UPKEEP_MS = 60_000;

/** How long `stop` lets host calls and sends finish, so that all of it stays under ten seconds. */
const DRAIN_MS = 8_000;

/** @throws ChannelError CONFIG_INVALID naming every problem: without an app secret nothing is constructed. */
export function createWhatsAppPlugin(options: WhatsAppPluginOptions): WhatsAppPlugin {
  const config = parseConfig(options.config);
  const log = options.logger === undefined ? defaultLogger() : harmless(options.logger);
  const schemas = { schema: options.schema ?? "public", hostSchema: options.hostSchema ?? "public" };
  const store = createStore(options.knex, {
    ...schemas,
    leaseMs: config.leaseMs,
    coalesceMs: config.coalesceMs,
    hasListener: options.onEvent !== undefined,
    advance,
    isPending,
  });
  const transport = options.fetch === undefined ? createHttpTransport() : createFetchTransport(options.fetch);
  const graphApi = createGraphApi({ ...config, appSecret: config.appSecrets[0] as string, transport });
  const secretBox = createSecretBox(config.tokenKeys);
  const metaAccounts = createMetaAccounts({ ...config, appSecret: config.appSecrets[0] as string, transport });
  const metaOauth = createMetaOauth({
    ...config,
    appSecret: config.appSecrets[0] as string,
    fetch: options.fetch ?? globalThis.fetch,
  });
  const erasure = createErasure(patientDatabase(options.knex, schemas));
  const erase = createErase(erasure);
  const eraseKnown = async (subject: { readonly userId: string }) => {
    if (await erasure.isKnown(subject)) await erase(subject);
  };
  const finishLeaving = createFinishLeaving({ leaving: store.leaving, metaAccounts, secretBox, log });
  const prepareSend = createPrepareSend(createAccountTemplates({ templates: store.templates, graphApi, secretBox }));
  const pipeline = createPipeline({
    store,
    prepareSend,
    connections: store.connections,
    graphApi,
    secretBox,
    host: { reply: options.reply, onEvent: options.onEvent },
    log,
    leaseMs: config.leaseMs,
    reconcileMs: config.reconcileMs,
    coalesceMs: config.coalesceMs,
    pollMs: options.pollMs ?? 1_000,
    replyTimeoutMs: options.replyTimeoutMs ?? 300_000,
    rules: {
      wakeOn: { ...DEFAULT_RULES.wakeOn, ...options.wakeOn },
      pauseMs: options.pauseAfterStaffMs ?? DEFAULT_RULES.pauseMs,
      appId: config.appId,
    },
    retry: {
      maxAttempts: options.retry?.maxAttempts ?? DEFAULT_RETRY.maxAttempts,
      baseMs: options.retry?.baseMs ?? DEFAULT_RETRY.baseMs,
      maxMs: options.retry?.maxMs ?? DEFAULT_RETRY.maxMs,
    },
    random: Math.random,
    newToken: () => randomBytes(18).toString("base64url"),
  });

  const onConnected = () => {
    pipeline.onStored();
    pipeline.onQueued();
  };
  const onboard = createOnboard({
    ...store,
    appId: config.appId,
    metaOauth,
    metaAccounts,
    graphApi,
    secretBox,
    newPin: () => String(randomInt(1_000_000)).padStart(6, "0"),
    now: () => new Date(),
    onConnected,
  });
  const signIn = createSignIn({
    ...store,
    appId: config.appId,
    redirectUri: config.appUrl === null ? null : `${config.appUrl}${config.basePath}/oauth/callback`,
    returnPaths: config.returnPaths,
    metaOauth,
    secretBox,
    onboard,
    newToken: newSecret,
  });
  const renewTokens = createRenewTokens({ connections: store.connections, metaOauth, metaAccounts, secretBox, log });
  const upkeep = createUpkeep(
    {
      "tell Meta of numbers that have left": () => finishLeaving(null),
      "renew tokens": renewTokens,
      "expire onboardings": store.onboardings.expire,
    },
    { everyMs: options.upkeepMs ?? UPKEEP_MS, log },
  );

  const contract: ChannelPlugin = {
    manifest,
    connect: createConnect({
      graphApi,
      inspectToken: config.appId === null ? null : metaAccounts.inspectToken,
      connections: store.connections,
      secretBox,
      onConnected,
    }),
    receive: createReceive({ appSecrets: config.appSecrets, inbox: store.inbox, log, onStored: pipeline.onStored }),
    send: createSend({ outbox: store.outbox, prepareSend, onQueued: pipeline.onQueued }),
    sessionStatus: createSessionStatus(store.sessions),
  };

  const doctor = createDoctorOf(options.knex, config, { ...schemas, fetch: options.fetch });

  return {
    ...contract,
    router: createRouter({
      plugin: contract,
      doctor,
      store,
      disconnect: createDisconnect({ leaving: store.leaving, finishLeaving, onClosed: pipeline.onQueued }),
      callbacks: {
        secrets: config.callbackSecrets,
        now: () => new Date(),
        ...createDataDeletion({
          ...config,
          leaving: store.leaving,
          erase: eraseKnown,
          newCode: () => randomBytes(24).toString("base64url"),
        }),
      },
      verifyToken: config.verifyToken,
      connect: {
        signIn,
        onboard,
        login: loginOf(config),
        returnPaths: config.returnPaths,
        basePath: config.basePath,
        isSecure: config.appUrl?.startsWith("https:") ?? false,
        newToken: newSecret,
      },
      authenticate: options.authenticate ?? (() => null),
      log,
    }),
    migrate: () => migrate(options.knex, schemas),
    async start() {
      await store.ping();
      pipeline.start();
      upkeep.start();
    },
    async stop() {
      await Promise.all([pipeline.stop(DRAIN_MS), upkeep.stop()]);
      graphApi.close();
    },
    transform: (response) => transformResponse(response),
    erase,
    doctor,
    receipt: store.outbox.receipt,
  };
}

/**
 * Reads again what was unknown when it came, for after an upgrade: what this version understands is stored as what it is
 * and queued for the running plugin, which shows it, and answers it if it is not too old. Safe to repeat.
 * @returns how many events are understood now, and which kinds are still unknown, most frequent first.
 */
export function replayUnknown(
  knex: Knex,
  { schema = "public", hostSchema = "public" }: { readonly schema?: string; readonly hostSchema?: string } = {},
): Promise<ReadAgain> {
  const readAgain = createReadAgain(createDatabase(knex, { schema, hostSchema }));
  return readAgain((bytes) => {
    const payload = readPayload({ bytes });
    return payload.kind === "json" ? parseWebhook(payload.value) : null;
  });
}

/**
 * Seals every stored token and PIN again with the first of the configured keys, in small steps beside a running plugin,
 * which must know that key already. Safe to repeat and to break off; what cannot be opened is named and left as it is.
 */
export async function rotateKeys(
  knex: Knex,
  {
    config,
    schema = "public",
    checkOnly = false,
  }: {
    readonly config: WhatsAppConfigInput;
    readonly schema?: string;
    /** Only count. */
    readonly checkOnly?: boolean;
  },
): Promise<KeyRotation> {
  const { tokenKeys } = parseConfig(config);
  return rotate({
    sealedValues: createSealedValues(createDatabase(knex, { schema, hostSchema: schema })),
    secretBox: createSecretBox(tokenKeys),
    kids: tokenKeys.map(({ kid }) => kid),
    checkOnly,
  });
}

export type RunDoctorOptions = DoctorRequest &
  Pick<WhatsAppPluginOptions, "config" | "fetch" | "schema" | "hostSchema">;

/** The same as the plugin's `doctor`, also where the configuration is so wrong that there can be no plugin. */
export function runDoctor(
  knex: Knex,
  { config, fetch, schema, hostSchema, ...request }: RunDoctorOptions,
): Promise<Diagnosis> {
  const schemas = { schema: schema ?? "public", hostSchema: hostSchema ?? "public" };
  return createDoctorOf(knex, readConfig(config), { ...schemas, fetch })(request);
}

function readConfig(input: WhatsAppConfigInput): WhatsAppConfig | ChannelError {
  try {
    return parseConfig(input);
  } catch (error) {
    if (error instanceof ChannelError) return error;
    throw error;
  }
}

/** The doctor's patience is shorter than that of a send. */
const DOCTOR_TIMEOUTS = { connectMs: 3_000, headersMs: 8_000, totalMs: 10_000 };

function createDoctorOf(
  knex: Knex,
  config: WhatsAppConfig | ChannelError,
  {
    fetch,
    ...schemas
  }: {
    readonly schema: string;
    readonly hostSchema: string;
    readonly fetch: typeof globalThis.fetch | undefined;
  },
): Doctor {
  const examination = createExamination(
    createDatabase(knex, { ...schemas, acquireTimeoutMs: 5_000, statementTimeoutMs: 4_000 }),
  );
  const shared = { examination, migrations: () => migrationStatus(knex, schemas), now: () => new Date() };
  return createDoctor(() => {
    if (config instanceof ChannelError)
      return { deps: { ...shared, outside: null, problems: config.message.split("\n- ").slice(1) }, close() {} };
    // Its own connections, so that nothing stays open between examinations.
    const transport =
      fetch === undefined ? createHttpTransport(DOCTOR_TIMEOUTS) : createFetchTransport(fetch, DOCTOR_TIMEOUTS);
    const outside = {
      settings: settingsOf(config),
      verifyToken: config.verifyToken,
      secretBox: createSecretBox(config.tokenKeys),
      metaHealth: createMetaHealth({ ...config, appSecret: config.appSecrets[0] as string, transport }),
      callWebhook: createCallWebhook(transport),
      newChallenge: () => randomBytes(16).toString("hex"),
    };
    return { deps: { ...shared, outside, problems: [] }, close: () => transport.close() };
  });
}

/** 256 random bits, safe in a URL. @see https://www.rfc-editor.org/rfc/rfc9700#section-4.7.1 */
function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** What a page needs for Meta's popup: nothing of it is secret. */
function loginOf({ appId, loginConfigId, graphVersion, dialogUrl }: WhatsAppConfig): ConnectDeps["login"] {
  const isMeta = new URL(dialogUrl).hostname.endsWith(".facebook.com");
  return {
    app_id: appId,
    config_id: loginConfigId,
    graph_version: graphVersion,
    sdk_url: new URL("/en_US/sdk.js", isMeta ? "https://connect.facebook.net" : dialogUrl).href,
    dialog_origin: new URL(dialogUrl).origin,
  };
}

export type EraseOptions = {
  /** The tenant (`customer_configs.id`) whose person it is; of every tenant when left out. */
  readonly customerConfigId?: string;
  readonly schema?: string;
  readonly hostSchema?: string;
};

/** Forgets a person without a plugin, beside those that are running. See {@link WhatsAppPlugin.erase}. */
export function erase(knex: Knex, subject: ErasureSubject, options: EraseOptions = {}): Promise<ErasureCounts> {
  return createErase(createErasure(patientDatabase(knex, options)))(subject, options);
}

/** What {@link erase} would take away, counted. Changes nothing. */
export function whatEraseDeletes(
  knex: Knex,
  subject: ErasureSubject,
  options: EraseOptions = {},
): Promise<ErasureCounts> {
  const { count } = createErasure(patientDatabase(knex, options));
  return createErase({ erase: count })(subject, options);
}

/** Whoever looks for a person reads tables from end to end. */
function patientDatabase(knex: Knex, { schema = "public", hostSchema = "public" }: EraseOptions) {
  return createDatabase(knex, { schema, hostSchema, statementTimeoutMs: 300_000 });
}

/** A host's logger that throws must not undo what is stored, nor end the process. */
function harmless(logger: Logger): Logger {
  const guard = (level: keyof Logger) => (fields: object, message: string) => {
    try {
      logger[level](fields, message);
    } catch {
      // There is nowhere left to say it.
    }
  };
  return { debug: guard("debug"), info: guard("info"), warn: guard("warn"), error: guard("error") };
}

/** Ids only ever reach it; the redaction is the second net under that rule. */
function defaultLogger(): Logger {
  return pino({
    name: "whatsapp",
    redact: {
      paths: [
        "accessToken",
        "token",
        "authorization",
        "text",
        "content",
        "phoneNumber",
        "*.accessToken",
        "*.token",
        "*.authorization",
        "*.text",
        "*.content",
        "*.phoneNumber",
      ],
      censor: "[redacted]",
    },
  });
}
