/** Removes from the media store what no row has: after an erasure, after their time, or because a process ended while it wrote. */
import type { Leftover, MediaRecords, MediaStore } from "../ports.ts";

const BATCH = 100;
/** Looking for what is half costs a request to a bucket, whether there is any or not. */
const SWEEP_EVERY_MS = 60 * 60 * 1_000;
/** Nothing takes so long to be written. */
const ABANDONED_MS = 24 * 60 * 60 * 1_000;

export type RemoveLeftoversDeps = {
  readonly records: Pick<MediaRecords, "due" | "removed">;
  readonly mediaStore: Pick<MediaStore, "remove" | "sweep">;
  readonly now: () => Date;
};

/** Goes past objects that cannot be removed, and fails with the first of their errors at the end: the next round tries them again. */
export function createRemoveLeftovers({ records, mediaStore, now }: RemoveLeftoversDeps) {
  let sweptAt = Number.NEGATIVE_INFINITY;
  return async (signal: AbortSignal): Promise<void> => {
    const errors: unknown[] = [];
    for (let last: Leftover | null = null; !signal.aborted; ) {
      const due: readonly Leftover[] = await records.due(BATCH, last);
      const removed: string[] = [];
      for (const { storageKey } of due) {
        if (signal.aborted) break;
        try {
          await mediaStore.remove(storageKey);
          removed.push(storageKey);
        } catch (error) {
          errors.push(error);
        }
      }
      // After the objects: whoever ends in between finds them here again.
      if (removed.length > 0) await records.removed(removed);
      if (due.length < BATCH || errors.length > BATCH) break;
      last = due.at(-1) ?? null;
    }
    const time = now().getTime();
    if (!signal.aborted && time - sweptAt >= SWEEP_EVERY_MS) {
      await mediaStore.sweep(new Date(time - ABANDONED_MS));
      sweptAt = time;
    }
    if (errors.length > 0) throw errors[0];
  };
}
