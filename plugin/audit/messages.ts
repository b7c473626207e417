/** A tenant's messages, both ways as one list, each with its life and, where it failed, what to do about it. */
import type { Degradation } from "../contract.ts";
import { type Meaning, meaningOf } from "../doctor/meta-codes.ts";
import { ChannelError } from "../errors.ts";
import { inboxText } from "../pipeline/inbox-text.ts";
import type {
  Audit,
  AuditOwner,
  MessageCursor,
  MessageFilter,
  MessageStream,
  ReceivedMessage,
  SendAttempt,
  SentMessage,
} from "../ports.ts";

export type AuditedMessage = {
  /** `in:17`, `out:17`. */
  readonly id: string;
  readonly direction: "in" | "out";
  readonly conversationId: string | null;
  readonly contact: { readonly name: string | null; readonly phoneNumber: string | null };
  /** Meta's message type, or the kind of part. */
  readonly kind: string;
  readonly text: string | null;
  /** The wamid, once there is one. */
  readonly messageId: string | null;
  /** When it was stored. */
  readonly at: Date;
  /** `received`, `waiting` and `failed` of what came; a part's state of what went. */
  readonly state: string;
  /** `failed`: when it was given up; its state says whether it failed, expired, or is not known to have arrived. */
  readonly times: Readonly<Record<"queued" | "accepted" | "sent" | "delivered" | "read" | "failed", Date | null>>;
  readonly error: ExplainedError | null;
  readonly degraded: readonly Degradation[];
  readonly sendId: string | null;
  readonly partIndex: number | null;
  readonly attempts: readonly (Pick<SendAttempt, "startedAt" | "metaCode"> & {
    /** `started`: the answer has not come, or the process ended before it. */
    readonly outcome: "started" | "accepted" | "rejected" | "ambiguous";
  })[];
};

export type ExplainedError = {
  /** Meta's, as digits, or one of ours. */
  readonly code: string;
  /** As Meta words it; null where it is ours. */
  readonly title: string | null;
  /** What it means. */
  readonly words: string;
  /** What to do; null where nothing can be done, or the words say it. */
  readonly fix: string | null;
};

export type MessageQuery = MessageFilter & { readonly direction?: "in" | "out" | undefined };

const START: MessageCursor = {
  webhookId: "9223372036854775807",
  eventId: "9223372036854775807",
  outboxId: "9223372036854775807",
};

export type MessageAudit = {
  /** @throws ChannelError REQUEST_INVALID. */
  list(
    query: MessageQuery,
    page: { readonly limit: number; readonly before: string | null },
  ): Promise<{ readonly messages: readonly AuditedMessage[]; readonly next: string | null }>;
  /** @param id `in:17`, `out:17`. @throws ChannelError MESSAGE_UNKNOWN. */
  get(owner: AuditOwner, id: string): Promise<AuditedMessage>;
};

export function createMessageAudit(audit: Pick<Audit, "received" | "sent" | "receivedOne" | "sentOne">): MessageAudit {
  return { list, get };

  async function get(owner: AuditOwner, id: string): Promise<AuditedMessage> {
    const [, direction, row] = /^(in|out):([1-9]\d{0,17})$/.exec(id) ?? [];
    if (row !== undefined && direction === "in") {
      const came = await audit.receivedOne(owner, row);
      if (came !== null) return toReceived(came);
    } else if (row !== undefined) {
      const went = await audit.sentOne(owner, row);
      if (went !== null) return toSent(went);
    }
    throw new ChannelError(
      "MESSAGE_UNKNOWN",
      "There is no message with this id: it was deleted with age, or with its person.",
    );
  }

  async function list(
    { direction, ...filter }: MessageQuery,
    { limit, before }: { readonly limit: number; readonly before: string | null },
  ): ReturnType<MessageAudit["list"]> {
    const start = before === null ? START : readCursor(before);
    const page = { limit: limit + 1, before: start };
    const [came, went] = await Promise.all([
      direction === "out" ? NOTHING : audit.received(filter, page),
      direction === "in" ? NOTHING : audit.sent(filter, page),
    ]);
    const lanes = [laneOf(came, toReceived), laneOf(went, toSent)];
    const messages: AuditedMessage[] = [];
    let cursor = start;
    while (messages.length < limit) {
      // Of one that was looked through only so far, what comes next may be newer than the other's head.
      const bound = Math.max(...lanes.map(({ queue, more }) => (queue.length > 0 ? 0 : (more?.at.getTime() ?? 0))));
      const [newest] = lanes.filter(({ queue }) => queue.length > 0).sort((a, b) => timeOf(b) - timeOf(a));
      if (newest === undefined || timeOf(newest) < bound) break;
      const { message, place } = newest.queue.shift() as Taken;
      messages.push(message);
      cursor = { ...cursor, ...place };
    }
    for (const { queue, more } of lanes)
      if (queue.length === 0 && more !== null) cursor = { ...cursor, ...more.cursor };
    const isOver = lanes.every(({ queue, more }) => queue.length === 0 && more === null);
    return { messages, next: isOver ? null : `${cursor.webhookId}.${cursor.eventId}.${cursor.outboxId}` };
  }
}

