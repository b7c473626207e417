/** Takes lanes of one stage as they become ready, keeps their leases while they are worked, and never throws at the host. */

import { setMaxListeners } from "node:events";
import { nameOf } from "../errors.ts";
import type { ClaimedLane, Lanes, Logger, Stage } from "../ports.ts";
import { type CrashSuspects, SUSPECT_AGAIN_MS } from "./crash-suspects.ts";
import { createTenantShares } from "./tenant-shares.ts";

export type LaneWorker = {
  start(): void;
  /** Something became ready, or will in `delayMs`: look before the next poll. */
  kick(delayMs?: number): void;
  /**
   * Claims nothing more and waits for what is under way; after `timeoutMs` it aborts the handlers and gives their lanes
   * back, so that another instance goes on at once. A second call waits with the first; `start` begins anew.
   */
  stop(timeoutMs: number): Promise<void>;
  /** What is under way, settled; null when nothing is, and nothing is being looked for. */
  underWay(): Promise<unknown> | null;
};

export type LaneWorkerOptions = {
  readonly stage: Stage;
  readonly lanes: Lanes;
  readonly log: Logger;
  /** Lanes per claim. */
  readonly batch: number;
  /** Lanes under way at once in this process. */
  readonly maxActive: number;
  readonly leaseMs: number;
  /** Longest wait between two looks; the kick makes it the exception. */
  readonly pollMs: number;
  readonly random: () => number;
  /** Shared by the stages in which an item may end the process. */
  readonly suspects?: CrashSuspects;
  readonly handle: LaneHandler;
};

/**
 * Works a batch and gives each lane back, whatever happens inside.
 * @param finished to be called as each lane is done, so that a slow one does not hold the places of the others; with an
 * error when it could not even be put back.
 */
export type LaneHandler = (
  lanes: readonly ClaimedLane[],
  context: { readonly signal: AbortSignal; readonly finished: (lane: ClaimedLane, error?: unknown) => void },
) => Promise<void>;

/** A lane that was ready and turns out empty looks again this much later, instead of at once and for ever. */
export const NOTHING_TO_DO_MS = 1_000;

/** While somebody has their full share, the others are looked for no more often, in milliseconds, if there were none. */
const OTHERS_AGAIN_MS = 10;

/** With few places free, claims are no more frequent than this, in milliseconds: what was claimed alone is worked, and ends, alone. */
const GATHER_MS = 5;

/** Giving lanes back on the way out takes no longer, in milliseconds: a database that is silent would keep the process until it is killed. */
const GIVE_BACK_MS = 1_500;

