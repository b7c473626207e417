/** Templates as Meta last described them. */
import type { TemplateEvent } from "../../plugin/contract.ts";
import type { Database, Tx } from "./database.ts";

/** What webhooks say of templates that we know; of others the next sync brings everything. */
export async function updateTemplates(tx: Tx, db: Database, events: readonly TemplateEvent[]): Promise<void> {
  const known = events.filter(({ name, language, wabaId, impending }) => name && language && wabaId && !impending);
  for (const event of known)
    await tx.query(
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
