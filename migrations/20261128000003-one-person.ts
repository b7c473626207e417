/** What an earlier version has left: two names of one person with a word, a window and a pause each; statuses that nobody takes up any more. */
import type { Migration } from "./make-way.ts";
import { quoteName, type Schemas, type Sql } from "./names.ts";

export const onePerson: Migration = {
  name: "20261128000003_one_person",

  /** Of messages that another app has sent, perhaps millions. */
  async prepare(knex: Sql, schemas: Schemas): Promise<void> {
    // Of a delivery that somebody works, and will soon count, no row may be held from here on.
    await settleStatuses(knex, schemas, { deliveries: "and pending = 0", locked: "for update skip locked" });
  },

  /** Everybody who changes what a person has locks their contact first. */
  locks: async () => ({ whatsapp_contacts: "exclusive" }),

  async up(knex: Sql, { schema, hostSchema }: Schemas): Promise<void> {
    const q = (table: string) => quoteName(schema, table);
    const [contacts, sessions, preferences] = [
      q("whatsapp_contacts"),
      q("whatsapp_sessions"),
      q("whatsapp_preferences"),
    ];
    // Those that somebody held when most were settled, or that have come since.
    await settleStatuses(knex, { schema, hostSchema }, { deliveries: "", locked: "for update" });
    await knex.raw(`create index whatsapp_contacts_merged on ${contacts} (merged_into) where merged_into is not null`);
    await knex.raw(`
      update ${contacts} e set ai_paused_until = y.until
      from (select merged_into as id, max(ai_paused_until) as until from ${contacts}
        where merged_into is not null and ai_paused_until > now() group by 1) y
      where e.id = y.id and (e.ai_paused_until is null or e.ai_paused_until < y.until)`);
    // Of two windows the one that is open longer counts, and an ad that brought either.
    await knex.raw(`
      with theirs as materialized (
        select s.* from ${sessions} s where s.conversation_id in (
          select unnest(array[c.conversation_id, e.conversation_id]) from ${contacts} c join ${contacts} e on e.id = c.merged_into)
        order by s.conversation_id for update)
      insert into ${sessions} as s (conversation_id, phone_number, session_start, session_expires, is_active, ad_message_at, free_entry_point_expires)
      select e.conversation_id, max(y.phone_number), min(y.session_start), max(y.session_expires), bool_or(y.is_active),
        max(y.ad_message_at), max(y.free_entry_point_expires)
      from ${contacts} c join ${contacts} e on e.id = c.merged_into join theirs y on y.conversation_id = c.conversation_id
      where y.conversation_id <> e.conversation_id group by 1 order by 1
      on conflict (conversation_id) do update set phone_number = coalesce(s.phone_number, excluded.phone_number),
        session_start = case when s.session_expires < excluded.session_expires then excluded.session_start else s.session_start end,
        session_expires = greatest(s.session_expires, excluded.session_expires),
        is_active = case when s.session_expires < excluded.session_expires then excluded.is_active else s.is_active end,
        ad_message_at = greatest(s.ad_message_at, excluded.ad_message_at),
        free_entry_point_expires = greatest(s.free_entry_point_expires, excluded.free_entry_point_expires), updated_at = now()`);
    // The latest word counts; a typed one lifts no stop of Meta's, which refuses all the same.
    await knex.raw(`
      with words as (
        select coalesce(c.merged_into, c.id) as person, p.*, max(p.updated_at) filter (where p.source = 'meta')
          over (partition by coalesce(c.merged_into, c.id), p.category) as meta_at
        from ${preferences} p join ${contacts} c on c.id = p.contact_id),
      counts as (
        select distinct on (person, category) * from words where source <> 'meta' or updated_at = meta_at
        order by person, category, source = 'meta' and value = 'stop' desc, updated_at desc, contact_id desc),
      gone as (
        delete from ${preferences} p using ${contacts} c where c.id = p.contact_id and c.merged_into is not null)
      insert into ${preferences} (contact_id, category, value, source, updated_at)
      select person, category, value, source, updated_at from counts where contact_id <> person order by 1, 2
      on conflict (contact_id, category) do update set value = excluded.value, source = excluded.source, updated_at = excluded.updated_at`);
  },

  /** What belongs to one person stays together. */
  async down(knex: Sql, { schema }: Schemas): Promise<void> {
    await knex.raw(`drop index if exists ${quoteName(schema, "whatsapp_contacts_merged")}`);
  },
};

/** Statuses that nobody takes up any more, and the deliveries that waited for nothing else. */
async function settleStatuses(
  knex: Sql,
  { schema }: Schemas,
  { deliveries, locked }: { readonly deliveries: string; readonly locked: string },
): Promise<void> {
  const [events, webhooks] = [quoteName(schema, "whatsapp_events"), quoteName(schema, "whatsapp_webhooks")];
  await knex.raw(`
      update ${events} set state = 1 where id in (
        select id from ${events} e where state = 4 and kind = 'status'
          and not exists (select 1 from ${quoteName(schema, "whatsapp_outbox")} o where o.message_id = e.external_id)
        order by id ${locked})`);
  await knex.raw(`
      update ${webhooks} set error = null, processed = pending = 0 where id in (
        select id from ${webhooks} w where error like 'unrouted:%' and not processed ${deliveries}
          and not exists (select 1 from ${events} e where e.state = 4 and e.webhook_id = w.id)
        order by id ${locked})`);
}
