/** The host's own three tables: what we write into them, and the little we must know of their shape. */
import type { Database, Tx } from "./database.ts";

export type HostShape = {
  /** SQL type of `messages.id`, so that a look-up by it uses the primary key. */
  readonly messageIdType: string;
  /** Chat platforms often demand a session id; the conversation's own id serves. */
  readonly hasSessionId: boolean;
};

/** Read once per process: a host does not change the type of its primary key while running. */
export function createHostShape(db: Database): () => Promise<HostShape> {
  let shape: Promise<HostShape> | null = null;
  const read = async () => {
    const [row] = await db.query<{ message_id_type: string; has_session_id: boolean }>(
      `select (select format_type(atttypid, null) from pg_attribute where attrelid = $1::regclass and attname = 'id') as message_id_type,
         exists (select 1 from pg_attribute where attrelid = $2::regclass and attname = 'session_id'
           and atttypid in ('text'::regtype, 'varchar'::regtype) and not attisdropped) as has_session_id`,
      [db.hostName("messages"), db.hostName("conversations")],
    );
    return { messageIdType: row?.message_id_type ?? "uuid", hasSessionId: row?.has_session_id ?? false };
  };
  return () => {
    shape ??= read().catch((error: unknown) => {
      shape = null;
      throw error;
    });
    return shape;
  };
}

export type HostMessage = {
  readonly conversationId: string;
  readonly role: "user" | "assistant";
  readonly content: string;
  readonly status: string;
  readonly mediaType: string | null;
  readonly externalId: string | null;
  readonly metadata: object;
  /** ISO 8601; null: now. */
  readonly createdAt: string | null;
};

/** @returns the ids of the new rows, in order. */
export async function insertHostMessages(
  tx: Tx,
  db: Database,
  messages: readonly HostMessage[],
): Promise<readonly string[]> {
  if (messages.length === 0) return [];
  const rows = await tx.query<{ id: string }>(
    `insert into ${db.hostName("messages")} (conversation_id, role, content, status, media_type, external_id, channel_metadata, created_at)
     select conversation_id, role, content, status, media_type, external_id, channel_metadata,
       coalesce(created_at, clock_timestamp() + i * interval '1 microsecond')
     from jsonb_to_recordset($1::jsonb) as m (i int, conversation_id uuid, role text, content text, status text, media_type text,
       external_id text, channel_metadata jsonb, created_at timestamptz) order by i returning id::text as id`,
    [
      JSON.stringify(
        messages.map((message, i) => ({
          i,
          conversation_id: message.conversationId,
          role: message.role,
          content: message.content,
          status: message.status,
          media_type: message.mediaType,
          external_id: message.externalId,
          channel_metadata: message.metadata,
          created_at: message.createdAt,
        })),
      ),
    ],
  );
  return rows.map((row) => row.id);
}

export type HostMessageState = {
  readonly id: string | null;
  readonly status: string;
  readonly externalId: string | null;
};

/** Delivery states of our own messages, where the host shows them. */
export async function updateHostMessages(
  tx: Tx,
  db: Database,
  shape: HostShape,
  states: readonly HostMessageState[],
): Promise<void> {
  const known = states.filter(({ id }) => id !== null);
  if (known.length === 0) return;
  await tx.query(
    `with mine as (
       select m.id, s.status, s.external_id from ${db.hostName("messages")} m
       join unnest($1::${shape.messageIdType}[], $2::text[], $3::text[]) as s (id, status, external_id) on s.id = m.id
       order by m.id for update of m)
     update ${db.hostName("messages")} m set status = mine.status, external_id = coalesce(mine.external_id, m.external_id)
     from mine where m.id = mine.id`,
    [known.map(({ id }) => id), known.map(({ status }) => status), known.map(({ externalId }) => externalId)],
  );
}

export type ConversationOf = {
  readonly conversationId: string;
  readonly connectionId: string;
  readonly customerConfigId: string;
};

/**
 * Finds each contact's conversation, and makes one where there is none or the host has deleted it. The contacts are
 * locked in order: linking two of them locks them too, and must neither deadlock with us nor change them under us.
 */
export async function ensureConversations(
  tx: Tx,
  db: Database,
  shape: HostShape,
  contactIds: readonly string[],
): Promise<ReadonlyMap<string, ConversationOf>> {
  if (contactIds.length === 0) return new Map();
  const read = () =>
    tx.query<{ id: string; conversation_id: string | null; connection_id: string; customer_config_id: string }>(
      `select c.id, v.id as conversation_id, c.connection_id, c.customer_config_id from ${db.name("whatsapp_contacts")} c
       left join ${db.hostName("conversations")} v on v.id = c.conversation_id where c.id = any($1)
       order by c.id for no key update of c`,
      [contactIds],
    );
  let contacts = await read();
  const without = contacts.filter((contact) => contact.conversation_id === null).map((contact) => contact.id);
  if (without.length > 0) {
    const session = shape.hasSessionId ? [", session_id", ", id::text"] : ["", ""];
    await tx.query(
      `with fresh as (
         update ${db.name("whatsapp_contacts")} c set conversation_id = gen_random_uuid(), updated_at = now()
         where c.id = any($1) returning c.*)
       insert into ${db.hostName("conversations")} (id, customer_config_id, channel, channel_metadata${session[0]})
       select conversation_id, customer_config_id, 'whatsapp', jsonb_build_object('whatsapp', jsonb_build_object(
         'phone_number_id', (select phone_number_id from ${db.name("whatsapp_connections")} n where n.id = fresh.connection_id),
         'phone_number', phone_number, 'user_id', user_id, 'name', name))${session[1]?.replace("id", "conversation_id")}
       from fresh`,
      [without],
    );
    contacts = await read();
  }
  return new Map(
    contacts.map((contact) => [
      contact.id,
      {
        conversationId: contact.conversation_id as string,
        connectionId: contact.connection_id,
        customerConfigId: contact.customer_config_id,
      },
    ]),
  );
}
