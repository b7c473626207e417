/** Row level security on our tables; Supabase's service role, where it exists, may do all. The owner is not bound by it. */
import { quoteName, type Schemas, type Sql } from "./names.ts";

export const TABLES = [
  "whatsapp_connections",
  "whatsapp_oauth_tokens",
  "whatsapp_oauth_states",
  "whatsapp_onboardings",
  "whatsapp_erasures",
  "whatsapp_erased_messages",
  "whatsapp_templates",
  "whatsapp_contacts",
  "whatsapp_contact_aliases",
  "whatsapp_preferences",
  "whatsapp_webhooks",
  "whatsapp_lanes",
  "whatsapp_events",
  "whatsapp_turns",
  "whatsapp_sends",
  "whatsapp_outbox",
  "whatsapp_send_attempts",
  "whatsapp_host_events",
  "whatsapp_paces",
  "whatsapp_host_changes",
  "whatsapp_upkeep",
  "whatsapp_alarms",
  "whatsapp_sessions",
  "whatsapp_media",
  "whatsapp_media_leftovers",
  "whatsapp_media_uploads",
  // Knex's ledger and its lock: on Supabase every table in `public` that has no RLS is open to anonymous callers.
  "whatsapp_migrations",
  "whatsapp_migrations_lock",
];

export const rowLevelSecurity = {
  name: "20261122000007_row_level_security",

  async up(knex: Sql, { schema }: Schemas): Promise<void> {
    const role = await knex.raw("select 1 from pg_roles where rolname = 'service_role'");
    for (const table of TABLES) {
      const name = quoteName(schema, table);
      await knex.raw(`alter table ${name} enable row level security`);
      if (role.rows.length > 0)
        await knex.raw(
          `create policy whatsapp_service_role on ${name} for all to service_role using (true) with check (true)`,
        );
    }
  },

  async down(knex: Sql, { schema }: Schemas): Promise<void> {
    for (const table of TABLES) {
      const name = quoteName(schema, table);
      await knex.raw(`drop policy if exists whatsapp_service_role on ${name}`);
      await knex.raw(`alter table ${name} disable row level security`);
    }
  },
};
