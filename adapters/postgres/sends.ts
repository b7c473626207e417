/** A send becomes outbox parts and rows in the host's inbox, lane first. */
import { randomUUID } from "node:crypto";
import type { PlannedSend } from "../../plugin/ports.ts";
import { outLane } from "./contacts.ts";
import { countBy } from "./count-by.ts";
import type { Database, Tx } from "./database.ts";
import { insertHostMessages } from "./host-messages.ts";
import { enqueueOnLanes, wakeLanes } from "./lanes.ts";
import { passes } from "./outbox-head.ts";
import { windowOf } from "./sessions.ts";

export type NewSend = PlannedSend & {
  readonly connectionId: string;
  readonly customerConfigId: string;
  readonly contactId: string;
  readonly conversationId: string;
  /** The turn it answers; null for a send of the host's own. */
  readonly turnId: string | null;
  /** Which piece of the turn's answer it is; 0 for one that came as a whole. */
  readonly turnPiece?: number;
};

/**
 * @returns send ids in order; null where the idempotency key, or the turn, had its send before.
 */
export async function insertSends(
  tx: Tx,
  db: Database,
  sends: readonly NewSend[],
): Promise<readonly (string | null)[]> {
  if (sends.length === 0) return [];
  const ids = sends.map(() => randomUUID());
  const counts = new Map<string, number>();
  const tenants = new Map(sends.map((send) => [outLane(send.contactId), send.customerConfigId]));
  for (const send of sends)
    counts.set(outLane(send.contactId), (counts.get(outLane(send.contactId)) ?? 0) + send.parts.length);
  enqueueOnLanes(
    tx,
    db,
    [...counts].map(([laneKey, items]) => ({ laneKey, stage: "out", items, tenant: tenants.get(laneKey) ?? null })),
  );
  const inserted = await tx.query<{ id: string }>(
    `insert into ${db.name("whatsapp_sends")} (id, customer_config_id, conversation_id, turn_id, turn_piece, idempotency_key, request_hash, degraded, choices)
     select id, customer_config_id, conversation_id, turn_id, turn_piece, idempotency_key, request_hash, degraded, choices
     from jsonb_to_recordset($1::jsonb) as s (id uuid, customer_config_id uuid, conversation_id uuid, turn_id uuid, turn_piece int,
       idempotency_key text, request_hash text, degraded jsonb, choices jsonb) on conflict do nothing returning id`,
    [
      JSON.stringify(
        sends.map((send, i) => ({
          id: ids[i],
          customer_config_id: send.customerConfigId,
          conversation_id: send.conversationId,
          turn_id: send.turnId,
          turn_piece: send.turnPiece ?? 0,
          idempotency_key: send.idempotencyKey,
          request_hash: send.requestHash,
          degraded: send.degraded,
          choices: send.choices,
        })),
      ),
    ],
  );
  const fresh = new Set(inserted.map((row) => row.id));
  const known = sends.filter((_send, i) => !fresh.has(ids[i] as string));
  enqueueOnLanes(
    tx,
    db,
    known.map((send) => ({ laneKey: outLane(send.contactId), stage: "out", items: -send.parts.length })),
  );
  await insertParts(
    tx,
    db,
    sends.flatMap((send, i) => (fresh.has(ids[i] as string) ? [{ ...send, sendId: ids[i] as string }] : [])),
  );
  await wakeHeld(
    tx,
    db,
    sends.filter(({ parts }, i) => fresh.has(ids[i] as string) && parts.some(({ needsWindow }) => !needsWindow)),
  );
  return ids.map((id) => (fresh.has(id) ? id : null));
}

/**
 * A template passes what is held for the window, and does not wait until that is looked at again. Where another is there
 * already, the lane waits for that one.
 */
async function wakeHeld(tx: Tx, db: Database, templates: readonly NewSend[]): Promise<void> {
  const counts = countBy(templates, ({ contactId }) => outLane(contactId));
  if (counts.size === 0) return;
  const rows = await tx.query<{ lane_key: string }>(
    `select n.lane_key from unnest($1::text[], $2::int[]) as n (lane_key, added)
     cross join lateral (
       select count(*) filter (where ${passes(db)}) as passing, bool_or(on_window_closed = 'hold' and needs_window) as holds, max(contact_id) as contact_id
       from ${db.name("whatsapp_outbox")} o where o.lane_key = n.lane_key and o.state in ('queued', 'held', 'sending')) o
     join ${db.name("whatsapp_contacts")} c on c.id = o.contact_id
     where o.holds and o.passing = n.added and not ${db.name("is_whatsapp_session_active")}(${windowOf(db)})`,
    [[...counts.keys()], [...counts.values()]],
  );
  wakeLanes(
    tx,
    db,
    rows.map((row) => row.lane_key),
  );
}

async function insertParts(
  tx: Tx,
  db: Database,
  sends: readonly (NewSend & { readonly sendId: string })[],
): Promise<void> {
  const parts = sends.flatMap((send) => send.parts.map((part, index) => ({ send, part, index })));
  if (parts.length === 0) return;
  const hostMessageIds = await insertHostMessages(
    tx,
    db,
    parts.map(({ send, part, index }) => ({
      conversationId: send.conversationId,
      role: "assistant",
      content: part.content,
      status: "queued",
      mediaType: part.mediaType,
      externalId: null,
      metadata: { send_id: send.sendId, part: index },
      createdAt: null,
    })),
  );
  tx.send(
    `insert into ${db.name("whatsapp_outbox")} (send_id, part_index, lane_key, connection_id, customer_config_id, contact_id,
       conversation_id, kind, payload, endpoint, needs_window, is_marketing, fallback, on_window_closed, on_ambiguous, host_message_id)
     select send_id, part_index, lane_key, connection_id, customer_config_id, contact_id, conversation_id, kind, payload,
       endpoint, needs_window, is_marketing, fallback, on_window_closed, on_ambiguous, host_message_id
     from jsonb_to_recordset($1::jsonb) as p (i int, send_id uuid, part_index int, lane_key text, connection_id uuid,
       customer_config_id uuid, contact_id bigint, conversation_id uuid, kind text, payload jsonb, endpoint text,
       needs_window boolean, is_marketing boolean, fallback jsonb, on_window_closed text, on_ambiguous text, host_message_id text) order by i`,
    [
      JSON.stringify(
        parts.map(({ send, part, index }, i) => ({
          i,
          send_id: send.sendId,
          part_index: index,
          lane_key: outLane(send.contactId),
          connection_id: send.connectionId,
          customer_config_id: send.customerConfigId,
          contact_id: send.contactId,
          conversation_id: send.conversationId,
          kind: part.kind,
          payload: part.payload,
          endpoint: part.endpoint,
          needs_window: part.needsWindow,
          is_marketing: part.isMarketing,
          fallback: send.fallback,
          on_window_closed: send.onWindowClosed,
          on_ambiguous: part.onAmbiguous,
          host_message_id: hostMessageIds[i],
        })),
      ),
    ],
  );
}
