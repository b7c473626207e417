/** The outbox: parts in order per recipient, every attempt written before its socket opens, every outcome once. */
import type { HostEvent, PartState, SendReceipt, SentPart } from "../../plugin/contract.ts";
import { ChannelError } from "../../plugin/errors.ts";
import type { Outbox, Settlement } from "../../plugin/ports.ts";
import type { Database, Tx } from "./database.ts";
import { enqueueHostEvents, notifyLane } from "./host-events.ts";
import { type HostShape, updateHostMessages } from "./host-tables.ts";
import { enqueueOnLanes, fencedEach, LeaseLost, releaseLanes, settleOnLanes } from "./lanes.ts";
import { readHeads } from "./outbox-head.ts";
import { insertSends } from "./sends.ts";

export type OutboxOptions = {
  readonly hasListener: boolean;
  readonly isPending: (state: PartState) => boolean;
  readonly hostShape: () => Promise<HostShape>;
  readonly leaseMs: number;
};

export function createOutbox(db: Database, options: OutboxOptions): Outbox {
  return {
    async enqueue(conversationId, send) {
      return db.transaction(async (tx) => {
        const to = await addressOf(tx, db, conversationId);
        const [sendId] = await insertSends(tx, db, [{ ...send, ...to, conversationId, turnId: null }]);
        if (sendId) {
          // Refused inside the transaction that would have queued it, so the two can never disagree.
          if (!to.windowOpen && send.onWindowClosed === "fail") throw windowClosed();
          return (await readReceipt(tx, db, sendId, to.customerConfigId)) as SendReceipt;
        }
        const [before] = await tx.query<{ id: string; request_hash: string; conversation_id: string }>(
          `select id, request_hash, conversation_id from ${db.name("whatsapp_sends")} where customer_config_id = $1 and idempotency_key = $2`,
          [to.customerConfigId, send.idempotencyKey],
        );
        const isSame =
          before?.request_hash === send.requestHash && before.conversation_id === conversationId.toLowerCase();
        if (!isSame)
          throw new ChannelError(
            "IDEMPOTENCY_CONFLICT",
            "This idempotency key was used for another request: choose a new key.",
          );
        return (await readReceipt(tx, db, before.id, to.customerConfigId)) as SendReceipt;
      });
    },

    receipt: (sendId, customerConfigId) => readReceipt(db, db, sendId, customerConfigId),

    head: (lanes) => readHeads(db, lanes),

    begin: (parts) =>
      fencedEach(db, parts, async (tx, some) => {
        const ids = some.map(({ part }) => part.outboxId);
        // Parts before lanes, as in `settle` and for statuses. A status may have settled a part since it was read.
        const waiting = await tx.query<{ state: PartState }>(
          `select state from ${db.name("whatsapp_outbox")} where id = any($1) order by id for update`,
          [ids],
        );
        if (!waiting.every(({ state }) => options.isPending(state))) throw new LeaseLost();
        // The lane row stays locked until the attempt is committed, so nobody who takes it over can miss the attempt.
        const held = await tx.query(
          `with mine as (
             select l.lane_key from ${db.name("whatsapp_lanes")} l
             join unnest($1::text[], $2::uuid[]) as m (lane_key, token) on l.lane_key = m.lane_key and l.lease_token = m.token
             order by l.lane_key for update of l)
           update ${db.name("whatsapp_lanes")} l set ready_at = now() + $3 * interval '1 millisecond'
           from mine where l.lane_key = mine.lane_key returning 1`,
          [some.map(({ part }) => part.lane.laneKey), some.map(({ part }) => part.lane.token), options.leaseMs],
        );
        if (held.length !== some.length) throw new LeaseLost();
        await tx.query(
          `insert into ${db.name("whatsapp_send_attempts")} (outbox_id, token) select * from unnest($1::bigint[], $2::text[])`,
          [ids, some.map(({ token }) => token)],
        );
        await tx.query(
          `update ${db.name("whatsapp_outbox")} set state = 'sending', attempts = attempts + 1, updated_at = now() where id = any($1)`,
          [ids],
        );
      }),

    async settle(settlements) {
      const shape = await options.hostShape();
      const outcomes = await fencedEach(db, settlements, (tx, some) => write(tx, db, shape, options, some, true));
      // An answer that came after the lease was lost is still an answer: whoever holds the lane will find it settled.
      const late = settlements.filter((settlement, i) => !outcomes[i] && settlement.attempt !== null);
      if (late.length > 0) await db.transaction((tx) => write(tx, db, shape, options, late, false));
      return outcomes;
    },
  };
}

