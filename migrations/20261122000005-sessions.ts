/** Meta's 24-hour customer service windows and the guide's two SQL functions: the one place that computes a window. */
import { quoteName, type Schemas, type Sql } from "./names.ts";

export const sessions = {
  name: "20261122000005_sessions",

  async up(knex: Sql, { schema }: Schemas): Promise<void> {
    const q = (table: string) => quoteName(schema, table);
    await knex.raw(`
      create table ${q("whatsapp_sessions")} (
        id uuid primary key default gen_random_uuid(),
        conversation_id uuid not null unique,
        -- The person's number; null when Meta gave only a business-scoped user id.
        phone_number text,
        session_start timestamptz not null,
        session_expires timestamptz not null,
        is_active boolean not null default true,
        -- When the person came by an ad; an answer within a day opens the free entry point for 72 hours.
        ad_message_at timestamptz,
        free_entry_point_expires timestamptz,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()) with (fillfactor = 80);

      create function ${q("is_whatsapp_session_active")}(p_conversation_id uuid) returns boolean
      language sql stable as $$
        select exists (select 1 from ${q("whatsapp_sessions")} s
          where s.conversation_id = p_conversation_id and s.is_active and s.session_expires > now())
      $$;

      -- p_message_at is WhatsApp's own time of the person's message. A time in the future counts as now, so a forged or
      -- skewed one cannot lengthen the window; an older message than the last never shortens it, and moves the start
      -- only where its own 24 hours reach into this window.
      create function ${q("extend_whatsapp_session")}(
        p_conversation_id uuid, p_phone_number text, p_message_at timestamptz default now(), p_by_ad boolean default false)
      returns timestamptz
      language sql as $$
        insert into ${q("whatsapp_sessions")} as s
          (conversation_id, phone_number, session_start, session_expires, is_active, ad_message_at)
        values (p_conversation_id, p_phone_number, least(p_message_at, now()),
          least(p_message_at, now()) + interval '24 hours', least(p_message_at, now()) + interval '24 hours' > now(),
          case when p_by_ad then least(p_message_at, now()) end)
        on conflict (conversation_id) do update set
          phone_number = coalesce(excluded.phone_number, s.phone_number),
          ad_message_at = greatest(excluded.ad_message_at, s.ad_message_at),
          session_start = case
            when s.session_expires <= excluded.session_start then excluded.session_start
            when excluded.session_expires <= s.session_start then s.session_start
            else least(s.session_start, excluded.session_start) end,
          session_expires = greatest(s.session_expires, excluded.session_expires),
          is_active = greatest(s.session_expires, excluded.session_expires) > now(),
          updated_at = now()
        returning session_expires
      $$;
    `);
  },

  async down(knex: Sql, { schema }: Schemas): Promise<void> {
    await knex.raw(`
      drop function ${quoteName(schema, "extend_whatsapp_session")}(uuid, text, timestamptz, boolean);
      drop function ${quoteName(schema, "is_whatsapp_session_active")}(uuid);
      drop table ${quoteName(schema, "whatsapp_sessions")}`);
  },
};
