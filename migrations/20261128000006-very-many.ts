/** What may be very much: events that came before their number was connected, routed afterwards; and dead letters, read by the page. */
import { recordFunction } from "./20261122000003-inbox.ts";
import type { Migration } from "./make-way.ts";
import { quoteName, type Schemas, type Sql } from "./names.ts";

/** What became of our own messages stands in no order with what people write. */
const IS_NEXT = " and (c.routed_until is null or e.kind = 'status')";

export const veryMany: Migration = {
  name: "20261128000006_very_many",

  locks: async () => ({
    whatsapp_connections: "access exclusive",
    whatsapp_host_events: "access exclusive",
    whatsapp_turns: "share",
    whatsapp_events: "share",
  }),

  async up(knex: Sql, { schema }: Schemas): Promise<void> {
    const q = (table: string) => quoteName(schema, table);
    await knex.raw(`
      alter table ${q("whatsapp_connections")}
        -- Up to this event what came before the number was connected is routed; null when all of it is. Until then what comes waits, too.
        add column routed_until bigint,
        -- Up to this event what waits was written to who had the number before: it goes.
        add column others_until bigint;
      alter table ${q("whatsapp_host_events")}
        -- Whose it is, once it is a dead letter; zeros: nobody's.
        add column customer_config_id uuid`);
    await knex.raw(`
      update ${q("whatsapp_host_events")} h set customer_config_id = coalesce(
        (select c.customer_config_id from ${q("whatsapp_contacts")} c where c.conversation_id = (h.event ->> 'conversationId')::uuid limit 1),
        (select n.customer_config_id from ${q("whatsapp_connections")} n where n.id = (h.event -> 'connection' ->> 'connectionId')::uuid),
        '00000000-0000-0000-0000-000000000000') where state = 2`);
    // Of what waits or lies aside only: no ordinary event is in them. To be built before, concurrently, where reading these tables from end
    // to end would hold up what comes.
    for (const [name, { table, columns, where }] of Object.entries(INDEXES))
      await knex.raw(`create index if not exists ${name} on ${q(table)} (${columns}) where ${where}`);
    await knex.raw(
      `create index whatsapp_connections_behind on ${q("whatsapp_connections")} (routed_until) where routed_until is not null`,
    );
    await knex.raw(recordFunction({ schema }, IS_NEXT));
  },

  async down(knex: Sql, { schema }: Schemas): Promise<void> {
    const q = (table: string) => quoteName(schema, table);
    await knex.raw(recordFunction({ schema }));
    for (const name of Object.keys(INDEXES)) await knex.raw(`drop index if exists ${q(name)}`);
    await knex.raw(`alter table ${q("whatsapp_host_events")} drop column if exists customer_config_id`);
    await knex.raw(
      `alter table ${q("whatsapp_connections")} drop column if exists routed_until, drop column if exists others_until`,
    );
  },
};

const EVENTS = "whatsapp_events";
const TURNS = "whatsapp_turns";
const HOST_EVENTS = "whatsapp_host_events";
/** Everybody's newest have a condition more, which whoever asks for a tenant's does not name: those are never found by walking past everybody's. */
const INDEXES: Readonly<Record<string, { readonly table: string; readonly columns: string; readonly where: string }>> =
  {
    whatsapp_events_unrouted: { table: EVENTS, columns: "phone_number_id, id", where: "state = 4" },
    whatsapp_events_dead_newest: { table: EVENTS, columns: "created_at, id", where: "state = 2 and id > 0" },
    whatsapp_events_dead_number: { table: EVENTS, columns: "connection_id, created_at, id", where: "state = 2" },
    whatsapp_events_dead_person: { table: EVENTS, columns: "contact_id", where: "state = 2" },
    whatsapp_turns_dead_newest: { table: TURNS, columns: "created_at, id", where: "state = 2 and seq > 0" },
    whatsapp_turns_dead_tenant: { table: TURNS, columns: "customer_config_id, created_at, id", where: "state = 2" },
    whatsapp_turns_dead_conversation: { table: TURNS, columns: "conversation_id", where: "state = 2" },
    whatsapp_host_events_dead_newest: { table: HOST_EVENTS, columns: "created_at, id", where: "state = 2 and id > 0" },
    whatsapp_host_events_dead_tenant: {
      table: HOST_EVENTS,
      columns: "customer_config_id, created_at, id",
      where: "state = 2",
    },
    whatsapp_host_events_dead_conversation: {
      table: HOST_EVENTS,
      columns: "(event ->> 'conversationId')",
      where: "state = 2",
    },
  };
