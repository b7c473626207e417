/** Where the bytes of media are kept: a folder or an S3 bucket, which know nothing of messages and tenants. */
import type { MediaKind } from "../contract.ts";

/** Somebody reads them while they arrive; none is ever in memory as a whole. */
export type ByteStream = AsyncIterable<Uint8Array>;

/** Where the bytes of media are, for a host that brings a place of its own. */
export type MediaStore = {
  /**
   * Keeps all of `bytes` under `key`, or nothing: when they throw, so does this, with the same error, and nothing is left. Whoever wants
   * them checked before they can be read throws after the last byte. Overwrites.
   * @param key `<tenant>/<random>`: letters, digits, `-`, `_` and one `/`.
   * @throws ChannelError MEDIA_STORE_FULL, MEDIA_STORE_UNAVAILABLE.
   */
  put(key: string, bytes: ByteStream, about: { readonly mime: string }): Promise<void>;
  /**
   * @param range first and last byte, both included, within the object.
   * @returns null when there is no such object.
   * @throws ChannelError MEDIA_STORE_UNAVAILABLE.
   */
  get(
    key: string,
    range?: { readonly first: number; readonly last: number },
  ): Promise<{ readonly bytes: ByteStream; readonly size: number } | null>;
  /** Safe to repeat; what is not there is removed already. @throws ChannelError MEDIA_STORE_UNAVAILABLE. */
  remove(key: string): Promise<void>;
  /** Removes what a process that ended left half written before `before`. @returns how many. */
  sweep(before: Date): Promise<number>;
  /**
   * A link that needs no session, for as long as it says: at most 15 minutes, bound to this object and these headers.
   * Null where the store has none: then the bytes go through us.
   */
  link(
    key: string,
    headers: { readonly contentType: string; readonly contentDisposition: string },
  ): Promise<{ readonly url: string; readonly expiresAt: Date } | null>;
};

/** What is known of one picture, voice note, video, document or sticker. */
export type MediaRecord = {
  readonly id: string;
  readonly customerConfigId: string;
  readonly direction: "in" | "out";
  readonly kind: MediaKind;
  readonly state: "pending" | "stored" | "expired";
  /** Why its bytes will never come. */
  readonly reason: string | null;
  /** As somebody else has named it: never a path. */
  readonly filename: string | null;
  /** Of the bytes themselves; null until they are stored. */
  readonly mime: string | null;
  readonly size: number | null;
  readonly sha256: string | null;
  readonly storageKey: string | null;
};

export type NewMedia = Pick<MediaRecord, "customerConfigId" | "kind" | "filename"> & {
  /** From `reserve`; its object is complete. */
  readonly storageKey: string;
  readonly mime: string;
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
};

/**
 * The rows beside the bytes. No object without an owner for ever, and no row without its object, whenever a process ends:
 * a key is noted as left over before its bytes are written, and no longer when a row has it.
 */
export type MediaRecords = {
  /** A fresh random key for bytes that are about to be written. They are removed in a day, unless a row keeps them. */
  reserve(customerConfigId: string): Promise<string>;
  /**
   * Bytes that a host has uploaded have an id from now on.
   * @throws ChannelError MEDIA_QUOTA_EXCEEDED, and MEDIA_STORE_UNAVAILABLE when they took so long that they are removed.
   */
  keep(media: NewMedia, quotaBytes: number): Promise<string>;
  /** Nobody wants these bytes: they are removed with the next upkeep. Changes nothing once a row has them, so whoever does not know may call it. */
  discard(storageKey: string): Promise<void>;
  /** @returns null also for another tenant's. */
  find(id: string, customerConfigId: string): Promise<MediaRecord | null>;
  /** @returns how many bytes the tenant has. */
  used(customerConfigId: string): Promise<number>;
  /** Keys whose objects are to be removed now, oldest first, after `after` of the list before. */
  due(limit: number, after: Leftover | null): Promise<readonly Leftover[]>;
  /** Their objects are gone. */
  removed(storageKeys: readonly string[]): Promise<void>;
};

export type Leftover = { readonly storageKey: string; readonly removeAt: string };
