/** What came and what went, as its tenant may see it: by the indexes that lead with whose it is, and never far at once. */
import type { Audit, AuditMarks } from "../../plugin/ports.ts";
import { createDeliveryAudit } from "./audit-deliveries.ts";
import { createMessageAudit } from "./audit-messages.ts";
import type { Owned } from "./audit-scan.ts";
import type { Database } from "./database.ts";
import type { HostShape } from "./host-tables.ts";
import { createStoredAsOwn } from "./stored-as-own.ts";

/** As many as the longest page shows: what is further down changes only by events, which are new. */
const NEWEST = 200;

export function createAudit(db: Database, hostShape: () => Promise<HostShape>): Audit {
  const owned: Owned = async ({ customerConfigId, phoneNumberId }) => {
    const rows = await db.query<{ id: string }>(
      `select id from ${db.name("whatsapp_connections")}
       where customer_config_id = $1 and ($2::text is null or phone_number_id = $2)`,
      [customerConfigId, phoneNumberId ?? null],
    );
    return rows.map(({ id }) => id);
  };
  return {
    ...createDeliveryAudit(db, owned),
    ...createMessageAudit(db, owned, hostShape),
    storedAsOwn: createStoredAsOwn(db),

    async marks(owner) {
      const [row] = await db.bounded<AuditMarks>(
        `with own as (select id, waba_id from ${db.name("whatsapp_connections")} where customer_config_id = $1),
         events as (
           select md5(coalesce(string_agg(e.id || ':' || e.state, ',' order by e.id), '')) as mark from own cross join lateral (
             select id, state from ${db.name("whatsapp_events")} where connection_id = own.id order by webhook_id desc limit ${NEWEST}) e),
         parts as (
           select md5(coalesce(string_agg(id || state || attempts, ',' order by id), '')) as mark from (
             select id, state, attempts from ${db.name("whatsapp_outbox")} where customer_config_id = $1 order by id desc limit ${NEWEST}) o),
         dead as (
           select concat_ws('/',
             (select count(*) || ':' || coalesce(sum(e.id), 0) from own join ${db.name("whatsapp_events")} e on e.connection_id = own.id where e.state = 2),
             (select count(*) || ':' || coalesce(sum(t.seq), 0) from own join ${db.name("whatsapp_turns")} t on t.connection_id = own.id where t.state = 2),
             (select count(*) || ':' || coalesce(sum(h.id), 0) from ${db.name("whatsapp_host_events")} h where h.state = 2 and (
               exists (select 1 from ${db.name("whatsapp_contacts")} c
                 where c.conversation_id = (h.event ->> 'conversationId')::uuid and c.customer_config_id = $1)
               or h.event -> 'connection' ->> 'connectionId' in (select id::text from own)))) as mark),
         templates as (
           select concat_ws(':', count(*), max(t.updated_at), (select max(n.templates_synced_at) from ${db.name("whatsapp_connections")} n
               where n.customer_config_id = $1)) as mark
           from (select distinct waba_id from own) accounts join ${db.name("whatsapp_templates")} t using (waba_id)),
         numbers as (
           select md5(coalesce(string_agg(concat_ws(':', n.id, n.state, n.reason, n.display_phone_number, n.verified_name, n.quality_rating),
             ',' order by n.id), '')) as mark from ${db.name("whatsapp_connections")} n where n.customer_config_id = $1)
         select parts.mark || events.mark as messages, events.mark as webhooks, dead.mark as "deadLetters", templates.mark as templates,
           numbers.mark as numbers
         from events, parts, dead, templates, numbers`,
        [owner.customerConfigId],
      );
      return row as AuditMarks;
    },
  };
}
