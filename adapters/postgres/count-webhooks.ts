/** How many events of a delivery are still to be worked: a delivery with none is processed. */
import { countBy } from "./count-by.ts";
import type { Database, Tx } from "./database.ts";
import { BYTES_ERASED, PAYLOAD_OF_W } from "./tombstones.ts";

export function countWebhooks(tx: Tx, db: Database, webhookIds: readonly string[], sign: 1 | -1): void {
  if (webhookIds.length === 0) return;
  const counts = countBy(webhookIds, (id) => id);
  tx.send(
    `with counted as (select * from unnest($1::bigint[], $2::int[]) as c (webhook_id, n))
     ${countOff(db, "counted")}`,
    [[...counts.keys()], [...counts.values()].map((n) => n * -sign)],
  );
}

/**
 * Sorted, because the events of one delivery are completed by several workers at once.
 * @param counted a CTE of `webhook_id` and `n`.
 */
export function countOff(db: Database, counted: string): string {
  return `, mine as (
       select w.id, c.n from ${db.name("whatsapp_webhooks")} w join ${counted} c on c.webhook_id = w.id order by w.id for update of w)
     update ${db.name("whatsapp_webhooks")} w set pending = w.pending - mine.n, payload = ${PAYLOAD_OF_W},
       processed = w.pending - mine.n = 0 and (w.error is null or w.error = '${BYTES_ERASED}')
     from mine where w.id = mine.id`;
}
