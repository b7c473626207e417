/** What to do with the part at the head of an out lane, and what an answer from Graph means for it. Pure. */
import { type ChannelError, NothingLeft } from "../errors.ts";
import type { FallbackPart, OutgoingPart, PairLimit, PostOutcome, Rejection, Settlement } from "../ports.ts";
import { pauseMs } from "./breaker.ts";
import { type RetrySchedule, retryDelayMs } from "./retry-schedule.ts";

export type DispatchPolicy = {
  /** How long a status webhook may take to tell us what became of an ambiguous attempt. */
  readonly reconcileMs: number;
  readonly retry: RetrySchedule;
  readonly pair: PairLimit;
  readonly random: () => number;
};

export type Decision = { readonly kind: "post" } | { readonly kind: "settle"; readonly settlement: Settlement };

/** A held part waits for the person to write, a dead token for a reconnect: both wake the lane, this is the safety net. */
const LONG_WAIT_MS = 30_000;

/** Before the socket: everything that may forbid this part to leave, checked when it is about to. */
export function decideBefore(part: OutgoingPart, { reconcileMs }: DispatchPolicy): Decision {
  const { count } = part.ambiguous;
  const unclear = count === 0 ? null : decideUnclear(part, reconcileMs);
  if (unclear !== null) return unclear;
  // What may have left is not called failed or expired: nobody knows.
  const ending = count === 0 ? null : ("unknown" as const);
  if (part.connection.state === "disconnected")
    return done(part, ending ?? "failed", "CONNECTION_MISSING", "The number is disconnected.");
  if (part.connection.state === "reauth_required" || part.connection.accessTokenEnc === null)
    return wait(part, "queued", LONG_WAIT_MS);
  if (part.isUnwanted) return done(part, ending ?? "failed", "OPTED_OUT", "The person wants no marketing messages.");
  if (part.needsWindow && !part.windowOpen) {
    if (part.fallback !== null && ending === null) return replace(part, part.fallback);
    if (part.onWindowClosed === "hold") return wait(part, "held", LONG_WAIT_MS);
    return done(part, ending ?? "expired", "WINDOW_CLOSED", "The 24-hour window closed before it could leave.");
  }
  const { leftMs } = part.connection.pause;
  if (leftMs > 0) return wait(part, "queued", Math.min(leftMs, LONG_WAIT_MS));
  if (part.lane.pacedMs > 0) return wait(part, "queued", part.lane.pacedMs);
  return { kind: "post" };
}

/** Another message goes first, to see whether the number sends again: its success wakes this lane. */
export function waitForProbe(part: OutgoingPart, { retry }: DispatchPolicy): Settlement {
  return waiting(part, "queued", Math.min(pauseMs(retry, part.connection.pause.strikes), LONG_WAIT_MS));
}

/** Meta refused the token or the app while something was done for this part: it waits, as one that was refused itself. */
export function waitUntilRight(part: OutgoingPart): Settlement {
  return waiting(part, "queued", LONG_WAIT_MS);
}

/** It cannot be sent at all; of an earlier attempt, which may have arrived, that says nothing. */
export function giveUp(part: OutgoingPart, { code, message, meta }: NonNullable<Settlement["error"]>): Settlement {
  const state = part.ambiguous.count === 0 ? ("failed" as const) : ("unknown" as const);
  return { ...waiting(part, "queued", 0), next: { kind: "done", state }, error: { code, message, meta } };
}

/** Meta refused what was only in the message's way, and that is out of it now: it goes once more, at once. */
export function againAtOnce(settlement: Settlement): Settlement {
  return { ...settlement, next: { kind: "retry", state: "queued", delayMs: 0 } };
}

/** What may have left: null when it may leave once more. */
function decideUnclear(part: OutgoingPart, reconcileMs: number): Decision | null {
  const { count, ageMs, webhooksAlive } = part.ambiguous;
  if (ageMs < reconcileMs) return wait(part, "sending", reconcileMs - ageMs + 10);
  // Silence proves nothing while no webhook of this number comes at all.
  if (!webhooksAlive && ageMs < reconcileMs * 10) return wait(part, "sending", reconcileMs);
  if (!webhooksAlive) return unknown(part, "Meta never said what became of it, and its webhooks are silent.");
  // At most one automatic resend.
  if (count > 1 || part.onAmbiguous === "hold")
    return unknown(part, "Meta never said what became of it. It is not sent again by itself.");
  return null;
}

