/** Tables and functions of somebody else's that have the names of ours: said before anything is made, with the way round them. */
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
