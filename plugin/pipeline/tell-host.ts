/** Stage `notify`: hands the host's `onEvent` what happened, in order per conversation, until it has taken it. */
import type { HostEvent } from "../contract.ts";
import type { ClaimedLane, Host, HostEvents, Lanes, Logger } from "../ports.ts";
import { endsProcesses, ProcessEnded } from "./crash-suspects.ts";
import { isStoreDown } from "./failure.ts";
import { type LaneHandler, NOTHING_TO_DO_MS, nameOf } from "./lane-worker.ts";
import { type RetrySchedule, retryDelayMs } from "./retry-schedule.ts";

export type TellHostDeps = {
  readonly lanes: Lanes;
  readonly hostEvents: HostEvents;
  readonly host: Host;
  readonly log: Logger;
  readonly retry: RetrySchedule;
  readonly random: () => number;
};

export function createTellHost({ lanes, hostEvents, host, log, retry, random }: TellHostDeps): LaneHandler {
  return async function tellHost(claimed, { finished }): Promise<void> {
    const waiting = await hostEvents.load(claimed);
    await Promise.all(
      claimed.map(async (lane) => {
        const item = waiting.find((candidate) => candidate.lane === lane);
        try {
          if (item === undefined) await lanes.postpone(lane, NOTHING_TO_DO_MS, false);
          else await tell(item);
          finished(lane);
        } catch (error) {
          finished(lane, error);
        }
      }),
    );
  };

  async function tell({ lane, id, event }: Awaited<ReturnType<HostEvents["load"]>>[number]): Promise<void> {
    try {
      if (endsProcesses(lane, retry)) return await bury(lane, id, event, new ProcessEnded());
      await host.onEvent?.(event);
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
