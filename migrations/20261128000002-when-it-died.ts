/** When something was moved aside, which may be long after it came; and the ways to the dead letters that a redrive takes. */
import type { Migration } from "./make-way.ts";
import { quoteName, type Schemas, type Sql } from "./names.ts";

export const whenItDied: Migration = {
  name: "20261128000002_when_it_died",

  locks: async () => ({
    whatsapp_host_events: "access exclusive",
    whatsapp_turns: "share",
    whatsapp_events: "access exclusive",
  }),

  async up(knex: Sql, { schema }: Schemas): Promise<void> {
    const q = (table: string) => quoteName(schema, table);
    await knex.raw(`
      -- Null in what is no dead letter, and in those of an earlier version: then when they came is all that is known.
      alter table ${q("whatsapp_events")} add column died_at timestamptz;
      alter table ${q("whatsapp_host_events")} add column died_at timestamptz;
      -- Putting some of very many back must not read them all. Of dead letters only: no ordinary event is in them. To be built before,
      -- concurrently, where reading these tables from end to end would hold up what comes.
      create index if not exists whatsapp_events_dead_order on ${q("whatsapp_events")} (id) where state = 2;
      create index if not exists whatsapp_events_dead_webhook on ${q("whatsapp_events")} (webhook_id) where state = 2;
      create index if not exists whatsapp_turns_dead_order on ${q("whatsapp_turns")} (seq) where state = 2`);
  },

  async down(knex: Sql, { schema }: Schemas): Promise<void> {
    const q = (table: string) => quoteName(schema, table);
    for (const index of ["whatsapp_events_dead_order", "whatsapp_events_dead_webhook", "whatsapp_turns_dead_order"])
      await knex.raw(`drop index if exists ${q(index)}`);
    for (const table of ["whatsapp_events", "whatsapp_host_events"])
      await knex.raw(`alter table ${q(table)} drop column if exists died_at`);
  },
};