type Locked = {
  readonly id: string;
  readonly state: PartState;
  readonly message_id: string | null;
  readonly send_id: string;
  readonly part_index: number;
  readonly conversation_id: string;
  readonly host_message_id: string | null;
};

type Change = {
  readonly row: Locked;
  readonly state: PartState;
  readonly messageId: string | null;
  readonly error: SentPart["error"];
};

async function write(
  tx: Tx,
  db: Database,
  shape: HostShape,
  options: OutboxOptions,
  settlements: readonly Settlement[],
  withLease: boolean,
): Promise<void> {
  const rows = await lockWithSuccessors(
    tx,
    db,
    settlements.map(({ part }) => part.outboxId),
  );
  const changes: Change[] = [];
  const finished = settlements.map((settlement) => {
    const { part, next } = settlement;
    const row = rows.find(({ id }) => id === part.outboxId);
    if (row === undefined) return { lane: part.lane, items: 0 };
    // A status was faster: the part is settled and already counted off its lane. Only its wamid may be missing.
    if (!options.isPending(row.state)) {
      // Meta's word stands above what was only guessed while this answer was on its way.
      if (row.message_id === null && settlement.messageId !== null) {
        const isGuess = row.state === "unknown" || row.state === "expired";
        changes.push({
          row,
          state: isGuess ? "accepted" : row.state,
          messageId: settlement.messageId,
          error: null,
        });
      }
      return { lane: part.lane, items: 0 };
    }
    if (next.kind === "retry") {
      if (withLease) changes.push({ row, state: next.state, messageId: null, error: settlement.error });
      return { lane: part.lane, items: 0, delayMs: next.delayMs };
    }
    changes.push({ row, state: next.state, messageId: settlement.messageId, error: settlement.error });
    if (next.state === "accepted") return { lane: part.lane, items: 1 };
    // What follows would make no sense without this part, so it is not sent either, and the receipt says so.
    const orphans = rows.filter(
      ({ send_id, id, state }) => send_id === row.send_id && BigInt(id) > BigInt(row.id) && options.isPending(state),
    );
    for (const orphan of orphans) changes.push({ row: orphan, state: "failed", messageId: null, error: PART_BEFORE });
    return { lane: part.lane, items: 1 + orphans.length };
  });
  await writeAttempts(tx, db, settlements);
  await writeParts(tx, db, changes);
  await updateHostMessages(
    tx,
    db,
    shape,
    changes.map(({ row, state, messageId }) => ({ id: row.host_message_id, status: state, externalId: messageId })),
  );
  const news = options.hasListener
    ? changes.filter(({ row, state }) => state !== row.state && !options.isPending(state)).map(toHostEvent)
    : [];
  const lanes = new Map<string, number>();
  for (const event of news) lanes.set(notifyLane(event), (lanes.get(notifyLane(event)) ?? 0) + 1);
  await enqueueOnLanes(
    tx,
    db,
    [...lanes].map(([laneKey, items]) => ({ laneKey, stage: "notify", items })),
  );
  await enqueueHostEvents(tx, db, news);
  if (!withLease)
    await settleOnLanes(
      tx,
      db,
      finished.flatMap(({ lane, items }) => Array.from({ length: items }, () => lane.laneKey)),
    );
  else if (!(await releaseLanes(tx, db, finished))) throw new LeaseLost();
}

const PART_BEFORE: SentPart["error"] = {
  code: "PART_BEFORE_FAILED",
  message: "An earlier part of this answer was not sent.",
  meta: null,
};

async function lockWithSuccessors(tx: Tx, db: Database, ids: readonly string[]): Promise<readonly Locked[]> {
  return tx.query<Locked>(
    `select o.id, o.state, o.message_id, o.send_id, o.part_index, o.conversation_id, o.host_message_id from ${db.name("whatsapp_outbox")} o
     where o.send_id in (select send_id from ${db.name("whatsapp_outbox")} where id = any($1)) order by o.id for update`,
    [ids],
  );
}

