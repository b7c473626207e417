/** After the 200: the five stages, what wakes them, and how they start and stop. Nothing runs before `start`. */

import type { MediaKind } from "../contract.ts";
import { nameOf } from "../errors.ts";
import type { FetchMedia } from "../media/fetch-media.ts";
import type { PrepareMedia } from "../media/prepare-media.ts";
import type { Connections, GraphApi, Host, Logger, MediaStore, SecretBox, Store } from "../ports.ts";
import { createApplyEvents } from "./apply-events.ts";
import { createCatchUp } from "./catch-up.ts";
import { createCrashSuspects } from "./crash-suspects.ts";
import { createDispatchOutbox } from "./dispatch-outbox.ts";
import { createKeepMedia } from "./keep-media.ts";
import { createLaneWorker } from "./lane-worker.ts";
import type { MetaLimits } from "./meta-limits.ts";
import type { EffectRules } from "./plan-effects.ts";
import type { PrepareSend } from "./prepare-send.ts";
import type { RetrySchedule } from "./retry-schedule.ts";
import { createRunTurns } from "./run-turns.ts";
import { createShowThinking } from "./show-thinking.ts";
import { createTellHost } from "./tell-host.ts";
import { createThroughput } from "./throughput.ts";
import type { VerifyToken } from "./verify-token.ts";

export type PipelineDeps = {
  readonly store: Store;
  readonly connections: Connections;
  readonly graphApi: GraphApi;
  readonly secretBox: SecretBox;
  readonly verifyToken: VerifyToken;
  readonly prepareSend: PrepareSend;
  readonly prepareMedia: PrepareMedia;
  readonly host: Host;
  readonly log: Logger;
  readonly leaseMs: number;
  readonly reconcileMs: number;
  readonly coalesceMs: number;
  readonly pollMs: number;
  readonly replyTimeoutMs: number;
  readonly eventTimeoutMs: number;
  readonly rules: EffectRules;
  readonly retry: RetrySchedule;
  readonly limits: MetaLimits;
  readonly mediaStore: MediaStore;
  readonly mediaUrl: (id: string) => string;
  readonly fetchMedia: FetchMedia;
  readonly mediaMaxBytes: Readonly<Record<MediaKind, number>>;
  readonly mediaQuotaBytes: number;
  readonly random: () => number;
  readonly newToken: () => string;
};

export type Pipeline = {
  start(): void;
  /** @param timeoutMs how long work under way may take to finish. */
  stop(timeoutMs: number): Promise<void>;
  /** Events were stored. */
  onStored(): void;
  /** A number was connected: events and sends may have waited for it. */
  onConnected(): void;
  /** Something was put into the outbox. */
  onQueued(): void;
  /** Dead letters were put back. */
  onRedriven(): void;
  /** Looks for work of every stage at once, for statuses whose message has come, and for the next of what came before its number. */
  look(): Promise<void>;
  /** Resolves when nothing is under way in any stage. */
  idle(): Promise<void>;
};

/** How often all parked statuses are looked at, in milliseconds: another app on the same account may leave a million of them. */
const ALL_PARKED_EVERY_MS = 60_000;

