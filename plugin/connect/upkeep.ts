/** What must be done from time to time and by anybody: one timer, one task after the other, nothing that ends the process. */
import type { Logger } from "../ports.ts";

export type Upkeep = { start(): void; stop(): Promise<void> };

/** @param tasks by the name that a failure is logged with. */
export function createUpkeep(
  tasks: Readonly<Record<string, () => Promise<unknown>>>,
  { everyMs, log }: { readonly everyMs: number; readonly log: Logger },
): Upkeep {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;

  async function runAll(): Promise<void> {
    for (const [task, run] of Object.entries(tasks)) {
      try {
        await run();
      } catch (error) {
        log.warn({ task, error: error instanceof Error ? error.name : typeof error }, "upkeep failed; trying again");
      }
    }
  }

  return {
    start() {
      clearInterval(timer);
      timer = setInterval(() => {
        running ??= runAll().finally(() => {
          running = undefined;
        });
      }, everyMs);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
