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

/**
 * By the name that a failure is logged with. What takes long ends soon after the signal aborts. What never need end stops when the turn
 * is over, because somebody else may take the next one, and returns `MORE`: then the next round comes as soon as it is due.
 */
export type UpkeepTasks = Readonly<Record<string, (signal: AbortSignal, isOver: () => boolean) => Promise<unknown>>>;

export const MORE = Symbol("more");

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
  let running: Promise<void> | undefined;
  let aborter = new AbortController();

  async function runIfDue(signal: AbortSignal): Promise<boolean> {
    return (await round(signal)) !== null;
  }

  /** @returns null when it was not due; otherwise whether there is more to do. */
  async function round(signal: AbortSignal): Promise<{ readonly hasMore: boolean } | null> {
    // Half the time: an instance that is a moment early need not wait for a whole round more.
    const isDue = await take(everyMs / 2).catch((error: unknown) => {
      log.warn({ error: nameOf(error) }, "could not look whether upkeep is due; trying again");
      return false;
    });
    if (!isDue) return null;
    const endsAt = performance.now() + everyMs / 2;
    return { hasMore: await runAll(signal, () => performance.now() >= endsAt) };
  }

  /** The others have their turn in every round, so that nobody who has very much to do starves them. */
  async function runRounds(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && (await round(signal))?.hasMore);
  }

  async function runAll(signal: AbortSignal, isOver: () => boolean): Promise<boolean> {
    let hasMore = false;
    for (const [task, run] of Object.entries(tasks)) {
      if (signal.aborted) return false;
      try {
        if ((await run(signal, isOver)) === MORE) hasMore = true;
      } catch (error) {
        log.warn({ task, error: nameOf(error) }, "upkeep failed; trying again");
      }
    }
    return hasMore;
  }

  return {
    start() {
      clearInterval(timer);
      if (aborter.signal.aborted) aborter = new AbortController();
      timer = setInterval(() => {
        running ??= runRounds(aborter.signal).finally(() => {
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
