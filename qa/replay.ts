/** Posts fixtures through a router, signed as Meta signs them, catches what is sent for them, and compares it with the promise. */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { AcceptedMessage, Simulator, WireObject } from "@omniops/whatsapp/simulator";
import { type Comparison, withoutEnvelope } from "./comparable.ts";
import { diffConversation, type Row, type Sent } from "./diff.ts";
import { type Fixture, type Manifest, type PromisedSend, readFixtures, readManifest } from "./fixtures.ts";
import { objectOf, objectsIn, readJson, textOf, writeJson } from "./lossless-json.ts";
import { type Post, planPosts } from "./plan-posts.ts";
import { newestTimeIn, retime, shiftTimes } from "./retime.ts";
import { createRewriter, type Rewriter } from "./rewrite.ts";
import { unlessAborted } from "./unless-aborted.ts";

/** What is replayed, against which Meta, and in what timing and order. */
export type ReplayOptions = {
  /** A folder, a `<name>.request.json`, or several of them; or fixtures that were read. */
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
  /** Milliseconds, default 300. */
  readonly quietMs?: number;
  /** How long to wait for what was promised, in milliseconds; default 5000. */
  readonly patienceMs?: number;
  /** `none`, the default: one after the other, each when the one before it is answered. `original`: with the recorded pauses. A number: so many times faster. */
  readonly timing?: "none" | "original" | number;
  /** In another order, the same for the same number. */
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

/** What one person wrote, and what was promised and sent for it. */
export type ReplayedConversation = {
  /** The business number, as recorded. */
  readonly from: string;
  /** The person, as recorded: digits or a user id. */
  readonly to: string;
  readonly name: string | null;
  readonly steps: readonly {
    readonly fixture: string;
    /** What the person wrote, in Meta's shape. */
    readonly written: readonly WireObject[];
    readonly rows: readonly ReplayedRow[];
  }[];
};

/** `unpromised`: sent after a fixture that promises nothing, and therefore no difference. */
export type ReplayedRow = Row | (Omit<Row, "kind"> & { readonly kind: "unpromised" });

/** What was sent beside what was promised, conversation by conversation. */
export type ReplayResult = {
  readonly conversations: readonly ReplayedConversation[];
  /** How many rows are changed, missing or extra. */
  readonly differences: number;
  /** Fixtures that the router did not acknowledge, with its status; null when it did not answer. */
  readonly refused: readonly { readonly fixture: string; readonly status: number | null }[];
  readonly counts: {
    readonly deliveries: number;
    readonly promised: number;
    readonly sent: number;
    readonly same: number;
  };
  /** No difference, and everything was acknowledged. */
  readonly ok: boolean;
  /** What the fixtures would have to promise for that, by their names. */
  readonly sends: ReadonlyMap<string, readonly PromisedSend[]>;
};

const ACKNOWLEDGED_WITHIN_MS = 15_000;
const DEFAULT_QUIET_MS = 300;
const DEFAULT_PATIENCE_MS = 5_000;
/** After something did not come, nobody waits long for the next. */
const SHORT_PATIENCE_MS = 500;

/** One that was sent in this run. */
type Caught = { readonly message: AcceptedMessage; readonly after: Fixture | null };

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
  const clock = createClock(timing, posts);
  // What the recording knows of the ticks is replayed; without that the simulator has its own.
  const hadStatuses = posts.some(({ json }) => hasStatuses(json));
  try {
    if (hadStatuses) meta.faults.webhooks({ dropStatusesRate: 1 });
    for (const [at, post] of posts.entries()) {
      signal?.throwIfAborted();
      options.onProgress?.(at, posts.length);
      await clock.until(post, signal);
      current = post.fixtures.at(-1) ?? null;
      const status = await unlessAborted(deliver(meta, clock.bytesOf(post, rewriter)), signal);
      if (status !== 200) for (const { name } of post.fixtures) refused.push({ fixture: name, status });
      for (const fixture of post.fixtures) done.add(fixture);
      if (timing === "none") await settle([...done].reduce((sum, { sends }) => sum + (sends?.length ?? 0), 0));
      matchIds([...done], caught, rewriter, canonical);
    }
    await settle(fixtures.reduce((sum, { sends }) => sum + (sends?.length ?? 0), 0));
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
  if (typeof given !== "string" && given.every((one) => typeof one !== "string"))
    return { fixtures: given as readonly Fixture[], manifest: null };
  const paths = typeof given === "string" ? [given] : (given as readonly string[]);
  const [first = ""] = paths;
  return {
    fixtures: (await Promise.all(paths.map(readFixtures))).flat(),
    manifest: paths.length === 1 ? await readManifest(first) : null,
  };
}

function hasStatuses(json: unknown): boolean {
  return valuesIn(json).some(({ statuses }) => objectsIn(statuses).length > 0);
}

function valuesIn(json: unknown): readonly WireObject[] {
  return objectsIn(objectOf(json).entry)
    .flatMap(({ changes }) => objectsIn(changes))
    .map(({ value }) => objectOf(value));
}

/** @returns the status of the answer; null without one. */
async function deliver(meta: Simulator, bytes: Uint8Array): Promise<number | null> {
  meta.deliver(bytes);
  const delivery = meta.deliveries.at(-1);
  await meta.waitFor(() => delivery?.attempts.length !== 0, ACKNOWLEDGED_WITHIN_MS).catch(() => undefined);
  return delivery?.attempts[0]?.status ?? null;
}

/** Waits until the host has done what there was to do. @returns a function of how many messages were promised so far. */
function settler(
  { meta, settled, signal, quietMs = DEFAULT_QUIET_MS, patienceMs = DEFAULT_PATIENCE_MS }: ReplayOptions,
  caught: readonly unknown[],
): (promised: number) => Promise<void> {
  let patience = patienceMs;
  const asked = () => Object.values(meta.requests).reduce((sum, count) => sum + count, 0);
  return async (promised) => {
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
      await sleep(quietMs, undefined, signal === undefined ? {} : { signal });
    }
  };
}

