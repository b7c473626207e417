/** What has the name of something of ours, and is somebody else's or not whole: said before anything is made, with the way round them. */
import { TABLES } from "./20261122000007-row-level-security.ts";
import { quoteName, type Schemas, type Sql } from "./names.ts";

const FUNCTIONS = ["whatsapp_record", "is_whatsapp_session_active", "extend_whatsapp_session"];

/**
 * Of use before the first migration only: after it they are ours.
 * @throws Error with code `HOST_TABLE_INCOMPATIBLE`.
 */
export async function assertNamesAreFree(knex: Sql, { schema }: Schemas): Promise<void> {
  const taken = await knex.raw(
    `select relname as name from pg_class where relnamespace = to_regnamespace(?) and relname = any(?)
     union select proname from pg_proc where pronamespace = to_regnamespace(?) and proname = any(?) order by 1`,
    [quoteName(schema), TABLES.filter((name) => !name.startsWith("whatsapp_migrations")), quoteName(schema), FUNCTIONS],
  );
  if (taken.rows.length === 0) return;
  const names = taken.rows.map(({ name }: { name: string }) => quoteName(schema, name)).join(", ");
  const message = `Already there and not ours: ${names}. Nothing was changed. Fix: give ours a schema of their own (--schema whatsapp, and schema: "whatsapp" in createWhatsAppPlugin), or rename or drop those.`;
  throw Object.assign(new Error(message), { code: "HOST_TABLE_INCOMPATIBLE" });
}

/**
 * An index that is built before, without a lock, is left alone by the migrations: but one that broke off serves nobody.
 * @throws Error with code `HOST_TABLE_INCOMPATIBLE`.
 */
export async function assertIndexIsWhole(knex: Sql, { hostSchema }: Schemas): Promise<void> {
  const index = quoteName(hostSchema, "whatsapp_messages_external_id");
  const broken = await knex.raw("select 1 from pg_index where indexrelid = to_regclass(?) and not indisvalid", [index]);
  if (broken.rows.length === 0) return;
  const message = `The index ${index} is still being built, or was given up. Nothing was changed. Fix: wait, or drop index concurrently ${index}; and build it again or leave that to migrate.`;
  throw Object.assign(new Error(message), { code: "HOST_TABLE_INCOMPATIBLE" });
}
