/** Where the bytes of media are kept: a folder or an S3 bucket, which know nothing of messages and tenants. */

/** Somebody reads them while they arrive; none is ever in memory as a whole. */
export type ByteStream = AsyncIterable<Uint8Array>;

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
