/** An image, video, audio, document or sticker: where Meta keeps it, or why it has none. */
import type { MediaContent } from "../contract.ts";
import { parseErrors } from "./parse-error.ts";
import { asId, asText, type Wire } from "./wire.ts";

/**
 * @param errors those of the message: 131052 when Meta could not fetch the file.
 * @returns null when there is neither a file nor a reason why not.
 */
export function parseMedia(media: MediaContent["media"], wire: Wire | null, errors: unknown): MediaContent | null {
  const [error] = parseErrors(errors);
  if (wire === null && error === undefined) return null;
  return {
    kind: "media",
    media,
    mediaId: asId(wire?.id),
    mimeType: withoutParameters(asText(wire?.mime_type)),
    sha256: asText(wire?.sha256),
    filename: asText(wire?.filename),
    ...(wire?.voice === true && { voice: true }),
    ...(wire?.animated === true && { animated: true }),
    ...(error && { error }),
  };
}

/** `audio/ogg; codecs=opus` → `audio/ogg`. */
function withoutParameters(mimeType: string | null): string | null {
  return asText(mimeType?.split(";", 1)[0]?.trim());
}
