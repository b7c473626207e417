/** Stage `notify`: hands the host's `onEvent` what happened, in order per conversation, until it has taken it. */

import type { HostEvent } from "../contract.ts";
import { nameOf } from "../errors.ts";
import type { ClaimedLane, Host, HostEvents, Lanes, Logger } from "../ports.ts";
import { endsProcesses, ProcessEnded } from "./crash-suspects.ts";
import { isStoreDown } from "./failure.ts";
import { type LaneHandler, NOTHING_TO_DO_MS } from "./lane-worker.ts";
import { type RetrySchedule, retryDelayMs } from "./retry-schedule.ts";
import { withinTime } from "./within-time.ts";

export type TellHostDeps = {
  readonly lanes: Lanes;
  readonly hostEvents: HostEvents;
  readonly host: Host;
  readonly log: Logger;
  readonly retry: RetrySchedule;
  readonly random: () => number;
  /** How long the host's listener may take for one event. */
  readonly eventTimeoutMs: number;
};

export function createTellHost(deps: TellHostDeps): LaneHandler {
  const { lanes, hostEvents, host, log, retry, random, eventTimeoutMs } = deps;

  return async function tellHost(claimed, { finished, signal }): Promise<void> {
    const waiting = await hostEvents.load(claimed);
    await Promise.all(
      claimed.map(async (lane) => {
        const item = waiting.find((candidate) => candidate.lane === lane);
        try {
          if (item === undefined) await lanes.postpone(lane, NOTHING_TO_DO_MS, false);
          else await tell(item, signal);
          finished(lane);
        } catch (error) {
          finished(lane, error);
        }
      }),
    );
  };

  type Told = Awaited<ReturnType<HostEvents["load"]>>[number];

  async function tell({ lane, id, event }: Told, signal: AbortSignal): Promise<void> {
    try {
      if (endsProcesses(lane, retry)) return await bury(lane, id, event, new ProcessEnded());
      // One that never comes back would keep its place: enough of them, and nobody is told anything any more.
      await withinTime(eventTimeoutMs, signal, async () => host.onEvent?.(event));
      await hostEvents.done(lane, id);
    } catch (error) {
      const failures = lane.attempts + 1;
      if (!isStoreDown(error) && failures >= retry.maxAttempts) return bury(lane, id, event, error);
      await lanes.postpone(lane, retryDelayMs(retry, failures, random), !isStoreDown(error));
      log.warn(
        { stage: "notify", hostEventId: id, kind: event.kind, attempt: failures, error: nameOf(error) },
        "the host did not take an event; trying again later",
      );
    }
  }

  async function bury(lane: ClaimedLane, id: string, event: HostEvent, error: unknown): Promise<void> {
    await hostEvents.bury(lane, id, nameOf(error));
    log.warn(
      {
        stage: "notify",
        hostEventId: id,
        kind: event.kind,
        attempts: lane.attempts + 1,
        crashes: lane.crashes,
        error: nameOf(error),
      },
      "event moved to the dead letters",
    );
  }
}
