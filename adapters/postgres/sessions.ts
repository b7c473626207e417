/** The service window of a conversation, on the database's clock. */
import type { MetaError } from "../../plugin/contract.ts";
import type { Sessions } from "../../plugin/ports.ts";
import type { Database, Tx } from "./database.ts";

/** Meta's code for a message outside the window. */
export const OUTSIDE_WINDOW = 131047;

/**
 * Where the window of contact `c` stands: a person has one, whatever conversations they have had. Two contacts that were
 * linked keep one each, and whose conversation the host has deleted gets another.
 */
export function windowOf(db: Database): string {
  return `coalesce((select e.conversation_id from ${db.name("whatsapp_contacts")} e where e.id = c.merged_into), c.conversation_id)`;
}

/** The same for parts, by their ids. */
function windowsOf(db: Database, ids: string): string {
  return `array(select ${windowOf(db)} from ${db.name("whatsapp_outbox")} o
    join ${db.name("whatsapp_contacts")} c on c.id = o.contact_id where o.id = any(${ids}::bigint[]))`;
}

/**
 * Meta itself says that the window is closed, so it is closed here too; not where the person has written since that
 * attempt began, or has been heard of since, because WhatsApp's times are whole seconds of another clock.
 * @param later parts, and conversations, whose windows this transaction touches after these: all are locked here, in the
 * order of `extendWindows`.
 */
export function closeWindows(
  tx: Tx,
  db: Database,
  failed: readonly { readonly id: string; readonly error: Pick<MetaError, "code"> }[],
  later: { readonly parts: readonly string[]; readonly conversations?: readonly (string | null)[] },
): void {
  const refused = failed.filter(({ error }) => error.code === OUTSIDE_WINDOW);
  if (refused.length === 0) return;
  tx.send(
    `select 1 from ${db.name("whatsapp_sessions")} where conversation_id = any(${windowsOf(db, "$1")} || $2::uuid[])
     order by conversation_id for update`,
    [[...refused.map(({ id }) => id), ...later.parts], later.conversations ?? []],
  );
  tx.send(
    `update ${db.name("whatsapp_sessions")} s set session_expires = now(), updated_at = now()
     from (
       select ${windowOf(db)} as conversation_id, max(a.started_at) as began_at from ${db.name("whatsapp_outbox")} o
       join ${db.name("whatsapp_contacts")} c on c.id = o.contact_id
       join ${db.name("whatsapp_send_attempts")} a on a.outbox_id = o.id where o.id = any($1::bigint[]) group by 1) r
     where s.conversation_id = r.conversation_id and s.session_expires > now()
       and greatest(s.session_expires - interval '24 hours', s.updated_at) <= r.began_at`,
    [refused.map(({ id }) => id)],
  );
}

/**
 * The host has deleted these conversations, and the window is the person's: it goes with them to the next one. Before all
 * else that this transaction does to windows.
 * @param later as for {@link closeWindows}.
 */
export function moveWindows(
  tx: Tx,
  db: Database,
  moved: readonly { readonly from: string; readonly to: string }[],
  later: { readonly parts: readonly string[]; readonly conversations: readonly (string | null)[] },
): void {
  if (moved.length === 0) return;
  const from = moved.map((one) => one.from);
  tx.send(
    `select 1 from ${db.name("whatsapp_sessions")} where conversation_id = any(${windowsOf(db, "$1")} || $2::uuid[])
     order by conversation_id for update`,
    [later.parts, [...from, ...later.conversations]],
  );
  tx.send(
    `update ${db.name("whatsapp_sessions")} s set conversation_id = m.latter
     from unnest($1::uuid[], $2::uuid[]) as m (former, latter) where s.conversation_id = m.former`,
    [from, moved.map(({ to }) => to)],
  );
}

/**
 * The first answer to somebody who came by an ad, within a day: everything is free of charge for 72 hours from it.
 * Locks in the order of `extendWindows`.
 * @param answered parts that have left.
 * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/pricing#free-entry-point-conversations
 */
