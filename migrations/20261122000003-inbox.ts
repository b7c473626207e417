/** What Meta sent, byte for byte, the events split from it, and the lanes that keep their order. */
import { quoteName, type Schemas, type Sql } from "./names.ts";

/**
 * Lane rows are updated several times per event, so vacuum must come by rows and not by share of the table.
 * Measured without this: 118,929 dead rows on a table of 1,000 lanes in 30 s.
 */
const HOT = `with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
  autovacuum_vacuum_cost_delay = 0)`;

export const inbox = {
  name: "20261122000003_inbox",

  async up(knex: Sql, { schema }: Schemas): Promise<void> {
    const q = (table: string) => quoteName(schema, table);
    await knex.raw(`
      create table ${q("whatsapp_webhooks")} (
        id bigint generated always as identity primary key,
        webhook_type text not null,
        -- Empty where a person in it was erased.
        body bytea not null,
        -- The body as JSON, with what Postgres cannot hold (NUL, lone surrogates) replaced by U+FFFD. Null when quarantined,
        -- and until its events are applied: making it would cost a twelfth of the database's work before the acknowledgement.
        payload jsonb,
        processed boolean not null default false,
        error text,
        -- Events of this delivery that are still to be applied.
        pending int not null default 0,
        -- Which of the configured app secrets signed it: 0 is the current one.
        secret_index smallint not null default 0,
        created_at timestamptz not null default now());
      create index whatsapp_webhooks_unprocessed on ${q("whatsapp_webhooks")} (created_at) where not processed;
      create index whatsapp_webhooks_quarantined on ${q("whatsapp_webhooks")} (created_at) where error like 'quarantined:%';
      create index whatsapp_webhooks_created on ${q("whatsapp_webhooks")} using brin (created_at);

      create table ${q("whatsapp_lanes")} (
        lane_key text primary key,
        stage text not null check (stage in ('in', 'notify', 'out', 'turn', 'media')),
        -- A hash of whose it is, so that nobody's backlog stands before somebody else's work; zeros where nobody knows.
        tenant uuid not null default '00000000-0000-0000-0000-000000000000',
        pending int not null default 0,
        -- When it may be claimed; null when idle. While leased: when the lease ends.
        ready_at timestamptz,
        lease_token uuid,
        -- What a leased lane waits for has come meanwhile: its worker, who has perhaps not seen that, must not let it wait.
        woken boolean not null default false,
        attempts int not null default 0,
        -- How many processes in a row held it and never came back to say what became of it.
        crashes int not null default 0,
        -- Whether the end of the process that leases it is counted there: not while a suspect only waits for its turn.
        counts boolean not null default true,
        -- Lanes out: until when what was sent has used up the person's allowance, one interval a message. It may lie ahead by a burst.
        paced_until timestamptz) ${HOT};
      create index whatsapp_lanes_ready on ${q("whatsapp_lanes")} (stage, ready_at) where ready_at is not null;
      create index whatsapp_lanes_tenants on ${q("whatsapp_lanes")} (stage, tenant, ready_at) where ready_at is not null;

      create table ${q("whatsapp_events")} (
        id bigint generated always as identity primary key,
        -- Null when no connection holds the number: stored, to be routed when one does.
        lane_key text,
        connection_id uuid,
        contact_id bigint,
        -- SHA-256 of the change's identity, which holds the wamid and with it the person's number.
        dedupe_key text not null unique,
        kind text not null,
        -- The wamid that a message or status is about.
        external_id text,
        phone_number_id text,
        -- The event as JSON; text, because it is read whole.
        payload json not null,
        -- 0 pending, 1 done, 2 dead letter, 3 parked until its message appears, 4 unrouted, 5 erased: only its key is left
        state smallint not null default 0,
        last_error text,
        -- No foreign key: it would cost a look-up per event before the acknowledgement, and each is pruned by its own age.
        webhook_id bigint not null,
        -- It was unknown when it came, and a later version has read it again.
        again boolean not null default false,
        created_at timestamptz not null default clock_timestamp()) with (fillfactor = 90);
      create index whatsapp_events_pending on ${q("whatsapp_events")} (lane_key, id) where state = 0;
      create index whatsapp_events_aside on ${q("whatsapp_events")} (state, external_id) where state >= 2;
      create index whatsapp_events_created on ${q("whatsapp_events")} using brin (created_at) with (pages_per_range = 16);
      create index whatsapp_events_webhook on ${q("whatsapp_events")} using brin (webhook_id) with (pages_per_range = 16);
      -- What came to a tenant's numbers, newest first, and what of it failed.
      create index whatsapp_events_connection on ${q("whatsapp_events")} (connection_id, webhook_id);
      create index whatsapp_events_dead on ${q("whatsapp_events")} (connection_id, webhook_id) where state = 2;

      ${recordFunction({ schema })};
    `);
  },

  async down(knex: Sql, { schema }: Schemas): Promise<void> {
    await knex.raw(`drop function ${quoteName(schema, "whatsapp_record")}`);
    for (const table of ["whatsapp_events", "whatsapp_lanes", "whatsapp_webhooks"])
      await knex.raw(`drop table ${quoteName(schema, table)}`);
  },
};

