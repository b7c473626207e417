/** What a host is told of a file's type. */

/** Bytes that say nothing of their type. */
export const UNKNOWN_TYPE = "application/octet-stream";

/** By its bytes, where they show it; otherwise as the sender's WhatsApp has said. */
export function mimeTypeOf(seen: string | null, said: string | null): string | null {
  return seen === null || seen === UNKNOWN_TYPE ? said : seen;
}
