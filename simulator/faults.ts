/** What may go wrong on purpose, and the choice of what goes wrong next. */
import type { GraphErrorSpec } from "./graph-error.ts";
import { digitsOf } from "./people.ts";
import { createRandom, type Random } from "./random.ts";

/** What a caller of the Graph API may be asking for. */
export type GraphEndpoint =
  | "messages"
  | "marketing_messages"
  | "mark-read"
  | "phone-number"
  | "account"
  | "phone_numbers"
  | "message_templates"
  | "template"
  | "subscribed_apps"
  | "debug_token"
  | "dialog"
  | "sdk"
  | "oauth_access_token"
  | "me"
  | "permissions"
  | "businesses"
  | "accounts"
  | "register"
  | "deregister"
  | "phone-settings"
  | "profile"
  | "smb_app_data"
  | "app"
  | "subscriptions"
  | "media"
  | "media-upload"
  | "resumable-upload"
  | "media-download";

/**
 * `reset-before-accept`: the connection dies, nothing happened. `accept-then-reset`, `accept-then-500`,
 * `accept-then-hang`: it was carried out, the caller cannot know. `hang`: never an answer, nothing happened. `slow`:
 * carried out at once, answered after `ms`. `garbage`: carried out, answered 200 with something that is not JSON.
 * An error is answered as Meta words it; nothing happened. `failed`: a message is taken with 200 and fails later, by a status.
 */
export type FaultKind =
  | "reset-before-accept"
  | "accept-then-reset"
  | "accept-then-500"
  | "accept-then-hang"
  | "hang"
  | "slow"
  | "garbage"
  | { readonly error: GraphErrorSpec }
  | { readonly failed: { readonly code: number; readonly details?: string } }
  | { readonly download: DownloadFault };

/**
 * What befalls the bytes of media, on `media-download`. `truncated`: half, then the connection ends. `stalled`: half, then
 * silence. `wrong-length`: half, as if that were all. `endless`: over and over. `log-in-page`: as for somebody without a
 * token. `redirect`: to an address of Meta's that needs no token; `redirect-loop`: to itself.
 */
export type DownloadFault =
  | "truncated"
  | "stalled"
  | "wrong-length"
  | "wrong-sum"
  | "endless"
  | "log-in-page"
  | "redirect"
  | "redirect-loop"
  | { readonly redirectTo: string }
  | { readonly status: number };

/** What is to go wrong, with which requests, and how often. */
export type Fault = {
  readonly do: FaultKind;
  /** Default `messages`. */
  readonly on?: GraphEndpoint;
  /** How many requests it befalls. Default 1. */
  readonly times?: number;
  /** Only requests to this recipient (digits or user id), or about the object with this id. */
  readonly to?: string;
  /** How slow `slow` is. Default 1000. */
  readonly ms?: number;
};

/** What may go wrong with any request, and how likely that is. */
export type RandomFaults = {
  /** Share of requests, 0 to 1. */
  readonly rate: number;
  readonly kinds: readonly FaultKind[];
  /** Default: the simulator's seed. */
  readonly seed?: number;
  readonly on?: GraphEndpoint;
  readonly ms?: number;
};

/** How webhooks misbehave. */
export type WebhookFaults = {
  /** How many times a delivery is posted again after the first. */
  readonly duplicate?: number;
  /** Share of deliveries that `duplicate` befalls. Default 1. */
  readonly duplicateRate?: number;
  /** Share of status deliveries that are never posted. */
  readonly dropStatusesRate?: number;
  /** Delays each delivery by a random time, so that they overtake each other; `"statuses"` spares what people write. */
  readonly shuffle?: boolean | "statuses";
  /** The longest such delay. Default 50. */
  readonly shuffleMs?: number;
  /** Each status is posted this much later than it would be, in milliseconds. */
  readonly delayStatusesMs?: number;
  /** The first status is posted, and its answer awaited, before the caller of `/messages` hears anything. */
  readonly statusesBeforeResponse?: boolean;
  /** Retries that fall due together are posted as one delivery, as Meta may. */
  readonly rebatchRetries?: boolean;
};

