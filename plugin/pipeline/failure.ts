/** Telling an item's own failure from the database being away, which is nobody's. */
import { ChannelError } from "../errors.ts";

export function isStoreDown(error: unknown): boolean {
  return error instanceof ChannelError && error.code === "STORE_UNAVAILABLE";
}

/** Waited too long for a lock, was cancelled while it waited, or was the one of two that had to give way. */
const HELD_UP: ReadonlySet<unknown> = new Set(["55P03", "57014", "40P01"]);

/** The database works, but something in this transaction is locked by somebody, perhaps by the host, and for long. */
export function isHeldUp(error: unknown): boolean {
  return isStoreDown(error) && HELD_UP.has((error as { cause?: { code?: unknown } }).cause?.code);
}

/** Whether one item of a group may have made the whole of it fail: the others are then tried without it. */
export function mayBeAnItems(error: unknown): boolean {
  return !isStoreDown(error) || isHeldUp(error);
}
