/** What each option that is a time may be. */
import { DAY_MS, HOUR_MS, LONGEST_TIMER_MS, requireMs } from "../whole-number.ts";
import type { WhatsAppPluginOptions } from "./whatsapp-plugin.ts";

const TIMES = {
  replyTimeoutMs: { least: 1, most: LONGEST_TIMER_MS },
  eventTimeoutMs: { least: 1, most: LONGEST_TIMER_MS },
  pollMs: { least: 10, most: HOUR_MS },
  upkeepMs: { least: 10, most: DAY_MS },
  // A hundred years: for ever, and yet a date.
  pauseAfterStaffMs: { least: 0, most: 36_500 * DAY_MS },
} as const satisfies Partial<Record<keyof WhatsAppPluginOptions, { readonly least: number; readonly most: number }>>;

/** @throws ChannelError CONFIG_INVALID. */
export function requireTimes(options: WhatsAppPluginOptions): void {
  for (const name of Object.keys(TIMES) as (keyof typeof TIMES)[]) {
    const given = options[name];
    if (given !== undefined) requireMs(name, given, TIMES[name]);
  }
}
