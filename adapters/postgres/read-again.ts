/** What was unknown when it came, read again: what a later version understands takes its place in the inbox. */
import type { ChannelEvent } from "../../plugin/contract.ts";
import type { Inbox, ReadAgain } from "../../plugin/ports.ts";
import type { Database, Tx } from "./database.ts";
import { isDataFault, routeAll, sqlState, storeEvents, storing } from "./record.ts";
import { oneAtATime } from "./routing.ts";
import { ERASED, storedKey } from "./tombstones.ts";

type Read = (body: Uint8Array) => readonly ChannelEvent[] | null;

export function createReadAgain(db: Database): Inbox["readAgain"] {
  const events = db.name("whatsapp_events");
  return async (read, onProgress) => {
    let understood = 0;
    const failed: ReadAgain["failed"][number][] = [];
    // One delivery at a time, so that one that cannot be stored takes no other with it.
    const deliveries = await db.query<{ webhook_id: string }>(
      `select distinct webhook_id from ${events} where kind = 'unsupported' and state = 1 order by webhook_id`,
    );
    for (const [i, { webhook_id }] of deliveries.entries()) {
      onProgress?.(i, deliveries.length);
      try {
        understood += await storing(db, (tx) => readDelivery(tx, db, webhook_id, read));
      } catch (error) {
        if (!isDataFault(error)) throw error;
        failed.push({ webhookId: webhook_id, error: sqlState(error) });
      }
    }
    const unknown = await db.query<ReadAgain["unknown"][number]>(
      `select coalesce(payload ->> 'type', 'unknown') as type, count(*)::int as count, max(created_at) as last
       from ${events} where kind = 'unsupported' and state <> ${ERASED} group by 1 order by 2 desc, 1`,
    );
    return { understood, failed, unknown };
  };
}

/** @returns how many of its events are understood now. */
async function readDelivery(tx: Tx, db: Database, webhookId: string, read: Read): Promise<number> {
  // Two that read again at the same time would both put the same events back.
  await oneAtATime(tx, db);
  const before = await tx.query<{ id: string; dedupe_key: string }>(
    `select id, dedupe_key from ${db.name("whatsapp_events")} where webhook_id = $1 and kind = 'unsupported' and state = 1`,
    [webhookId],
  );
  const [webhook] = await tx.query<{ body: string }>(
    `select encode(body, 'base64') as body from ${db.name("whatsapp_webhooks")} where id = $1`,
    [webhookId],
  );
  const now = webhook === undefined ? null : read(Buffer.from(webhook.body, "base64"));
  if (now === null) return 0;
  const stillUnknown = new Set(
    now.filter(({ kind }) => kind === "unsupported").map(({ dedupeKey }) => storedKey(dedupeKey)),
  );
  const understood = before.filter(({ dedupe_key }) => !stillUnknown.has(dedupe_key));
  if (understood.length === 0) return 0;
  await tx.query(`delete from ${db.name("whatsapp_events")} where id = any($1)`, [understood.map(({ id }) => id)]);
  const routed = await routeAll(tx, db, [{ events: now }]);
  // Those that had been understood then are there, and stay as they are.
  await storeEvents(tx, db, routed, [webhookId], { again: true, pending: now.length });
  return understood.length;
}
