/** What a file can be sent as, by what it is and how large: as wished, as another kind, or as no upload at all. */
import type { MediaKind } from "../contract.ts";
import { LIMITS } from "../messages/limits.ts";

/** Of the bytes themselves. */
export type FileFacts = {
  readonly mime: string;
  readonly size: number;
  /** Of Opus in Ogg; null for everything else. */
  readonly channels: number | null;
  /** Of WebP. */
  readonly isAnimated: boolean;
};

export type MediaWish = {
  readonly kind: MediaKind;
  readonly hasCaption: boolean;
  /** Only this kind will do: a header, a card. */
  readonly isFixed: boolean;
};

export type Fit = {
  readonly kind: MediaKind;
  /** Whether Meta takes these bytes from us; if not, it may still fetch them by a link. */
  readonly isUploadable: boolean;
};

const { imageFile, videoFile, audioFile, documentFile, stickerFile, animatedStickerFile } = LIMITS;
const OFFICE = "application/vnd.openxmlformats-officedocument";

/** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media */
const UPLOADABLE: Readonly<Record<string, number>> = {
  "audio/aac": audioFile.max,
  "audio/amr": audioFile.max,
  "audio/mp4": audioFile.max,
  "audio/mpeg": audioFile.max,
  "audio/ogg": audioFile.max,
  "application/msword": documentFile.max,
  "application/pdf": documentFile.max,
  "application/vnd.ms-excel": documentFile.max,
  "application/vnd.ms-powerpoint": documentFile.max,
  [`${OFFICE}.presentationml.presentation`]: documentFile.max,
  [`${OFFICE}.spreadsheetml.sheet`]: documentFile.max,
  [`${OFFICE}.wordprocessingml.document`]: documentFile.max,
  "text/plain": documentFile.max,
  "image/jpeg": imageFile.max,
  "image/png": imageFile.max,
  "image/webp": animatedStickerFile.max,
  "video/3gpp": videoFile.max,
  "video/mp4": videoFile.max,
};

/** @returns null when it is more than WhatsApp takes as anything, or not what it must be. */
export function fitMedia(facts: FileFacts, { kind: wished, hasCaption, isFixed }: MediaWish): Fit | null {
  const candidates: readonly MediaKind[] = isFixed ? [wished] : [wished, naturalKind(facts), "document"];
  const kind = candidates.find((one) => accepts(one, facts) && !(hasCaption && isMute(one)));
  if (kind === undefined) return null;
  const most = Object.hasOwn(UPLOADABLE, facts.mime) ? UPLOADABLE[facts.mime] : undefined;
  return { kind, isUploadable: most !== undefined && facts.size <= most };
}

/** WhatsApp shows no words with these. */
function isMute(kind: MediaKind): boolean {
  return kind === "audio" || kind === "sticker";
}

function accepts(kind: MediaKind, { mime, size, channels, isAnimated }: FileFacts): boolean {
  switch (kind) {
    case "image":
      return (mime === "image/jpeg" || mime === "image/png") && size <= imageFile.max;
    case "video":
      return (mime === "video/mp4" || mime === "video/3gpp") && size <= videoFile.max;
    case "audio":
      // Of Ogg, WhatsApp plays Opus in one channel and nothing else.
      return (
        mime.startsWith("audio/") &&
        Object.hasOwn(UPLOADABLE, mime) &&
        (mime !== "audio/ogg" || channels === 1) &&
        size <= audioFile.max
      );
    case "sticker":
      return mime === "image/webp" && size <= (isAnimated ? animatedStickerFile.max : stickerFile.max);
    case "document":
      return size <= documentFile.max;
  }
}

/** A WebP picture is no sticker because it could be one. */
function naturalKind({ mime }: FileFacts): MediaKind {
  if (mime === "image/jpeg" || mime === "image/png") return "image";
  if (mime.startsWith("video/")) return "video";
  return mime.startsWith("audio/") ? "audio" : "document";
}

/** @param head the first bytes. */
export function factsOf(head: Uint8Array, mime: string, size: number): FileFacts {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  return { mime, size, channels: channelsOf(bytes), isAnimated: isAnimatedWebp(bytes) };
}

/** @see https://www.rfc-editor.org/rfc/rfc7845#section-5.1 */
function channelsOf(head: Buffer): number | null {
  const at = head.indexOf("OpusHead");
  return head.subarray(0, 4).toString("latin1") === "OggS" && at !== -1 ? (head[at + 9] ?? null) : null;
}

/** @see https://developers.google.com/speed/webp/docs/riff_container#extended_file_format */
function isAnimatedWebp(head: Buffer): boolean {
  return head.subarray(12, 16).toString("latin1") === "VP8X" && ((head[20] ?? 0) & 0x02) !== 0;
}