/** After the socket. */
export function decideAfter(
  part: OutgoingPart,
  token: string,
  outcome: PostOutcome,
  policy: DispatchPolicy,
): Settlement {
  if (outcome.kind === "accepted")
    return {
      part,
      token,
      attempt: "accepted",
      messageId: outcome.messageId,
      next: { kind: "done", state: "accepted" },
      error: null,
    };
  if (outcome.kind === "ambiguous")
    return {
      part,
      token,
      attempt: "ambiguous",
      messageId: null,
      next: { kind: "retry", state: "sending", delayMs: policy.reconcileMs },
      error: { code: "GRAPH_AMBIGUOUS", message: outcome.reason, meta: null },
    };
  const { rejection } = outcome;
  const error = { code: "GRAPH_REJECTED", message: rejection.message, meta: rejection.meta };
  const excused = isExcused(part, rejection) ? { isExcused: true as const } : {};
  const base = { part, token, attempt: "rejected" as const, ...excused, messageId: null, error };
  // Nothing is wrong with the message: it stays until the number sends again, or its window closes.
  if (rejection.retry === "reauth" || rejection.number === "blocked" || rejection.number === "app")
    return { ...base, next: { kind: "retry", state: "queued", delayMs: LONG_WAIT_MS } };
  // Meta knows better than we whether the window is open.
  if (rejection.retry === "template" && part.needsWindow && part.ambiguous.count === 0) {
    if (part.fallback !== null) return { ...base, next: { kind: "replace", by: part.fallback } };
    if (part.onWindowClosed === "hold")
      return { ...base, next: { kind: "retry", state: "held", delayMs: LONG_WAIT_MS } };
  }
  const delayMs = retryAfter(part, rejection, isExcused(part, rejection), policy);
  if (delayMs !== null) return { ...base, next: { kind: "retry", state: "queued", delayMs } };
  if (part.ambiguous.count === 0) return { ...base, next: { kind: "done", state: "failed" } };
  // Of an earlier attempt, which may have arrived, this refusal says nothing.
  const message = `Meta never said what became of it, and refused it when it was sent again. ${rejection.message}`;
  return {
    ...base,
    next: { kind: "done", state: "unknown" },
    error: { code: "GRAPH_AMBIGUOUS", message, meta: rejection.meta },
  };
}

/**
 * Its file did not get to Meta, and so nothing of it was attempted: counted, or not, as if Meta had said the same to the message.
 * @param rejection null where no word of Meta's is the reason.
 */
export function decideWithoutFile(
  part: OutgoingPart,
  refused: ChannelError,
  rejection: Rejection | null,
  policy: DispatchPolicy,
): Settlement {
  const { code, message, retry, retryAfterMs = null, cause } = refused;
  // The host's own store and network are in the way of the message, and no fault of it.
  const isOurs = code === "MEDIA_STORE_UNAVAILABLE" || cause instanceof NothingLeft;
  const excused = rejection === null ? isOurs : isExcused(part, rejection);
  const error = { code, message, meta: refused.meta ?? null };
  const again = (delayMs: number): Settlement => ({
    ...waiting(part, "queued", delayMs),
    isTry: true,
    ...(excused && { isExcused: true }),
    error,
  });
  if (rejection?.number === "blocked" || rejection?.number === "app") return again(LONG_WAIT_MS);
  const wait = { retry, retryAfterMs, perRecipient: rejection?.perRecipient ?? false };
  const delayMs = retryAfter(part, wait, excused, policy);
  return delayMs === null ? giveUp(part, error) : again(delayMs);
}

/** Null when it is not worth another try. */
function retryAfter(
  part: OutgoingPart,
  rejection: Pick<Rejection, "retry" | "retryAfterMs" | "perRecipient">,
  excused: boolean,
  { retry, pair, random }: DispatchPolicy,
): number | null {
  if (rejection.retry !== "backoff" && rejection.retry !== "after") return null;
  const failures = (excused ? part.excused : part.rejections) + 1;
  if (failures >= retry.maxAttempts && !excused) return null;
  // @see https://developers.facebook.com/docs/whatsapp/cloud-api/overview#pair-rate-limits (4^X seconds)
  const backoff = rejection.perRecipient
    ? pair.intervalMs * Math.max(1, 4 ** failures / 6)
    : retryDelayMs(retry, failures, random);
  return Math.ceil(Math.max(Math.min(backoff, retry.maxMs), rejection.retryAfterMs ?? 0));
}

/** It says nothing of the message, and is no reason to give it up: the network, the token, the number or a limit was in its way. */
function isExcused(part: OutgoingPart, { meta, retry, number, throttles }: Rejection): boolean {
  if (meta === null || retry === "reauth" || number === "blocked" || number === "app" || throttles !== undefined)
    return true;
  return number === "trouble" && part.connection.pause.strikes > 0;
}

/** Its number sends as fast as Meta allows already. */
export function waitFor(part: OutgoingPart, delayMs: number): Decision {
  return wait(part, "queued", delayMs);
}

function wait(part: OutgoingPart, state: "queued" | "held" | "sending", delayMs: number): Decision {
  return { kind: "settle", settlement: waiting(part, state, delayMs) };
}

function waiting(part: OutgoingPart, state: "queued" | "held" | "sending", delayMs: number): Settlement {
  return {
    part,
    token: null,
    attempt: null,
    messageId: null,
    next: { kind: "retry", state, delayMs: Math.ceil(delayMs) },
    error: null,
  };
}

function unknown(part: OutgoingPart, message: string): Decision {
  return done(part, "unknown", "GRAPH_AMBIGUOUS", message);
}

function replace(part: OutgoingPart, by: FallbackPart): Decision {
  const none = { token: null, attempt: null, messageId: null, error: null };
  return { kind: "settle", settlement: { part, ...none, next: { kind: "replace", by } } };
}

function done(part: OutgoingPart, state: "unknown" | "failed" | "expired", code: string, message: string): Decision {
  return {
    kind: "settle",
    settlement: {
      part,
      token: null,
      attempt: null,
      messageId: null,
      next: { kind: "done", state },
      error: { code, message, meta: null },
    },
  };
}
