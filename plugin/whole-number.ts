/** Times and counts that a host gives: what no timer, date or column can take is refused when the plugin is made, not met by each message. */
import { ChannelError } from "./errors.ts";

/** Node's timers take no more, and one that is given more is over at once. @see https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
export const LONGEST_TIMER_MS = 2_147_483_647;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

type Whole = {
  readonly unit: "whole milliseconds" | "a whole number" | "a whole number of days";
  readonly least: number;
  readonly most: number;
};

/** @throws ChannelError CONFIG_INVALID naming the option: of `Infinity` too, which Node takes for a millisecond. */
export function requireWhole(name: string, given: number, { unit, least, most }: Whole): number {
  if (!Number.isSafeInteger(given) || given < least || given > most)
    throw new ChannelError("CONFIG_INVALID", `${name} must be ${unit} from ${least} to ${most}.`, { retry: "fix" });
  return given;
}

/** @throws ChannelError CONFIG_INVALID. */
export function requireMs(
  name: string,
  given: number,
  { least, most }: { readonly least: number; readonly most: number },
): number {
  return requireWhole(name, given, { unit: "whole milliseconds", least, most });
}
