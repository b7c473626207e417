/** Delivers webhooks at least once: first tries in order per number, retries until the host answers 200. */
import type { Activity } from "./activity.ts";
import { escapedJson } from "./escape-json.ts";
import type { FaultSource } from "./faults.ts";
import { createLanes } from "./lanes.ts";
import { type Settings, webhookAddress } from "./options.ts";
import type { DeliveryAttempt, WebhookPoster } from "./post-webhook.ts";
import { signatureOf } from "./sign.ts";
import type { Timers } from "./timers.ts";
import { envelope, type WireChange } from "./wire.ts";

/** What a delivery is about: `account` is all that is neither message nor status, `payload` is one made by hand. */
export type DeliveryKind = "message" | "status" | "account" | "payload";

/** One webhook and what became of it. */
export type Delivery = {
  readonly id: number;
  readonly kind: DeliveryKind;
  /** The messages it speaks of. */
  readonly wamids: readonly string[];
  /** What was signed and posted; empty after the acknowledgement when `keepBytes` is `"pending"`. */
  readonly bytes: Uint8Array;
  readonly attempts: readonly DeliveryAttempt[];
  /**
   * `acknowledged`: answered 200. `dropped`: never posted. `given-up`: not answered 200 for seven days of the simulator's
   * clock. `abandoned`: the simulator stopped first.
   */
  readonly outcome: "pending" | "acknowledged" | "dropped" | "given-up" | "abandoned";
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
  /** Null for bytes made by hand, which are never put together with others. */
  readonly changes: readonly WireChange[] | null;
  /** In epoch milliseconds, by the simulator's clock. */
  readonly queuedAt: number;
  readonly onFirstTry: () => void;
};

const NO_BYTES = new Uint8Array();
/** Retries that fall due within this time go out together when `rebatchRetries` is on. */
const REBATCH_MS = 10;
/** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview */
const RETRY_FOR_MS = 7 * 24 * 60 * 60 * 1000;
const MOST_CHANGES = 1_000;
const MOST_BYTES = 3 * 1024 * 1024;

