/** How large a file that somebody sends may be, and how long it may take. */
import type { MediaKind } from "../contract.ts";
import { ChannelError } from "../errors.ts";
import { HOUR_MS, requireMs } from "../whole-number.ts";

const MB = 1024 * 1024;

/**
 * What arrives may be larger than what may be sent: Meta hands on whatever people's apps make, up to 100 MB (131052 above).
 * Pictures and stickers are far smaller, and a stream of them without an end is cut off sooner.
 * @see https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media
 */
export const DEFAULT_MEDIA_BYTES: Readonly<Record<MediaKind, number>> = {
  image: 25 * MB,
  sticker: 2 * MB,
  audio: 100 * MB,
  video: 100 * MB,
  document: 100 * MB,
};

/** @throws ChannelError CONFIG_INVALID. */
export function readMediaBytes(given: Partial<Record<MediaKind, number>> = {}): Readonly<Record<MediaKind, number>> {
  for (const [kind, bytes] of Object.entries(given))
    if (!Object.hasOwn(DEFAULT_MEDIA_BYTES, kind) || !Number.isSafeInteger(bytes) || bytes < 1)
      throw new ChannelError(
        "CONFIG_INVALID",
        `mediaMaxBytes.${kind} must be a whole number of bytes from 1; kinds are ${Object.keys(DEFAULT_MEDIA_BYTES).join(", ")}.`,
        { retry: "fix" },
      );
  return { ...DEFAULT_MEDIA_BYTES, ...given };
}

export type MediaTimes = { readonly waitMs: number; readonly stallMs: number; readonly totalMs: number };

const DEFAULT_TIMES: MediaTimes = { waitMs: 5_000, stallMs: 15_000, totalMs: 120_000 };

/** @throws ChannelError CONFIG_INVALID. */
export function readMediaTimes(
  waitMs: number | undefined,
  timeouts: { readonly stallMs?: number | undefined; readonly totalMs?: number | undefined } = {},
): MediaTimes {
  const download = { least: 1, most: HOUR_MS };
  return {
    waitMs: requireMs("mediaWaitMs", waitMs ?? DEFAULT_TIMES.waitMs, { least: 0, most: HOUR_MS }),
    stallMs: requireMs("mediaTimeouts.stallMs", timeouts.stallMs ?? DEFAULT_TIMES.stallMs, download),
    totalMs: requireMs("mediaTimeouts.totalMs", timeouts.totalMs ?? DEFAULT_TIMES.totalMs, download),
  };
}
