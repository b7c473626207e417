/** Bytes that a host hands over with a message: kept before anything else, so that no crash between here and Meta loses them. */
import { createHash } from "node:crypto";
import type { MediaKind } from "../contract.ts";
import { ChannelError } from "../errors.ts";
import type { MediaRecords, MediaStore, OutboundMedia } from "../ports.ts";
import { factsOf, fitMedia } from "./fit-media.ts";
import { HEAD_BYTES, typeOf } from "./sniff-type.ts";

export type KeepBytes = (
  file: {
    readonly kind: MediaKind;
    readonly bytes: Uint8Array;
    readonly mime: string;
    readonly filename?: string | undefined;
    readonly hasCaption: boolean;
  },
  to: { readonly customerConfigId: string; readonly conversationId: string },
) => Promise<string>;

/** @throws ChannelError MEDIA_TYPE_UNSUPPORTED, MEDIA_QUOTA_EXCEEDED, MEDIA_STORE_FULL, MEDIA_STORE_UNAVAILABLE. */
export function createKeepBytes(deps: {
  readonly records: Pick<MediaRecords, "reserve" | "discard">;
  readonly mediaStore: Pick<MediaStore, "put">;
  readonly outboundMedia: Pick<OutboundMedia, "findKept" | "keepFor">;
  readonly quotaBytes: number;
}): KeepBytes {
  const { records, mediaStore, outboundMedia, quotaBytes } = deps;
  return async ({ kind, bytes, mime: said, filename, hasCaption }, to) => {
    const head = bytes.subarray(0, HEAD_BYTES);
    const mime = typeOf(head, kind === "audio" ? "audio/mp4" : said);
    const fit = fitMedia(factsOf(head, mime, bytes.byteLength), { kind, hasCaption, isFixed: false });
    if (fit === null || !fit.isUploadable)
      throw new ChannelError(
        "MEDIA_TYPE_UNSUPPORTED",
        `WhatsApp takes no file of type ${mime} and ${bytes.byteLength} bytes as ${kind}: send another one, or a link.`,
      );
    const file = { ...to, mime, sha256: createHash("sha256").update(bytes).digest("hex") };
    const before = await outboundMedia.findKept(file);
    if (before !== null) return before;
    const storageKey = await records.reserve(to.customerConfigId);
    try {
      await mediaStore.put(storageKey, once(bytes), { mime });
      const kept = { ...file, kind: fit.kind, filename: filename ?? null, size: bytes.byteLength, storageKey };
      return await outboundMedia.keepFor(kept, quotaBytes);
    } catch (error) {
      // Where this fails too, the key is due in a day by itself.
      await records.discard(storageKey).catch(() => undefined);
      throw error;
    }
  };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
