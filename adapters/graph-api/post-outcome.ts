/** What became of a posted message, as far as the answer tells: accepted, certainly not accepted, or nobody knows. */
import type { PostOutcome } from "../../plugin/ports.ts";
import { toRejection } from "./graph-errors.ts";
import type { HttpOutcome } from "./http-transport.ts";
import { type Json, readError, readJson, readRetryAfter, readText } from "./read-answer.ts";
import { spentBudgets } from "./usage.ts";

/**
 * Accepted: 200 with a wamid. Rejected: a well-formed Graph error, or not a byte left. Anything else may have been
 * accepted: a 5xx, garbage, a broken socket.
 */
export function toPostOutcome(outcome: HttpOutcome): PostOutcome {
  const spent = outcome.kind === "answer" && outcome.usage !== undefined ? spentBudgets(outcome.usage) : [];
  return spent.length === 0 ? judge(outcome) : { ...judge(outcome), spent };
}

function judge(outcome: HttpOutcome): PostOutcome {
  if (outcome.kind === "unsent") {
    const message = `Graph cannot be reached (${outcome.reason}).`;
    return {
      kind: "rejected",
      rejection: { meta: null, retry: "backoff", retryAfterMs: null, perRecipient: false, message },
    };
  }
  if (outcome.kind === "broken")
    return { kind: "ambiguous", reason: `The connection broke after the request had left (${outcome.reason}).` };
  const answer = readJson(outcome.text);
  const error = readError(answer);
  if (error !== null && outcome.status >= 400) {
    return {
      kind: "rejected",
      rejection: toRejection(error.meta, error.isTransient, readRetryAfter(outcome.retryAfter)),
    };
  }
  const messageId = readText((answer?.messages as readonly Json[] | undefined)?.[0]?.id);
  if (outcome.status === 200 && messageId !== null) return { kind: "accepted", messageId };
  return { kind: "ambiguous", reason: `Graph answered ${outcome.status} without a usable body.` };
}
