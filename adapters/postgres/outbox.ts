/** The outbox: parts in order per recipient, every attempt written before its socket opens, every outcome once. */
import type { PartState, SendReceipt, SentPart } from "../../plugin/contract.ts";
import { ChannelError } from "../../plugin/errors.ts";
import type {
  Outbox,
  PairLimit,
  PlannedSend,
  SendingAccount,
  SendRequestKey,
  SentTwice,
  Settlement,
} from "../../plugin/ports.ts";
import type { Database, Queries, Tx } from "./database.ts";
import { hiddenRow } from "./host-access.ts";
import type { HostShape } from "./host-tables.ts";
import { fenced, fencedEach, LeaseLost } from "./lanes.ts";
import { readHeads } from "./outbox-head.ts";
import { pacedBy } from "./pair-limit.ts";
import { wantsNoMarketing } from "./preferences.ts";
import { rewritePart } from "./rewrite.ts";
import { insertSends } from "./sends.ts";
import { windowOf } from "./sessions.ts";
import { type SettleOptions, settleParts } from "./settle.ts";

export type OutboxOptions = SettleOptions & {
  readonly hostShape: () => Promise<HostShape>;
  readonly leaseMs: number;
  readonly pair?: PairLimit;
  /** How long a status may take; webhooks of a number must have come for half of it before their silence means anything. */
  readonly reconcileMs?: number;
};

const FOREIGN_KEY_VIOLATION = "23503";

