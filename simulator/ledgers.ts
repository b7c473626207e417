/** What the simulator took, as ground truth for tests. */
import type { Activity } from "./activity.ts";
import type { WireObject } from "./wire.ts";

/** A message that was answered 200, or would have been had no fault cut the answer off. */
export type AcceptedMessage = {
  readonly wamid: string;
  readonly phoneNumberId: string;
  /** As addressed, a phone number as its digits. */
  readonly recipient: string;
  readonly type: string;
  /** Where it was posted: `marketing_messages` is the Marketing Messages API. */
  readonly endpoint: "messages" | "marketing_messages";
  /** The text a person sees, or `[type]`. */
  readonly text: string;
  /** The request as it came. */
  readonly body: WireObject;
  /** `biz_opaque_callback_data`. */
  readonly callbackData: string | null;
  readonly at: Date;
  /** The code of the failed status that follows; null when it will be delivered. */
  readonly failureCode: number | null;
};

/** A call that Meta refused. */
export type Refusal = {
  /** As in `requests`: method and path, without version. */
  readonly request: string;
  readonly httpStatus: number;
  readonly code: number;
  /** Null when there was none. */
  readonly subcode: number | null;
  readonly message: string;
  readonly at: Date;
};

export type Ledgers = {
  readonly accepted: readonly AcceptedMessage[];
  readonly refusals: readonly Refusal[];
  readonly requests: Readonly<Record<string, number>>;
  accept(message: AcceptedMessage): void;
  count(request: string): void;
  refuse(refusal: Refusal): void;
  onAccepted(listener: (message: AcceptedMessage) => void): () => void;
  clear(): void;
};

/** Whoever polls with a dead token is refused without end. */
const MOST_REFUSALS = 1_000;

export function createLedgers(activity: Activity): Ledgers {
  const accepted: AcceptedMessage[] = [];
  const refusals: Refusal[] = [];
  const requests: Record<string, number> = Object.create(null);
  const listeners = new Set<(message: AcceptedMessage) => void>();
  return {
    accepted,
    refusals,
    requests,
    refuse(refusal) {
      refusals.push(refusal);
      if (refusals.length > MOST_REFUSALS) refusals.shift();
      activity.changed();
    },
    accept(message) {
      accepted.push(message);
      for (const listener of listeners) listener(message);
      activity.changed();
    },
    count(request) {
      requests[request] = (requests[request] ?? 0) + 1;
      activity.changed();
    },
    onAccepted(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    clear() {
      accepted.length = 0;
      refusals.length = 0;
      for (const request of Object.keys(requests)) delete requests[request];
    },
  };
}
