/** Meta's rules about when and how often: the service window, the pair limit, the throughput of a number. */
import { isObject } from "./accepts.ts";
import type { ConversationState } from "./conversations.ts";
import type { WireObject } from "./wire.ts";

const WINDOW_MS = 24 * 60 * 60 * 1000;
const PAIR_INTERVAL_MS = 6_000;
const PAIR_BURST = 45;

/** What a person may do without it counting as writing to the business. */
const NOT_OPENING: ReadonlySet<string> = new Set(["system", "reaction", "edit", "revoke", "request_welcome"]);

/**
 * A message that Meta cannot show opens it too, unless Meta tells that it was one of these; one to a group never does, nor
 * a permission to call that WhatsApp gives by itself.
 */
export function opensWindow({ type, unsupported, group_id: group, interactive }: WireObject): boolean {
  const told = type === "unsupported" && isObject(unsupported) ? (unsupported.type ?? type) : type;
  return !group && !NOT_OPENING.has(String(told)) && !isAutomatic(interactive);
}

function isAutomatic(interactive: unknown): boolean {
  const permission = isObject(interactive) ? interactive.call_permission_reply : null;
  return isObject(permission) && permission.response_source === "automatic";
}

export function isWindowOpen({ lastInboundAt }: ConversationState, at: Date): boolean {
  return lastInboundAt !== null && at.getTime() - lastInboundAt < WINDOW_MS;
}

/** When the window closes that the person opened last; null when they never wrote. */
export function windowEndOf({ lastInboundAt }: ConversationState): Date | null {
  return lastInboundAt === null ? null : new Date(lastInboundAt + WINDOW_MS);
}

/** Takes one message off the pair's allowance; false when there is none left. */
export function takePairAllowance(conversation: ConversationState, at: Date): boolean {
  const busyUntil = spend(conversation.pairBusyUntil, at.getTime(), PAIR_INTERVAL_MS, PAIR_BURST);
  if (busyUntil === null) return false;
  conversation.pairBusyUntil = busyUntil;
  return true;
}

/** The same for a whole number. */
export function createThroughput(messagesPerSecond: number): (phoneNumberId: string, at: Date) => boolean {
  const busyUntil = new Map<string, number>();
  return (phoneNumberId, at) => {
    const next = spend(
      busyUntil.get(phoneNumberId) ?? 0,
      at.getTime(),
      1_000 / messagesPerSecond,
      Math.max(1, messagesPerSecond),
    );
    if (next === null) return false;
    busyUntil.set(phoneNumberId, next);
    return true;
  };
}

// A burst borrows from the future: each message moves the busy time on by one interval, up to `burst` intervals ahead.
function spend(busyUntil: number, now: number, intervalMs: number, burst: number): number | null {
  const next = Math.max(busyUntil, now) + intervalMs;
  return next - now > burst * intervalMs ? null : next;
}
