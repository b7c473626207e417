/** Status webhooks joined to what we sent, by our token or by the wamid, whichever commits first. */
import type { MessageStatus, MetaError, PartState, Pricing, StatusEvent } from "../../plugin/contract.ts";
import type { SentTwice, StoredEvent, Undelivered } from "../../plugin/ports.ts";
import type { Database, Tx } from "./database.ts";
import { rejected, type WaitingEvent } from "./host-events.ts";
import type { HostMessageChange } from "./host-messages.ts";
import type { JustFailed } from "./instead.ts";
import { PAIR_LIMIT } from "./pair-limit.ts";
import { OPTED_OUT } from "./preferences.ts";
import { attemptsOf, confirmAttempts, failAttempts, readTries, type Try } from "./told-attempts.ts";

/** The ladder of delivery states, which the plugin decides. */
export type StatusRules = {
  readonly advance: (current: PartState, status: MessageStatus) => PartState;
  readonly isPending: (state: PartState) => boolean;
};

export type AppliedStatuses = {
  /** Status events for messages nobody here has sent, or not yet. */
  readonly parked: ReadonlySet<string>;
  /** What the host is told, with the stored event that brought it. */
  readonly changes: readonly { readonly eventId: string; readonly event: WaitingEvent }[];
  /** For the rows in the host's inbox. */
  readonly messages: readonly HostMessageChange[];
  /** Parts that have left, of which only a status tells, or tells first. */
  readonly answered: readonly string[];
  /** Contacts to whom Meta delivers no marketing any more. */
  readonly optedOut: readonly string[];
  /** Parts of which Meta has turned out to have taken a second copy. */
  readonly twice: readonly SentTwice[];
  /** Lanes whose head was settled, once for each: to be taken off them after all other lanes are locked. */
  readonly settledLanes: readonly string[];
  /** Parts of which Meta has said just now that nobody will see them. */
  readonly justFailed: readonly JustFailed[];
  /** The same parts, for whoever counts and logs. */
  readonly undelivered: readonly Undelivered[];
  /** Out lanes whose person has had too much, as Meta says. */
  readonly slowedLanes: readonly string[];
};

type Part = {
  readonly id: string;
  readonly send_id: string;
  readonly part_index: number;
  readonly lane_key: string;
  readonly contact_id: string;
  readonly conversation_id: string;
  readonly host_message_id: string | null;
  readonly was: PartState;
  state: PartState;
  message_id: string | null;
  duplicate_message_id: string | null;
  error: MetaError | null;
  pricing: Pricing | null;
  sent_at: Date | null;
  delivered_at: Date | null;
  read_at: Date | null;
  failed_at: Date | null;
  changed: boolean;
};

export async function applyStatuses(
  tx: Tx,
  db: Database,
  events: readonly StoredEvent[],
  { advance, isPending }: StatusRules,
): Promise<AppliedStatuses> {
  const statuses = events.flatMap(({ eventId, event, receivedAt }) =>
    event.kind === "status" ? [{ eventId, status: event, receivedAt }] : [],
  );
  if (statuses.length === 0)
    return {
      parked: new Set(),
      changes: [],
      messages: [],
      answered: [],
      optedOut: [],
      twice: [],
      settledLanes: [],
      justFailed: [],
      undelivered: [],
      slowedLanes: [],
    };
  const attempts = await attemptsOf(
    tx,
    db,
    statuses.map(({ status }) => status),
  );
  const parts = await lockParts(
    tx,
    db,
    statuses.map(({ status }) => status),
    [...attempts.values()],
    isPending,
  );
  // Read when their parts are locked: an answer may have come while that was waited for. Only failures ask for more than the token.
  const tries = statuses.some(({ status }) => status.status === "failed") ? await readTries(tx, db, parts) : [];
  const byId = new Map(parts.map((part) => [part.id, part]));
  const byWamid = new Map(
    parts.flatMap((part) =>
      [part.message_id, part.duplicate_message_id].filter((id) => id !== null).map((id) => [id, part] as const),
    ),
  );
  const parked = new Set<string>();
  const confirmed: { token: string; messageId: string }[] = [];
  const lost: { token: string; error: MetaError | null }[] = [];
  const changes: AppliedStatuses["changes"][number][] = [];
  const twice: SentTwice[] = [];
  const slowed = new Set<string>();
  for (const { eventId, status, receivedAt } of statuses) {
    const attempt = status.callbackData === null ? undefined : attempts.get(status.callbackData);
    const part = byWamid.get(status.messageId) ?? byId.get(attempt ?? "");
    if (part === undefined) {
      parked.add(eventId);
      continue;
    }
    const copy = tries.find(({ token, messageId }) => token === status.callbackData || messageId === status.messageId);
    // Meta has said so in its answer already, and what was made of the part since is another matter.
    if (status.status === "failed" && copy?.state === "rejected") continue;
    if (attempt !== undefined && status.callbackData !== null)
      confirmed.push({ token: status.callbackData, messageId: status.messageId });
    // What nobody gets of one copy says nothing of the other, which may be on their phone.
    const isOfOneCopy =
      status.status === "failed" &&
      tries.some((other) => other !== copy && other.outboxId === part.id && isOnItsWay(other));
    if (copy !== undefined) {
      copy.state = "accepted";
      copy.messageId = status.messageId;
      copy.hasFailed ||= status.status === "failed";
      if (status.status === "failed") lost.push({ token: copy.token, error: status.errors[0] ?? null });
    }
    // One event for each step, also when several steps come in one batch: the host may count deliveries.
    if (applyOne(part, status, receivedAt, isOfOneCopy ? (state) => state : advance)) {
      changes.push({ eventId, event: toHostEvent(part) });
      if (status.errors.some(({ code }) => code === PAIR_LIMIT)) slowed.add(part.lane_key);
    }
    // The one that counts may have been accepted long ago: of two copies, people see whichever comes highest.
    if (part.message_id !== status.messageId && part.duplicate_message_id === null) {
      part.duplicate_message_id = status.messageId;
      part.changed = true;
      twice.push({ outboxId: part.id, sendId: part.send_id, part: part.part_index });
    }
    byWamid.set(status.messageId, part);
  }
  const changed = parts.filter((part) => part.changed);
  confirmAttempts(tx, db, confirmed);
  failAttempts(tx, db, lost);
  writeParts(tx, db, changed);
  const left = changed.filter((part) => isPending(part.was) && !isPending(part.state));
  return {
    parked,
    changes,
    messages: changed.map((part) => ({ id: part.host_message_id, status: part.state, externalId: part.message_id })),
    answered: left.filter(({ state }) => state !== "failed").map((part) => part.id),
    twice,
    optedOut: changed.filter(({ error }) => error?.code === OPTED_OUT).map((part) => part.contact_id),
    justFailed: changed.flatMap(({ id, was, state, error }) =>
      state === "failed" && was !== "failed" && error !== null ? [{ id, error }] : [],
    ),
    undelivered: changed.flatMap((part) =>
      part.state === "failed" && part.was !== "failed" ? [toUndelivered(part)] : [],
    ),
    settledLanes: left.map((part) => part.lane_key),
    slowedLanes: [...slowed],
  };
}

