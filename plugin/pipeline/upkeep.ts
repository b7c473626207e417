/** What must be done from time to time and by anybody: one timer, one task after the other, nothing that ends the process. */
import type { Logger } from "../ports.ts";
import { nameOf } from "./lane-worker.ts";

export type Upkeep = { start(): void; stop(): Promise<void> };

/** By the name that a failure is logged with. What takes long ends soon after the signal aborts. */
export type UpkeepTasks = Readonly<Record<string, (signal: AbortSignal) => Promise<unknown>>>;

export function createUpkeep(
  tasks: UpkeepTasks,
  { everyMs, log }: { readonly everyMs: number; readonly log: Logger },
): Upkeep {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let aborter = new AbortController();

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
        running ??= runAll(aborter.signal).finally(() => {
          running = undefined;
        });
      }, everyMs);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      aborter.abort();
      await running;
    },
  };
}
