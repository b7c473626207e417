/** Which files Meta takes, as what, and how large they may be. @see https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media#supported-media-types */
import type { MediaKind } from "../contract.ts";
import { ChannelError } from "../errors.ts";
import { LIMITS } from "../messages/limits.ts";

export const META_TYPES: Readonly<Record<MediaKind, readonly string[]>> = {
  image: ["image/jpeg", "image/png"],
  video: ["video/mp4", "video/3gpp"],
  audio: ["audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"],
  sticker: ["image/webp"],
  document: [
    "application/pdf",
    "text/plain",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
  ],
};

export const MEDIA_KINDS = Object.keys(META_TYPES) as readonly MediaKind[];

/** The largest file that Meta takes at all. */
export const MAX_MEDIA_BYTES = LIMITS.documentFile.max;

/**
 * @param mime of the bytes. @param wanted the kind it is to be sent as; null: the one that fits.
 * @returns its kind, and the most bytes that Meta takes of it.
 * @throws ChannelError MEDIA_TYPE_UNSUPPORTED, saying what may be sent instead.
 */
export function fitForMeta(
  mime: string,
  wanted: MediaKind | null,
  head: Uint8Array,
): { readonly kind: MediaKind; readonly maxBytes: number } {
  const kind = wanted ?? MEDIA_KINDS.find((one) => META_TYPES[one].includes(mime));
  if (kind === undefined || !META_TYPES[kind].includes(mime)) throw unsupported(mime, kind);
  return { kind, maxBytes: maxBytesOf(kind, head) };
}

function maxBytesOf(kind: MediaKind, head: Uint8Array): number {
  if (kind === "sticker") return (isAnimatedWebp(head) ? LIMITS.animatedStickerFile : LIMITS.stickerFile).max;
  return { image: LIMITS.imageFile, video: LIMITS.videoFile, audio: LIMITS.audioFile, document: LIMITS.documentFile }[
    kind
  ].max;
}

/** @see https://developers.google.com/speed/webp/docs/riff_container#extended_file_format */
export function isAnimatedWebp(head: Uint8Array): boolean {
  return Buffer.from(head.subarray(12, 16)).toString("latin1") === "VP8X" && ((head[20] ?? 0) & 0x02) !== 0;
}

function unsupported(mime: string, kind: MediaKind | undefined): ChannelError {
  const may = kind === undefined ? MEDIA_KINDS.flatMap((one) => META_TYPES[one]) : META_TYPES[kind];
  const what = kind === undefined ? "WhatsApp takes no file of this type" : `WhatsApp takes no ${kind} of this type`;
  return new ChannelError(
    "MEDIA_TYPE_UNSUPPORTED",
    `${what}: by its bytes it is ${mime}. It may be ${may.join(", ")}.`,
  );
}
