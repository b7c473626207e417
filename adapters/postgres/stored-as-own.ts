/** Whose an event is: the tenant's whose connection held the number when it first came. */
import type { Audit } from "../../plugin/ports.ts";
import type { Database } from "./database.ts";
import { storedKey } from "./tombstones.ts";

export function createStoredAsOwn(db: Database): Audit["storedAsOwn"] {
  return async ({ customerConfigId }, dedupeKeys) => {
    const stored = new Map(dedupeKeys.map((key) => [storedKey(key), key]));
    const rows = await db.bounded<{ dedupe_key: string; is_own: boolean }>(
      `select e.dedupe_key, coalesce(n.customer_config_id = $2, false) as is_own from ${db.name("whatsapp_events")} e
       left join ${db.name("whatsapp_connections")} n on n.id = e.connection_id where e.dedupe_key = any($1)`,
      [[...stored.keys()], customerConfigId],
    );
    return new Map(rows.map((row) => [stored.get(row.dedupe_key) as string, row.is_own]));
  };
}
