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

export type Ledgers = {
  readonly accepted: readonly AcceptedMessage[];
  readonly requests: Readonly<Record<string, number>>;
  accept(message: AcceptedMessage): void;
  count(request: string): void;
  onAccepted(listener: (message: AcceptedMessage) => void): () => void;
  clear(): void;
};

export function createLedgers(activity: Activity): Ledgers {
  const accepted: AcceptedMessage[] = [];
  const requests: Record<string, number> = Object.create(null);
  const listeners = new Set<(message: AcceptedMessage) => void>();
  return {
    accepted,
    requests,
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
      for (const request of Object.keys(requests)) delete requests[request];
    },
  };
}
