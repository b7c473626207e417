/** Numbers bound to a tenant, their encrypted tokens, templates as synced, and who is who on the other side. */
import { quoteName, type Schemas, type Sql } from "./names.ts";

export const connections = {
  name: "20261122000002_connections",

  async up(knex: Sql, { schema }: Schemas): Promise<void> {
    const q = (table: string) => quoteName(schema, table);
    await knex.raw(`
      create table ${q("whatsapp_connections")} (
        id uuid primary key default gen_random_uuid(),
        customer_config_id uuid not null,
        phone_number_id text not null,
        waba_id text not null,
        display_phone_number text not null,
        verified_name text,
        quality_rating text,
        state text not null default 'connected' check (state in ('connected', 'reauth_required', 'disconnected')),
        reason text,
        -- Meta refuses or fails everything of this number: nothing leaves until then, and after it one message to see.
        paused_until timestamptz,
        -- Pauses in a row.
        pause_strikes int not null default 0,
        -- Requests for media that Meta has answered with an error, in the hour that began then.
        media_errors int not null default 0,
        media_errors_since timestamptz,
        -- The PIN it was registered with: sealed, random per number, needed to register it again.
        pin_enc text,
        -- Also used in the WhatsApp Business app: never registered or deregistered by us.
        on_business_app boolean not null default false,
        -- How fast it may send, in Meta's words, and when Meta said so.
        throughput_level text,
        throughput_read_at timestamptz not null default now(),
        -- Meta sends its webhooks to somebody else, as was seen on that occasion.
        webhooks_elsewhere boolean not null default false,
        -- What the app has was asked for: Meta grants each once.
        contacts_sync_at timestamptz,
        history_sync_at timestamptz,
        -- As people see it: about, address, website, …
        profile jsonb,
        disconnected_at timestamptz,
        -- When the templates of its account were last read from Meta.
        templates_synced_at timestamptz,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now());
      -- One active tenant per number; a number that moved keeps its old rows.
      create unique index whatsapp_connections_active on ${q("whatsapp_connections")} (phone_number_id)
        where state <> 'disconnected';
      create index whatsapp_connections_tenant on ${q("whatsapp_connections")} (customer_config_id);

      create table ${q("whatsapp_oauth_tokens")} (
        id uuid primary key default gen_random_uuid(),
        customer_config_id uuid not null,
        connection_id uuid not null unique references ${q("whatsapp_connections")} (id) on delete cascade,
        provider text not null default 'meta',
        access_token_enc text not null,
        expires_at timestamptz,
        scopes text[] not null default '{}',
        -- { app_id, type, issued_at, data_access_expires_at }: what Meta says of it, never the token.
        token_metadata jsonb not null default '{}'::jsonb,
        -- Whom Meta gave it to: its callbacks name nobody else.
        meta_user_id text,
        -- When to look whether it must be renewed; null when it never expires.
        renew_at timestamptz,
        -- Its number was disconnected, and Meta could not be told yet.
        leaving_since timestamptz,
        -- When Meta is to be told next.
        leaving_try_at timestamptz,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now());
      create index whatsapp_oauth_tokens_user on ${q("whatsapp_oauth_tokens")} (meta_user_id);
      create index whatsapp_oauth_tokens_leaving on ${q("whatsapp_oauth_tokens")} (leaving_try_at)
        where leaving_since is not null;

      -- A browser on its way to Meta and back. One-time, ten minutes, bound to who started it.
      create table ${q("whatsapp_oauth_states")} (
        -- SHA-256: what is in the browser's address is not in the database.
        state_hash text primary key,
        customer_config_id uuid not null,
        user_id text,
        session_hash text not null,
        app_id text not null,
        redirect_uri text not null,
        return_to text not null,
        pkce_verifier_enc text,
        created_at timestamptz not null default now(),
        expires_at timestamptz not null,
        used_at timestamptz);

      -- What became of a code: the steps until its numbers are connected, each idempotent, so that any later try goes on.
      create table ${q("whatsapp_onboardings")} (
        id uuid primary key default gen_random_uuid(),
        customer_config_id uuid not null,
        user_id text,
        -- 'redirect' or 'popup'
        flow text not null,
        state text not null default 'running' check (state in ('running', 'choice', 'pin', 'takeover', 'failed', 'done')),
        -- Sealed; null once it is with its numbers, or the onboarding is over.
        access_token_enc text,
        -- What Meta says of the token, what it shows, what was chosen, and the steps. PINs are sealed.
        progress jsonb not null default '{}'::jsonb,
        error jsonb,
        -- Somebody is at it until then.
        busy_until timestamptz not null default now(),
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now());
      create index whatsapp_onboardings_tenant on ${q("whatsapp_onboardings")} (customer_config_id, created_at desc);

      -- Who asked to be forgotten, by a code that only they know. Holds nothing of them.
      create table ${q("whatsapp_erasures")} (
        code text primary key,
        requested_at timestamptz not null default now(),
        completed_at timestamptz);

      -- Messages of people who were erased: what Meta has yet to say of them is not kept either. No key to the id.
      create table ${q("whatsapp_erased_messages")} (
        message_hash text primary key,
        erased_at timestamptz not null default now());
      create index whatsapp_erased_messages_age on ${q("whatsapp_erased_messages")} (erased_at);

      create table ${q("whatsapp_templates")} (
        id uuid primary key default gen_random_uuid(),
        customer_config_id uuid not null,
        waba_id text not null,
        template_id text,
        name text not null,
        language text not null,
        category text,
        status text not null,
        -- POSITIONAL or NAMED
        parameter_format text not null default 'POSITIONAL',
        components jsonb not null default '[]'::jsonb,
        quality_score text,
        rejected_reason text,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        unique (waba_id, name, language));
      create index whatsapp_templates_changed on ${q("whatsapp_templates")} (waba_id, updated_at);

      create table ${q("whatsapp_contacts")} (
        id bigint generated always as identity primary key,
        connection_id uuid not null references ${q("whatsapp_connections")} (id) on delete cascade,
        customer_config_id uuid not null,
        phone_number text,
        user_id text,
        parent_user_id text,
        username text,
        name text,
        conversation_id uuid,
        -- Staff has answered in the WhatsApp Business app: the AI is not asked before this.
        ai_paused_until timestamptz,
        -- Set when a later event proved that two rows are one person; the elder row lives on.
        merged_into bigint references ${q("whatsapp_contacts")} (id),
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now());
      create index whatsapp_contacts_conversation on ${q("whatsapp_contacts")} (conversation_id);

      create table ${q("whatsapp_contact_aliases")} (
        connection_id uuid not null references ${q("whatsapp_connections")} (id) on delete cascade,
        -- 'phone:<number>', 'user:<id>' or 'parent:<id>'; 'left:<id>' beside a user id that was left with its number
        alias text not null,
        contact_id bigint not null references ${q("whatsapp_contacts")} (id) on delete cascade,
        primary key (connection_id, alias));
      create index whatsapp_contact_aliases_contact on ${q("whatsapp_contact_aliases")} (contact_id);

      -- What a person allows: the latest word counts, whether it came from Meta or from themselves.
      create table ${q("whatsapp_preferences")} (
        contact_id bigint not null references ${q("whatsapp_contacts")} (id) on delete cascade,
        category text not null,
        value text not null check (value in ('stop', 'resume', 'signup')),
        source text not null check (source in ('meta', 'keyword')),
        updated_at timestamptz not null,
        primary key (contact_id, category));
    `);
  },

  async down(knex: Sql, { schema }: Schemas): Promise<void> {
    for (const table of [
      "whatsapp_erased_messages",
      "whatsapp_erasures",
      "whatsapp_onboardings",
      "whatsapp_oauth_states",
      "whatsapp_preferences",
      "whatsapp_contact_aliases",
      "whatsapp_contacts",
      "whatsapp_templates",
      "whatsapp_oauth_tokens",
      "whatsapp_connections",
    ])
      await knex.raw(`drop table ${quoteName(schema, table)}`);
  },
};
