/** Pictures, voice notes, videos, documents and stickers, in and out: what is known of each, and where its bytes are. */
import { quoteName, type Schemas, type Sql } from "./names.ts";

export const media = {
  name: "20261122000006_media",

  async up(knex: Sql, { schema }: Schemas): Promise<void> {
    const q = (table: string) => quoteName(schema, table);
    await knex.raw(`
      create table ${q("whatsapp_media")} (
        id uuid primary key default gen_random_uuid(),
        customer_config_id uuid not null,
        direction text not null check (direction in ('in', 'out')),
        kind text not null check (kind in ('image', 'video', 'audio', 'document', 'sticker')),
        -- 'expired': its bytes will never come, and the reason says why.
        state text not null default 'pending' check (state in ('pending', 'stored', 'expired')),
        reason text,
        -- Whose it is, when somebody sent it.
        connection_id uuid,
        contact_id bigint,
        conversation_id uuid,
        -- The wamid it came with, and the host's messages row.
        message_id text,
        host_message_id text,
        -- Meta's id of it, and what Meta said of it before its bytes were seen.
        meta_media_id text,
        said_mime text,
        said_sha256 text,
        filename text,
        voice boolean not null default false,
        -- Of the bytes themselves.
        mime text,
        size bigint,
        sha256 text,
        storage_key text,
        -- How often its bytes were not what was announced, and what went wrong last.
        attempts int not null default 0,
        last_error text,
        -- Until when Meta has it.
        fetch_until timestamptz,
        created_at timestamptz not null default now(),
        stored_at timestamptz);
      create index whatsapp_media_pending on ${q("whatsapp_media")} (connection_id) where state = 'pending';
      create index whatsapp_media_contact on ${q("whatsapp_media")} (contact_id) where contact_id is not null;
      create index whatsapp_media_message on ${q("whatsapp_media")} (connection_id, message_id) where message_id is not null;
      create index whatsapp_media_created on ${q("whatsapp_media")} (created_at);
      create index whatsapp_media_tenant on ${q("whatsapp_media")} (customer_config_id) include (size) where state = 'stored';

      -- Objects in the media store that no row of whatsapp_media speaks of: being written, or to be removed.
      create table ${q("whatsapp_media_leftovers")} (
        storage_key text primary key,
        remove_at timestamptz not null default now());
      create index whatsapp_media_leftovers_due on ${q("whatsapp_media_leftovers")} (remove_at);

      -- What Meta has already: the same bytes are uploaded once per number while Meta keeps them, 30 days.
      create table ${q("whatsapp_media_uploads")} (
        phone_number_id text not null,
        sha256 text not null,
        mime text not null,
        meta_media_id text not null,
        expires_at timestamptz not null,
        primary key (phone_number_id, sha256, mime));
      create index whatsapp_media_uploads_expired on ${q("whatsapp_media_uploads")} (expires_at);
    `);
  },

  async down(knex: Sql, { schema }: Schemas): Promise<void> {
    for (const table of ["whatsapp_media_uploads", "whatsapp_media_leftovers", "whatsapp_media"])
      await knex.raw(`drop table if exists ${quoteName(schema, table)}`);
  },
};
