/** Posts fixtures through a router, signed as Meta signs them, catches what is sent for them, and compares it with the promise. */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Simulator } from "@omniops/whatsapp/simulator";
import { canonicalAddresses } from "./canonical-addresses.ts";
import type { Comparison } from "./comparable.ts";
import { type Fixture, type Manifest, readTogether } from "./fixtures.ts";
import { objectsIn } from "./lossless-json.ts";
import { type Post, planPosts } from "./plan-posts.ts";
import { createReplayClock, type Timing } from "./replay-clock.ts";
import { type Caught, type ReplayResult, resultOf } from "./replay-result.ts";
import { createRewriter, type Rewriter } from "./rewrite.ts";
import { unlessAborted } from "./unless-aborted.ts";
import { messageIdsIn, valuesIn } from "./webhook-values.ts";

/** What is replayed, against which Meta, and in what timing and order. */
export type ReplayOptions = {
  /** A folder, a `<name>.request.json`, or several of them, but one recording at a time; or fixtures that were read. */
  readonly fixtures: string | readonly string[] | readonly Fixture[];
  /**
   * Meta's place: its webhooks go to the router (`meta.setWebhookUrl`), and the router's host sends to it (`META_GRAPH_URL` is
   * `meta.url`). It knows the numbers that the fixtures speak of, or `numbers` says which of its own stand for them. Faults of
   * webhooks that were set are taken back where the fixtures hold statuses: those are then the only ones.
   */
  readonly meta: Simulator;
  /**
   * Resolves when the host has done all that there was to do. Default: until as much was sent as was promised, and then nothing
   * more is asked of Graph for `quietMs`.
   */
  readonly settled?: () => Promise<void>;
  /** Milliseconds, default 300: longer than the host gathers messages, and thinks. A status is answered by nobody: 300 at most. */
  readonly quietMs?: number;
  /** How long to wait for what was promised, in milliseconds; default 5000, and no less than `quietMs`. */
  readonly patienceMs?: number;
  /** `none`, the default: one after the other, each when the one before it is answered. `original`: with the recorded pauses. A number: so many times faster. */
  readonly timing?: Timing;
  /** In another order, the same for the same number; each person's messages stay in theirs. */
  readonly shuffle?: number;
  /** Each is posted so many times more. Default 0. */
  readonly duplicate?: number;
  /** At most so many in one delivery. What the recording answered apart is not put together. Default 1. */
  readonly batch?: number;
  /** Recorded id of a number or account → the one that it is at this host. */
  readonly numbers?: Readonly<Record<string, string>>;
  /** For a host that has seen the recording before: every message gets a new id. */
  readonly newIds?: boolean;
  /** How the promise was scrubbed. Default: as the recording's manifest says; `exact` without one, and after `--update`. */
  readonly text?: Comparison;
  readonly onProgress?: (done: number, of: number) => void;
  readonly signal?: AbortSignal;
};

const ACKNOWLEDGED_WITHIN_MS = 15_000;
const DEFAULT_QUIET_MS = 300;
const DEFAULT_PATIENCE_MS = 5_000;
/** After something did not come, nobody waits long for the next. */
const SHORT_PATIENCE_MS = 500;

/**
 * Posts fixtures through a mounted router, signed, and compares what is sent with what they promise.
 * @throws Error whose message is one line to print, when there is nothing to replay.
 */
