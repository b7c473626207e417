/** A tenant's messages, each way, with all that is known of their life. */
import type { ChannelEvent, Degradation, PartState, SentPart } from "../../plugin/contract.ts";
import type {
  Audit,
  MessageFilter,
  Placed,
  ReceivedMessage,
  ReceivedState,
  SendAttempt,
  SentMessage,
} from "../../plugin/ports.ts";
import { inChunks, type Owned, SCAN, scan, searched } from "./audit-scan.ts";
import type { Database } from "./database.ts";
import type { HostShape } from "./host-tables.ts";
import { revive } from "./revive.ts";

/** What people write and do in a conversation. */
const KINDS = new Set(["message", "reaction"]);
const DID_NOT_ARRIVE: ReadonlySet<string> = new Set(["failed", "expired", "unknown"]);

type Person = {
  readonly conversation_id: string | null;
  readonly name: string | null;
  readonly phone_number: string | null;
};

type Seen = {
  readonly webhook_id: string;
  readonly id: string;
  readonly kind: string;
  readonly state: number;
  readonly contact_id: string | null;
  readonly created_at: Date;
};

/** Two contacts may have become one since: the elder is who they are. */
const PERSON = `coalesce(elder.conversation_id, c.conversation_id) as conversation_id, coalesce(elder.name, c.name) as name,
  coalesce(elder.phone_number, c.phone_number) as phone_number`;

export function createMessageAudit(
  db: Database,
  owned: Owned,
  hostShape: () => Promise<HostShape>,
): Pick<Audit, "received" | "sent" | "receivedOne" | "sentOne"> {
  const [events, contacts] = [db.name("whatsapp_events"), db.name("whatsapp_contacts")];
  const [outbox, sends] = [db.name("whatsapp_outbox"), db.name("whatsapp_sends")];
  const joinPerson = (contact: string) =>
    `left join ${contacts} c on c.id = ${contact} left join ${contacts} elder on elder.id = c.merged_into`;
  const isOfPerson = (q: string) =>
    `position(${q} in lower(concat_ws(' ', elder.name, c.name, elder.phone_number, c.phone_number))) > 0`;

  return {
    async received({ states, conversationId, q, ...numbers }, { limit, before }) {
      const own = await owned(numbers);
      const isFiltered = [states, conversationId, q].some((wish) => wish !== undefined);
      const { rows: seen, isOver } = await scan(
        limit,
        (rows) =>
          db.bounded<Seen>(
            `select e.* from unnest($1::uuid[]) as own (id) cross join lateral (
               select webhook_id, id, kind, state, contact_id, created_at from ${events}
               where connection_id = own.id and webhook_id <= $2 and (webhook_id, id) < ($2, $3)
                 ${onlyFailed(states, new Set(["failed"])) ? "and state = 2" : ""}
               order by webhook_id desc, id desc limit $4) e
             order by e.webhook_id desc, e.id desc limit $4`,
            [own, before.webhookId, before.eventId, rows],
          ),
        (rows) => !isFiltered && rows.filter(({ kind, state }) => KINDS.has(kind) && state <= 3).length >= limit,
      );
      const candidates = seen.filter(
        ({ kind, state }) => KINDS.has(kind) && state <= 3 && (states?.includes(receivedState(state)) ?? true),
      );
      const people = conversationId === undefined ? null : await contactsIn(conversationId, candidates);
      const wanted = candidates.filter(({ contact_id }) => people?.has(contact_id ?? "") ?? true);
      const found = await inChunks(
        wanted.map(({ id }) => id),
        limit,
        (some) => readReceived(some, q),
      );
      const last = isOver ? undefined : seen.at(-1);
      return {
        messages: found.map(toReceived),
        more:
          last === undefined ? null : { at: last.created_at, cursor: { webhookId: last.webhook_id, eventId: last.id } },
      };
    },

    async receivedOne(owner, id) {
      const [seen] = await db.bounded<Seen>(
        `select id, kind, state from ${events} where id = $1 and connection_id = any($2::uuid[])`,
        [id, await owned(owner)],
      );
      if (seen === undefined || !KINDS.has(seen.kind) || seen.state > 3) return null;
      const [row] = await readReceived([id], undefined);
      return row === undefined ? null : toReceived(row);
    },

    async sentOne({ customerConfigId }, id) {
      const [seen] = await db.bounded<{ id: string }>(
        `select id from ${outbox} where id = $1 and customer_config_id = $2`,
        [id, customerConfigId],
      );
      const [row] = seen === undefined ? [] : await readSent([id], undefined);
      return row === undefined ? null : toSent(row);
    },

    async sent({ states, conversationId, phoneNumberId, q, customerConfigId }, { limit, before }) {
      const own = phoneNumberId === undefined ? null : new Set(await owned({ customerConfigId, phoneNumberId }));
      const isFiltered = [states, conversationId, phoneNumberId, q].some((wish) => wish !== undefined);
      const most = isFiltered ? SCAN : limit;
      const seen = await db.bounded<{ id: string; state: PartState; connection_id: string; created_at: Date }>(
        conversationId === undefined
          ? `select id, state, connection_id, created_at from ${outbox} where customer_config_id = $1 and id < $2
               ${onlyFailed(states, DID_NOT_ARRIVE) ? "and state in ('failed', 'expired', 'unknown')" : ""} order by id desc limit ${most}`
          : `with mine as materialized (select id from ${sends} where conversation_id = $3)
             select o.id, o.state, o.connection_id, o.created_at from mine join ${outbox} o on o.send_id = mine.id
             where o.customer_config_id = $1 and o.id < $2 order by o.id desc limit ${most}`,
        [customerConfigId, before.outboxId, ...(conversationId === undefined ? [] : [conversationId])],
      );
      const found = await inChunks(
        seen
          .filter((one) => (states?.includes(one.state) ?? true) && (own?.has(one.connection_id) ?? true))
          .map(({ id }) => id),
        limit,
        (some) => readSent(some, q),
      );
      const last = seen.length === most ? seen.at(-1) : undefined;
      return {
        messages: found.map(toSent),
        more: last === undefined ? null : { at: last.created_at, cursor: { outboxId: last.id } },
      };
    },
  };

  function readReceived(ids: readonly string[], q: string | undefined): Promise<readonly ReceivedRow[]> {
    return db.bounded<ReceivedRow>(
      `select e.id, e.webhook_id, e.created_at, e.state, e.last_error, e.payload, ${PERSON}
       from unnest($1::bigint[]) as wanted (id) join ${events} e on e.id = wanted.id ${joinPerson("e.contact_id")}
       where $2::text is null or position($2 in lower(e.payload::text)) > 0 or ${isOfPerson("$2")}
       order by e.webhook_id desc, e.id desc`,
      [ids, searched(q)],
    );
  }

  async function readSent(ids: readonly string[], q: string | undefined): Promise<readonly SentRow[]> {
    const { messageIdType } = await hostShape();
    return db.bounded<SentRow>(
      `select o.id, o.kind, o.state, o.error, o.send_id, o.part_index, o.message_id, o.created_at, o.sent_at, o.delivered_at,
         o.read_at, o.failed_at, s.degraded, m.content, ${PERSON}, (
           select json_agg(json_build_object('startedAt', a.started_at, 'finishedAt', a.finished_at, 'outcome', a.state,
             'metaCode', (a.error -> 'meta' ->> 'code')::bigint) order by a.id)
           from ${db.name("whatsapp_send_attempts")} a where a.outbox_id = o.id) as attempts
       from unnest($1::bigint[]) as wanted (id) join ${outbox} o on o.id = wanted.id join ${sends} s on s.id = o.send_id
       ${joinPerson("o.contact_id")} left join ${db.hostName("messages")} m on m.id = o.host_message_id::${messageIdType}
       where $2::text is null or o.message_id = $3 or position($2 in lower(o.payload::text)) > 0 or ${isOfPerson("$2")}
       order by o.id desc`,
      [ids, searched(q), q ?? null],
    );
  }

  /** Which of those who wrote are the person of a conversation. */
  async function contactsIn(
    conversationId: string,
    seen: readonly { readonly contact_id: string | null }[],
  ): Promise<ReadonlySet<string>> {
    const rows = await db.bounded<{ id: string }>(
      `select c.id from ${contacts} c left join ${contacts} elder on elder.id = c.merged_into
       where c.id = any($1::bigint[]) and coalesce(elder.conversation_id, c.conversation_id) = $2`,
      [[...new Set(seen.map(({ contact_id }) => contact_id).filter((id) => id !== null))], conversationId],
    );
    return new Set(rows.map(({ id }) => id));
  }
}

