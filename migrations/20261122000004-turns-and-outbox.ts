/** Turns waiting for the host's AI, what goes out, every attempt to send it, events waiting for the host, and the upkeep of it all. */
import type { Knex } from "knex";
import { quoteName, type Schemas } from "./names.ts";

export const turnsAndOutbox = {
  name: "20261122000004_turns_and_outbox",

  async up(knex: Knex, { schema }: Schemas): Promise<void> {
    const q = (table: string) => quoteName(schema, table);
    await knex.raw(`
      create table ${q("whatsapp_turns")} (
        id uuid primary key default gen_random_uuid(),
        lane_key text not null,
        seq bigint generated always as identity,
        connection_id uuid not null,
        customer_config_id uuid not null,
        contact_id bigint not null,
        conversation_id uuid not null,
        messages jsonb not null,
        -- Set when the host is first asked: from then on the turn has exactly these messages, on every try.
        sealed_at timestamptz,
        -- The bytes of its media are on their way: the host is not asked before they are there, and not later than this.
        waits_until timestamptz,
        -- 0 pending, 1 done, 2 dead letter
        state smallint not null default 0,
        attempts int not null default 0,
        last_error text,
        created_at timestamptz not null default now(),
        finished_at timestamptz);
      -- A burst joins the one turn that the host has not seen yet.
      create unique index whatsapp_turns_open on ${q("whatsapp_turns")} (lane_key) where sealed_at is null and state = 0;
      create index whatsapp_turns_contact on ${q("whatsapp_turns")} (contact_id);
      create index whatsapp_turns_pending on ${q("whatsapp_turns")} (lane_key, seq) where state = 0;
      create index whatsapp_turns_created on ${q("whatsapp_turns")} (created_at) where state <> 0;
      create index whatsapp_turns_dead on ${q("whatsapp_turns")} (connection_id) where state = 2;

      create table ${q("whatsapp_sends")} (
        id uuid primary key default gen_random_uuid(),
        customer_config_id uuid not null,
        conversation_id uuid not null,
        turn_id uuid,
        -- Counts the pieces of an answer that came as a stream.
        turn_piece int not null default 0,
        idempotency_key text,
        request_hash text not null,
        degraded jsonb not null default '[]'::jsonb,
        -- What was offered as numbered text, in the order of the numbers: the next message may answer with one.
        choices jsonb not null default '[]'::jsonb,
        created_at timestamptz not null default now(),
        unique (turn_id, turn_piece));
      create index whatsapp_sends_conversation on ${q("whatsapp_sends")} (conversation_id, created_at);
      create index whatsapp_sends_created on ${q("whatsapp_sends")} (created_at);
      create unique index whatsapp_sends_idempotency on ${q("whatsapp_sends")} (customer_config_id, idempotency_key)
        where idempotency_key is not null;

      create table ${q("whatsapp_outbox")} (
        id bigint generated always as identity primary key,
        send_id uuid not null references ${q("whatsapp_sends")} (id) on delete cascade,
        part_index int not null,
        lane_key text not null,
        connection_id uuid not null,
        customer_config_id uuid not null,
        contact_id bigint not null,
        conversation_id uuid not null,
        kind text not null,
        -- The Graph message without recipient and callback data, which are added when it leaves.
        payload jsonb not null,
        endpoint text not null default 'messages' check (endpoint in ('messages', 'marketing_messages')),
        needs_window boolean not null default true,
        is_marketing boolean not null default false,
        -- What leaves in its place when the window is closed.
        fallback jsonb,
        on_window_closed text not null default 'fail' check (on_window_closed in ('fail', 'hold')),
        -- Whether it is sent once more when nobody knows whether it arrived.
        on_ambiguous text not null default 'resend' check (on_ambiguous in ('resend', 'hold')),
        state text not null default 'queued' check (state in
          ('queued', 'held', 'sending', 'accepted', 'sent', 'delivered', 'read', 'played', 'failed', 'expired', 'unknown')),
        -- The wamid.
        message_id text,
        -- The wamid of the second copy: an attempt that was given up had arrived after all, and so had the one after it.
        duplicate_message_id text,
        -- The host's messages row.
        host_message_id text,
        error jsonb,
        -- What Meta charges for it, as its statuses say.
        pricing jsonb,
        attempts int not null default 0,
        -- When it came that far: WhatsApp's own time where a status says it.
        sent_at timestamptz,
        delivered_at timestamptz,
        read_at timestamptz,
        -- When it became 'failed', 'expired' or 'unknown'.
        failed_at timestamptz,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        unique (send_id, part_index)) with (fillfactor = 80);
      create index whatsapp_outbox_pending on ${q("whatsapp_outbox")} (lane_key, id)
        where state in ('queued', 'held', 'sending');
      create index whatsapp_outbox_message_id on ${q("whatsapp_outbox")} (message_id) where message_id is not null;
      create index whatsapp_outbox_duplicates on ${q("whatsapp_outbox")} (duplicate_message_id)
        where duplicate_message_id is not null;
      -- What a tenant has sent, newest first, and what of it did not arrive.
      create index whatsapp_outbox_tenant on ${q("whatsapp_outbox")} (customer_config_id, id);
      create index whatsapp_outbox_failed on ${q("whatsapp_outbox")} (customer_config_id, id)
        where state in ('failed', 'expired', 'unknown');

      create table ${q("whatsapp_send_attempts")} (
        id bigint generated always as identity primary key,
        outbox_id bigint not null references ${q("whatsapp_outbox")} (id) on delete cascade,
        -- biz_opaque_callback_data: random, because every app subscribed to the WABA can read it.
        token text not null unique,
        state text not null default 'intent' check (state in ('intent', 'accepted', 'rejected', 'ambiguous')),
        message_id text,
        error jsonb,
        started_at timestamptz not null default now(),
        finished_at timestamptz);
      create index whatsapp_send_attempts_outbox on ${q("whatsapp_send_attempts")} (outbox_id);

      -- How fast each number sends, over all instances. Unlogged: what a crash forgets is a tenth of a second.
      create unlogged table ${q("whatsapp_paces")} (
        connection_id uuid primary key references ${q("whatsapp_connections")} (id) on delete cascade,
        -- Until when what has left has used up the number's pace.
        used_until timestamptz not null default 'epoch',
        -- Where the queue of those who wait ends.
        queued_until timestamptz not null default 'epoch',
        paused_until timestamptz not null default 'epoch',
        -- Of its pace, after Meta said that it was too fast; it comes back with time.
        share float8 not null default 1,
        slowed_at timestamptz not null default now() - interval '1 hour') with (fillfactor = 50,
          autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);

      create table ${q("whatsapp_host_events")} (
        id bigint generated always as identity primary key,
        lane_key text not null,
        event jsonb not null,
        -- 0 pending, 2 dead letter; a delivered one is deleted
        state smallint not null default 0,
        last_error text,
        created_at timestamptz not null default now());
      create index whatsapp_host_events_pending on ${q("whatsapp_host_events")} (lane_key, id) where state = 0;
      create index whatsapp_host_events_dead on ${q("whatsapp_host_events")} (id) where state = 2;

      -- What must be done from time to time, by one of all instances.
      create table ${q("whatsapp_upkeep")} (
        task text primary key,
        due_at timestamptz not null);

      -- What is wrong now: a row from the moment an alarm is raised until it is cleared, so that instances raise it once.
      create table ${q("whatsapp_alarms")} (
        kind text not null,
        -- The stage, or the connection's id; empty where there is none.
        subject text not null,
        raised_at timestamptz not null default now(),
        primary key (kind, subject));
    `);
  },

  async down(knex: Knex, { schema }: Schemas): Promise<void> {
    for (const table of [
      "whatsapp_alarms",
      "whatsapp_upkeep",
      "whatsapp_paces",
      "whatsapp_host_events",
      "whatsapp_send_attempts",
      "whatsapp_outbox",
      "whatsapp_sends",
      "whatsapp_turns",
    ])
      await knex.raw(`drop table ${quoteName(schema, table)}`);
  },
};
