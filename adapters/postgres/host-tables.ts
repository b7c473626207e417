/** The host's `conversations`, and the little we must know of the shape of its tables. */
import { conversationAlias } from "./aliases.ts";
import type { Database, Tx } from "./database.ts";

export type HostShape = {
  /** SQL type of `messages.id`, so that a look-up by it uses the primary key. */
  readonly messageIdType: string;
  /** Chat platforms often demand a session id; the conversation's own id serves, where it is a text that can hold it. */
  readonly hasSessionId: boolean;
};

/** Of a varchar of 36, as Postgres writes its length. */
const SESSION_ID_TYPMOD = 36 + 4;

/** Read once per process: a host does not change the type of its primary key while running. */
export function createHostShape(db: Database): () => Promise<HostShape> {
  let shape: Promise<HostShape> | null = null;
  const read = async () => {
    const [row] = await db.query<{ message_id_type: string; has_session_id: boolean }>(
      `select (select format_type(atttypid, null) from pg_attribute where attrelid = $1::regclass and attname = 'id') as message_id_type,
         exists (select 1 from pg_attribute a
           join pg_type t on t.oid = a.atttypid
           join pg_type base on base.oid = case when t.typtype = 'd' then t.typbasetype else t.oid end
           where a.attrelid = $2::regclass and a.attname = 'session_id' and not a.attisdropped
             and base.typname in ('text', 'varchar', 'citext')
             and greatest(a.atttypmod, t.typtypmod) not between 0 and ${SESSION_ID_TYPMOD - 1}) as has_session_id`,
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

/** A contact, locked, with where it stands in the host's tables. */
export type ContactRow = {
  /** Null where it has none, and needs none. */
  readonly conversationId: string | null;
  /** The one before, where the host has deleted it and they have just got this one. */
  readonly deletedConversationId: string | null;
  readonly connectionId: string;
  readonly customerConfigId: string;
  /** Staff is talking to them. */
  readonly isPaused: boolean;
};

/**
 * Finds each contact's conversation, and makes one where it is needed and there is none or the host has deleted it. The
 * contacts are locked in order: linking two of them locks them too, and must neither deadlock with us nor change them
 * under us.
 */
export async function ensureConversations(
  tx: Tx,
  db: Database,
  shape: HostShape,
  contactIds: readonly string[],
  needed: ReadonlySet<string>,
): Promise<ReadonlyMap<string, ContactRow>> {
  if (contactIds.length === 0) return new Map();
  const read = () =>
    tx.query<{
      id: string;
      stored_id: string | null;
      conversation_id: string | null;
      connection_id: string;
      customer_config_id: string;
      paused: boolean;
    }>(
      `select c.id, c.conversation_id as stored_id, v.id as conversation_id, c.connection_id, c.customer_config_id, coalesce(c.ai_paused_until > now(), false) as paused
       from ${db.name("whatsapp_contacts")} c
       left join ${db.hostName("conversations")} v on v.id = c.conversation_id where c.id = any((select $1::bigint[])::bigint[])
       order by c.id for no key update of c`,
      [contactIds],
    );
  let contacts = await read();
  // A link that this has waited for has brought the conversation, perhaps after the statement began, which then does not see it.
  if (contacts.some(({ stored_id, conversation_id }) => stored_id !== null && conversation_id === null))
    contacts = await read();
  const deleted = new Map<string, string>();
  const without = contacts.filter(({ id, conversation_id }) => conversation_id === null && needed.has(id));
  if (without.length > 0) {
    const session = shape.hasSessionId ? [", session_id", ", conversation_id::text"] : ["", ""];
    await tx.query(
      `with fresh as (
         update ${db.name("whatsapp_contacts")} c set conversation_id = gen_random_uuid(), updated_at = now()
         where c.id = any($1) returning c.*)
       insert into ${db.hostName("conversations")} (id, customer_config_id, channel, channel_metadata${session[0]})
       select conversation_id, customer_config_id, 'whatsapp', jsonb_build_object('whatsapp', jsonb_build_object(
         'phone_number_id', (select phone_number_id from ${db.name("whatsapp_connections")} n where n.id = fresh.connection_id),
         'phone_number', phone_number, 'user_id', user_id, 'name', name))${session[1]}
       from fresh`,
      [without.map(({ id }) => id)],
    );
    for (const { id, stored_id } of without) if (stored_id !== null) deleted.set(id, stored_id);
    rememberDeleted(tx, db, deleted);
    contacts = await read();
  }
  return new Map(
    contacts.map((contact) => [
      contact.id,
      {
        conversationId: contact.conversation_id,
        deletedConversationId: deleted.get(contact.id) ?? null,
        connectionId: contact.connection_id,
        customerConfigId: contact.customer_config_id,
        isPaused: contact.paused,
      },
    ]),
  );
}

/** What still names it is theirs when they are erased: sends, files, and messages of a host without a foreign key. */
function rememberDeleted(tx: Tx, db: Database, deleted: ReadonlyMap<string, string>): void {
  if (deleted.size === 0) return;
  tx.send(
    `insert into ${db.name("whatsapp_contact_aliases")} (connection_id, alias, contact_id)
     select c.connection_id, d.alias, c.id from unnest($1::bigint[], $2::text[]) as d (id, alias)
     join ${db.name("whatsapp_contacts")} c on c.id = d.id order by 1, 2 on conflict do nothing`,
    [[...deleted.keys()], [...deleted.values()].map(conversationAlias)],
  );
}
