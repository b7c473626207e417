/** The composition root: with wiring/ the only place that sees the plugin and its adapters. */
import { randomBytes } from "node:crypto";
import { createGraphApi } from "../adapters/graph-api/graph-api.ts";
import { createFetchTransport, createHttpTransport } from "../adapters/graph-api/http-transport.ts";
import { createDownload, createFetchDownload, createMediaLookup } from "../adapters/graph-api/media.ts";
import { createMetaAccounts } from "../adapters/graph-api/meta-accounts.ts";
import { createMetaHealth } from "../adapters/graph-api/meta-health.ts";
import { createUsageGate } from "../adapters/graph-api/usage.ts";
import { createFilesystemMediaStore } from "../adapters/media-store/filesystem.ts";
import { createErasure } from "../adapters/postgres/erase.ts";
import { createStore } from "../adapters/postgres/store.ts";
import { createSecretBox } from "../adapters/secret-box/secret-box.ts";
import { HOST_COLUMNS, MIGRATION_NAMES } from "../migrations/all.ts";
import { migrate } from "../migrations/index.ts";
import { createLookForChanges } from "./audit/changes.ts";
import { createMessageAudit } from "./audit/messages.ts";
import { createWebhookAudit } from "./audit/webhooks.ts";
import { createOwnNumbers } from "./connect/own-numbers.ts";
import type { ChannelPlugin } from "./contract.ts";
import { createDeadLetterService } from "./dead-letters.ts";
import { createErase } from "./erase.ts";
import { migrationsPending } from "./errors.ts";
import { createInFrontOf } from "./http/in-front.ts";
import { DELIVERY } from "./http/route-table.ts";
import { createRouter } from "./http/router.ts";
import { manifest } from "./manifest.ts";
import { createFetchMedia } from "./media/fetch-media.ts";
import { createMediaHosts } from "./media/media-hosts.ts";
import { mimeTypeOf } from "./media/mime-type.ts";
import { createOwnMedia } from "./media/own-media.ts";
import { createRemoveLeftovers } from "./media/remove-leftovers.ts";
import { createUploadMedia } from "./media/upload-media.ts";
import { createCollectInto } from "./operations/collect.ts";
import { countUndelivered, countWork } from "./operations/count-work.ts";
import { createCounters } from "./operations/counters.ts";
import { logUndelivered, logWork } from "./operations/log-work.ts";
import { createMetrics, createScrape } from "./operations/metrics.ts";
import { traceReceive, traceReply, traceWork } from "./operations/trace-work.ts";
import { createWatch } from "./operations/watch.ts";
import { suspectFrom } from "./pipeline/crash-suspects.ts";
import { advance, isPending } from "./pipeline/part-state.ts";
import { createPipeline } from "./pipeline/pipeline.ts";
import { changesOf } from "./pipeline/plan-changes.ts";
import { DEFAULT_RULES } from "./pipeline/plan-effects.ts";
import { insteadOfMedia } from "./pipeline/prepare-part.ts";
import { createPrepareSend } from "./pipeline/prepare-send.ts";
import { createTick } from "./pipeline/tick.ts";
import { createUpkeep, MORE } from "./pipeline/upkeep.ts";
import { createVerifyToken } from "./pipeline/verify-token.ts";
import type { Store } from "./ports.ts";
import { createReceive } from "./receive.ts";
import { createReceipt, createSend } from "./send.ts";
import { createSessionStatus } from "./session-status.ts";
import { createAccountTemplates } from "./templates/account-templates.ts";
import { createTemplateService } from "./templates/manage-templates.ts";
import { createReadAccount } from "./templates/read-account.ts";
import { createSettleTemplates } from "./templates/settle-templates.ts";
import { createUploadSample } from "./templates/upload-sample.ts";
import { transformResponse } from "./transformer/transform-response.ts";
import { defaultLogger, harmless } from "./wiring/logging.ts";
import { patientDatabase } from "./wiring/patient-database.ts";
import { readOptions } from "./wiring/read-options.ts";
import { createRequireHostTables } from "./wiring/require-host-tables.ts";
import { findTracer } from "./wiring/tracing.ts";
import type { WhatsAppPlugin, WhatsAppPluginOptions } from "./wiring/whatsapp-plugin.ts";
import { wireConnecting } from "./wiring/wire-connecting.ts";
import { wireDoctor } from "./wiring/wire-doctor.ts";
import { wireOutboundMedia } from "./wiring/wire-outbound-media.ts";

/** How often what ages is looked at. */
const UPKEEP_MS = 60_000;

/** How long `stop` lets host calls, sends and upkeep finish, so that all of it stays under ten seconds. */
const DRAIN_MS = 8_000;

