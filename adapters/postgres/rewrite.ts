/** Another message in the place of one that cannot leave as it is: the part, the receipt, the host's inbox. */
import type { PartState } from "../../plugin/contract.ts";
import type { OutgoingPart, RewrittenPart } from "../../plugin/ports.ts";
import type { Database, Tx } from "./database.ts";
import { updateHostMessages } from "./host-messages.ts";
import type { HostShape } from "./host-tables.ts";
import { holdsLane, LeaseLost } from "./lanes.ts";

/** @throws LeaseLost to roll back: the lane is somebody else's, or a status has settled the part. */
export async function rewritePart(
  tx: Tx,
  db: Database,
  shape: HostShape,
  { isPending }: { readonly isPending: (state: PartState) => boolean },
  part: OutgoingPart,
  by: RewrittenPart,
): Promise<void> {
  const [row] = await tx.query<{
    state: PartState;
    send_id: string;
    part_index: number;
    host_message_id: string | null;
  }>(`select state, send_id, part_index, host_message_id from ${db.name("whatsapp_outbox")} where id = $1 for update`, [
    part.outboxId,
  ]);
  if (row === undefined || !isPending(row.state)) throw new LeaseLost();
  tx.send(`update ${db.name("whatsapp_outbox")} set kind = $2, payload = $3, updated_at = now() where id = $1`, [
    part.outboxId,
    by.kind,
    JSON.stringify(by.payload),
  ]);
  updateHostMessages(tx, db, shape, [{ id: row.host_message_id, content: by.content, mediaType: by.mediaType ?? "" }]);
  if (!(await holdsLane(tx, db, part.lane))) throw new LeaseLost();
  // After the lane, as in queueInstead.
  tx.send(`update ${db.name("whatsapp_sends")} set degraded = degraded || $2::jsonb where id = $1`, [
    row.send_id,
    JSON.stringify(by.degraded.map(({ what, from, to }) => ({ part: row.part_index, what, from, to }))),
  ]);
}