export function createWebhookSender(deps: {
  readonly settings: Settings;
  readonly activity: Activity;
  readonly timers: Timers;
  readonly faults: FaultSource;
  readonly poster: WebhookPoster;
  /** Whether the app has asked for it. */
  readonly isWanted: (change: WireChange) => boolean;
  /** Where it goes instead of the app's address; null when it goes there. */
  readonly overrideOf: (change: WireChange) => string | null;
  readonly onAcknowledged: (delivery: Delivery) => void;
}): WebhookSender {
  const { settings, activity, timers, faults, poster } = deps;
  const deliveries: Delivery[] = [];
  const lanes = createLanes(settings.webhookConcurrency);
  const open = new Set<Pending>();
  const underWay = new Set<Promise<void>>();
  let due: Pending[] = [];
  let url = settings.webhookUrl;
  let count = 0;
  let isClosed = false;

  function send(outgoing: Outgoing): Promise<void> {
    return new Promise((resolve) => {
      const { duplicate = 0, duplicateRate = 1 } = faults.webhook();
      const delivery = record(outgoing, null, resolve);
      if (isClosed || targetOf(outgoing.content) === null || !isWanted(outgoing) || isLost(outgoing.kind))
        return settle(delivery, "dropped");
      queue(outgoing, delivery);
      const copies = duplicate > 0 && faults.random() < duplicateRate ? duplicate : 0;
      for (let copy = 0; copy < copies; copy += 1)
        queue(
          outgoing,
          record(outgoing, delivery.id, () => undefined),
        );
    });
  }

  function isWanted({ content }: Outgoing): boolean {
    return content instanceof Uint8Array || content.every((change) => deps.isWanted(change));
  }

  function isLost(kind: DeliveryKind): boolean {
    const { dropStatusesRate = 0 } = faults.webhook();
    return kind === "status" && dropStatusesRate > 0 && faults.random() < dropStatusesRate;
  }

  function record({ kind, wamids, content }: Outgoing, copyOf: number | null, onFirstTry: () => void): Pending {
    count += 1;
    const delivery: Pending = {
      id: count,
      kind,
      wamids,
      bytes: content instanceof Uint8Array ? content : encode(content),
      attempts: [],
      outcome: "pending",
      copyOf,
      changes: content instanceof Uint8Array ? null : content,
      queuedAt: settings.now().getTime(),
      onFirstTry,
    };
    deliveries.push(delivery);
    open.add(delivery);
    activity.begin();
    return delivery;
  }

  function settle(delivery: Pending, outcome: Delivery["outcome"]): void {
    delivery.outcome = outcome;
    open.delete(delivery);
    if (settings.keepBytes === "pending") delivery.bytes = NO_BYTES;
    if (outcome === "acknowledged") deps.onAcknowledged(delivery);
    delivery.onFirstTry();
    activity.end();
  }

  function queue({ kind, lane }: Outgoing, delivery: Pending): void {
    const { shuffle = false, shuffleMs = 50, delayStatusesMs = 0 } = faults.webhook();
    const enter = () => lanes.enter(lane, () => post([delivery]));
    if (kind === "status" && delayStatusesMs > 0) timers.after(delayStatusesMs, enter);
    else if (shuffle === true || (shuffle === "statuses" && kind === "status"))
      timers.after(faults.random() * shuffleMs, enter);
    else enter();
  }

  function post(together: readonly Pending[]): Promise<void> {
    const running = attempt(together).finally(() => underWay.delete(running));
    underWay.add(running);
    return running;
  }

  async function attempt(together: readonly Pending[]): Promise<void> {
    const [first] = together;
    // The address is read at each try: a host may come back on another port. Without one the try fails and comes again.
    const to = targetOf(first?.changes ?? null);
    if (!first || to === null) return again(together);
    const bytes = together.length === 1 ? first.bytes : encode(together.flatMap(({ changes }) => changes ?? []));
    const result = await poster.post(to, bytes, signatureOf(bytes, settings.appSecret));
    for (const delivery of together) delivery.attempts.push({ ...result, together: together.length });
    if (isClosed) return;
    if (result.status !== 200) return again(together);
    for (const delivery of together) settle(delivery, "acknowledged");
  }

  function targetOf(content: Outgoing["content"] | null): string | null {
    const [change] = content === null || content instanceof Uint8Array ? [] : content;
    return (change && deps.overrideOf(change)) ?? url;
  }

  function again(together: readonly Pending[]): void {
    for (const delivery of together) {
      delivery.onFirstTry();
      timers.after(settings.retryDelayMs(Math.max(1, delivery.attempts.length)), () => {
        if (settings.now().getTime() - delivery.queuedAt < RETRY_FOR_MS) retry(delivery);
        else settle(delivery, "given-up");
      });
    }
    activity.changed();
  }

  function retry(delivery: Pending): void {
    const isAlone = !faults.webhook().rebatchRetries || delivery.changes === null || targetOf(delivery.changes) !== url;
    if (isAlone) return void post([delivery]);
    due.push(delivery);
    if (due.length > 1) return;
    timers.after(REBATCH_MS, () => {
      for (const together of gathered(due)) void post(together);
      due = [];
    });
  }

  return {
    send,
    setUrl(next) {
      url = webhookAddress(next);
    },
    url: () => url,
    deliveries,
    clear() {
      deliveries.length = 0;
    },
    async close() {
      isClosed = true;
      lanes.close();
      poster.close();
      await Promise.all(underWay);
      for (const delivery of open) settle(delivery, "abandoned");
    },
  };
}

/** As many as Meta puts into one delivery. */
function gathered(due: readonly Pending[]): readonly (readonly Pending[])[] {
  const groups: Pending[][] = [];
  let changes = 0;
  let bytes = 0;
  for (const delivery of due) {
    changes += delivery.changes?.length ?? 0;
    bytes += delivery.bytes.byteLength;
    const group = groups.at(-1);
    if (group !== undefined && changes <= MOST_CHANGES && bytes <= MOST_BYTES) {
      group.push(delivery);
      continue;
    }
    groups.push([delivery]);
    changes = delivery.changes?.length ?? 0;
    bytes = delivery.bytes.byteLength;
  }
  return groups;
}

function encode(changes: readonly WireChange[]): Uint8Array {
  return Buffer.from(escapedJson(envelope(changes)));
}
