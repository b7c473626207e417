/** What an operator is to be woken for: each kind with its limit, its unit and what to do. */
import type { AlarmKind } from "../contract.ts";
import { ChannelError } from "../errors.ts";

/** An alarm is raised above its limit and cleared at half of it; `Infinity` turns it off. */
export type AlarmLimits = Readonly<Record<AlarmKind, number>>;

type AlarmKindSheet = {
  readonly limit: number;
  readonly unit: "seconds" | "count";
  /** What is wrong and what to do. @param subject the stage, or our id of the connection; empty where there is none. */
  readonly raised: (value: number, subject: string) => string;
  readonly cleared: (subject: string) => string;
};

const FAILS: Readonly<Record<string, string>> = {
  in: "the applying of an event",
  turn: "reply",
  notify: "onEvent",
};

export const ALARMS: Readonly<Record<AlarmKind, AlarmKindSheet>> = {
  lag: {
    limit: 60,
    unit: "seconds",
    raised: (value, stage) =>
      `Work of stage "${stage}" has been ready for ${value} s and nobody takes it. See that processes run (start, or tick), and that reply, onEvent and the database are quick enough.`,
    cleared: (stage) => `Work of stage "${stage}" is taken in time again.`,
  },
  failing: {
    limit: 0,
    unit: "count",
    raised: (value, stage) =>
      `In ${value} conversations ${FAILS[stage] ?? stage} has failed time and again, and is tried again. The log names the error by its class and code, at warn, and your own has the rest: mend that soon, and they go on by themselves.`,
    cleared: (stage) => `Nothing of stage "${stage}" fails again and again any more.`,
  },
  "long-transaction": {
    limit: 120,
    unit: "seconds",
    raised: (value) =>
      `A transaction has been open for ${value} s: vacuum cannot clean behind it, and the queue slows down. Find it in pg_stat_activity (order by xact_start) or pg_prepared_xacts, and end it.`,
    cleared: () => "No transaction holds vacuum back any more.",
  },
  "dead-rows": {
    limit: 1_000_000,
    unit: "count",
    raised: (value) =>
      `whatsapp_lanes has ${value} dead rows: vacuum does not come, or cannot clean. Look for long transactions, for replication slots with an xmin, and at its last_autovacuum.`,
    cleared: () => "whatsapp_lanes is vacuumed again.",
  },
  "webhooks-silent": {
    limit: 600,
    unit: "seconds",
    raised: (value, connection) =>
      `Meta accepts messages of connection ${connection}, and nothing has come of that number for ${value} s, not even their statuses. Run whatsapp-channel doctor: it says where the webhooks stop.`,
    cleared: (connection) => `Webhooks of connection ${connection} come again, or nothing waits for them.`,
  },
  "webhooks-elsewhere": {
    limit: 0,
    unit: "count",
    raised: (_, connection) =>
      `Meta sends the webhooks of connection ${connection} to another address, or no longer to this app. Whoever set that up gets its messages: run whatsapp-channel doctor, and ask who holds its token.`,
    cleared: (connection) => `Webhooks of connection ${connection} come here again.`,
  },
  "unknown-sends": {
    limit: 0,
    unit: "count",
    raised: (value) =>
      `${value} parts became unknown in the last hour: Meta's answer was lost and no status came. Nothing is sent again by itself: look at the receipts, and decide.`,
    cleared: () => "No part has become unknown for an hour.",
  },
  "sent-twice": {
    limit: 0,
    unit: "count",
    raised: (value) =>
      `${value} parts of the last hour turned out to have been sent twice: statuses come later than WHATSAPP_RECONCILE_MS. Raise it, or use onAmbiguous "hold" for what must never arrive twice.`,
    cleared: () => "No part has turned out to be sent twice for an hour.",
  },
  "dead-letters": {
    limit: 0,
    unit: "count",
    raised: (value, stage) =>
      `${value} dead letters of stage "${stage}" in the last hour. Run whatsapp-channel dead-letters list --stage ${stage}: it names each error; mend that, then redrive.`,
    cleared: (stage) => `No dead letter of stage "${stage}" is new in the last hour; those that lie aside still do.`,
  },
  "media-store": {
    limit: 0,
    unit: "count",
    raised: (value) =>
      `${value} files that people sent cannot be stored: the media store is full or away, or a tenant's quota is used up; last_error in whatsapp_media says which. They are tried again for 7 days, as long as Meta has them.`,
    cleared: () => "Every file that came can be stored again.",
  },
  retention: {
    limit: 3_600,
    unit: "seconds",
    raised: (value) =>
      `What was to be deleted by its age ${value} s ago is still there: more comes than goes, or the upkeep fails. The log says "upkeep failed" where it does; else see that the database is quick enough, and that processes run (start, or tick).`,
    cleared: () => "What is too old is deleted in time again.",
  },
  quarantined: {
    limit: 0,
    unit: "count",
    raised: (value) =>
      `${value} deliveries in the last hour could not be read: their bytes are kept in whatsapp_webhooks, with an error that begins with quarantined. Report them to the package's authors.`,
    cleared: () => "Every delivery could be read for an hour.",
  },
};

/** Sends that are older than a day are not looked at. */
const SILENCE_SEEN_S = 86_400;

/** @returns the limits, or null where the host wants no alarms. @throws ChannelError CONFIG_INVALID. */
export function readAlarmLimits(given: Partial<AlarmLimits> | false = {}): AlarmLimits | null {
  if (given === false) return null;
  for (const [kind, limit] of Object.entries(given)) {
    if (!Object.hasOwn(ALARMS, kind))
      throw new ChannelError("CONFIG_INVALID", `alarms.${kind} is no alarm: ${Object.keys(ALARMS).join(", ")}.`);
    if (kind === "webhooks-silent" && limit !== Number.POSITIVE_INFINITY && Number(limit) > SILENCE_SEEN_S)
      throw new ChannelError(
        "CONFIG_INVALID",
        `alarms.webhooks-silent must be at most ${SILENCE_SEEN_S} (seconds), or Infinity for none: a silence is looked for in the last day only.`,
      );
    if (limit !== undefined && (typeof limit !== "number" || !(limit >= 0)))
      throw new ChannelError("CONFIG_INVALID", `alarms.${kind} must be a number from 0, or Infinity for none.`);
  }
  const entries = Object.entries(ALARMS).map(([kind, { limit }]) => [kind, given[kind as AlarmKind] ?? limit]);
  return Object.fromEntries(entries) as AlarmLimits;
}
