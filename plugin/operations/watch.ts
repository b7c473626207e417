/** Alarms, looked at with the upkeep: raised once when a limit is crossed, cleared once when it is over, by one of all instances. */
import type { Alarm } from "../contract.ts";
import type { Alarms, Logger, RaisedAlarm, Sign } from "../ports.ts";
import { ALARMS, type AlarmLimits } from "./alarms.ts";

export type WatchDeps = { readonly alarms: Alarms; readonly limits: AlarmLimits; readonly log: Logger };

/** @returns an upkeep task. */
export function createWatch({ alarms, limits, log }: WatchDeps): () => Promise<void> {
  return async () => {
    const signs = await alarms.signs();
    const changes = judge(signs, await alarms.raised(), limits);
    if (changes.length === 0) return;
    for (const { kind, state, subject, value, limit, message } of await alarms.change(changes))
      log[state === "raised" ? "warn" : "info"]({ alarm: kind, state, subject, value, limit }, message);
  };
}

/** Half of the limit to be cleared: a value that trembles about it raises no alarm a minute. Pure. */
export function judge(
  signs: readonly Sign[],
  raised: readonly RaisedAlarm[],
  limits: AlarmLimits,
): readonly Omit<Alarm, "since">[] {
  const isRaised = (kind: string, subject: string) =>
    raised.some((one) => one.kind === kind && one.subject === subject);
  const risen = signs
    .filter(({ kind, subject, value }) => value > limits[kind] && !isRaised(kind, subject))
    .map(({ kind, subject, value }) => toAlarm("raised", kind, subject, value, limits));
  const fallen = raised.flatMap(({ kind, subject }) => {
    const value = signs.find((sign) => sign.kind === kind && sign.subject === subject)?.value ?? 0;
    return value <= limits[kind] / 2 ? [toAlarm("cleared", kind, subject, value, limits)] : [];
  });
  return [...risen, ...fallen];
}

function toAlarm(
  state: Alarm["state"],
  kind: Alarm["kind"],
  subject: string,
  exact: number,
  limits: AlarmLimits,
): Omit<Alarm, "since"> {
  const { unit, raised, cleared } = ALARMS[kind];
  const value = Math.round(exact);
  const message = state === "raised" ? raised(value, subject) : cleared(subject);
  return { kind, state, subject, value, limit: limits[kind], unit, message };
}
