/** Templates as Meta last described them. */
import type { TemplateEvent } from "../../plugin/contract.ts";
import type { KnownTemplate, Templates } from "../../plugin/ports.ts";
import type { Database, Tx } from "./database.ts";

/** What webhooks say of templates that we know; of others the next sync brings everything. */
export function updateTemplates(tx: Tx, db: Database, events: readonly TemplateEvent[]): void {
  const known = events.filter(({ name, language, wabaId, impending }) => name && language && wabaId && !impending);
  for (const event of known)
    tx.send(
      `update ${db.name("whatsapp_templates")} set status = coalesce($4, status), category = coalesce($5, category),
         quality_score = coalesce($6, quality_score), rejected_reason = case when $4 = 'REJECTED' then $7 else rejected_reason end,
         updated_at = now()
       where waba_id = $1 and name = $2 and language = $3`,
      [
        event.wabaId,
        event.name,
        event.language,
        event.status,
        event.change === "category" ? event.category : null,
        event.quality,
        event.reason,
      ],
    );
}

export function createTemplates(db: Database): Templates {
  const table = db.name("whatsapp_templates");
  return {
    async accountOf(customerConfigId, wabaId) {
      const [row] = await db.query<{ id: string; waba_id: string; access_token_enc: string }>(
        `select c.id, c.waba_id, t.access_token_enc from ${db.name("whatsapp_connections")} c
         join ${db.name("whatsapp_oauth_tokens")} t on t.connection_id = c.id
         where c.customer_config_id = $1 and c.state = 'connected' and c.waba_id = coalesce($2, c.waba_id)
         order by c.created_at desc, c.id limit 1`,
        [customerConfigId, wabaId],
      );
      return row === undefined
        ? null
        : { customerConfigId, connectionId: row.id, wabaId: row.waba_id, accessTokenEnc: row.access_token_enc };
    },

    async replace({ customerConfigId, connectionId, wabaId }, listed) {
      await db.transaction(async (tx) => {
        // Two that read at the same time must not undo each other.
        const locked = await tx.query(
          `select 1 from ${db.name("whatsapp_connections")} where waba_id = $1 and state <> 'disconnected' order by id for no key update`,
          [wabaId],
        );
        if (locked.length === 0) return;
        await tx.query(
          `insert into ${table} as t (customer_config_id, waba_id, template_id, name, language, category, status,
             parameter_format, components, quality_score, rejected_reason)
           select $1, $2, l.* from jsonb_to_recordset($3::jsonb) as l (template_id text, name text, language text, category text,
             status text, parameter_format text, components jsonb, quality_score text, rejected_reason text)
           on conflict (waba_id, name, language) do update set customer_config_id = excluded.customer_config_id,
             template_id = excluded.template_id, category = excluded.category, status = excluded.status,
             parameter_format = excluded.parameter_format, components = excluded.components,
             quality_score = excluded.quality_score, rejected_reason = excluded.rejected_reason, updated_at = now()`,
          [
            customerConfigId,
            wabaId,
            JSON.stringify(
              listed.map((template) => ({
                template_id: template.templateId,
                name: template.name,
                language: template.language,
                category: template.category,
                status: template.status,
                parameter_format: template.parameterFormat,
                components: template.components,
                quality_score: template.qualityScore,
                rejected_reason: template.rejectedReason,
              })),
            ),
          ],
        );
        await tx.query(
          `delete from ${table} t where t.waba_id = $1 and not exists (
             select 1 from unnest($2::text[], $3::text[]) as l (name, language) where l.name = t.name and l.language = t.language)`,
          [wabaId, listed.map(({ name }) => name), listed.map(({ language }) => language)],
        );
        await tx.query(
          `update ${db.name("whatsapp_connections")} set templates_synced_at = now() where id = $1 or (waba_id = $2 and state <> 'disconnected')`,
          [connectionId, wabaId],
        );
      });
    },

    // Of the account, whichever of its tenants read them: several may have a number of one.
    async named({ connectionId, wabaId }, name, maxAgeMs) {
      const [synced] = await db.query(
        `select 1 from ${db.name("whatsapp_connections")} where id = $1 and ($2::bigint is null and templates_synced_at is not null
           or templates_synced_at > now() - $2::bigint * interval '1 millisecond')`,
        [connectionId, maxAgeMs],
      );
      if (synced === undefined) return null;
      return db.query<KnownTemplate>(
        `select name, language, status, category, parameter_format as "parameterFormat", components from ${table}
         where waba_id = $1 and name = $2 order by language`,
        [wabaId, name],
      );
    },
  };
}
