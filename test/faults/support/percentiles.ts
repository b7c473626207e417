/** For what an experiment prints: what is asserted of it depends on the machine (`pass-lines.ts`). */
export function percentiles(took: readonly number[]): string {
  const at = (share: number) => `${percentile(took, share).toFixed(0)} ms`;
  return `p50 ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)}`;
}

/** @param share 0.95: all but the slowest twentieth took no longer. NaN where nothing was measured. */
export function percentile(took: readonly number[], share: number): number {
  const sorted = [...took].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
}