/** When each post is due, and which times its messages bear. */
function createClock(timing: NonNullable<ReplayOptions["timing"]>, posts: readonly Post[]) {
  const startedAt = Date.now();
  const speed = timing === "original" ? 1 : Number(timing);
  const newest = Math.max(...posts.map(({ json }) => newestTimeIn(Buffer.from(writeJson(json))) ?? 0));
  const first = posts[0]?.atMs ?? 0;
  return {
    async until({ atMs }: Post, signal: AbortSignal | undefined): Promise<void> {
      if (timing === "none") return;
      const waitMs = startedAt + (atMs - first) / speed - Date.now();
      if (waitMs > 0) await sleep(waitMs, undefined, signal === undefined ? {} : { signal });
    },
    bytesOf({ json, fixtures: [fixture] }: Post, rewriter: Rewriter): Uint8Array {
      if (json === null) return fixture?.bytes ?? new Uint8Array();
      const bytes = Buffer.from(writeJson(rewriter.rewrite(json)));
      // With pauses all of it moves by one step, so that what was late then is late now.
      if (timing !== "none") return shiftTimes(bytes, Math.floor(Date.now() / 1000) - newest);
      return retime(bytes, new Date());
    },
  };
}

/** Somebody has a number and a user id, and either may name them. */
function canonicalAddresses(fixtures: readonly Fixture[]): (address: string) => string {
  const numbers = new Map<string, string>();
  for (const { bytes } of fixtures)
    for (const { contacts } of valuesIn(jsonOf(bytes)))
      for (const { wa_id, user_id } of objectsIn(contacts)) {
        const [number, user] = [textOf(wa_id), textOf(user_id)];
        if (number !== null && user !== null) numbers.set(user, number);
      }
  return (address) => numbers.get(address) ?? address;
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

type Part = {
  readonly from: string;
  readonly to: string;
  readonly promised: Sent[];
  readonly got: Sent[];
  readonly unpromised: Sent[];
};

function resultOf(run: {
  readonly fixtures: readonly Fixture[];
  readonly posts: readonly Post[];
  readonly caught: readonly Caught[];
  readonly rewriter: Rewriter;
  readonly canonical: (address: string) => string;
  readonly refused: ReplayResult["refused"];
  readonly text: Comparison;
  readonly isInOrder: boolean;
  readonly names: readonly string[];
}): ReplayResult {
  const { fixtures, posts, caught, rewriter, canonical } = run;
  const parts = new Map<string, Part>();
  const partOf = (from: string, address: string) => {
    const to = canonical(address);
    const known = parts.get(`${from} ${to}`);
    if (known !== undefined) return known;
    const part = { from, to, promised: [], got: [], unpromised: [] };
    parts.set(`${from} ${to}`, part);
    return part;
  };
  const sends = new Map<string, PromisedSend[]>(fixtures.map(({ name }) => [name, []]));
  const { written, names } = writtenIn(fixtures, partOf);
  for (const { name, sends: promised } of fixtures)
    for (const { from, to, endpoint, message } of promised ?? [])
      partOf(from, to).promised.push({ endpoint, message, after: name });
  for (const { message, after } of caught) {
    const from = String(rewriter.restore(message.phoneNumberId));
    const part = partOf(from, message.recipient);
    const name = after?.name ?? "";
    const body = withoutEnvelope(objectOf(rewriter.restore(message.body)));
    const sent = { endpoint: message.endpoint, message: body, after: name };
    (after?.sends === null ? part.unpromised : part.got).push(sent);
    sends.get(name)?.push({
      from,
      to: part.to,
      endpoint: message.endpoint,
      message: body,
      id: String(rewriter.restore(message.wamid)),
      answers: after === null ? [] : idsIn(after),
    });
  }
  const order = [...new Set(posts.flatMap((post) => post.fixtures.map(({ name }) => name)))];
  const conversations = [...parts.values()].map((part): ReplayedConversation => {
    const rows: readonly ReplayedRow[] = [
      ...diffConversation(part.promised, part.got, run),
      ...part.unpromised.map((got) => ({ kind: "unpromised" as const, promised: null, got, changes: [] })),
    ];
    const steps = order.map((fixture) => ({
      fixture,
      written: written.get(part)?.get(fixture) ?? [],
      rows: rows.filter(({ promised, got }) => (promised ?? got)?.after === fixture),
    }));
    return {
      from: part.from,
      to: part.to,
      name: names.get(part.to) ?? null,
      steps: steps.filter((step) => step.written.length + step.rows.length > 0),
    };
  });
  const rows = conversations.flatMap(({ steps }) => steps.flatMap((step) => step.rows));
  const same = rows.filter(({ kind }) => kind === "same").length;
  const differences = rows.filter(({ kind }) => kind !== "same" && kind !== "unpromised").length;
  return {
    conversations: conversations.filter(({ steps }) => steps.length > 0),
    differences,
    refused: run.refused,
    counts: {
      deliveries: posts.length,
      promised: fixtures.reduce((sum, fixture) => sum + (fixture.sends?.length ?? 0), 0),
      sent: caught.length,
      same,
    },
    ok: differences === 0 && run.refused.length === 0,
    sends,
  };
}

/** What people wrote, by conversation and fixture, and what they are called. */
function writtenIn(fixtures: readonly Fixture[], partOf: (from: string, to: string) => Part) {
  const written = new Map<Part, Map<string, WireObject[]>>();
  const names = new Map<string, string>();
  for (const { name: fixture, bytes } of fixtures)
    for (const { metadata, messages, contacts } of valuesIn(jsonOf(bytes))) {
      const number = textOf(objectOf(metadata).phone_number_id);
      for (const { wa_id, user_id, profile } of objectsIn(contacts)) {
        const called = textOf(objectOf(profile).name);
        for (const address of [wa_id, user_id]) if (called !== null) names.set(String(address), called);
      }
      for (const message of objectsIn(messages)) {
        const address = textOf(message.from) ?? textOf(message.from_user_id);
        if (number === null || address === null || message.group_id !== undefined) continue;
        const part = partOf(number, address);
        const byFixture = written.get(part) ?? new Map<string, WireObject[]>();
        byFixture.set(fixture, [...(byFixture.get(fixture) ?? []), message]);
        written.set(part, byFixture);
      }
    }
  return { written, names };
}

function idsIn({ bytes }: Fixture): readonly string[] {
  return valuesIn(jsonOf(bytes)).flatMap(({ messages }) =>
    objectsIn(messages).flatMap(({ id }) => (typeof id === "string" ? [id] : [])),
  );
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return readJson(Buffer.from(bytes).toString("utf8"));
  } catch {
    return null;
  }
}

/** As Meta's look; no number is in it. */
function newMessageId(): string {
  return `wamid.HBgM${randomBytes(24).toString("base64")}`;
}
