/** Circuit breaker of a number: what Meta refuses or fails for all of it is not tried once per recipient. */
import type { Connections, Logger, OutgoingPart, PostOutcome } from "../ports.ts";
import type { RetrySchedule } from "./retry-schedule.ts";

export type Breaker = {
  /** After a pause one message goes first; true for everybody while the number sends. */
  mayLeave(part: OutgoingPart): Promise<boolean>;
  onOutcome(part: OutgoingPart, outcome: PostOutcome): Promise<void>;
};

/** More than one message can collect by itself. */
const STORM = 10;

const BLOCKED = "Meta refuses all sends of this number until its account is put right in WhatsApp Manager; they wait.";
const APP =
  "Meta does not take this app's secret (META_APP_SECRET): sends wait until whoever runs the app has put it right, and nothing has to be connected again.";
const TROUBLE = "Meta fails all sends of this number at the moment; they wait and are tried again by themselves.";

type BreakerDeps = {
  readonly connections: Pick<Connections, "pause" | "takeProbe" | "resume">;
  readonly log: Logger;
  readonly retry: RetrySchedule;
};

export function createBreaker({ connections, log, retry }: BreakerDeps): Breaker {
  /** Failures in a row of a number, in this process; only numbers that are failing have one. */
  const failures = new Map<string, number>();

  function reasonToPause({ connectionId, pause }: OutgoingPart["connection"], outcome: PostOutcome): string | null {
    const said = outcome.kind === "rejected" ? outcome.rejection.number : "trouble";
    if (said === "blocked") return BLOCKED;
    if (said === "app") return APP;
    if (said === undefined) {
      failures.delete(connectionId);
      return null;
    }
    const inARow = (failures.get(connectionId) ?? 0) + 1;
    failures.set(connectionId, inARow);
    return inARow >= STORM || pause.strikes > 0 ? TROUBLE : null;
  }

  return {
    mayLeave: async ({ connection: { connectionId, pause } }) =>
      pause.strikes === 0 || connections.takeProbe({ connectionId, forMs: pauseMs(retry, pause.strikes) }),

    async onOutcome({ connection }, outcome) {
      const { connectionId, pause } = connection;
      if (outcome.kind === "accepted") {
        failures.delete(connectionId);
        if (pause.strikes > 0 && (await connections.resume(connectionId)))
          log.info({ stage: "out", connectionId }, "Meta accepts sends of this number again");
        return;
      }
      const reason = reasonToPause(connection, outcome);
      if (reason === null) return;
      const forMs = pauseMs(retry, pause.strikes + 1);
      const isPaused = await connections.pause({ connectionId, strikes: pause.strikes, forMs, reason });
      if (isPaused && pause.strikes === 0) log.warn({ stage: "out", connectionId, reason }, "a number is paused");
    },
  };
}

/** Ten seconds, twenty, … up to the longest wait between two tries. */
export function pauseMs({ baseMs, maxMs }: RetrySchedule, strikes: number): number {
  return Math.min(maxMs, 10 * baseMs * 2 ** (strikes - 1));
}
