/** Which migrations are still to come, asked in one statement and without a right to anything: a load balancer asks all the time. */
import type { Store } from "../../plugin/ports.ts";
import type { Database } from "./database.ts";

const UNDEFINED_TABLE = "42P01";
const INSUFFICIENT_PRIVILEGE = "42501";

export function createMissing(db: Database): Store["missing"] {
  return async (migrations) => {
    const recorded = await db
      .query<{ name: string }>(`select name from ${db.name("whatsapp_migrations")}`)
      .catch((error: { readonly code?: string }) => {
        if (error.code === UNDEFINED_TABLE) return null;
        if (error.code === INSUFFICIENT_PRIVILEGE) return [];
        throw error;
      });
    if (recorded === null) return migrations;
    // It is written in the transaction that makes it, so that an empty one is hidden by row level security.
    if (recorded.length === 0) return [];
    const names = new Set(recorded.map(({ name }) => name));
    return migrations.filter((name) => !names.has(name));
  };
}
