/** Spans of OpenTelemetry around what takes time. Their attributes are our own ids, counts and codes: never a text or a number of somebody. */
import type { ChannelPlugin, Reply, Turn } from "../contract.ts";
import { ChannelError } from "../errors.ts";
import type { OutgoingPart, Settlement, Store } from "../ports.ts";

type Attributes = Readonly<Record<string, string | number | boolean | string[]>>;

/** What we use of `@opentelemetry/api`; its own types fit. */
export type Span = {
  setAttributes(attributes: Attributes): unknown;
  setStatus(status: { code: number; message?: string }): unknown;
  end(): void;
};
export type SpanOptions = { readonly kind?: number; readonly attributes?: Attributes };
export type Tracer = {
  startSpan(name: string, options?: SpanOptions): Span;
  startActiveSpan<T>(name: string, options: SpanOptions, run: (span: Span) => T): T;
};

/** @see https://opentelemetry.io/docs/specs/otel/trace/api/#spankind, #set-status */
const SERVER = 1;
const CLIENT = 2;
const ERROR = 2;
/** A batch may hold thousands. */
const MOST_IDS = 32;

/** One span for each delivery that Meta makes, until it is stored. */
export function traceReceive(receive: ChannelPlugin["receive"], tracer: Tracer): ChannelPlugin["receive"] {
  return (delivery) =>
    tracer.startActiveSpan("whatsapp receive", { kind: SERVER }, (span) =>
      until(span, receive(delivery), ({ webhookId, events }) => ({
        "whatsapp.webhook_id": webhookId,
        "whatsapp.events": events.length,
      })),
    );
}

/** One span for each asking of the host, in which its own spans are children, until the last piece of a stream. */
export function traceReply(
  reply: (turn: Turn) => Promise<Reply> | Reply,
  tracer: Tracer,
): (turn: Turn) => Promise<Reply> {
  return (turn) => {
    const attributes = {
      "whatsapp.turn_id": turn.turnId,
      "whatsapp.conversation_id": turn.conversationId,
      "whatsapp.messages": turn.messages.length,
      "whatsapp.attempt": turn.attempt,
    };
    return tracer.startActiveSpan("whatsapp reply", { attributes }, async (span) => {
      try {
        const answer = await reply(turn);
        if (typeof answer === "object" && answer !== null && Symbol.asyncIterator in answer)
          return piecesOf(span, answer);
        span.end();
        return answer;
      } catch (error) {
        fail(span, error);
        throw error;
      }
    });
  };
}

/** Its lookups and writes are the store's business; how long they take and whether they hold, ours. */
export function traceWork(store: Store, tracer: Tracer): Store {
  const { inbox, outbox } = store;
  /** From the row that says "about to be posted" to the one that says what came of it. */
  const attempts = new WeakMap<OutgoingPart, Span>();
  return {
    ...store,
    inbox: {
      ...inbox,
      apply(lanes, events, effects) {
        const ids = events.slice(0, MOST_IDS).map(({ eventId }) => eventId);
        const attributes = {
          "whatsapp.events": events.length,
          "whatsapp.lanes": lanes.length,
          "whatsapp.event_ids": ids,
        };
        return tracer.startActiveSpan("whatsapp apply", { attributes }, (span) =>
          until(span, inbox.apply(lanes, events, effects), (woken) => ({ "whatsapp.committed": woken !== null })),
        );
      },
    },
    outbox: {
      ...outbox,
      async begin(parts) {
        const begun = await outbox.begin(parts);
        for (const [i, { part }] of parts.entries())
          if (begun[i])
            attempts.set(part, tracer.startSpan("whatsapp send", { kind: CLIENT, attributes: attributesOf(part) }));
        return begun;
      },
      async settle(settlements) {
        const settled = await outbox.settle(settlements);
        for (const settlement of settlements) {
          const span = attempts.get(settlement.part);
          attempts.delete(settlement.part);
          if (span !== undefined) endAttempt(span, settlement);
        }
        return settled;
      },
    },
  };
}

function attributesOf({ outboxId, sendId, index, conversationId, connection, kind }: OutgoingPart): Attributes {
  return {
    "whatsapp.outbox_id": outboxId,
    "whatsapp.send_id": sendId,
    "whatsapp.part": index,
    "whatsapp.conversation_id": conversationId,
    "whatsapp.connection_id": connection.connectionId,
    "whatsapp.message_kind": kind,
  };
}

function endAttempt(span: Span, { attempt, next, error }: Settlement): void {
  span.setAttributes({
    "whatsapp.outcome": attempt ?? "none",
    "whatsapp.state": next.kind === "replace" ? "replaced" : next.state,
    ...(error === null ? {} : { "whatsapp.error": error.meta === null ? error.code : String(error.meta.code) }),
  });
  if (attempt !== "accepted") span.setStatus({ code: ERROR });
  span.end();
}

async function until<T>(span: Span, work: Promise<T>, seen: (result: T) => Attributes): Promise<T> {
  try {
    const result = await work;
    span.setAttributes(seen(result));
    span.end();
    return result;
  } catch (error) {
    fail(span, error);
    throw error;
  }
}

async function* piecesOf(span: Span, stream: AsyncIterable<string>): AsyncGenerator<string> {
  try {
    yield* stream;
  } catch (error) {
    span.setStatus({ code: ERROR, message: nameOf(error) });
    throw error;
  } finally {
    span.end();
  }
}

/** The message of an error may hold what somebody wrote. */
function fail(span: Span, error: unknown): void {
  span.setStatus({ code: ERROR, message: nameOf(error) });
  span.end();
}

function nameOf(error: unknown): string {
  if (error instanceof ChannelError) return error.code;
  return error instanceof Error ? error.name : typeof error;
}