const NOTHING: MessageStream<never> = { messages: [], more: null };

type Taken = { readonly message: AuditedMessage; readonly place: Partial<MessageCursor> };
type Lane = { readonly queue: Taken[]; readonly more: MessageStream<never>["more"] };

function laneOf<Message>(
  { messages, more }: MessageStream<Message>,
  read: (message: Message & { at: Date }) => AuditedMessage,
): Lane {
  return { queue: messages.map((one) => ({ message: read(one), place: one.cursor })), more };
}

function timeOf({ queue }: Lane): number {
  return queue[0]?.message.at.getTime() ?? 0;
}

function readCursor(before: string): MessageCursor {
  const [, webhookId, eventId, outboxId] = /^(\d{1,19})\.(\d{1,19})\.(\d{1,19})$/.exec(before) ?? [];
  const all = [webhookId, eventId, outboxId];
  if (all.some((id) => id === undefined || BigInt(id) > BigInt(START.outboxId)))
    throw new ChannelError("REQUEST_INVALID", "before is the next of the page before.");
  return { webhookId, eventId, outboxId } as MessageCursor;
}

const NO_TIMES = { queued: null, accepted: null, sent: null, delivered: null, read: null, failed: null };

function toReceived({
  id,
  at,
  conversationId,
  contact,
  state,
  error,
  event,
}: ReceivedMessage & { readonly at: Date }): AuditedMessage {
  return {
    id: `in:${id}`,
    direction: "in",
    conversationId,
    contact,
    kind: event.kind === "message" ? event.type : event.kind,
    text:
      event.kind === "message"
        ? inboxText(event)
        : event.kind === "reaction"
          ? event.emoji === null
            ? "Took a reaction back"
            : `Reacted ${event.emoji}`
          : null,
    messageId: "messageId" in event ? event.messageId : null,
    at,
    state,
    times: { ...NO_TIMES, sent: event.occurredAt, failed: null },
    error:
      error === null
        ? null
        : {
            code: error,
            title: null,
            words: "Every try to apply it failed.",
            fix: "Mend the cause, then put it back: it is among the dead letters.",
          },
    degraded: [],
    sendId: null,
    partIndex: null,
    attempts: [],
  };
}

/** Where a part may end without a word of its arrival. */
const GIVEN_UP: readonly string[] = ["failed", "expired", "unknown"];

function toSent(message: SentMessage & { readonly at: Date }): AuditedMessage {
  const { id, at, conversationId, contact, kind, text, messageId, state, times, error, attempts } = message;
  return {
    id: `out:${id}`,
    direction: "out",
    conversationId,
    contact,
    kind,
    text,
    messageId,
    at,
    state,
    times: {
      queued: at,
      accepted: attempts.find(({ outcome }) => outcome === "accepted")?.finishedAt ?? null,
      ...times,
      failed: GIVEN_UP.includes(state) ? times.failed : null,
    },
    error: error === null ? null : explain(error),
    degraded: message.degraded,
    sendId: message.sendId,
    partIndex: message.partIndex,
    attempts: attempts.map(({ startedAt, outcome, metaCode }) => ({
      startedAt,
      outcome: outcome === "intent" ? "started" : outcome,
      metaCode,
    })),
  };
}

function explain({ code, message, meta }: NonNullable<SentMessage["error"]>): ExplainedError {
  if (meta === null) return { code, title: null, words: message, fix: null };
  const { says, fix }: Meaning = meaningOf(meta.code) ?? UNFAMILIAR;
  const details = meta.details === null || meta.details === meta.title ? "" : ` Meta says: ${meta.details}`;
  return {
    code: String(meta.code),
    title: meta.title,
    words: `${says[0]?.toUpperCase()}${says.slice(1)}.${details}`,
    fix,
  };
}

const UNFAMILIAR: Meaning = {
  says: "Meta has refused it",
  fix: "Look the code up among Meta's: https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes",
};