function isOnItsWay({ state, hasFailed }: Try): boolean {
  return state === "accepted" && !hasFailed;
}

/** Where the time stands at which a status was first reached. Who has heard a voice note has read it. */
const TIMES = {
  sent: "sent_at",
  delivered: "delivered_at",
  read: "read_at",
  played: "read_at",
  failed: "failed_at",
} as const satisfies Readonly<Record<MessageStatus, keyof Part>>;

/** @returns whether there is news for the host: a step up the ladder, or a failure it has not heard of. */
function applyOne(part: Part, status: StatusEvent, receivedAt: Date, advance: StatusRules["advance"]): boolean {
  const state = advance(part.state, status.status);
  const time = TIMES[status.status];
  part.changed ||= part[time] === null;
  part[time] ??= status.occurredAt ?? receivedAt;
  const error = status.errors[0] ?? null;
  const isNews = state !== part.state || (error !== null && part.error === null);
  part.changed ||= isNews || part.message_id === null || status.pricing !== undefined;
  // Only some of the statuses carry it; what was said once holds.
  part.pricing = status.pricing ?? part.pricing;
  part.state = state;
  part.message_id ??= status.messageId;
  part.error = error ?? part.error;
  return isNews;
}

async function lockParts(
  tx: Tx,
  db: Database,
  statuses: readonly StatusEvent[],
  outboxIds: readonly string[],
  isPending: StatusRules["isPending"],
): Promise<readonly Part[]> {
  const rows = await tx.query<Omit<Part, "was" | "changed" | "error"> & { error: { meta: MetaError | null } | null }>(
    `select id, send_id, part_index, lane_key, contact_id, conversation_id, host_message_id, state, message_id,
       duplicate_message_id, error, pricing, sent_at, delivered_at, read_at, failed_at
     from ${db.name("whatsapp_outbox")} where message_id = any($1) or duplicate_message_id = any($1) or id = any($2::bigint[])
     order by id for update`,
    [statuses.map(({ messageId }) => messageId), outboxIds],
  );
  return rows.map((row) => {
    // What was refused before Meta took it says nothing of the message that it speaks of now.
    const isOfATry = isPending(row.state) || row.state === "unknown";
    return { ...row, was: row.state, error: isOfATry ? null : (row.error?.meta ?? null), changed: false };
  });
}

function writeParts(tx: Tx, db: Database, parts: readonly Part[]): void {
  if (parts.length === 0) return;
  tx.send(
    `update ${db.name("whatsapp_outbox")} o set state = p.state, message_id = p.message_id,
       duplicate_message_id = p.duplicate_message_id, error = p.error, pricing = p.pricing, sent_at = p.sent_at, delivered_at = p.delivered_at,
       read_at = p.read_at, failed_at = case when p.state = 'failed' then p.failed_at end, updated_at = now()
     from json_to_recordset($1::json) as p (id bigint, state text, message_id text, duplicate_message_id text, error jsonb, pricing jsonb,
       sent_at timestamptz, delivered_at timestamptz, read_at timestamptz, failed_at timestamptz) where o.id = p.id`,
    [
      JSON.stringify(
        parts.map((part) => ({
          id: part.id,
          state: part.state,
          message_id: part.message_id,
          duplicate_message_id: part.duplicate_message_id,
          pricing: part.pricing,
          sent_at: part.sent_at,
          delivered_at: part.delivered_at,
          read_at: part.read_at,
          failed_at: part.failed_at,
          error: part.error === null ? null : rejected(part.error),
        })),
      ),
    ],
  );
}

function toHostEvent(part: Part): WaitingEvent {
  return {
    kind: "status",
    conversationId: part.conversation_id,
    sendId: part.send_id,
    part: part.part_index,
    messageId: part.message_id,
    state: part.state,
    error: part.error === null ? null : rejected(part.error),
    pricing: part.pricing,
  };
}

function toUndelivered(part: Part): Undelivered {
  return {
    outboxId: part.id,
    sendId: part.send_id,
    part: part.part_index,
    conversationId: part.conversation_id,
    messageId: part.message_id,
    code: part.error?.code ?? null,
  };
}
