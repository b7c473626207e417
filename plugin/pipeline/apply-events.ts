/** Stage `in`: applies the events of claimed lanes, all in one transaction, and isolates the one that fails. */
import { nameOf } from "../errors.ts";
import type { ClaimedLane, Inbox, Lanes, Logger, Stage, StoredEvent } from "../ports.ts";
import { endsProcesses, ProcessEnded } from "./crash-suspects.ts";
import { isHeldUp, isStoreDown } from "./failure.ts";
import { type LaneHandler, NOTHING_TO_DO_MS } from "./lane-worker.ts";
import { type EffectRules, planEffects } from "./plan-effects.ts";
import { type RetrySchedule, retryDelayMs } from "./retry-schedule.ts";

export type ApplyDeps = {
  readonly lanes: Lanes;
  readonly inbox: Inbox;
  readonly rules: EffectRules;
  readonly log: Logger;
  readonly retry: RetrySchedule;
  readonly random: () => number;
  /** Called after a commit, with the stages that have something to do now. */
  readonly onApplied: (woken: readonly Stage[]) => void;
};

/** Events of one lane in one transaction: enough to amortise it, few enough to keep it short. */
const EVENTS_PER_LANE = 50;

/** So long are the lanes of one claim tried alone, in milliseconds: each may wait for a lock until it times out. */
const ALONE_FOR_MS = 30_000;

export function createApplyEvents(deps: ApplyDeps): LaneHandler {
  const { lanes, inbox, rules, log, retry, random, onApplied } = deps;

  return async function applyEvents(claimed): Promise<void> {
    // A lane that failed before, or whose worker ended, goes alone and one event at a time, so that its neighbours are not tried
    // with it; and the likeliest to end this process goes last, when it holds nothing else of this claim.
    const suspects = claimed.filter(({ attempts, crashes }) => attempts + crashes > 0);
    const healthy = claimed.filter(({ attempts, crashes }) => attempts + crashes === 0);
    if (healthy.length > 0) await applyTogether(healthy);
    for (const lane of suspects.sort((a, b) => a.crashes - b.crashes)) await applyHead(lane);
  };

  async function applyTogether(some: readonly ClaimedLane[]): Promise<void> {
    let heldUp: unknown;
    try {
      const events = await inbox.load(some, EVENTS_PER_LANE);
      const woken = await inbox.apply(some, events, planEffects(events, rules));
      if (woken !== null) return onApplied(woken);
    } catch (error) {
      if (isStoreDown(error) && !isHeldUp(error)) return giveBack(some, error);
      if (isHeldUp(error)) heldUp = error;
    }
    // Someone lost a lease, one event is poison, or one row is locked: one lane at a time finds out which.
    if (some.length > 1) return applyEach(some);
    if (heldUp !== undefined) return giveBack(some, heldUp, { why: "a row is locked", alone: true });
    for (const lane of some) await applyHead(lane);
  }

  async function applyEach(some: readonly ClaimedLane[]): Promise<void> {
    const until = performance.now() + ALONE_FOR_MS;
    for (const [i, lane] of some.entries()) {
      if (performance.now() >= until)
        return giveBack(some.slice(i), null, { why: "the lanes before them are held up" });
      await applyTogether([lane]);
    }
  }

  /** Rule 8: backoff on the lane keeps its order; after the last attempt its head moves aside and the lane goes on. */
  async function applyHead(lane: ClaimedLane): Promise<void> {
    let head: StoredEvent | undefined;
    try {
      [head] = await inbox.load([lane], 1);
      if (endsProcesses(lane, retry)) return await bury(lane, head, new ProcessEnded());
      const events = head === undefined ? [] : [head];
      onApplied((await inbox.apply([lane], events, planEffects(events, rules))) ?? []);
    } catch (error) {
      if (isStoreDown(error)) return giveBack([lane], error);
      const failures = lane.attempts + 1;
      if (failures < retry.maxAttempts) {
        await lanes.postpone(lane, retryDelayMs(retry, failures, random), true);
        log.warn(
          { stage: "in", eventId: head?.eventId, attempt: failures, error: nameOf(error) },
          "event failed; trying again later",
        );
      } else await bury(lane, head, error);
    }
  }

  async function bury(lane: ClaimedLane, head: StoredEvent | undefined, error: unknown): Promise<void> {
    if (head === undefined) return lanes.postpone(lane, NOTHING_TO_DO_MS, false);
    await inbox.bury(lane, head.eventId, nameOf(error));
    log.error(
      { stage: "in", eventId: head.eventId, attempts: lane.attempts + 1, crashes: lane.crashes, error: nameOf(error) },
      "event moved to the dead letters",
    );
  }

  /**
   * The database is away: that is nobody's failure. Not at once again, because it may refuse for hours (disk full).
   * @param alone whether it goes without neighbours from now on, until it has passed.
   */
  async function giveBack(
    some: readonly ClaimedLane[],
    error: unknown,
    { why = "database away", alone = false } = {},
  ): Promise<void> {
    const fields = { stage: "in", lanes: some.length, ...(error === null ? {} : { error: nameOf(error) }) };
    log.warn(fields, `${why}; lanes given back`);
    for (const lane of some) await lanes.postpone(lane, retryDelayMs(retry, 1, random), alone);
  }
}