type SentRow = Person & {
  readonly id: string;
  readonly kind: SentPart["kind"];
  readonly state: PartState;
  readonly error: SentPart["error"];
  readonly send_id: string;
  readonly part_index: number;
  readonly message_id: string | null;
  readonly created_at: Date;
  readonly sent_at: Date | null;
  readonly delivered_at: Date | null;
  readonly read_at: Date | null;
  readonly failed_at: Date | null;
  readonly degraded: readonly Degradation[];
  readonly content: string | null;
  readonly attempts:
    | readonly (Omit<SendAttempt, "startedAt" | "finishedAt"> & { startedAt: string; finishedAt: string | null })[]
    | null;
};

type ReceivedRow = Person & {
  readonly id: string;
  readonly webhook_id: string;
  readonly created_at: Date;
  readonly state: number;
  readonly last_error: string | null;
  readonly payload: ChannelEvent;
};

function toReceived(row: ReceivedRow): Placed<ReceivedMessage> {
  return {
    id: row.id,
    at: row.created_at,
    cursor: { webhookId: row.webhook_id, eventId: row.id },
    ...correspondent(row),
    state: receivedState(row.state),
    error: row.last_error,
    event: revive(row.payload),
  };
}

function toSent(row: SentRow): Placed<SentMessage> {
  return {
    id: row.id,
    at: row.created_at,
    cursor: { outboxId: row.id },
    ...correspondent(row),
    kind: row.kind,
    text: row.content,
    state: row.state,
    error: row.error,
    sendId: row.send_id,
    partIndex: row.part_index,
    messageId: row.message_id,
    degraded: row.degraded.filter(({ part }) => part === null || part === row.part_index),
    times: { sent: row.sent_at, delivered: row.delivered_at, read: row.read_at, failed: row.failed_at },
    attempts: (row.attempts ?? []).map(({ startedAt, finishedAt, ...attempt }) => ({
      ...attempt,
      startedAt: new Date(startedAt),
      finishedAt: finishedAt === null ? null : new Date(finishedAt),
    })),
  };
}

function correspondent({ conversation_id, name, phone_number }: Person) {
  return { conversationId: conversation_id, contact: { name, phoneNumber: phone_number } };
}

function receivedState(state: number): ReceivedState {
  return state === 0 ? "waiting" : state === 2 ? "failed" : "received";
}

/** Then what failed is looked up where only that stands. */
function onlyFailed(states: MessageFilter["states"], failed: ReadonlySet<string>): boolean {
  return states !== undefined && states.length > 0 && states.every((state) => failed.has(state));
}
