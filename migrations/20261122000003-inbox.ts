/** What Meta sent, byte for byte, the events split from it, and the lanes that keep their order. */
import type { Knex } from "knex";
import { quoteName, type Schemas } from "./names.ts";

/**
 * Lane rows are updated several times per event, so vacuum must come by rows and not by share of the table.
 * Measured without this: 118,929 dead rows on a table of 1,000 lanes in 30 s.
 */
const HOT = `with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
  autovacuum_vacuum_cost_delay = 0)`;

export const inbox = {
  name: "20261122000003_inbox",

  async up(knex: Knex, { schema }: Schemas): Promise<void> {
    const q = (table: string) => quoteName(schema, table);
    await knex.raw(`
      create table ${q("whatsapp_webhooks")} (
        id bigint generated always as identity primary key,
        webhook_type text not null,
        body bytea not null,
        -- The body as JSON, with what Postgres cannot hold (NUL, lone surrogates) replaced by U+FFFD; null when quarantined.
        payload jsonb,
        processed boolean not null default false,
        error text,
        -- Events of this delivery that are still to be applied.
        pending int not null default 0,
        -- Which of the configured app secrets signed it: 0 is the current one.
        secret_index smallint not null default 0,
        created_at timestamptz not null default now());
      create index whatsapp_webhooks_unprocessed on ${q("whatsapp_webhooks")} (created_at) where not processed;
      create index whatsapp_webhooks_created on ${q("whatsapp_webhooks")} using brin (created_at);

      create table ${q("whatsapp_lanes")} (
        lane_key text primary key,
        stage text not null check (stage in ('in', 'notify', 'out', 'turn')),
        pending int not null default 0,
        -- When it may be claimed; null when idle. While leased: when the lease ends.
        ready_at timestamptz,
        lease_token uuid,
        attempts int not null default 0) ${HOT};
      create index whatsapp_lanes_ready on ${q("whatsapp_lanes")} (stage, ready_at) where ready_at is not null;

      create table ${q("whatsapp_events")} (
        id bigint generated always as identity primary key,
        -- Null when no connection holds the number: stored, to be routed when one does.
        lane_key text,
        connection_id uuid,
        contact_id bigint,
        dedupe_key text not null unique,
        kind text not null,
        -- The wamid that a message or status is about.
        external_id text,
        phone_number_id text,
        payload jsonb not null,
        -- 0 pending, 1 done, 2 dead letter, 3 parked until its message appears, 4 unrouted
        state smallint not null default 0,
        last_error text,
        -- No foreign key: it would cost a look-up per event before the acknowledgement, and each is pruned by its own age.
        webhook_id bigint not null,
        created_at timestamptz not null default clock_timestamp()) with (fillfactor = 90);
      create index whatsapp_events_pending on ${q("whatsapp_events")} (lane_key, id) where state = 0;
      create index whatsapp_events_aside on ${q("whatsapp_events")} (state, external_id) where state >= 2;
      create index whatsapp_events_created on ${q("whatsapp_events")} using brin (created_at) with (pages_per_range = 16);
      create index whatsapp_events_webhook on ${q("whatsapp_events")} (webhook_id);

      -- The ordinary case of storing deliveries in one call, because each statement of its own costs a round trip before
      -- the acknowledgement. Anything out of the ordinary (a duplicate, a contact that was linked meanwhile) raises WA001:
      -- nothing is stored, and the caller takes the long way. A function's statements each see what was committed before
      -- them, so what is read after the lanes are locked is final.
      create function ${q("whatsapp_record")}(
        bodies bytea, body_starts int[], body_lengths int[], verbatims boolean[], mendeds text[], types text[],
        secrets smallint[], pendings int[], errors text[],
        deliveries int[], lane_keys text[], connection_ids uuid[], contact_ids bigint[], dedupe_keys text[], kinds text[],
        external_ids text[], phone_number_ids text[], payloads bytea, payload_starts int[], payload_lengths int[],
        out webhook_ids bigint[], out event_ids bigint[])
      language plpgsql set lock_timeout = '10s' as $$
      begin
        with stored as (
          insert into ${q("whatsapp_webhooks")} (webhook_type, body, payload, secret_index, pending, error, processed)
          select type, substring(bodies from start for length),
            case when verbatim then convert_from(substring(bodies from start for length), 'UTF8')::jsonb else mended::jsonb end,
            secret, waiting, reason, waiting = 0 and reason is null
          from unnest(body_starts, body_lengths, verbatims, mendeds, types, secrets, pendings, errors)
            as d (start, length, verbatim, mended, type, secret, waiting, reason) returning id)
        select array_agg(id order by id) into webhook_ids from stored;

        insert into ${q("whatsapp_lanes")} as l (lane_key, stage, pending, ready_at)
        select key, 'in', count(*), now() from unnest(lane_keys) as k (key) group by key order by key
        on conflict (lane_key) do update set pending = l.pending + excluded.pending,
          ready_at = coalesce(l.ready_at, excluded.ready_at);

        if exists (select 1 from ${q("whatsapp_contacts")} where id = any (contact_ids) and merged_into is not null) then
          raise exception using errcode = 'WA001', message = 'a contact was linked meanwhile';
        end if;

        with stored as (
          insert into ${q("whatsapp_events")} (lane_key, connection_id, contact_id, dedupe_key, kind, external_id,
            phone_number_id, payload, webhook_id, created_at)
          select lane_key, connection_id, contact_id, dedupe_key, kind, external_id, phone_number_id,
            convert_from(substring(payloads from start for length), 'UTF8')::jsonb, webhook_ids[delivery],
            clock_timestamp() + i * interval '1 microsecond'
          from unnest(deliveries, lane_keys, connection_ids, contact_ids, dedupe_keys, kinds, external_ids, phone_number_ids,
            payload_starts, payload_lengths) with ordinality
            as e (delivery, lane_key, connection_id, contact_id, dedupe_key, kind, external_id, phone_number_id, start, length, i)
          on conflict (dedupe_key) do nothing returning id)
        select array_agg(id order by id) into event_ids from stored;

        if coalesce(cardinality(event_ids), 0) <> coalesce(cardinality(dedupe_keys), 0) then
          raise exception using errcode = 'WA001', message = 'a change was stored before';
        end if;
      end $$;
    `);
  },

  async down(knex: Knex, { schema }: Schemas): Promise<void> {
    await knex.raw(`drop function ${quoteName(schema, "whatsapp_record")}`);
    for (const table of ["whatsapp_events", "whatsapp_lanes", "whatsapp_webhooks"])
      await knex.raw(`drop table ${quoteName(schema, table)}`);
  },
};
