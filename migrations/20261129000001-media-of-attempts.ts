/** Meta says of a message that it could not use its file, and names the message: which of its files that was is known here only. */
import type { Migration } from "./make-way.ts";
import { quoteName, type Schemas, type Sql } from "./names.ts";

export const mediaOfAttempts: Migration = {
  name: "20261129000001_media_of_attempts",

  locks: async () => ({ whatsapp_send_attempts: "access exclusive" }),

  async up(knex: Sql, { schema }: Schemas): Promise<void> {
    await knex.raw(`
      alter table ${quoteName(schema, "whatsapp_send_attempts")}
        -- Meta's ids of the files that went with it; null where none did, and in attempts of an earlier version.
        add column media_ids jsonb`);
  },

  async down(knex: Sql, { schema }: Schemas): Promise<void> {
    await knex.raw(`alter table ${quoteName(schema, "whatsapp_send_attempts")} drop column if exists media_ids`);
  },
};