export function createOutbox(db: Database, options: OutboxOptions): Outbox {
  return {
    async enqueue(conversationId, send) {
      const enqueueing = db.transaction(async (tx) => {
        lockPeople(tx, db, conversationId);
        const to = await addressOf(tx, db, conversationId).catch((error: unknown) => refused(error));
        if ("error" in to) {
          const before = await sentBefore(tx, db, null, { ...send, conversationId });
          if (before === null) throw to.error;
          return before;
        }
        const sent = to.windowOpen ? send : insteadOf(send);
        const [sendId] = await insertSends(tx, db, [{ ...sent, ...to, conversationId, turnId: null }]);
        if (sendId) {
          // Refused inside the transaction that would have queued it, so the two can never disagree.
          const needsWindow = sent.parts.some((part) => part.needsWindow);
          if (!to.windowOpen && needsWindow && sent.onWindowClosed === "fail") throw windowClosed();
          if (to.optedOut && sent.parts.some(({ isMarketing }) => isMarketing)) throw optedOut();
          return (await readReceipt(tx, db, sendId, to.customerConfigId)) as SendReceipt;
        }
        return (await sentBefore(tx, db, to.customerConfigId, { ...send, conversationId })) as SendReceipt;
      });
      return enqueueing.catch(async (error: unknown) => {
        // The host may have deleted the conversation since it was found: then that is said.
        if ((error as { code?: unknown }).code === FOREIGN_KEY_VIOLATION) await addressOf(db, db, conversationId);
        throw await explained(db, conversationId, error);
      });
    },

    async accountOf(conversationId) {
      const { customerConfigId, connectionId, wabaId, accessTokenEnc } = await addressOf(db, db, conversationId).catch(
        async (error: unknown) => {
          throw await explained(db, conversationId, error);
        },
      );
      return { customerConfigId, connectionId, wabaId, accessTokenEnc };
    },

    async before(request) {
      const to = await addressOf(db, db, request.conversationId).catch((error: unknown) => refused(error));
      return sentBefore(db, db, "error" in to ? null : to.customerConfigId, request);
    },

    receipt: (sendId, customerConfigId) => readReceipt(db, db, sendId, customerConfigId),

    head: (lanes) => readHeads(db, lanes, (options.reconcileMs ?? 0) / 2),

    begin: (parts) =>
      fencedEach(db, parts, async (tx, some) => {
        const ids = some.map(({ part }) => part.outboxId);
        // Parts before lanes, as in `settle` and for statuses. A status may have settled a part since it was read.
        const locking = tx.query<{ state: PartState }>(
          `select state from ${db.name("whatsapp_outbox")} where id = any((select $1::bigint[])::bigint[]) order by id for update`,
          [ids],
        );
        // The lane row stays locked until the attempt is committed, so nobody who takes it over can miss the attempt.
        const holding = tx.query(
          `with mine as (
             select l.lane_key from ${db.name("whatsapp_lanes")} l
             join unnest((select $1::text[]), (select $2::uuid[])) as m (lane_key, token) on l.lane_key = m.lane_key and l.lease_token = m.token
             order by l.lane_key for update of l)
           update ${db.name("whatsapp_lanes")} l set ready_at = now() + $3 * interval '1 millisecond',
             paced_until = ${pacedBy(options.pair)}
           from mine where l.lane_key = mine.lane_key returning 1`,
          [some.map(({ part }) => part.lane.laneKey), some.map(({ part }) => part.lane.token), options.leaseMs],
        );
        tx.send(
          `insert into ${db.name("whatsapp_send_attempts")} (outbox_id, token, media_ids)
           select outbox_id, token, media_ids::jsonb from unnest($1::bigint[], $2::text[], $3::text[]) as s (outbox_id, token, media_ids)`,
          [
            ids,
            some.map(({ token }) => token),
            some.map(({ mediaIds = [] }) => (mediaIds.length === 0 ? null : JSON.stringify(mediaIds))),
          ],
        );
        tx.send(
          `update ${db.name("whatsapp_outbox")} set state = 'sending', attempts = attempts + 1, updated_at = now() where id = any((select $1::bigint[])::bigint[])`,
          [ids],
        );
        const [waiting, held] = await Promise.all([locking, holding]);
        if (!waiting.every(({ state }) => options.isPending(state)) || held.length !== some.length)
          throw new LeaseLost();
      }),

    async rewrite(part, by) {
      const shape = await options.hostShape();
      return fenced(db, (tx) => rewritePart(tx, db, shape, options, part, by));
    },

    async settle(settlements) {
      const shape = await options.hostShape();
      // By id, because a group that has lost a lease is settled again one by one.
      const twice = new Map<string, SentTwice>();
      const settle = async (tx: Tx, some: readonly Settlement[], withLease: boolean) => {
        for (const one of await settleParts(tx, db, shape, options, some, withLease)) twice.set(one.outboxId, one);
      };
      const outcomes = await fencedEach(db, settlements, (tx, some) => settle(tx, some, true));
      // An answer that came after the lease was lost is still an answer: whoever holds the lane will find it settled.
      const late = settlements.filter((settlement, i) => !outcomes[i] && settlement.attempt !== null);
      if (late.length > 0) await db.transaction((tx) => settle(tx, late, false));
      if (twice.size > 0) options.onSentTwice?.([...twice.values()]);
      return outcomes;
    },
  };
}

/** Nothing new can be sent there; what was sent before is known all the same. @throws what is no word about the conversation. */
function refused(error: unknown): { readonly error: ChannelError } {
  if (error instanceof ChannelError && (error.code === "CONVERSATION_UNKNOWN" || error.code === "CONNECTION_MISSING"))
    return { error };
  throw error;
}

/** @param tenant null where the conversation does not tell any more whose it is: what was sent in it says so. */
async function sentBefore(
  tx: Queries,
  db: Database,
  tenant: string | null,
  { conversationId, idempotencyKey, requestHash }: SendRequestKey,
): Promise<SendReceipt | null> {
  if (idempotencyKey === null) return null;
  const [before] = await tx.query<{
    id: string;
    request_hash: string;
    conversation_id: string;
    customer_config_id: string;
  }>(
    `select id, request_hash, conversation_id, customer_config_id from ${db.name("whatsapp_sends")}
     where ${tenant === null ? "conversation_id" : "customer_config_id"} = $1 and idempotency_key = $2`,
    [tenant ?? conversationId, idempotencyKey],
  );
  if (before === undefined) return null;
  if (before.request_hash !== requestHash || before.conversation_id !== conversationId)
    throw new ChannelError(
      "IDEMPOTENCY_CONFLICT",
      "This idempotency key was used for another request: choose a new key.",
    );
  return readReceipt(tx, db, before.id, before.customer_config_id);
}

