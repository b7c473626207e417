/** A host that never comes back must not keep its conversation, or its place, for ever; what it says too late is not heard. */
import { ChannelError } from "../errors.ts";

/** Node's timers take no more, and one that is given more is over at once. @see https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
const MOST_MS = 2_147_483_647;

/** @throws ChannelError CONFIG_INVALID: `Infinity` too, which would be over after a millisecond. */
export function requireTimeouts(given: Readonly<Record<string, number | undefined>>): void {
  for (const [name, ms] of Object.entries(given))
    if (ms !== undefined && (!Number.isSafeInteger(ms) || ms < 1 || ms > MOST_MS))
      throw new ChannelError("CONFIG_INVALID", `${name} must be whole milliseconds from 1 to ${MOST_MS}.`, {
        retry: "fix",
      });
}

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
