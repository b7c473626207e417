/** A row of `whatsapp_connections`, and the sends that hang on it. */
import type { Connection, ConnectionState } from "../../plugin/contract.ts";
import type { Database, Tx } from "./database.ts";
import { wakeLanes } from "./lanes.ts";
import { MEDIA_LANE } from "./new-media.ts";

export type ConnectionRow = {
  readonly id: string;
  readonly customer_config_id: string;
  readonly phone_number_id: string;
  readonly waba_id: string;
  readonly display_phone_number: string;
  readonly verified_name: string | null;
  readonly quality_rating: string | null;
  readonly state: ConnectionState;
  readonly reason: string | null;
};

/** Sends, and media still to be fetched, are looked at again, in order: their number has a new token, or has left. */
export async function wakeWaitingSends(tx: Tx, db: Database, connectionIds: readonly string[]): Promise<void> {
  if (connectionIds.length === 0) return;
  const rows = await tx.query<{ lane_key: string }>(
    `select distinct lane_key from ${db.name("whatsapp_outbox")}
     where connection_id = any($1) and state in ('queued', 'held', 'sending')
     union all select '${MEDIA_LANE}' || id from ${db.name("whatsapp_media")} where connection_id = any($1) and state = 'pending'`,
    [connectionIds],
  );
  wakeLanes(
    tx,
    db,
    rows.map((row) => row.lane_key),
  );
}

export function toConnection(row: ConnectionRow): Connection {
  return {
    connectionId: row.id,
    customerConfigId: row.customer_config_id,
    phoneNumberId: row.phone_number_id,
    wabaId: row.waba_id,
    displayPhoneNumber: row.display_phone_number,
    verifiedName: row.verified_name,
    qualityRating: row.quality_rating,
    state: row.state,
    reason: row.reason,
  };
}
