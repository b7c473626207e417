/** What must be done from time to time and by anybody: one timer, one task after the other, nothing that ends the process. */
import { nameOf } from "../errors.ts";
import type { Logger } from "../ports.ts";
import { settledWithin } from "./lane-worker.ts";

export type Upkeep = {
  start(): void;
  /** Begins no further task, and waits for the one under way; not longer than `timeoutMs`, because it may hang on Meta. */
  stop(timeoutMs: number): Promise<void>;
  /** Once, if it is due and nobody else has taken it. @returns whether it was. */
  runIfDue(signal: AbortSignal): Promise<boolean>;
};

/** By the name that a failure is logged with. What takes long ends soon after the signal aborts. */
export type UpkeepTasks = Readonly<Record<string, (signal: AbortSignal) => Promise<unknown>>>;

export function createUpkeep(
  tasks: UpkeepTasks,
  {
    everyMs,
    take,
    log,
  }: {
    readonly everyMs: number;
    /** Whose turn it is, of all instances: see `Operations`. */
    readonly take: (forMs: number) => Promise<boolean>;
    readonly log: Logger;
  },
): Upkeep {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<boolean> | undefined;
  let aborter = new AbortController();

  async function runIfDue(signal: AbortSignal): Promise<boolean> {
    // Half the time: an instance that is a moment early need not wait for a whole round more.
    const isDue = await take(everyMs / 2).catch((error: unknown) => {
      log.warn({ error: nameOf(error) }, "could not look whether upkeep is due; trying again");
      return false;
    });
    if (isDue) await runAll(signal);
    return isDue;
  }

  async function runAll(signal: AbortSignal): Promise<void> {
    for (const [task, run] of Object.entries(tasks)) {
      if (signal.aborted) return;
      try {
        await run(signal);
      } catch (error) {
        log.warn({ task, error: nameOf(error) }, "upkeep failed; trying again");
      }
    }
  }

  return {
    start() {
      clearInterval(timer);
      if (aborter.signal.aborted) aborter = new AbortController();
      timer = setInterval(() => {
        running ??= runIfDue(aborter.signal).finally(() => {
          running = undefined;
        });
      }, everyMs);
      timer.unref();
    },
    async stop(timeoutMs) {
      clearInterval(timer);
      aborter.abort();
      await settledWithin([running], timeoutMs);
    },
    runIfDue,
  };
}