/** A fault that befell a request. */
export type InjectedFault = {
  readonly do: FaultKind;
  readonly on: GraphEndpoint;
  readonly to: string | null;
  readonly at: Date;
};

/** A fault that waits for its request. */
export type ArmedFault = { readonly id: number; readonly fault: Fault; readonly left: number };

/** Lets things go wrong, as they do at Meta and on the way to it. */
export type Faults = {
  /**
   * The next matching request has this fault. Faults of one kind of request happen in the order they were asked for.
   * @returns its id, for `takeBack`.
   */
  next(fault: Fault): number;
  /** Any request may have one of these faults. Replaces the random faults asked for before. */
  random(faults: RandomFaults): void;
  /** Replaces the webhook faults. */
  webhooks(faults: WebhookFaults): void;
  /** Nothing goes wrong from here on. */
  clear(): void;
  /** A fault that `next` asked for does not happen any more. */
  takeBack(id: number): void;
  /** What waits for its request, and how webhooks misbehave. */
  armed(): { readonly next: readonly ArmedFault[]; readonly webhooks: WebhookFaults };
  readonly injected: readonly InjectedFault[];
};

/** The inside of {@link Faults}. */
export type FaultSource = {
  readonly api: Faults;
  take(request: { readonly on: GraphEndpoint; readonly to: readonly string[] }): TakenFault | null;
  webhook(): WebhookFaults;
  readonly random: Random;
};

export type TakenFault = { readonly do: FaultKind; readonly ms: number };

const DEFAULT_SLOW_MS = 1_000;

export function createFaults({
  seed,
  now,
  onInjected,
}: {
  readonly seed: number;
  readonly now: () => Date;
  readonly onInjected: () => void;
}): FaultSource {
  const injected: InjectedFault[] = [];
  const webhookRandom = createRandom(seed);
  let planned: { readonly id: number; readonly fault: Fault; left: number }[] = [];
  let count = 0;
  let chance: (RandomFaults & { readonly draw: Random }) | null = null;
  let webhook: WebhookFaults = {};

  function choose(on: GraphEndpoint, to: readonly string[]): TakenFault | null {
    const plan = planned.find(
      ({ fault }) => (fault.on ?? "messages") === on && (fault.to === undefined || to.includes(digitsOf(fault.to))),
    );
    if (plan) {
      plan.left -= 1;
      if (plan.left <= 0) planned = planned.filter((other) => other !== plan);
      return { do: plan.fault.do, ms: plan.fault.ms ?? DEFAULT_SLOW_MS };
    }
    if (!chance || (chance.on ?? "messages") !== on || chance.draw() >= chance.rate) return null;
    const kind = chance.kinds[Math.floor(chance.draw() * chance.kinds.length)];
    return kind === undefined ? null : { do: kind, ms: chance.ms ?? DEFAULT_SLOW_MS };
  }

  return {
    api: {
      next(fault) {
        count += 1;
        planned.push({ id: count, fault, left: fault.times ?? 1 });
        return count;
      },
      random(faults) {
        chance = { ...faults, draw: createRandom(faults.seed ?? seed) };
      },
      webhooks(faults) {
        webhook = faults;
      },
      clear() {
        planned = [];
        chance = null;
        webhook = {};
      },
      takeBack(id) {
        planned = planned.filter((plan) => plan.id !== id);
      },
      armed: () => ({ next: planned.map((plan) => ({ ...plan })), webhooks: { ...webhook } }),
      injected,
    },
    take({ on, to }) {
      const taken = choose(on, to);
      if (!taken) return null;
      injected.push({ do: taken.do, on, to: to[0] ?? null, at: now() });
      onInjected();
      return taken;
    },
    webhook: () => webhook,
    random: webhookRandom,
  };
}
