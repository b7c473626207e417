/** Delivers webhooks at least once: first tries in order per number, retries until the host answers 200. */
import type { Activity } from "./activity.ts";
import { escapedJson } from "./escape-json.ts";
import type { FaultSource } from "./faults.ts";
import type { Settings } from "./options.ts";
import type { DeliveryAttempt, WebhookPoster } from "./post-webhook.ts";
import { signatureOf } from "./sign.ts";
import type { Timers } from "./timers.ts";
import { envelope, type WireChange } from "./wire.ts";

export type DeliveryKind = "message" | "status" | "payload";

/** One HTTP POST to the host and what became of it. */
export type Delivery = {
  readonly id: number;
  readonly kind: DeliveryKind;
  /** The messages and statuses it speaks of. */
  readonly wamids: readonly string[];
  readonly bytes: Uint8Array;
  readonly attempts: readonly DeliveryAttempt[];
  /** `acknowledged`: answered 200. `dropped`: never posted. `abandoned`: the simulator stopped first. */
  readonly outcome: "pending" | "acknowledged" | "dropped" | "abandoned";
  /** The delivery that this one repeats; null for an original. */
  readonly copyOf: number | null;
};

export type Outgoing = {
  readonly kind: DeliveryKind;
  /** First tries of one lane start in the order they were queued. */
  readonly lane: string;
  readonly wamids: readonly string[];
  /** Either changes to wrap or bytes to post as they are. */
  readonly content: readonly WireChange[] | Uint8Array;
};

export type WebhookSender = {
  /** Resolves after the first try, or at once when the delivery is dropped. */
  send(outgoing: Outgoing): Promise<void>;
  setUrl(url: string | null): void;
  url(): string | null;
  readonly deliveries: readonly Delivery[];
  clear(): void;
  /** Abandons what is pending; resolves when no request is left under way. */
  close(): Promise<void>;
};

type Pending = { -readonly [K in keyof Delivery]: Delivery[K] } & {
  readonly attempts: DeliveryAttempt[];
  readonly signature: string;
  readonly onFirstTry: () => void;
};

type Lane = { readonly waiting: Pending[]; head: number; busy: number };

export function createWebhookSender(deps: {
  readonly settings: Settings;
  readonly activity: Activity;
  readonly timers: Timers;
  readonly faults: FaultSource;
  readonly poster: WebhookPoster;
  readonly isSubscribed: (wabaId: string) => boolean;
  readonly onAcknowledged: (delivery: Delivery) => void;
}): WebhookSender {
  const { settings, activity, timers, faults, poster } = deps;
  const deliveries: Delivery[] = [];
  const lanes = new Map<string, Lane>();
  const open = new Set<Pending>();
  const tries = new Set<Promise<void>>();
  let url = settings.webhookUrl;
  let count = 0;
  let isClosed = false;

  function send(outgoing: Outgoing): Promise<void> {
    return new Promise((resolve) => {
      const faultsNow = faults.webhook();
      const delivery = record(outgoing, null, resolve);
      if (isClosed || url === null || !isWanted(outgoing) || isLost(outgoing.kind)) return settle(delivery, "dropped");
      queue(outgoing, delivery);
      const copies = faults.random() < (faultsNow.duplicateRate ?? 1) ? (faultsNow.duplicate ?? 0) : 0;
      for (let copy = 0; copy < copies; copy += 1)
        queue(
          outgoing,
          record(outgoing, delivery.id, () => undefined),
        );
    });
  }

  function isWanted({ content }: Outgoing): boolean {
    return content instanceof Uint8Array || content.every(({ wabaId }) => deps.isSubscribed(wabaId));
  }

  function isLost(kind: DeliveryKind): boolean {
    const rate = faults.webhook().dropStatusesRate ?? 0;
    return kind === "status" && rate > 0 && faults.random() < rate;
  }

  function record(outgoing: Outgoing, copyOf: number | null, onFirstTry: () => void): Pending {
    const { kind, wamids, content } = outgoing;
    const bytes = content instanceof Uint8Array ? content : Buffer.from(escapedJson(envelope(content)));
    count += 1;
    const delivery: Pending = {
      id: count,
      kind,
      wamids,
      bytes,
      attempts: [],
      outcome: "pending",
      copyOf,
      signature: signatureOf(bytes, settings.appSecret),
      onFirstTry,
    };
    deliveries.push(delivery);
    open.add(delivery);
    activity.begin();
    return delivery;
  }

  function settle(delivery: Pending, outcome: Delivery["outcome"]): void {
    if (delivery.outcome !== "pending") return;
    delivery.outcome = outcome;
    open.delete(delivery);
    if (outcome === "acknowledged") deps.onAcknowledged(delivery);
    delivery.onFirstTry();
    activity.end();
  }

  function queue({ kind, lane }: Outgoing, delivery: Pending): void {
    const { shuffle = false, shuffleMs = 50 } = faults.webhook();
    const isShuffled = shuffle === true || (shuffle === "statuses" && kind === "status");
    if (isShuffled) timers.after(faults.random() * shuffleMs, () => enter(lane, delivery));
    else enter(lane, delivery);
  }

  function enter(name: string, delivery: Pending): void {
    let lane = lanes.get(name);
    if (!lane) {
      lane = { waiting: [], head: 0, busy: 0 };
      lanes.set(name, lane);
    }
    lane.waiting.push(delivery);
    advance(lane);
  }

  function advance(lane: Lane): void {
    while (!isClosed && lane.busy < settings.webhookConcurrency) {
      const delivery = lane.waiting[lane.head];
      if (!delivery) break;
      lane.head += 1;
      lane.busy += 1;
      start(delivery, () => {
        lane.busy -= 1;
        advance(lane);
      });
    }
    // An index instead of shift(): a long backlog would otherwise be moved once per delivery.
    if (lane.head < lane.waiting.length && lane.head < 1_024) return;
    lane.waiting.splice(0, lane.head);
    lane.head = 0;
  }

  function start(delivery: Pending, onEnd: () => void): void {
    const running = attempt(delivery).then(() => {
      tries.delete(running);
      onEnd();
    });
    tries.add(running);
  }

  async function attempt(delivery: Pending): Promise<void> {
    // The address is read at each try: a host may come back on another port.
    const result = await poster.post(url ?? settings.webhookUrl ?? "", delivery.bytes, delivery.signature);
    delivery.attempts.push(result);
    if (isClosed) return;
    if (result.status === 200) return settle(delivery, "acknowledged");
    delivery.onFirstTry();
    timers.after(settings.retryDelayMs(delivery.attempts.length), () => start(delivery, () => undefined));
    activity.changed();
  }

  return {
    send,
    setUrl(next) {
      url = next;
    },
    url: () => url,
    deliveries,
    clear() {
      deliveries.length = 0;
    },
    async close() {
      isClosed = true;
      poster.close();
      await Promise.all(tries);
      for (const delivery of open) settle(delivery, "abandoned");
    },
  };
}
