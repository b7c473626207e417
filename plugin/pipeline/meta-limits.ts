/** What Meta allows, as it says itself. */
import { ChannelError } from "../errors.ts";
import type { PairLimit } from "../ports.ts";

export type MetaLimits = {
  /** @see https://developers.facebook.com/docs/whatsapp/cloud-api/overview#pair-rate-limits */
  readonly pair: PairLimit;
};

export const META_LIMITS: MetaLimits = { pair: { intervalMs: 6_000, burst: 45 } };

/** @throws ChannelError CONFIG_INVALID. */
export function readMetaLimits(given: Partial<MetaLimits> = {}): MetaLimits {
  const limits = { pair: given.pair ?? META_LIMITS.pair };
  require("pair.intervalMs", Number.isFinite(limits.pair.intervalMs) && limits.pair.intervalMs >= 0);
  require("pair.burst", Number.isInteger(limits.pair.burst) && limits.pair.burst >= 1);
  return limits;
}

function require(name: string, isGood: boolean): void {
  if (!isGood) throw new ChannelError("CONFIG_INVALID", `metaLimits.${name} is no limit that can be kept.`);
}
