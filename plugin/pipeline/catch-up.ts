/** What came for a number before it was connected is queued step by step, by whichever instance comes first, until nothing waits. */
import { nameOf } from "../errors.ts";
import type { Inbox, Logger } from "../ports.ts";
import { settledWithin } from "./lane-worker.ts";

export type CatchUp = {
  start(): void;
  /** Begins no further step, and waits for the one under way, not longer than `timeoutMs`. */
  stop(timeoutMs: number): Promise<void>;
  /** A number was connected: look before the next poll. */
  kick(): void;
  /** One step, also where it was not started. */
  step(): Promise<void>;
};

export type CatchUpDeps = {
  readonly inbox: Pick<Inbox, "catchUp">;
  readonly log: Pick<Logger, "warn">;
  readonly everyMs: number;
  /** Something was queued. */
  readonly onQueued: () => void;
};

export function createCatchUp({ inbox, log, everyMs, onQueued }: CatchUpDeps): CatchUp {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let isStarted = false;

  /** @returns whether there may be more. */
  async function once(): Promise<boolean> {
    try {
      const isFound = await inbox.catchUp();
      if (isFound) onQueued();
      return isFound;
    } catch (error) {
      log.warn({ error: nameOf(error) }, "could not route what came before a number was connected; trying again");
      return false;
    }
  }

  async function runAll(): Promise<void> {
    while (isStarted && (await once()));
  }

  function kick(): void {
    if (!isStarted) return;
    running ??= runAll().finally(() => {
      running = undefined;
    });
  }

  return {
    start() {
      isStarted = true;
      clearInterval(timer);
      timer = setInterval(kick, everyMs);
      timer.unref();
    },
    async stop(timeoutMs) {
      isStarted = false;
      clearInterval(timer);
      await settledWithin([running], timeoutMs);
    },
    kick,
    async step() {
      await once();
    },
  };
}
