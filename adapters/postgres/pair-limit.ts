/** Meta's limit per recipient, counted in the lane's row: it is leased by whoever sends, so nobody contends for it. */
import type { PairLimit } from "../../plugin/ports.ts";

/** A message may be longer on its way than the one after it, and Meta counts when it arrives: whoever waits waits so much longer. */
const ON_THE_WAY = 1 / 3;

/** Of a lane `l`: how long until its person may get one more. Whole numbers, none below 0. */
export function pacedMs(pair: PairLimit | undefined): string {
  if (pair === undefined) return "0";
  const left = `extract(epoch from l.paced_until - now()) * 1000 - ${(pair.burst - 1) * pair.intervalMs}`;
  return `case when ${left} > 0 then ceil(${left} + ${Math.ceil(pair.intervalMs * ON_THE_WAY)})::int else 0 end`;
}

/** Of a lane `l`: `paced_until` after one more message. */
export function pacedBy(pair: PairLimit | undefined): string {
  if (pair === undefined) return "l.paced_until";
  return `greatest(l.paced_until, now()) + interval '${pair.intervalMs} milliseconds'`;
}

/** Meta's code for a person who gets too much at once. */
export const PAIR_LIMIT = 131_056;

/** Of a lane `l`: `paced_until` when Meta says that the burst is used up, whatever was counted here. */
export function pacedOut(pair: PairLimit | undefined): string {
  if (pair === undefined) return "l.paced_until";
  return `greatest(l.paced_until, now() + interval '${pair.burst * pair.intervalMs} milliseconds')`;
}
