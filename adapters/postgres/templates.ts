/** Templates as Meta last described them. */
import type { TemplateEvent } from "../../plugin/contract.ts";
import type {
  KnownTemplate,
  SendingAccount,
  StoredTemplate,
  TemplateAccount,
  TemplateSync,
  Templates,
} from "../../plugin/ports.ts";
import { searched } from "./audit-scan.ts";
import type { Database, Tx } from "./database.ts";

/** Meta's clock and ours differ, and its webhooks know whole seconds only. */
const CLOCKS_DIFFER = "interval '1 minute'";

/** Whether an event is about the row `t`, and later than everything that is known of it. One being created has no id yet: none is deleted before that. */
const IS_LATEST = `($4::text is null or t.template_id = $4 or (t.template_id is null and coalesce($5::text, '') not in ('DELETED', 'PENDING_DELETION')
    and coalesce($6::timestamptz > t.updated_at - ${CLOCKS_DIFFER}, true)))
  and ($6::timestamptz is null or t.said_at is null or $6 >= t.said_at)`;

/**
 * What webhooks say of templates that we know; of others the next sync brings everything. They come in no order, for up to seven days, and a name may
 * have been another template's: what may not be the last word has Meta asked again instead, unless that was done since.
 */
export function updateTemplates(tx: Tx, db: Database, events: readonly TemplateEvent[]): void {
  const known = events.filter(({ name, language, wabaId, impending }) => name && language && wabaId && !impending);
  const isIt = `t.waba_id = $1 and t.name = $2 and t.language = $3 and coalesce($6::timestamptz > (
    select max(templates_synced_at) from ${db.name("whatsapp_connections")} where waba_id = $1) - ${CLOCKS_DIFFER}, true)`;
  for (const event of known) {
    const { wabaId, name, language, templateId, status, occurredAt, change } = event;
    const about = [wabaId, name, language, templateId, status, occurredAt];
    if (change !== "components")
      tx.send(
        `update ${db.name("whatsapp_templates")} t set status = coalesce($5, status), category = coalesce($7, category),
           quality_score = coalesce($8, quality_score), template_id = coalesce(template_id, $4), said_at = coalesce($6, said_at), updated_at = now(),
           rejected_reason = case when $5 = 'REJECTED' then $9 when $5 is null then rejected_reason end
         where ${isIt} and ${IS_LATEST}`,
        [...about, change === "category" ? event.category : null, event.quality, event.reason],
      );
    tx.send(
      `update ${db.name("whatsapp_templates")} t set outdated = true, updated_at = now()
       where ${isIt} and ($7 or (${IS_LATEST}) is not true)`,
      [...about, change === "components"],
    );
  }
}

const COLUMNS = `t.id, t.waba_id as "wabaId", t.template_id as "templateId", t.name, t.language, t.category, t.status,
  t.parameter_format as "parameterFormat", t.components, t.rejected_reason as "rejectedReason", t.quality_score as "qualityScore",
  t.updated_at as "updatedAt", account.synced_at as "syncedAt"`;

/** What a person would call changed. */
const WHAT_OF = (row: string) =>
  ["category", "status", "parameter_format", "components::text", "quality_score", "rejected_reason"]
    .map((column) => `coalesce(${row}.${column}, '')`)
    .join(" || '/' || ");
const WHAT = WHAT_OF("whatsapp_templates");

/** Longer than a call to Meta takes: then its answer is lost, or whoever waited for it is gone. */
const LOST_AFTER = "interval '1 minute'";

/** How long Meta is asked again and again what it has changed; whoever sends it asks after that too. */
const ASKED_FOR = "interval '1 hour'";

/** Of a template `t` whose creation Meta answers: no webhook has said more, or one of another of its name has. */
const UNANSWERED = "t.status in ('UNCONFIRMED', 'NOT_SENT') or t.template_id <> excluded.template_id";

const NOTHING_SYNCED: TemplateSync = { added: 0, changed: 0, removed: 0, unchanged: 0 };

function compare(
  before: ReadonlyMap<string, string>,
  after: readonly { readonly key: string; readonly what: string }[],
): TemplateSync {
  const known = after.filter(({ key }) => before.has(key));
  const changed = known.filter(({ key, what }) => before.get(key) !== what).length;
  return {
    added: after.length - known.length,
    changed,
    removed: before.size - known.length,
    unchanged: known.length - changed,
  };
}