export async function replayFixtures(options: ReplayOptions): Promise<ReplayResult> {
  const { meta, signal, timing = "none", text } = options;
  const { fixtures, manifest } = await load(options.fixtures);
  const posts = planPosts(fixtures, manifest, {
    keepsPauses: timing !== "none",
    shuffle: options.shuffle ?? null,
    duplicate: options.duplicate ?? 0,
    batch: options.batch ?? 1,
  });
  const businessIds = new Map(Object.entries(options.numbers ?? {}));
  const rewriter = createRewriter({
    keepMedia: meta.keepMedia,
    businessIds,
    newId: options.newIds ? newMessageId : null,
  });
  const caught: Caught[] = [];
  let current: Fixture | null = null;
  const stopListening = meta.onAccepted((message) => caught.push({ message, after: current }));
  const canonical = canonicalAddresses(fixtures);
  const refused: { fixture: string; status: number | null }[] = [];
  const done = new Set<Fixture>();
  const settle = settler(options, caught);
  const clock = createReplayClock(timing, posts);
  const bytesOf = (post: Post) =>
    post.json === null
      ? (post.fixtures[0]?.bytes ?? new Uint8Array())
      : clock.bytesOf(post, rewriter.rewrite(post.json));
  // What the recording knows of the ticks is replayed; without that the simulator has its own.
  const hadStatuses = posts.some(({ json }) => valuesIn(json).some(({ statuses }) => objectsIn(statuses).length > 0));
  try {
    if (hadStatuses) meta.faults.webhooks({ dropStatusesRate: 1 });
    for (const [at, post] of posts.entries()) {
      signal?.throwIfAborted();
      options.onProgress?.(at, posts.length);
      await clock.until(post, signal);
      // Of several the last one that promises something.
      current = post.fixtures.findLast(({ sends }) => sends !== null) ?? post.fixtures.at(-1) ?? null;
      const status = await unlessAborted(deliver(meta, bytesOf(post)), signal);
      if (status !== 200) for (const { name } of post.fixtures) refused.push({ fixture: name, status });
      for (const fixture of post.fixtures) done.add(fixture);
      const isWritten = status === 200 && messageIdsIn(post.json).length > 0;
      if (timing === "none")
        await settle(
          [...done].reduce((sum, { sends }) => sum + (sends?.length ?? 0), 0),
          isWritten,
        );
      matchIds([...done], caught, rewriter, canonical);
    }
    await settle(
      fixtures.reduce((sum, { sends }) => sum + (sends?.length ?? 0), 0),
      timing !== "none",
    );
    options.onProgress?.(posts.length, posts.length);
  } finally {
    stopListening();
    if (hadStatuses) meta.faults.webhooks({});
  }
  const isScrubbed = manifest !== null && manifest.promised === "recorded";
  return resultOf({
    fixtures,
    posts,
    caught,
    rewriter,
    canonical,
    refused,
    text: text ?? (isScrubbed ? manifest.text : "exact"),
    isInOrder: options.shuffle === undefined && timing === "none",
    names: isScrubbed ? manifest.names : [],
  });
}

async function load(
  given: ReplayOptions["fixtures"],
): Promise<{ readonly fixtures: readonly Fixture[]; readonly manifest: Manifest | null }> {
  if (given.length === 0) throw new Error("There is nothing to replay: no fixture was given.");
  if (typeof given !== "string" && given.every((one) => typeof one !== "string"))
    return { fixtures: given as readonly Fixture[], manifest: null };
  return readTogether(typeof given === "string" ? [given] : (given as readonly string[]));
}

/** @returns the status of the answer; null without one. */
async function deliver(meta: Simulator, bytes: Uint8Array): Promise<number | null> {
  meta.deliver(bytes);
  const delivery = meta.deliveries.at(-1);
  await meta.waitFor(() => delivery?.attempts.length !== 0, ACKNOWLEDGED_WITHIN_MS).catch(() => undefined);
  return delivery?.attempts[0]?.status ?? null;
}

/**
 * Waits until the host has done what there was to do. @returns a function of how many messages were promised so far, and whether
 * somebody has written, so that there may be more.
 */
function settler(
  { meta, settled, signal, quietMs = DEFAULT_QUIET_MS, patienceMs = DEFAULT_PATIENCE_MS }: ReplayOptions,
  caught: readonly unknown[],
): (promised: number, isWritten: boolean) => Promise<void> {
  let patience = Math.max(patienceMs, quietMs);
  const asked = () => Object.values(meta.requests).reduce((sum, count) => sum + count, 0);
  return async (promised, isWritten) => {
    if (settled !== undefined) return unlessAborted(settled(), signal);
    await unlessAborted(
      meta
        .waitFor(() => caught.length >= promised, patience)
        .catch(() => {
          patience = Math.min(patience, SHORT_PATIENCE_MS);
        }),
      signal,
    );
    for (let last = -1; last !== asked(); ) {
      last = asked();
      await sleep(
        isWritten ? quietMs : Math.min(quietMs, DEFAULT_QUIET_MS),
        undefined,
        signal === undefined ? {} : { signal },
      );
    }
  };
}

/** The nth message to somebody is the nth that was promised: what later deliveries say of the one is meant of the other. */
function matchIds(
  fixtures: readonly Fixture[],
  caught: readonly Caught[],
  rewriter: Rewriter,
  canonical: (address: string) => string,
): void {
  const sent = new Map<string, string[]>();
  for (const { message } of caught) {
    const to = canonical(message.recipient);
    sent.set(to, [...(sent.get(to) ?? []), message.wamid]);
  }
  for (const promise of fixtures.flatMap(({ sends }) => sends ?? [])) {
    const wamid = sent.get(canonical(promise.to))?.shift();
    if (wamid !== undefined && promise.id !== null) rewriter.sentAs(promise.id, wamid);
  }
}

/** As Meta's look; no number is in it. */
function newMessageId(): string {
  return `wamid.HBgM${randomBytes(24).toString("base64")}`;
}
