/** What came and what went, for its tenant to look at: newest first, page by page, and never another tenant's. */
import type { ChannelEvent, Degradation, PartState, SentPart } from "../contract.ts";

/** Whose it is: every number that the tenant has or had. */
export type AuditOwner = { readonly customerConfigId: string };

export type DeliveryState = "processed" | "waiting" | "failed";

export type DeliveryFilter = AuditOwner & {
  /** As `whatsapp_webhooks.webhook_type`. */
  readonly type?: string | undefined;
  readonly state?: DeliveryState | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  /** Stands in one of the tenant's own events. */
  readonly q?: string | undefined;
};

/** A delivery, as far as it is the tenant's. */
export type DeliveryRow = {
  /** The row in `whatsapp_webhooks`. */
  readonly id: string;
  readonly type: string;
  readonly receivedAt: Date;
  readonly state: DeliveryState;
  readonly error: string | null;
  /** Bytes of all of it. */
  readonly size: number;
  /** The tenant's. */
  readonly events: number;
};

/** `unknown`: this version did not know what it is. `parked`: a status, edit or deletion that waits for the message it speaks of. */
export type AuditEventState = "waiting" | "applied" | "unknown" | "failed" | "parked" | "erased";

/** What an event came to. */
export type EventPlace = {
  readonly phoneNumberId: string | null;
  readonly wabaId: string | null;
  /** Digits, where the event names its number by them. */
  readonly displayPhoneNumber: string | null;
};

export type AuditEvent = EventPlace & {
  readonly id: string;
  readonly kind: ChannelEvent["kind"];
  readonly state: AuditEventState;
  /** As the dead letters list it. */
  readonly error: string | null;
  /** Meta's own time of it, ISO 8601. */
  readonly occurredAt: string | null;
  /** Null where it is not being tried now. */
  readonly attempts: number | null;
};

export type AuditedDelivery = DeliveryRow & {
  /** Empty where a person in it was erased. */
  readonly body: Uint8Array;
  readonly ownEvents: readonly AuditEvent[];
};

/** A message's place among those that came, and among those that went. */
export type MessageCursor = { readonly webhookId: string; readonly eventId: string; readonly outboxId: string };

/** When it was stored, and its place among the others. */
export type Placed<Message> = Message & { readonly at: Date; readonly cursor: Partial<MessageCursor> };

/** A page of one direction. */
export type MessageStream<Message> = {
  readonly messages: readonly Placed<Message>[];
  /** Where looking ended before the page was full; null when there is nothing more. */
  readonly more: { readonly at: Date; readonly cursor: Partial<MessageCursor> } | null;
};

export type MessageFilter = AuditOwner & {
  readonly states?: readonly string[] | undefined;
  readonly conversationId?: string | undefined;
  /** Came to this number, or left by it. */
  readonly phoneNumberId?: string | undefined;
  readonly q?: string | undefined;
};

type Correspondent = {
  readonly conversationId: string | null;
  readonly contact: { readonly name: string | null; readonly phoneNumber: string | null };
};

/** `waiting`: stored, not yet shown to anybody. */
export type ReceivedState = "received" | "waiting" | "failed";

export type ReceivedMessage = Correspondent & {
  /** The event's row. */
  readonly id: string;
  readonly state: ReceivedState;
  readonly error: string | null;
  readonly event: ChannelEvent;
};

export type SentMessage = Correspondent & {
  /** The row in `whatsapp_outbox`. */
  readonly id: string;
  readonly kind: SentPart["kind"];
  /** As the host's inbox has it; null when the host has deleted it. */
  readonly text: string | null;
  readonly state: PartState;
  readonly error: SentPart["error"];
  readonly sendId: string;
  readonly partIndex: number;
  readonly messageId: string | null;
  readonly degraded: readonly Degradation[];
  readonly times: Readonly<Record<"sent" | "delivered" | "read" | "failed", Date | null>>;
  readonly attempts: readonly SendAttempt[];
};

export type SendAttempt = {
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  readonly outcome: "intent" | "accepted" | "rejected" | "ambiguous";
  readonly metaCode: number | null;
};

/** A word for the newest of each kind, another one as soon as something has changed. */
export type AuditMarks = Readonly<Record<"messages" | "webhooks" | "deadLetters" | "templates" | "numbers", string>>;

export type Audit = {
  /** @returns at most `limit`, and where to go on: after the last one, or where looking ended before there were so many. */
  deliveries(
    filter: DeliveryFilter,
    page: { readonly limit: number; readonly before: string | null },
  ): Promise<{ readonly deliveries: readonly DeliveryRow[]; readonly next: string | null }>;
  /** @returns null when nothing in it is the tenant's. */
  delivery(owner: AuditOwner, webhookId: string): Promise<AuditedDelivery | null>;
  /** Of these events those that are stored, whichever delivery brought them: whether they are the tenant's, or somebody else's. */
  storedAsOwn(owner: AuditOwner, dedupeKeys: readonly string[]): Promise<ReadonlyMap<string, boolean>>;
  received(filter: MessageFilter, page: AuditPage): Promise<MessageStream<ReceivedMessage>>;
  sent(filter: MessageFilter, page: AuditPage): Promise<MessageStream<SentMessage>>;
  /** By the event's row. @returns null when it is no message of the tenant's. */
  receivedOne(owner: AuditOwner, id: string): Promise<Placed<ReceivedMessage> | null>;
  /** By the row in `whatsapp_outbox`. @returns null when it is not the tenant's. */
  sentOne(owner: AuditOwner, id: string): Promise<Placed<SentMessage> | null>;
  marks(owner: AuditOwner): Promise<AuditMarks>;
};

export type AuditPage = { readonly limit: number; readonly before: MessageCursor };
