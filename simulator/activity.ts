/** Knows when something changed and when nothing is left to do, so that tests wait for events and never sleep. */

export type Activity = {
  /** Some work was promised: a delivery, a status still to come. */
  begin(): void;
  /** That work ended. */
  end(): void;
  /** Something a test may be waiting for has changed. */
  changed(): void;
  /** Calls the listener whenever something may have changed; returns how to stop that. */
  onChange(listener: () => void): () => void;
  idle(): Promise<void>;
  waitFor<T>(predicate: () => T, timeoutMs: number): Promise<T>;
  /** Refuses everybody who still waits, and whoever comes to wait later. */
  close(): void;
};

type Waiter = { readonly check: () => boolean; readonly refuse: (reason: Error) => void };

const STOPPED = "The simulator was stopped, and what is awaited here has not happened.";

export function createActivity(): Activity {
  const waiters = new Set<Waiter>();
  const listeners = new Set<() => void>();
  let open = 0;
  let isClosed = false;

  function changed(): void {
    for (const waiter of waiters) if (waiter.check()) waiters.delete(waiter);
    for (const listener of listeners) listener();
  }

  function waitUntil<T>(predicate: () => T, timeoutMs: number | null): Promise<T> {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const waiter: Waiter = {
        check() {
          try {
            const value = predicate();
            if (!value) return false;
            resolve(value);
          } catch (error) {
            reject(error);
          }
          clearTimeout(timer);
          return true;
        },
        refuse(reason) {
          clearTimeout(timer);
          reject(reason);
        },
      };
      if (waiter.check()) return;
      if (isClosed) return reject(new Error(STOPPED));
      waiters.add(waiter);
      if (timeoutMs === null) return;
      timer = setTimeout(() => {
        waiters.delete(waiter);
        reject(new Error(`Nothing that satisfies the predicate happened within ${timeoutMs} ms: ${predicate}`));
      }, timeoutMs);
    });
  }

  return {
    begin() {
      open += 1;
    },
    end() {
      open -= 1;
      changed();
    },
    changed,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async idle() {
      await waitUntil(() => open === 0, null);
    },
    waitFor: waitUntil,
    close() {
      isClosed = true;
      for (const waiter of waiters) waiter.refuse(new Error(STOPPED));
      waiters.clear();
      listeners.clear();
    },
  };
}
