/** Waiting that somebody can end. */

/** Resolves with the work, which itself goes on when it is waited for no more. @throws the signal's reason. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  signal.throwIfAborted();
  let give = () => {};
  const aborted = new Promise<never>((_, reject) => {
    give = () => reject(signal.reason);
    signal.addEventListener("abort", give, { once: true });
  });
  return Promise.race([work, aborted]).finally(() => signal.removeEventListener("abort", give));
}
