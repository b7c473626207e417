/** How the doctor says times, amounts and lists. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `3 minutes ago`, in the largest unit of which there are at least two. */
export function ago(then: Date, now: Date): string {
  const ms = now.getTime() - then.getTime();
  return ms < 2_000 ? "just now" : `${span(ms)} ago`;
}

export function span(ms: number): string {
  const [unit, size] =
    ms >= 2 * DAY
      ? ["days", DAY]
      : ms >= 2 * HOUR
        ? ["hours", HOUR]
        : ms >= 2 * MINUTE
          ? ["minutes", MINUTE]
          : ["seconds", 1_000];
  return `${Math.round(ms / (size as number))} ${unit}`;
}

export function days(from: Date, to: Date): number {
  return Math.floor((to.getTime() - from.getTime()) / DAY);
}

/** `1 number`, `2 numbers`. */
export function count(amount: number, one: string, many = `${one}s`): string {
  return `${amount.toLocaleString("en")} ${amount === 1 ? one : many}`;
}

export function list(items: readonly string[]): string {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}

/** Meta's ids of one app differ at their end. */
export function suffix(id: string): string {
  return `…${id.slice(-4)}`;
}
