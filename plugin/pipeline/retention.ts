/** How long what the channel stores is kept, once it is settled. What still waits for us is never too old. */
import type { Retention } from "../ports.ts";
import { requireWhole } from "../whole-number.ts";

/** Meta brings a delivery again for 7 days: younger, a redelivery would not be known as one. A status may come for 30. */
const LEAST: Retention = { rawDays: 1, eventDays: 8, sendDays: 30, mediaDays: 8, deadDays: 8 };
const MOST = 36_500;

const DEFAULT_RETENTION: Retention = { rawDays: 30, eventDays: 30, sendDays: 90, mediaDays: 90, deadDays: 90 };

/** @throws ChannelError CONFIG_INVALID. */
export function readRetention(given: Partial<Retention> = {}): Retention {
  const retention = {
    rawDays: given.rawDays ?? DEFAULT_RETENTION.rawDays,
    eventDays: given.eventDays ?? DEFAULT_RETENTION.eventDays,
    sendDays: given.sendDays ?? DEFAULT_RETENTION.sendDays,
    mediaDays: given.mediaDays ?? DEFAULT_RETENTION.mediaDays,
    deadDays: given.deadDays ?? DEFAULT_RETENTION.deadDays,
  };
  const unit = "a whole number of days";
  for (const name of Object.keys(LEAST) as (keyof Retention)[])
    requireWhole(`retention.${name}`, retention[name], { unit, least: LEAST[name], most: MOST });
  return retention;
}
