/** What stores a delivery is planned once per connection, and not at each delivery: planning took a third of its time. */
import type { Migration } from "./make-way.ts";
import { quoteName, type Schemas, type Sql } from "./names.ts";

/**
 * A plan that fits whatever comes is made while the tables are small, and stays: without hashed and merged joins, as without sequential scans before, it cannot read them from end to end.
 * @see https://www.postgresql.org/docs/current/runtime-config-query.html
 */
const PLANNED_ONCE = { plan_cache_mode: "force_generic_plan", enable_hashjoin: "off", enable_mergejoin: "off" };

export const planOfRecord: Migration = {
  name: "20261129000002_plan_of_record",

  locks: async () => ({}),

  async up(knex: Sql, { schema }: Schemas): Promise<void> {
    for (const [setting, value] of Object.entries(PLANNED_ONCE))
      await knex.raw(`${alterRecord(schema)} set ${setting} = ${value}`);
  },

  async down(knex: Sql, { schema }: Schemas): Promise<void> {
    for (const setting of Object.keys(PLANNED_ONCE)) await knex.raw(`${alterRecord(schema)} reset ${setting}`);
  },
};

function alterRecord(schema: string): string {
  return `alter function ${quoteName(schema, "whatsapp_record")}`;
}
