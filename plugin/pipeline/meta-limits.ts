/** What Meta allows, as it says itself. */
import { ChannelError } from "../errors.ts";
import type { PairLimit, ThroughputLevel } from "../ports.ts";

export type MetaLimits = {
  /** @see https://developers.facebook.com/docs/whatsapp/cloud-api/overview#pair-rate-limits */
  readonly pair: PairLimit;
  /** Of a number; Infinity: not counted. @see https://developers.facebook.com/docs/whatsapp/cloud-api/overview#throughput */
  readonly messagesPerSecond: Readonly<Record<ThroughputLevel, number>>;
};

/** What of Meta's limits is not what its documentation says. */
export type MetaLimitsGiven = {
  readonly pair?: PairLimit;
  readonly messagesPerSecond?: Partial<MetaLimits["messagesPerSecond"]>;
};

export const META_LIMITS: MetaLimits = {
  pair: { intervalMs: 6_000, burst: 45 },
  messagesPerSecond: { standard: 80, coexistence: 20, high: 1_000 },
};

/** More than anybody wants, and intervals that Postgres can still add up. */
const MOST = 3_600_000;
/** One a day. */
const LEAST_PER_SECOND = 1 / 86_400;

/** @throws ChannelError CONFIG_INVALID. */
export function readMetaLimits(given: MetaLimitsGiven = {}): MetaLimits {
  const limits = {
    pair: given.pair ?? META_LIMITS.pair,
    messagesPerSecond: { ...META_LIMITS.messagesPerSecond, ...given.messagesPerSecond },
  };
  const { intervalMs, burst } = limits.pair;
  require("pair.intervalMs", Number.isFinite(intervalMs) && intervalMs >= 0 && intervalMs <= MOST);
  require("pair.burst", Number.isInteger(burst) && burst >= 1 && burst <= MOST);
  for (const [level, rate] of Object.entries(limits.messagesPerSecond))
    require(`messagesPerSecond.${level}`, typeof rate === "number" && rate >= LEAST_PER_SECOND);
  return limits;
}

function require(name: string, isGood: boolean): void {
  if (!isGood) throw new ChannelError("CONFIG_INVALID", `metaLimits.${name} is no limit that can be kept.`);
}