/** The window is closed: what was wished for that case takes the place of everything. */
function insteadOf(send: PlannedSend): PlannedSend {
  if (send.fallback === null || send.parts.every(({ needsWindow }) => !needsWindow)) return send;
  return { ...send, parts: [send.fallback], fallback: null, choices: [], degraded: send.fallback.degraded };
}

type Address = SendingAccount & {
  readonly contactId: string;
  readonly windowOpen: boolean;
  /** No marketing to this person. */
  readonly optedOut: boolean;
};

/**
 * The person can neither be erased nor become another contact until the send is stored. It waits for a link that is under way: in a
 * statement of its own, so that the next one sees the one contact, and the window and the word that it has then.
 */
function lockPeople(tx: Tx, db: Database, conversationId: string): void {
  tx.send(`select 1 from ${db.name("whatsapp_contacts")} where conversation_id = $1 order by id for share`, [
    conversationId,
  ]);
}

async function addressOf(tx: Queries, db: Database, conversationId: string): Promise<Address> {
  const [row] = await tx.query<{
    id: string;
    connection_id: string;
    customer_config_id: string;
    waba_id: string;
    access_token_enc: string | null;
    state: string;
    open: boolean;
    opted_out: boolean;
  }>(
    // A person who was two contacts keeps both conversations in the host's inbox: either leads to the one contact now.
    `select coalesce(c.merged_into, c.id) as id, c.connection_id, c.customer_config_id, n.waba_id, k.access_token_enc, n.state,
       ${db.name("is_whatsapp_session_active")}(${windowOf(db)}) as open, ${wantsNoMarketing(db)} as opted_out
     from ${db.name("whatsapp_contacts")} c join ${db.name("whatsapp_connections")} n on n.id = c.connection_id
     join ${db.hostName("conversations")} v on v.id = c.conversation_id
     left join ${db.name("whatsapp_oauth_tokens")} k on k.connection_id = n.id
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
    wabaId: row.waba_id,
    accessTokenEnc: row.access_token_enc,
    contactId: row.id,
    windowOpen: row.open,
    optedOut: row.opted_out,
  };
}

/**
 * A conversation of ours that is unknown has perhaps been hidden from us in the host's table. Asked when no transaction is open: it takes a connection.
 * @returns what to throw.
 */
async function explained(db: Database, conversationId: string, error: unknown): Promise<unknown> {
  if (!(error instanceof ChannelError) || error.code !== "CONVERSATION_UNKNOWN") return error;
  const ours = await db.query(`select 1 from ${db.name("whatsapp_contacts")} where conversation_id = $1`, [
    conversationId,
  ]);
  const hidden = ours.length === 0 ? null : await db.transaction((tx) => hiddenRow(tx, db.hostName("conversations")));
  return hidden ?? error;
}

function windowClosed(): ChannelError {
  return new ChannelError(
    "WINDOW_CLOSED",
    "The 24-hour window is closed: only a template may be sent until the person writes again.",
    { retry: "template" },
  );
}

function optedOut(): ChannelError {
  return new ChannelError(
    "OPTED_OUT",
    "This person wants no marketing messages: send nothing of that category to them.",
  );
}

async function readReceipt(
  tx: Queries,
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
    duplicate_message_id: string | null;
    error: SentPart["error"];
  }>(
    `select s.conversation_id, s.degraded, o.part_index, o.kind, o.state, o.message_id, o.duplicate_message_id, o.error
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
      ...(row.duplicate_message_id === null ? {} : { duplicateMessageId: row.duplicate_message_id }),
      error: row.error,
    })),
    degraded: first.degraded,
  };
}
