/** Telling an item's own failure from the database being away, which is nobody's. */
import { ChannelError } from "../errors.ts";

export function isStoreDown(error: unknown): boolean {
  return error instanceof ChannelError && error.code === "STORE_UNAVAILABLE";
}