/**
 * Makes the channel. Connects to nothing, starts nothing: that is what `migrate` and `start` are for.
 * @throws ChannelError CONFIG_INVALID naming every problem: without an app secret nothing is constructed.
 */
export function createWhatsAppPlugin(options: WhatsAppPluginOptions): WhatsAppPlugin {
  const { config, retention, alarmLimits, ambiguity, limits, mediaMaxBytes, mediaTimes, retry, mediaQuotaBytes } =
    readOptions(options);
  const schemas = { schema: options.schema ?? "public", hostSchema: options.hostSchema ?? "public" };
  const log = options.logger === undefined ? defaultLogger() : harmless(options.logger);
  const mediaUrl = (id: string) => `${config.basePath}/media/download/${id}`;
  const counters = createCounters();
  const stored = createStore(options.knex, {
    ...schemas,
    leaseMs: config.leaseMs,
    suspectFrom: suspectFrom(retry),
    coalesceMs: config.coalesceMs,
    reconcileMs: config.reconcileMs,
    hasListener: options.onEvent !== undefined,
    mediaWaitMs: mediaTimes.waitMs,
    mediaUrl,
    mimeTypeOf,
    pair: limits.pair,
    insteadOf: insteadOfMedia,
    changesOf,
    advance,
    isPending,
    onSentTwice(parts) {
      for (const one of parts)
        log.warn({ stage: "out", ...one }, "sent twice: Meta had taken the first attempt after all");
    },
    onUndelivered(parts) {
      countUndelivered(parts, counters);
      logUndelivered(parts, log);
    },
  });
  const mediaStore = options.mediaStore ?? createFilesystemMediaStore(config.mediaDir);
  // Null where there is no OpenTelemetry: then nothing is wrapped.
  const tracer = findTracer();
  const logged = logWork(countWork(stored, counters), log);
  const store = tracer === null ? logged : traceWork(logged, tracer);
  const transport = options.fetch === undefined ? createHttpTransport() : createFetchTransport(options.fetch);
  const graph = { ...config, appSecret: config.appSecrets[0] as string, transport, usageGate: createUsageGate() };
  const graphApi = createGraphApi(graph);
  const secretBox = createSecretBox(config.tokenKeys);
  const metaAccounts = createMetaAccounts(graph);
  const metaHealth = createMetaHealth(graph);
  const erasure = createErasure(patientDatabase(options.knex, schemas));
  const erase = createErase(erasure);
  const eraseKnown = async (subject: { readonly userId: string }) => {
    // A stored id, whatever its shape.
    if (await erasure.isKnown(subject)) await erasure.erase(subject, null);
  };
  const { prepareMedia, keepBytes } = wireOutboundMedia({
    config,
    store,
    mediaStore,
    graphApi,
    quotaBytes: mediaQuotaBytes,
    log,
  });
  const readAccount = createReadAccount({ templates: store.templates, graphApi, secretBox });
  const prepareSend = createPrepareSend(
    createAccountTemplates({ templates: store.templates, readAccount }),
    ambiguity,
    createOwnMedia({ keepBytes, records: store.media }),
  );
  const pipelineDeps = {
    prepareSend,
    prepareMedia,
    connections: store.connections,
    graphApi,
    secretBox,
    verifyToken: createVerifyToken({ inspectToken: metaAccounts.inspectToken, appId: config.appId }),
    host: { reply: tracer === null ? options.reply : traceReply(options.reply, tracer), onEvent: options.onEvent },
    log,
    leaseMs: config.leaseMs,
    reconcileMs: config.reconcileMs,
    coalesceMs: config.coalesceMs,
    pollMs: options.pollMs ?? 1_000,
    replyTimeoutMs: options.replyTimeoutMs ?? 300_000,
    eventTimeoutMs: options.eventTimeoutMs ?? 60_000,
    rules: {
      wakeOn: { ...DEFAULT_RULES.wakeOn, ...options.wakeOn },
      pauseMs: options.pauseAfterStaffMs ?? DEFAULT_RULES.pauseMs,
      appId: config.appId,
    },
    retry,
    limits,
    mediaStore,
    mediaUrl,
    mediaMaxBytes,
    mediaQuotaBytes,
    fetchMedia: createFetchMedia({
      lookUp: createMediaLookup(graph),
      download: options.fetch === undefined ? createDownload() : createFetchDownload(options.fetch),
      hosts: createMediaHosts(config.graphUrl),
      maxBytes: mediaMaxBytes,
      stallMs: mediaTimes.stallMs,
      totalMs: mediaTimes.totalMs,
    }),
    random: Math.random,
    newToken: () => randomBytes(18).toString("base64url"),
  };
  const openPipeline = (on: Store) => createPipeline({ ...pipelineDeps, store: on });
  const pipeline = openPipeline(store);

  const connecting = wireConnecting({
    config,
    store,
    graphApi,
    metaAccounts,
    metaHealth,
    secretBox,
    erase: eraseKnown,
    fetch: options.fetch ?? globalThis.fetch,
    log,
    onConnected: pipeline.onConnected,
    onClosed: pipeline.onQueued,
  });

  const upkeep = createUpkeep(
    {
      // First: what comes after it may hang on Meta.
      ...(alarmLimits === null
        ? {}
        : { "look for alarms": createWatch({ alarms: store.alarms, limits: alarmLimits, log }) }),
      ...connecting.upkeep,
      "find out what Meta did with templates": createSettleTemplates({ templates: store.templates, readAccount, log }),
      "remove media that nobody keeps": createRemoveLeftovers({
        records: store.media,
        mediaStore,
        now: () => new Date(),
      }),
      // Last: of this there may be very much.
      "delete what is too old": async (signal, isOver) =>
        (await store.prune(retention, signal, isOver)).isDone ? null : MORE,
    },
    { everyMs: options.upkeepMs ?? UPKEEP_MS, take: store.operations.takeUpkeep, log },
  );

  const receive = createReceive({
    appSecrets: config.appSecrets,
    inbox: store.inbox,
    log,
    onStored: pipeline.onStored,
  });
  const contract: ChannelPlugin = {
    manifest,
    connect: connecting.connect,
    receive: tracer === null ? receive : traceReceive(receive, tracer),
    send: createSend({ outbox: store.outbox, prepareSend, onQueued: pipeline.onQueued }),
    sessionStatus: createSessionStatus(store.sessions),
  };

  const uploadSample = createUploadSample({
    records: store.media,
    mediaStore,
    templates: store.templates,
    secretBox,
    graphApi,
    appId: config.appId,
  });
  const templates = createTemplateService({
    templates: store.templates,
    graphApi,
    readAccount,
    secretBox,
    uploadSample,
    log,
  });
  const deadLetters = createDeadLetterService(store.deadLetters, { log, onRedriven: pipeline.onRedriven });
  const metrics = createMetrics(store, counters);
  const requireMigrated = async () => {
    const missing = await store.missing(MIGRATION_NAMES);
    if (missing.length > 0) throw migrationsPending(missing);
  };
  const requireHostTables = createRequireHostTables(() => store.hostTroubles(HOST_COLUMNS), log);
  const scrape = createScrape(metrics, counters, log);
  let isDraining = false;
  const doctor = wireDoctor(options.knex, config, { ...schemas, fetch: options.fetch });

  const { router, deliver } = createRouter({
    plugin: contract,
    doctor,
    deadLetters,
    audit: {
      webhooks: createWebhookAudit({
        audit: store.audit,
        inbox: store.inbox,
        deadLetters,
        log,
        onQueued: pipeline.onStored,
      }),
      messages: createMessageAudit(store.audit),
      changes: createLookForChanges(store.audit),
    },
    store,
    verifyToken: config.verifyToken,
    appUrl: config.appUrl,
    ...connecting.routes,
    media: {
      records: store.media,
      mediaStore,
      upload: createUploadMedia({ records: store.media, mediaStore, quotaBytes: mediaQuotaBytes }),
    },
    uploadSample,
    templates,
    authenticate: options.authenticate ?? (() => null),
    scrape,
    allowMetrics: options.allowMetrics ?? (() => false),
    isDraining: () => isDraining,
    requireMigrated,
    onDelivery: counters.answered,
    log,
  });

  return {
    ...contract,
    ...createOwnNumbers({ disconnect: connecting.routes.disconnect, connections: store.connections }),
    router,
    inFrontOf: createInFrontOf(`${config.basePath}${DELIVERY.path}`, deliver),
    migrate: () => migrate(options.knex, schemas),
    async start() {
      await requireMigrated();
      await requireHostTables();
      pipeline.start();
      upkeep.start();
      isDraining = false;
    },
    async stop() {
      isDraining = true;
      await Promise.all([pipeline.stop(DRAIN_MS), upkeep.stop(DRAIN_MS)]);
      // Ends whatever of the upkeep still waits for Meta.
      graphApi.close();
    },
    tick: createTick({ store, openPipeline, upkeep, coalesceMs: config.coalesceMs }),
    transform: (response) => transformResponse(response),
    erase,
    doctor,
    uploadTemplateSample: uploadSample,
    templates,
    deadLetters,
    metrics,
    collectInto: createCollectInto(scrape),
    receipt: createReceipt(store.outbox),
  };
}