/** @param unless SQL of a further condition, of connection `c` and event `e`, without which an event is out of the ordinary. */
export function recordFunction({ schema }: Pick<Schemas, "schema">, unless = ""): string {
  const q = (table: string) => quoteName(schema, table);
  return `
    -- The ordinary case of storing deliveries in one call, because each statement of its own costs a round trip before
    -- the acknowledgement. Anything out of the ordinary (somebody new, a number that nobody has connected, a change that
    -- was stored before) raises WA001: nothing is stored, and the caller takes the long way, where the rules are written
    -- out. A function's statements each see what was committed before them, so what is read after the lanes are locked is
    -- final. One array per column, '' for what is not there; payloads are lines of JSON.
    create or replace function ${q("whatsapp_record")}(
      bodies bytea, body_lengths int[], types text[], secrets smallint[], event_counts int[],
      numbers text[], phones text[], users text[], parents text[], introduces boolean[], kinds text[], external_ids text[], dedupe_keys text[],
      payloads text, out webhook_ids bigint[], out event_ids bigint[], out lane_keys text[])
    -- Sequential scans are off because every look-up is by a whole key, and a plan made while a table was small stays.
    language plpgsql set lock_timeout = '10s' set enable_seqscan = off as $$
    declare
      connection_ids uuid[];
      tenants uuid[];
      contact_ids bigint[];
      everybody_known boolean;
    begin
      select array_agg(connection_id), array_agg(tenant), array_agg(contact), bool_and(is_known), array_agg(case
          when contact is not null then 'in:contact:' || contact
          when kind = 'status' then 'in:status:' || encode(sha256(convert_to(external_id, 'UTF8')), 'hex')
          else 'in:number:' || connection_id end)
      into connection_ids, tenants, contact_ids, everybody_known, lane_keys
      from (
        select c.id as connection_id, md5(c.customer_config_id::text)::uuid as tenant, a.contact, e.kind, e.external_id,
          c.id is not null and a.is_one and (a.contact is not null or not e.introduces)${unless} as is_known
        from unnest(numbers, phones, users, parents, introduces, kinds, external_ids) with ordinality
          as e (number, phone, usr, parent, introduces, kind, external_id, i)
        left join ${q("whatsapp_connections")} c on c.phone_number_id = e.number and c.state <> 'disconnected'
        cross join lateral (
          select max(contact_id) as contact, count(*) = 0 or (min(contact_id) = max(contact_id)
            and count(*) = (e.phone <> '')::int + (e.usr <> '')::int + (e.parent <> '')::int) as is_one
          from ${q("whatsapp_contact_aliases")} where connection_id = c.id and alias in (e.phone, e.usr, e.parent)) a
        order by e.i) routes;
      if not everybody_known then
        raise exception using errcode = 'WA001', message = 'somebody is new, or the number';
      end if;

      with stored as (
        insert into ${q("whatsapp_webhooks")} (webhook_type, body, payload, secret_index, pending, processed)
        select type, substring(bodies from start for length),
          case when events = 0 then convert_from(substring(bodies from start for length), 'UTF8')::jsonb end, secret, events, events = 0
        from (
          select type, length, secret, events, (sum(length) over (rows unbounded preceding) - length + 1)::int as start
          from unnest(types, body_lengths, secrets, event_counts) as d (type, length, secret, events)) d returning id)
      select array_agg(id) into webhook_ids from stored;

      insert into ${q("whatsapp_lanes")} as l (lane_key, stage, tenant, pending, ready_at)
      select key, 'in', (array_agg(tenant))[1], count(*), now() from unnest(lane_keys, tenants) as k (key, tenant) group by key order by key
      on conflict (lane_key) do update set pending = l.pending + excluded.pending, tenant = excluded.tenant,
        ready_at = coalesce(l.ready_at, excluded.ready_at);

      if (select count(*) from ${q("whatsapp_contacts")} where id = any (contact_ids) and merged_into is null)
        <> (select count(distinct id) from unnest(contact_ids) as c (id)) then
        raise exception using errcode = 'WA001', message = 'a contact was linked or erased meanwhile';
      end if;

      with stored as (
        insert into ${q("whatsapp_events")} (lane_key, connection_id, contact_id, dedupe_key, kind, external_id,
          phone_number_id, payload, webhook_id, created_at)
        select lane_key, connection_id, contact_id, dedupe_key, kind, nullif(external_id, ''), number, payload::json,
          webhook_id, clock_timestamp() + i * interval '1 microsecond'
        from unnest(lane_keys, connection_ids, contact_ids, dedupe_keys, kinds, external_ids, numbers,
          string_to_array(payloads, E'\\n'), array(
            select id from unnest(webhook_ids, event_counts) with ordinality as w (id, events, n), generate_series(1, events)
            order by n))
          with ordinality as e (lane_key, connection_id, contact_id, dedupe_key, kind, external_id, number, payload,
            webhook_id, i)
        where lane_key is not null
        on conflict (dedupe_key) do nothing returning id)
      select array_agg(id) into event_ids from stored;

      if coalesce(cardinality(event_ids), 0) <> cardinality(dedupe_keys) then
        raise exception using errcode = 'WA001', message = 'a change was stored before';
      end if;
    end $$`;
}