export function createTemplates(db: Database): Templates {
  const table = db.name("whatsapp_templates");
  const connections = db.name("whatsapp_connections");
  const OWN_ACCOUNTS = `(select waba_id, max(templates_synced_at) as synced_at from ${connections}
    where customer_config_id = $1 and state <> 'disconnected' group by waba_id) account`;
  return {
    async now() {
      const [row] = await db.query<{ now: string }>("select clock_timestamp()::text as now");
      return (row as { now: string }).now;
    },

    async unsettled() {
      return db.query<SendingAccount>(
        `select distinct on (c.waba_id) c.customer_config_id as "customerConfigId", c.id as "connectionId", c.waba_id as "wabaId",
           o.access_token_enc as "accessTokenEnc"
         from ${table} t join ${connections} c on c.waba_id = t.waba_id and c.state = 'connected'
         join ${db.name("whatsapp_oauth_tokens")} o on o.connection_id = c.id
         where (t.status = 'UNCONFIRMED' or t.outdated and t.updated_at > now() - ${ASKED_FOR}) and t.updated_at < now() - ${LOST_AFTER}
         order by c.waba_id, c.created_at desc, c.id`,
      );
    },

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

    async replace({ customerConfigId, connectionId, wabaId }, listed, since) {
      return db.transaction(async (tx) => {
        // Two that read at the same time must not undo each other.
        const locked = await tx.query(
          `select 1 from ${db.name("whatsapp_connections")} where waba_id = $1 and state <> 'disconnected' order by id for no key update`,
          [wabaId],
        );
        if (locked.length === 0) return NOTHING_SYNCED;
        const before = await tx.query<{ key: string; what: string }>(
          `select name || '/' || language as key, ${WHAT} as what from ${table} where waba_id = $1`,
          [wabaId],
        );
        await tx.query(
          `insert into ${table} as t (customer_config_id, waba_id, template_id, name, language, category, status,
             parameter_format, components, quality_score, rejected_reason)
           select $1, $2, l.* from jsonb_to_recordset($3::jsonb) as l (template_id text, name text, language text, category text,
             status text, parameter_format text, components jsonb, quality_score text, rejected_reason text)
           on conflict (waba_id, name, language) do update set customer_config_id = excluded.customer_config_id,
             template_id = excluded.template_id, category = excluded.category, status = excluded.status,
             parameter_format = excluded.parameter_format, components = excluded.components,
             quality_score = excluded.quality_score, rejected_reason = excluded.rejected_reason, outdated = false, updated_at = now()
           where (t.customer_config_id, t.template_id, ${WHAT_OF("t")}, t.outdated)
               is distinct from (excluded.customer_config_id, excluded.template_id, ${WHAT_OF("excluded")}, false)
             and ($4::timestamptz is null or t.updated_at < $4)`,
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
            since,
          ],
        );
        const unlisted = `t.waba_id = $1 and ($4::timestamptz is null or t.updated_at < $4) and not exists (
          select 1 from unnest($2::text[], $3::text[]) as l (name, language) where l.name = t.name and l.language = t.language)`;
        const params = [wabaId, listed.map(({ name }) => name), listed.map(({ language }) => language), since];
        await tx.query(
          `update ${table} t set status = 'NOT_SENT', updated_at = now()
           where ${unlisted} and t.template_id is null and t.status = 'UNCONFIRMED' and t.updated_at < now() - ${LOST_AFTER}`,
          params,
        );
        await tx.query(
          `delete from ${table} t where ${unlisted} and (t.template_id is not null or t.status not in ('UNCONFIRMED', 'NOT_SENT'))`,
          params,
        );
        await tx.query(
          `update ${db.name("whatsapp_connections")} set templates_synced_at = coalesce($3, now())
           where id = $1 or (waba_id = $2 and state <> 'disconnected')`,
          [connectionId, wabaId, since],
        );
        const after = await tx.query<{ key: string; what: string }>(
          `select name || '/' || language as key, ${WHAT} as what from ${table} where waba_id = $1`,
          [wabaId],
        );
        return compare(new Map(before.map(({ key, what }) => [key, what])), after);
      });
    },

    async accounts(customerConfigId) {
      return db.query<TemplateAccount>(
        `select waba_id as "wabaId", max(verified_name) as name, max(templates_synced_at) as "syncedAt" from ${connections}
         where customer_config_id = $1 and state <> 'disconnected' group by waba_id order by waba_id`,
        [customerConfigId],
      );
    },

    async list({ customerConfigId, wabaId, status, q }, { limit, after }) {
      return db.bounded<StoredTemplate>(
        `select ${COLUMNS} from ${OWN_ACCOUNTS} join ${table} t using (waba_id)
         where ($2::text is null or t.waba_id = $2) and ($3::text is null or t.status = $3)
           and ($4::text is null or position($4 in lower(t.name)) > 0 or position($4 in lower(t.components::text)) > 0)
           and ($5::text is null or (t.name, t.language, t.waba_id) > ($5, $6, $7))
         order by t.name, t.language, t.waba_id limit $8`,
        [
          customerConfigId,
          wabaId ?? null,
          status ?? null,
          searched(q),
          after?.name ?? null,
          after?.language ?? null,
          after?.wabaId ?? null,
          limit,
        ],
      );
    },

    async find(customerConfigId, id) {
      const [found] = await db.bounded<StoredTemplate>(
        `select ${COLUMNS} from ${OWN_ACCOUNTS} join ${table} t using (waba_id) where t.id = $2`,
        [customerConfigId, id],
      );
      return found ?? null;
    },

    async announce({ customerConfigId, wabaId }, { name, language, category, parameterFormat, components }) {
      const [row] = await db.query<{ id: string }>(
        `insert into ${table} as t (customer_config_id, waba_id, name, language, category, status, parameter_format, components)
         values ($1, $2, $3, $4, $5, 'UNCONFIRMED', $6, $7)
         on conflict (waba_id, name, language) do update set customer_config_id = excluded.customer_config_id, category = excluded.category,
           status = excluded.status, parameter_format = excluded.parameter_format, components = excluded.components, template_id = null, quality_score = null,
           rejected_reason = null, said_at = null, outdated = false, updated_at = now()
         where t.status in ('NOT_SENT', 'DELETED') returning id`,
        [customerConfigId, wabaId, name, language, category, parameterFormat, JSON.stringify(components)],
      );
      return row?.id ?? null;
    },

    async settle({ customerConfigId, wabaId }, draft, { templateId, status, category }) {
      const { name, language, parameterFormat, components } = draft;
      const [row] = await db.query<{ id: string }>(
        `insert into ${table} as t (customer_config_id, waba_id, template_id, name, language, category, status, parameter_format, components)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (waba_id, name, language) do update set template_id = excluded.template_id, category = excluded.category,
           status = case when ${UNANSWERED} then excluded.status else t.status end,
           rejected_reason = case when ${UNANSWERED} then null else t.rejected_reason end, updated_at = now() returning id`,
        [
          customerConfigId,
          wabaId,
          templateId,
          name,
          language,
          category,
          status,
          parameterFormat,
          JSON.stringify(components),
        ],
      );
      return (row as { id: string }).id;
    },

    async doubt({ id, status }, { components, category }) {
      const doubted = await db.query(
        `update ${table} set components = coalesce($2, components), category = coalesce($3, category), status = 'UNCONFIRMED',
           rejected_reason = null, updated_at = now() where id = $1 and status = $4 returning 1`,
        [id, components === undefined ? null : JSON.stringify(components), category ?? null, status],
      );
      return doubted.length > 0;
    },

    async confirm(id) {
      await db.query(
        `update ${table} set status = 'PENDING', updated_at = now() where id = $1 and status = 'UNCONFIRMED'`,
        [id],
      );
    },

    async restore({ id, components, category, status, rejectedReason }) {
      await db.query(
        `update ${table} set components = $2, category = $3, status = $4, rejected_reason = $5, updated_at = now()
         where id = $1 and status = 'UNCONFIRMED'`,
        [id, JSON.stringify(components), category, status, rejectedReason],
      );
    },

    async forget(id) {
      await db.query(`delete from ${table} where id = $1`, [id]);
    },

    // Of the account, whichever of its tenants read them: several may have a number of one.
    async named({ connectionId, wabaId }, name, maxAgeMs) {
      const [synced] = await db.query(
        `select 1 from ${db.name("whatsapp_connections")} where id = $1 and ($2::bigint is null and templates_synced_at is not null
           or templates_synced_at > now() - $2::bigint * interval '1 millisecond'
             and not exists (select 1 from ${table} where waba_id = $3 and name = $4 and outdated))`,
        [connectionId, maxAgeMs, wabaId, name],
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
