/** An answer that must be there: Graph's JSON, or a ChannelError that says what to do. */
import { ChannelError, NothingLeft, RefusedByMeta, type Retry } from "../../plugin/errors.ts";
import { toRejection } from "./graph-errors.ts";
import type { HttpOutcome } from "./http-transport.ts";
import { type Json, readError, readJson, readRetryAfter } from "./read-answer.ts";

/** What to tell a caller whom Meta refused. Ours, because Meta's sentences may quote a number. */
export type RefusalSentences = Readonly<Record<Retry, string>>;

const BUSY = {
  backoff: "Meta is busy: try again.",
  after: "Meta throttles this account or app: try again later.",
  reauth: "Meta refuses the access token: use one that is valid and may use this number.",
};

const NOT_SHOWN =
  "Meta does not show this number or account: check both ids, and that the token has both WhatsApp permissions.";
export const LOOK_UP_REFUSED: RefusalSentences = { ...BUSY, never: NOT_SHOWN, fix: NOT_SHOWN, template: NOT_SHOWN };

const NOT_MARKED =
  "Meta does not mark this message as read: it must be one that this number received, at most 30 days old.";
const NOT_IN_ORDER = "Meta refuses this number or account until it is put right in WhatsApp Manager.";
export const RECEIPT_REFUSED: RefusalSentences = {
  ...BUSY,
  never: NOT_MARKED,
  template: NOT_MARKED,
  fix: NOT_IN_ORDER,
};

const NOT_UPLOADED = "Meta does not take this file: check its type and size.";
export const UPLOAD_REFUSED: RefusalSentences = {
  ...BUSY,
  never: NOT_UPLOADED,
  template: NOT_UPLOADED,
  fix: NOT_IN_ORDER,
};

const NOT_CHANGED =
  "Meta refuses this change: check in WhatsApp Manager that the number or account is in order, and that the token has both WhatsApp permissions.";
export const CHANGE_REFUSED: RefusalSentences = {
  ...BUSY,
  never: NOT_CHANGED,
  fix: NOT_CHANGED,
  template: NOT_CHANGED,
};

/** @throws ChannelError GRAPH_REJECTED, GRAPH_UNREACHABLE. */
export function requireAnswer(outcome: HttpOutcome, refused: RefusalSentences): Json {
  if (outcome.kind !== "answer")
    throw new ChannelError("GRAPH_UNREACHABLE", `Graph could not be asked (${outcome.reason}): try again.`, {
      retry: "backoff",
      ...(outcome.kind === "unsent" && { cause: new NothingLeft() }),
    });
  const answer = readJson(outcome.text);
  const error = readError(answer);
  if (error !== null) {
    const rejection = toRejection(error.meta, error.isTransient, readRetryAfter(outcome.retryAfter));
    const { retry, retryAfterMs } = rejection;
    const why = rejection.number === "app" ? rejection.message : refused[retry];
    throw new ChannelError("GRAPH_REJECTED", `${why} (Graph code ${error.meta.code})`, {
      retry,
      meta: error.meta,
      cause: new RefusedByMeta(rejection),
      ...(retryAfterMs === null ? {} : { retryAfterMs }),
    });
  }
  if (answer === null || outcome.status !== 200)
    throw new ChannelError("GRAPH_UNREACHABLE", `Graph answered ${outcome.status} without JSON: try again.`, {
      retry: "backoff",
    });
  return answer;
}
