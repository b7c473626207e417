/** The life of an outgoing part as one ladder: whatever order statuses come in, the highest rung wins. */
import type { MessageStatus, PartState } from "../contract.ts";

/**
 * `failed` stands above `sent` and below `delivered`: a failure ends a part that nobody saw, and one that comes after a
 * delivery is kept as an error beside it. What Meta reports always stands above what we merely guessed.
 */
const LADDER: readonly PartState[] = [
  "queued",
  "held",
  "sending",
  "expired",
  "unknown",
  "accepted",
  "sent",
  "failed",
  "delivered",
  "read",
  "played",
];

/** @returns the state after this status: never one lower than before. */
export function advance(current: PartState, status: MessageStatus): PartState {
  return LADDER.indexOf(status) > LADDER.indexOf(current) ? status : current;
}

/** Still in its lane: nobody has decided yet what became of it. */
export function isPending(state: PartState): boolean {
  return state === "queued" || state === "held" || state === "sending";
}
