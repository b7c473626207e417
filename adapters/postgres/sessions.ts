/** The service window of a conversation, on the database's clock. */
import type { MetaError } from "../../plugin/contract.ts";
import type { Sessions } from "../../plugin/ports.ts";
import type { Database, Tx } from "./database.ts";

/** Meta's code for a message outside the window. */
export const OUTSIDE_WINDOW = 131047;

/**
 * Meta itself says that the window is closed, so it is closed here too; not where the person has written since that
 * attempt began, or has been heard of since, because WhatsApp's times are whole seconds of another clock.
 * @param later whose windows this transaction touches after these: all are locked here, in the order of `extendWindows`.
 */
export function closeWindows(
  tx: Tx,
  db: Database,
  failed: readonly { readonly id: string; readonly conversationId: string; readonly error: Pick<MetaError, "code"> }[],
  later: readonly (string | null)[],
): void {
  const refused = failed.filter(({ error }) => error.code === OUTSIDE_WINDOW);
  if (refused.length === 0) return;
  tx.send(
    `select 1 from ${db.name("whatsapp_sessions")} where conversation_id = any($1::uuid[]) order by conversation_id for update`,
    [[...refused.map(({ conversationId }) => conversationId), ...later]],
  );
  tx.send(
    `update ${db.name("whatsapp_sessions")} s set session_expires = now(), updated_at = now()
     from (
       select o.conversation_id, max(a.started_at) as began_at from ${db.name("whatsapp_outbox")} o
       join ${db.name("whatsapp_send_attempts")} a on a.outbox_id = o.id where o.id = any($1::bigint[]) group by 1) r
     where s.conversation_id = r.conversation_id and s.session_expires > now()
       and greatest(s.session_expires - interval '24 hours', s.updated_at) <= r.began_at`,
    [refused.map(({ id }) => id)],
  );
}

/**
 * The first answer to somebody who came by an ad, within a day: everything is free of charge for 72 hours from it.
 * Locks in the order of `extendWindows`.
 * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/pricing#free-entry-point-conversations
 */
export function openFreeEntryPoints(tx: Tx, db: Database, answered: readonly string[]): void {
  if (answered.length === 0) return;
  tx.send(
    `with mine as (
       select id from ${db.name("whatsapp_sessions")}
       where conversation_id = any($1) and ad_message_at > now() - interval '24 hours' order by conversation_id for update)
     update ${db.name("whatsapp_sessions")} s set ad_message_at = null, free_entry_point_expires = now() + interval '72 hours'
     from mine where s.id = mine.id`,
    [answered],
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
         left join ${db.name("whatsapp_sessions")} s on s.conversation_id = c.conversation_id and s.is_active
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
      const [row] = await db.query<{ customer_config_id: string }>(
        `select customer_config_id from ${db.name("whatsapp_contacts")} where conversation_id = $1 limit 1`,
        [conversationId],
      );
      return row?.customer_config_id ?? null;
    },
  };
}
