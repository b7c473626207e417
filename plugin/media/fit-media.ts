/** What a file can be sent as, by what it is and how large: as wished, as another kind, or as no upload at all. */
import type { MediaKind } from "../contract.ts";
import { LIMITS } from "../messages/limits.ts";
import { isAnimatedWebp, MEDIA_KINDS, META_TYPES } from "./meta-media.ts";

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

/** The most bytes that Meta takes from us, by type; of WebP those of a moving sticker. */
const MOST_OF_KIND: Readonly<Record<MediaKind, number>> = {
  audio: audioFile.max,
  document: documentFile.max,
  image: imageFile.max,
  sticker: animatedStickerFile.max,
  video: videoFile.max,
};
const UPLOADABLE: ReadonlyMap<string, number> = new Map(
  MEDIA_KINDS.flatMap((kind) => META_TYPES[kind].map((mime) => [mime, MOST_OF_KIND[kind]] as const)),
);

/** @returns null when WhatsApp takes it as nothing at all, or not as the one kind that it must be. */
export function fitMedia(facts: FileFacts, { kind: wished, hasCaption, isFixed }: MediaWish): Fit | null {
  const candidates: readonly MediaKind[] = isFixed ? [wished] : [wished, naturalKind(facts), "document"];
  const kind = candidates.find((one) => accepts(one, facts) && !(hasCaption && isMute(one)));
  if (kind === undefined) return null;
  const most = UPLOADABLE.get(facts.mime);
  return { kind, isUploadable: most !== undefined && facts.size <= most };
}

/** WhatsApp shows no words with these. */
function isMute(kind: MediaKind): boolean {
  return kind === "audio" || kind === "sticker";
}

function accepts(kind: MediaKind, { mime, size, channels, isAnimated }: FileFacts): boolean {
  switch (kind) {
    case "image":
    case "video":
      return META_TYPES[kind].includes(mime) && size <= MOST_OF_KIND[kind];
    case "audio":
      // Of Ogg, WhatsApp plays Opus in one channel and nothing else.
      return META_TYPES.audio.includes(mime) && (mime !== "audio/ogg" || channels === 1) && size <= audioFile.max;
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