export function createPipeline(deps: PipelineDeps): Pipeline {
  const { store, log, leaseMs, pollMs, coalesceMs, retry, random } = deps;
  const { lanes } = store;
  const common = { lanes, log, leaseMs, pollMs, random };
  const suspects = createCrashSuspects(retry, () => performance.now());

  const notify = createLaneWorker({
    ...common,
    suspects,
    stage: "notify",
    batch: 20,
    maxActive: 20,
    handle: createTellHost({ ...deps, lanes, hostEvents: store.hostEvents }),
  });
  const out = createLaneWorker({
    ...common,
    stage: "out",
    batch: 100,
    maxActive: 256,
    handle: createDispatchOutbox({
      ...deps,
      lanes,
      outbox: store.outbox,
      outboundMedia: store.outboundMedia,
      throughput: createThroughput({
        pace: store.pace,
        messagesPerSecond: deps.limits.messagesPerSecond,
        clock: () => performance.now(),
      }),
      policy: { reconcileMs: deps.reconcileMs, retry, pair: deps.limits.pair, random },
      onSettled() {
        if (deps.host.onEvent !== undefined) notify.kick();
      },
      onPaced: (delayMs) => out.kick(delayMs),
    }),
  });
  const turn = createLaneWorker({
    ...common,
    suspects,
    stage: "turn",
    batch: 100,
    maxActive: 256,
    handle: createRunTurns({
      ...deps,
      lanes,
      turns: store.turns,
      showThinking: createShowThinking(deps),
      onAnswered: () => out.kick(),
      onHandoff() {
        if (deps.host.onEvent !== undefined) notify.kick();
      },
      onWaiting: (delayMs) => turn.kick(delayMs),
    }),
  });
  // Few: each may be a large file, and their memory and bandwidth are the host's.
  const media = createLaneWorker({
    ...common,
    suspects,
    stage: "media",
    batch: 8,
    maxActive: 8,
    handle: createKeepMedia({
      ...deps,
      lanes,
      inboundMedia: store.inboundMedia,
      records: store.media,
      maxBytes: deps.mediaMaxBytes,
      quotaBytes: deps.mediaQuotaBytes,
      onSettled() {
        turn.kick();
        if (deps.host.onEvent !== undefined) notify.kick();
      },
    }),
  });
  const apply = createLaneWorker({
    ...common,
    suspects,
    stage: "in",
    batch: 50,
    maxActive: 64,
    handle: createApplyEvents({
      lanes,
      inbox: store.inbox,
      rules: deps.rules,
      log,
      retry,
      random,
      onApplied(woken) {
        if (woken.includes("turn")) turn.kick(coalesceMs);
        if (woken.includes("notify")) notify.kick();
        if (woken.includes("out")) out.kick();
        if (woken.includes("media")) media.kick();
      },
    }),
  });
  const workers = [apply, media, turn, out, notify];
  const everyMs = Math.max(pollMs, 1_000);
  const catchUp = createCatchUp({ inbox: store.inbox, log, everyMs, onQueued: () => apply.kick() });
  let unparking: NodeJS.Timeout | undefined;
  let isUnparking = false;
  let lookedAtAll = Number.NEGATIVE_INFINITY;

  async function idle(): Promise<void> {
    for (;;) {
      const underWay = workers.map((worker) => worker.underWay()).filter((one) => one !== null);
      if (underWay.length === 0) return;
      await Promise.all(underWay);
    }
  }

  async function unpark(): Promise<void> {
    // One that takes long must not have the next ones beside it, each with a connection of the host's.
    if (isUnparking) return;
    isUnparking = true;
    const now = performance.now();
    const everything = now - lookedAtAll >= ALL_PARKED_EVERY_MS;
    if (everything) lookedAtAll = now;
    try {
      if ((await store.inbox.unpark(everything)) > 0) apply.kick();
    } catch (error) {
      log.warn({ error: nameOf(error) }, "could not look for parked statuses; trying again");
    } finally {
      isUnparking = false;
    }
  }

  return {
    start() {
      for (const worker of workers) worker.start();
      clearInterval(unparking);
      unparking = setInterval(() => void unpark(), everyMs);
      unparking.unref();
      catchUp.start();
    },
    async stop(timeoutMs) {
      clearInterval(unparking);
      await Promise.all([catchUp, ...workers].map((one) => one.stop(timeoutMs)));
    },
    onStored: () => apply.kick(),
    onConnected() {
      catchUp.kick();
      apply.kick();
      out.kick();
    },
    onQueued: () => out.kick(),
    onRedriven() {
      for (const worker of [apply, turn, notify]) worker.kick();
    },
    async look() {
      await Promise.all([unpark(), catchUp.step()]);
      for (const worker of workers) worker.kick();
    },
    idle,
  };
}
