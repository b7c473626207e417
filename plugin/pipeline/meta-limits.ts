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

/** @throws ChannelError CONFIG_INVALID. */
export function readMetaLimits(given: MetaLimitsGiven = {}): MetaLimits {
  const limits = {
    pair: given.pair ?? META_LIMITS.pair,
    messagesPerSecond: { ...META_LIMITS.messagesPerSecond, ...given.messagesPerSecond },
  };
  require("pair.intervalMs", Number.isFinite(limits.pair.intervalMs) && limits.pair.intervalMs >= 0);
  require("pair.burst", Number.isInteger(limits.pair.burst) && limits.pair.burst >= 1);
  for (const [level, rate] of Object.entries(limits.messagesPerSecond)) require(`messagesPerSecond.${level}`, rate > 0);
  return limits;
}

function require(name: string, isGood: boolean): void {
  if (!isGood) throw new ChannelError("CONFIG_INVALID", `metaLimits.${name} is no limit that can be kept.`);
}
