/** Statuses that came before their message was known: they wait, and most of them for nothing of ours. */
import { countBy } from "./count-by.ts";
import { countWebhooks } from "./count-webhooks.ts";
import type { Database } from "./database.ts";
import { enqueueOnLanes } from "./lanes.ts";

/** Meta's own retries end after 7 days; a status may precede its message by seconds, not by a day. */
const PARKED_FOR = "24 hours";

/** Nearly all that is ever joined is joined within it; what another app sends on the same account is parked all day. */
const RECENT = "10 minutes";

/** So many are laid aside by one statement. */
const AT_ONCE = 10_000;

/** @param everything also what has waited for long; and what has waited for too long ends. */
export async function unpark(db: Database, everything: boolean): Promise<number> {
  const events = db.name("whatsapp_events");
  const found = await db.transaction(async (tx) => {
    const rows = await tx.query<{ id: string; lane_key: string; webhook_id: string; tenant: string | null }>(
      `select e.id, e.lane_key, e.webhook_id,
         (select customer_config_id from ${db.name("whatsapp_connections")} n where n.id = e.connection_id) as tenant
       from ${events} e
       where e.state = 3 ${everything ? "" : `and e.created_at > now() - interval '${RECENT}'`}
         and (exists (select 1 from ${db.name("whatsapp_outbox")} o where o.message_id = e.external_id)
           or exists (select 1 from ${db.name("whatsapp_outbox")} o where o.duplicate_message_id = e.external_id))
       order by e.id limit 500 for update skip locked`,
    );
    const perLane = [...countBy(rows, (row) => row.lane_key)];
    const tenants = new Map(rows.map((row) => [row.lane_key, row.tenant]));
    enqueueOnLanes(
      tx,
      db,
      perLane.map(([laneKey, items]) => ({
        laneKey,
        stage: "in" as const,
        items,
        tenant: tenants.get(laneKey) ?? null,
      })),
    );
    await tx.query(`update ${events} set state = 0 where id = any($1)`, [rows.map((row) => row.id)]);
    countWebhooks(
      tx,
      db,
      rows.map((row) => row.webhook_id),
      1,
    );
    return rows.length;
  });
  if (everything) await endWaiting(db);
  return found;
}

/** Sent by another app on the same number: nothing of ours will ever match. Apart from the look, which may take too long. */
async function endWaiting(db: Database): Promise<void> {
  const events = db.name("whatsapp_events");
  for (;;) {
    const ended = await db.bounded(
      `update ${events} set state = 1 where id in (
         select id from ${events} where state = 3 and created_at < now() - interval '${PARKED_FOR}' limit ${AT_ONCE} for update skip locked)
       returning 1`,
    );
    if (ended.length < AT_ONCE) return;
  }
}