export function createLaneWorker(options: LaneWorkerOptions): LaneWorker {
  const { stage, lanes, log, batch, maxActive, leaseMs, pollMs } = options;
  const active = new Set<ClaimedLane>();
  const shares = createTenantShares(maxActive);
  /** When others were last looked for beside those who have their share, and there were none. */
  let nobodyElseAt = Number.NEGATIVE_INFINITY;
  let claimedAt = Number.NEGATIVE_INFINITY;
  /** Whatever is under way was renewed, or claimed, after this. */
  let renewedAt = Number.NEGATIVE_INFINITY;
  let willLook = false;
  let draining = false;
  /** `start` was called while it drained: it begins anew when that is over. */
  let startAfter = false;
  /** Lanes that could not be put back, mostly because the database was away. */
  const stuck = new Set<ClaimedLane>();
  const jobs = new Set<Promise<void>>();
  let aborter = newAborter();
  let running = false;
  let looking = false;
  let lookAgain = false;
  let lastLook: Promise<void> = Promise.resolve();
  let stopping: Promise<void> | undefined;
  let poll: NodeJS.Timeout | undefined;
  let heartbeat: NodeJS.Timeout | undefined;
  const delayed = new Set<NodeJS.Timeout>();

  function look(): void {
    if (looking) lookAgain = true;
    else lastLook = claimAll();
  }

  async function claimAll(): Promise<void> {
    looking = true;
    let inTurns = false;
    try {
      do {
        // All that ends in this turn of the event loop gives its places back before they are counted.
        await new Promise((resolve) => setImmediate(resolve));
        lookAgain = false;
        const { limit, without } = shares.room();
        const room = Math.min(batch, limit);
        if (!running || room <= 0) break;
        // Those who waited longest, and when there are many, also some of everybody: else one backlog is all that is seen.
        const inRounds: boolean = inTurns || without.length > 0;
        if (without.length > 0 && performance.now() - nobodyElseAt < OTHERS_AGAIN_MS) {
          lookIn(OTHERS_AGAIN_MS);
          break;
        }
        if (room < batch / 4 && performance.now() - claimedAt < GATHER_MS) {
          lookIn(GATHER_MS);
          break;
        }
        claimedAt = performance.now();
        const claimed = await lanes.claim(stage, room, { held: overdue(), ...(inRounds && { without }) });
        if (without.length > 0 && claimed.length === 0) nobodyElseAt = performance.now();
        // Stopped meanwhile: nobody would renew these leases.
        if (!running) {
          if (claimed.length > 0) await lanes.release(claimed);
          break;
        }
        if (claimed.length > 0) await workUnsuspected(claimed);
        // A full claim means that more is probably ready, and so does one in which everybody had a turn.
        if (claimed.length === room || (inTurns && claimed.length > 0)) lookAgain = true;
        inTurns = !inRounds && claimed.length === room;
      } while (lookAgain);
    } catch (error) {
      log.warn({ stage, error: nameOf(error) }, "could not claim lanes; trying again");
    } finally {
      looking = false;
      schedule();
    }
  }

  /** The tokens of what this worker has still in hand though its lease may have run out: claimed again, it would be worked twice at once. */
  function overdue(): readonly string[] {
    // By the time it is asked, a database that is slow may take another half.
    const isLate = performance.now() - renewedAt >= leaseMs / 2;
    return [...new Set([...stuck, ...(isLate ? active : [])].map(({ token }) => token))];
  }

  async function workUnsuspected(claimed: readonly ClaimedLane[]): Promise<void> {
    const { now, suspect, wait } = options.suspects?.admit(claimed) ?? { now: claimed, wait: [] };
    if (wait.length > 0) {
      // Before the others are worked: one of them may end the process, and what it still holds then waits out its lease.
      await lanes.release(wait, SUSPECT_AGAIN_MS).catch((error: unknown) => {
        for (const lane of wait) putBackSoon(lane, error);
      });
      later(SUSPECT_AGAIN_MS, look);
    }
    const begun = suspect === undefined || (await beginSuspect(suspect)) ? now : now.filter((lane) => lane !== suspect);
    if (begun.length === 0) return;
    if (running) return work(begun);
    for (const lane of begun) options.suspects?.finished(lane);
    await lanes.release(begun);
  }

  /** Only what is written down as begun is counted when the process ends: a suspect that waits elsewhere is not. */
  async function beginSuspect(suspect: ClaimedLane): Promise<boolean> {
    try {
      if (await lanes.begin(suspect)) return true;
    } catch (error) {
      putBackSoon(suspect, error);
    }
    options.suspects?.finished(suspect);
    return false;
  }

  function work(claimed: readonly ClaimedLane[]): void {
    for (const lane of claimed) {
      active.add(lane);
      shares.take(lane);
    }
    const finished = (lane: ClaimedLane, error?: unknown) => {
      if (!active.delete(lane)) return;
      shares.giveBack(lane);
      options.suspects?.finished(lane);
      if (error !== undefined) putBackSoon(lane, error);
      kick();
    };
    const job = options
      .handle(claimed, { signal: aborter.signal, finished })
      .catch((error: unknown) => {
        for (const lane of claimed) finished(lane, error);
      })
      .finally(() => {
        jobs.delete(job);
        for (const lane of claimed) finished(lane);
      });
    jobs.add(job);
  }

  /** The lease would bring it back too, but only when it ends. */
  function putBackSoon(lane: ClaimedLane, error: unknown): void {
    log.warn({ stage, error: nameOf(error) }, "a lane was not worked; it is put back as soon as the database takes it");
    if (stuck.size === 0) later(pollMs, () => void putBack());
    stuck.add(lane);
  }

  async function putBack(): Promise<void> {
    const some = [...stuck];
    try {
      await lanes.release(some);
      for (const lane of some) stuck.delete(lane);
      kick();
    } catch (error) {
      log.warn({ stage, lanes: some.length, error: nameOf(error) }, "could not put lanes back; trying again");
    }
    if (stuck.size > 0) later(pollMs, () => void putBack());
  }

  function schedule(): void {
    if (!running) return;
    clearTimeout(poll);
    // Jitter keeps instances from looking in step.
    poll = setTimeout(look, pollMs * (0.5 + options.random() / 2));
    poll.unref();
  }

  /** However often it is called meanwhile: once. */
  function lookIn(delayMs: number): void {
    if (willLook || !running) return;
    willLook = true;
    later(delayMs, () => {
      willLook = false;
      look();
    });
  }

  function kick(delayMs = 0): void {
    if (!running) return;
    if (delayMs === 0) look();
    else later(delayMs, look);
  }

  function later(delayMs: number, run: () => void): void {
    if (!running) return;
    const timer = setTimeout(() => {
      delayed.delete(timer);
      run();
    }, delayMs);
    timer.unref();
    delayed.add(timer);
  }

  async function renew(): Promise<void> {
    // What is just being claimed is not among them.
    const at = looking ? claimedAt : performance.now();
    try {
      if (active.size > 0) await lanes.renew([...active]);
      renewedAt = Math.max(renewedAt, at);
    } catch (error) {
      log.warn({ stage, error: nameOf(error) }, "could not renew leases");
    }
  }

  async function drain(timeoutMs: number): Promise<void> {
    running = false;
    draining = true;
    clearTimeout(poll);
    for (const timer of delayed) clearTimeout(timer);
    delayed.clear();
    willLook = false;
    await settledWithin([lastLook, ...jobs], timeoutMs);
    const abandoned = [...active, ...stuck];
    stuck.clear();
    aborter.abort(new Error("The channel is stopping."));
    clearInterval(heartbeat);
    if (abandoned.length > 0) await settledWithin([giveBack(abandoned)], GIVE_BACK_MS);
    draining = false;
    if (startAfter) begin();
  }

  function giveBack(abandoned: readonly ClaimedLane[]): Promise<void> {
    return lanes.release(abandoned).catch((error: unknown) => {
      log.warn({ stage, error: nameOf(error) }, "could not give lanes back; they come back when their lease ends");
    });
  }

  function begin(): void {
    running = true;
    startAfter = false;
    stopping = undefined;
    // Of an earlier life: their leases have been given back, or run out by themselves.
    stuck.clear();
    if (aborter.signal.aborted) aborter = newAborter();
    renewedAt = performance.now();
    heartbeat = setInterval(() => void renew(), leaseMs / 3);
    heartbeat.unref();
    look();
  }

  return {
    start() {
      if (draining) startAfter = true;
      else if (!running) begin();
    },
    kick,
    stop(timeoutMs) {
      startAfter = false;
      stopping ??= drain(timeoutMs);
      return stopping;
    },
    underWay: () => (looking || jobs.size > 0 ? Promise.allSettled([lastLook, ...jobs]) : null),
  };
}

export async function settledWithin(jobs: readonly unknown[], timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([Promise.allSettled(jobs), timeout]);
  clearTimeout(timer);
}

/** Every turn under way listens to it: Node must not take that for a leak. */
function newAborter(): AbortController {
  const aborter = new AbortController();
  setMaxListeners(0, aborter.signal);
  return aborter;
}