async function writeAttempts(tx: Tx, db: Database, settlements: readonly Settlement[]): Promise<void> {
  const made = settlements.filter(({ token }) => token !== null);
  if (made.length === 0) return;
  await tx.query(
    // Accepted is absorbing: a status may have said so while the answer was still on its way.
    `update ${db.name("whatsapp_send_attempts")} a set state = s.state, message_id = coalesce(s.message_id, a.message_id), error = s.error, finished_at = now()
     from json_to_recordset($1::json) as s (token text, state text, message_id text, error jsonb)
     where a.token = s.token and a.state <> 'accepted'`,
    [
      JSON.stringify(
        made.map(({ token, attempt, messageId, error }) => ({ token, state: attempt, message_id: messageId, error })),
      ),
    ],
  );
}

async function writeParts(tx: Tx, db: Database, changes: readonly Change[]): Promise<void> {
  if (changes.length === 0) return;
  await tx.query(
    `update ${db.name("whatsapp_outbox")} o set state = c.state, message_id = coalesce(c.message_id, o.message_id), error = c.error, updated_at = now()
     from json_to_recordset($1::json) as c (id bigint, state text, message_id text, error jsonb) where o.id = c.id`,
    [
      JSON.stringify(
        changes.map(({ row, state, messageId, error }) => ({ id: row.id, state, message_id: messageId, error })),
      ),
    ],
  );
}

function toHostEvent({ row, state, messageId, error }: Change): HostEvent {
  return {
    kind: "status",
    conversationId: row.conversation_id,
    sendId: row.send_id,
    part: row.part_index,
    messageId,
    state,
    error: error?.meta ?? null,
    pricing: null,
  };
}

type Address = {
  readonly connectionId: string;
  readonly customerConfigId: string;
  readonly contactId: string;
  readonly windowOpen: boolean;
};

async function addressOf(tx: Tx, db: Database, conversationId: string): Promise<Address> {
  const [row] = await tx.query<{
    id: string;
    connection_id: string;
    customer_config_id: string;
    state: string;
    open: boolean;
  }>(
    // A person who was two contacts keeps both conversations in the host's inbox: either leads to the one contact now.
    `select coalesce(c.merged_into, c.id) as id, c.connection_id, c.customer_config_id, n.state,
       ${db.name("is_whatsapp_session_active")}($1) as open
     from ${db.name("whatsapp_contacts")} c join ${db.name("whatsapp_connections")} n on n.id = c.connection_id
     where c.conversation_id = $1 order by c.merged_into nulls first, c.id limit 1`,
    [conversationId],
  );
  if (row === undefined)
    throw new ChannelError("CONVERSATION_UNKNOWN", "There is no WhatsApp conversation with this id.");
  if (row.state === "disconnected")
    throw new ChannelError("CONNECTION_MISSING", "The number of this conversation is disconnected: connect it again.");
  return {
    connectionId: row.connection_id,
    customerConfigId: row.customer_config_id,
    contactId: row.id,
    windowOpen: row.open,
  };
}

function windowClosed(): ChannelError {
  return new ChannelError(
    "WINDOW_CLOSED",
    "The 24-hour window is closed: only a template may be sent until the person writes again.",
    { retry: "template" },
  );
}

async function readReceipt(
  tx: Tx,
  db: Database,
  sendId: string,
  customerConfigId: string,
): Promise<SendReceipt | null> {
  const rows = await tx.query<{
    conversation_id: string;
    degraded: SendReceipt["degraded"];
    part_index: number;
    kind: SentPart["kind"];
    state: PartState;
    message_id: string | null;
    error: SentPart["error"];
  }>(
    `select s.conversation_id, s.degraded, o.part_index, o.kind, o.state, o.message_id, o.error
     from ${db.name("whatsapp_sends")} s join ${db.name("whatsapp_outbox")} o on o.send_id = s.id
     where s.id = $1 and s.customer_config_id = $2 order by o.part_index`,
    [sendId, customerConfigId],
  );
  const [first] = rows;
  if (first === undefined) return null;
  return {
    sendId,
    conversationId: first.conversation_id,
    parts: rows.map((row) => ({
      index: row.part_index,
      kind: row.kind,
      state: row.state,
      messageId: row.message_id,
      error: row.error,
    })),
    degraded: first.degraded,
  };
}
