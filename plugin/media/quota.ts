/** How much one tenant may keep: the store is everybody's. */
import { ChannelError } from "../errors.ts";

const DEFAULT_BYTES = 10 * 1024 ** 3;

/** @throws ChannelError CONFIG_INVALID. */
export function readQuota(given: number | undefined): number {
  const bytes = given ?? DEFAULT_BYTES;
  if (typeof bytes !== "number" || Number.isNaN(bytes) || bytes < 0)
    throw new ChannelError("CONFIG_INVALID", "mediaQuotaBytes must be a number of bytes, or Infinity.", {
      retry: "fix",
    });
  return bytes;
}
