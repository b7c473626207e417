/** How long to wait before trying again: exponential, capped, with jitter so that failures do not come back in step. */
import { DAY_MS, requireMs, requireWhole } from "../whole-number.ts";

/** How often something that fails is tried, and how long it waits in between. */
export type RetrySchedule = {
  /** After this many failures in a row the item is moved aside and its lane goes on. */
  readonly maxAttempts: number;
  /** The first wait, in milliseconds; each is twice the one before it, give or take a quarter. */
  readonly baseMs: number;
  /** The longest wait, in milliseconds. */
  readonly maxMs: number;
};

/** 1, 2, 4 … 256 s, then 5 minutes: thirteen attempts span some 23 minutes, and never less than 17. */
export const DEFAULT_RETRY: RetrySchedule = { maxAttempts: 13, baseMs: 1_000, maxMs: 300_000 };

/** As many as a schedule may have, so that what fails is moved aside at last. */
const MOST_ATTEMPTS = 1_000_000;

/** @throws ChannelError CONFIG_INVALID. */
export function readRetry(given: Partial<RetrySchedule> = {}): RetrySchedule {
  const attempts = { unit: "a whole number", least: 1, most: MOST_ATTEMPTS } as const;
  const wait = { least: 1, most: DAY_MS };
  return {
    maxAttempts: requireWhole("retry.maxAttempts", given.maxAttempts ?? DEFAULT_RETRY.maxAttempts, attempts),
    baseMs: requireMs("retry.baseMs", given.baseMs ?? DEFAULT_RETRY.baseMs, wait),
    maxMs: requireMs("retry.maxMs", given.maxMs ?? DEFAULT_RETRY.maxMs, wait),
  };
}

/** @param failures how many times it has failed so far, this one included. */
export function retryDelayMs({ baseMs, maxMs }: RetrySchedule, failures: number, random: () => number): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.max(0, failures - 1));
  return Math.round(full * (0.75 + random() / 2));
}
