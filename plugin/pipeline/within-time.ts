/** A host that never comes back must not keep its conversation, or its place, for ever; what it says too late is not heard. */
/**
 * @param signal aborts what is run, and leaves its end to whoever aborts.
 * @param run gets a signal that aborts when the time is over too.
 * @throws TookTooLong
 */
export async function withinTime<T>(
  ms: number,
  signal: AbortSignal,
  run: (until: AbortSignal) => Promise<T>,
): Promise<T> {
  const aborter = new AbortController();
  const abort = () => aborter.abort(signal.reason);
  signal.addEventListener("abort", abort);
  let timer: NodeJS.Timeout | undefined;
  try {
    const tooLate = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        const error = new TookTooLong("The host has not answered in time.");
        aborter.abort(error);
        reject(error);
      }, ms);
      timer.unref();
    });
    return await Promise.race([run(aborter.signal), tooLate]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

class TookTooLong extends Error {
  override readonly name = "TookTooLong";
}
