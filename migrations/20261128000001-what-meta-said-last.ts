/** Webhooks come in no order, and some say only that something has changed: what of a template is the newest, and what is to be read again. */
import type { Migration } from "./make-way.ts";
import { quoteName, type Schemas, type Sql } from "./names.ts";

export const whatMetaSaidLast: Migration = {
  name: "20261128000001_what_meta_said_last",

  locks: async () => ({ whatsapp_templates: "access exclusive" }),

  async up(knex: Sql, { schema }: Schemas): Promise<void> {
    await knex.raw(`
      alter table ${quoteName(schema, "whatsapp_templates")}
        -- Of the webhook that said last what it is, by Meta's clock.
        add column said_at timestamptz,
        -- Meta has changed it and did not say to what: to be read again before it is next sent.
        add column outdated boolean not null default false`);
  },

  async down(knex: Sql, { schema }: Schemas): Promise<void> {
    await knex.raw(
      `alter table ${quoteName(schema, "whatsapp_templates")} drop column if exists said_at, drop column if exists outdated`,
    );
  },
};
