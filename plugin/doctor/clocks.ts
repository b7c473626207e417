/** Clocks compared over a connection that takes its time. */

/** How far another clock is ahead of ours, had it answered half-way; null when it does not tell. */
export async function aheadOf(now: () => Date, theirs: () => Promise<Date | null>): Promise<number | null> {
  const before = now().getTime();
  const at = await theirs();
  return at === null ? null : at.getTime() - (before + now().getTime()) / 2;
}
