/** A file that a host uploads: looked at while it comes in, kept whole or not at all. */
import { createHash } from "node:crypto";
import type { MediaKind } from "../contract.ts";
import { ChannelError, quotaExceeded } from "../errors.ts";
import type { ByteStream, MediaRecords, MediaStore } from "../ports.ts";
import { safeFileName } from "./file-name.ts";
import { fitForMeta } from "./meta-media.ts";
import { HEAD_BYTES, typeOf } from "./sniff-type.ts";

/** What is on its way counts for no quota, so that no tenant may have more of it than this, in one process. */
const UPLOADS_AT_ONCE = 8;

export type Upload = {
  readonly customerConfigId: string;
  readonly bytes: ByteStream;
  /** As their user names and calls it. */
  readonly filename: string | null;
  readonly said: string | null;
  /** What it is to be sent as; null: what its bytes are. */
  readonly kind: MediaKind | null;
};

export type UploadedMedia = {
  readonly id: string;
  readonly kind: MediaKind;
  readonly mime: string;
  readonly size: number;
  readonly sha256: string;
};

/**
 * @throws ChannelError MEDIA_TYPE_UNSUPPORTED, MEDIA_TOO_LARGE, MEDIA_QUOTA_EXCEEDED, MEDIA_STORE_FULL, MEDIA_STORE_UNAVAILABLE,
 * OVERLOADED, REQUEST_INVALID, and whatever `bytes` throw. Nothing is kept then.
 */
export type UploadMedia = (upload: Upload) => Promise<UploadedMedia>;

export type UploadMediaDeps = {
  readonly records: Pick<MediaRecords, "reserve" | "keep" | "discard" | "used">;
  readonly mediaStore: Pick<MediaStore, "put">;
  readonly quotaBytes: number;
};

export function createUploadMedia({ records, mediaStore, quotaBytes }: UploadMediaDeps): UploadMedia {
  const underWay = new Map<string, number>();

  async function upload({ customerConfigId, bytes, filename, said, kind: wanted }: Upload): Promise<UploadedMedia> {
    const { head, rest } = await readHead(bytes);
    if (head.byteLength === 0) throw new ChannelError("REQUEST_INVALID", "file: is empty");
    const mime = typeOf(head, said);
    const { kind, maxBytes } = fitForMeta(mime, wanted, head);
    const left = quotaBytes - (await records.used(customerConfigId));
    const storageKey = await records.reserve(customerConfigId);
    try {
      const hash = createHash("sha256");
      let size = 0;
      async function* checked(): AsyncGenerator<Uint8Array, void, undefined> {
        for await (const chunk of rest) {
          size += chunk.byteLength;
          if (size > maxBytes) throw tooLarge(kind, maxBytes);
          if (size > left) throw quotaExceeded(quotaBytes);
          hash.update(chunk);
          yield chunk;
        }
      }
      await mediaStore.put(storageKey, checked(), { mime });
      const sha256 = hash.digest("hex");
      const name = filename === null ? null : safeFileName(filename, mime);
      const given = { customerConfigId, storageKey, kind, filename: name, mime, size, sha256 };
      return { id: await records.keep(given, quotaBytes), kind, mime, size, sha256 };
    } catch (error) {
      // Where this fails too, the key is due in a day by itself.
      await records.discard(storageKey).catch(() => undefined);
      throw error;
    }
  }

  return async (given) => {
    const { customerConfigId: tenant } = given;
    const before = underWay.get(tenant) ?? 0;
    if (before >= UPLOADS_AT_ONCE)
      throw new ChannelError("OVERLOADED", `At most ${UPLOADS_AT_ONCE} files are uploaded at once: send it again.`, {
        retry: "backoff",
      });
    underWay.set(tenant, before + 1);
    try {
      return await upload(given);
    } finally {
      const after = (underWay.get(tenant) ?? 1) - 1;
      if (after === 0) underWay.delete(tenant);
      else underWay.set(tenant, after);
    }
  };
}

/** @returns the first bytes, and all of them again. */
async function readHead(bytes: ByteStream): Promise<{ readonly head: Uint8Array; readonly rest: ByteStream }> {
  const iterator = bytes[Symbol.asyncIterator]();
  const seen: Uint8Array[] = [];
  let length = 0;
  while (length < HEAD_BYTES) {
    const { done, value } = await iterator.next();
    if (done === true) break;
    seen.push(value);
    length += value.byteLength;
  }
  async function* rest(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* seen;
      for (let step = await iterator.next(); step.done !== true; step = await iterator.next()) yield step.value;
    } finally {
      await iterator.return?.();
    }
  }
  return { head: Buffer.concat(seen).subarray(0, HEAD_BYTES), rest: rest() };
}

function tooLarge(kind: MediaKind, maxBytes: number): ChannelError {
  return new ChannelError("MEDIA_TOO_LARGE", `WhatsApp takes at most ${maxBytes} bytes as ${kind}.`);
}