export function openFreeEntryPoints(tx: Tx, db: Database, answered: readonly string[]): void {
  if (answered.length === 0) return;
  tx.send(
    `with mine as (
       select id from ${db.name("whatsapp_sessions")}
       where conversation_id = any(${windowsOf(db, "$1")}) and ad_message_at > now() - interval '24 hours' order by conversation_id for update)
     update ${db.name("whatsapp_sessions")} s set ad_message_at = null, free_entry_point_expires = now() + interval '72 hours'
     from mine where s.id = mine.id`,
    [answered],
  );
}

/**
 * Contacts that have just been linked had a window each: of the two the one that is open longer counts, and an ad that
 * brought either. Before the lanes, by the order of locks.
 */
export function joinWindows(tx: Tx, db: Database, linked: readonly string[]): void {
  const sessions = db.name("whatsapp_sessions");
  const theirs = `${db.name("whatsapp_contacts")} c join ${db.name("whatsapp_contacts")} e on e.id = c.merged_into`;
  tx.send(
    `select 1 from ${sessions} where conversation_id = any(array(
       select unnest(array[c.conversation_id, e.conversation_id]) from ${theirs} where c.id = any($1)))
     order by conversation_id for update`,
    [linked],
  );
  tx.send(
    `insert into ${sessions} as s (conversation_id, phone_number, session_start, session_expires, is_active, ad_message_at, free_entry_point_expires)
     select e.conversation_id, max(y.phone_number), min(y.session_start), max(y.session_expires), bool_or(y.is_active),
       max(y.ad_message_at), max(y.free_entry_point_expires)
     from ${theirs} join ${sessions} y on y.conversation_id = c.conversation_id
     where c.id = any($1) and y.conversation_id <> e.conversation_id group by 1 order by 1
     on conflict (conversation_id) do update set phone_number = coalesce(s.phone_number, excluded.phone_number),
       session_start = case when s.session_expires < excluded.session_expires then excluded.session_start else s.session_start end,
       session_expires = greatest(s.session_expires, excluded.session_expires),
       is_active = case when s.session_expires < excluded.session_expires then excluded.is_active else s.is_active end,
       ad_message_at = greatest(s.ad_message_at, excluded.ad_message_at),
       free_entry_point_expires = greatest(s.free_entry_point_expires, excluded.free_entry_point_expires), updated_at = now()`,
    [linked],
  );
}

export function createSessions(db: Database): Sessions {
  return {
    async status(conversationId) {
      const [row] = await db.query<{
        session_expires: Date | null;
        free_entry_point_expires: Date | null;
        seconds: number;
        connection_state: string;
        reason: string | null;
      }>(
        `select s.session_expires, s.free_entry_point_expires, n.state as connection_state, n.reason,
           greatest(0, floor(extract(epoch from s.session_expires - now())))::float8 as seconds
         from ${db.name("whatsapp_contacts")} c join ${db.name("whatsapp_connections")} n on n.id = c.connection_id
         join ${db.hostName("conversations")} v on v.id = c.conversation_id
         left join ${db.name("whatsapp_sessions")} s on s.conversation_id = ${windowOf(db)} and s.is_active
         where c.conversation_id = $1 order by c.merged_into nulls first, c.id limit 1`,
        [conversationId],
      );
      if (row === undefined) return null;
      const isOpen = (row.seconds ?? 0) > 0;
      const connected = row.connection_state === "connected";
      const window = isOpen
        ? "The person wrote within the last 24 hours."
        : "More than 24 hours have passed since the person last wrote: only a template may be sent.";
      return {
        state: isOpen ? "open" : "closed",
        expiresAt: row.session_expires,
        secondsRemaining: isOpen ? row.seconds : 0,
        freeEntryPointExpiresAt: row.free_entry_point_expires,
        templateRequired: !isOpen,
        canSend: isOpen && connected,
        reason: connected ? window : (row.reason ?? "The number is not connected."),
      };
    },

    async tenantOf(conversationId) {
      const first = (table: string) =>
        `(select customer_config_id from ${db.name(table)} where conversation_id = $1 limit 1)`;
      const [row] = await db.query<{ tenant: string | null }>(
        `select coalesce(${first("whatsapp_contacts")}, ${first("whatsapp_sends")}) as tenant`,
        [conversationId],
      );
      return row?.tenant ?? null;
    },
  };
}
