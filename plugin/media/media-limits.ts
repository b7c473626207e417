/** How large a file that somebody sends may be. */
import type { MediaKind } from "../contract.ts";
import { ChannelError } from "../errors.ts";

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
