/** Every timer of a simulator in one place, so that stopping leaves none behind. */

export type Timers = {
  after(delayMs: number, run: () => void): void;
  /** Cancels everything and takes nothing new. */
  close(): void;
};

export function createTimers(): Timers {
  const pending = new Set<NodeJS.Timeout>();
  let isClosed = false;
  return {
    after(delayMs, run) {
      if (isClosed) return;
      const timer = setTimeout(() => {
        pending.delete(timer);
        run();
      }, delayMs);
      pending.add(timer);
    },
    close() {
      isClosed = true;
      for (const timer of pending) clearTimeout(timer);
      pending.clear();
    },
  };
}
