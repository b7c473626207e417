/** What is left of an erased person: keys by which their webhooks are recognised when Meta brings them again. */
import { createHash } from "node:crypto";
import type { Database, Tx } from "./database.ts";

/** `whatsapp_events.state` of an event of which only the key is left. */
export const ERASED = 5;

/** `whatsapp_webhooks.error` of a delivery whose bytes are gone. */
export const BYTES_ERASED =
  "erased: it held something of a person who was erased, or was written to a number that has left";

/** `whatsapp_webhooks.payload`, which is filled in when the row `w` is first written after the acknowledgement, if its bytes are still there. */
export const PAYLOAD_OF_W =
  "case when w.payload is null and w.error is null and w.body <> '' then convert_from(w.body, 'UTF8')::jsonb else w.payload end";

/** @param error what is to be said of delivery `w`, unless it has no bytes: that stays said, for nobody can read it again. */
export function errorOfW(error: string): string {
  return `case when w.error = '${BYTES_ERASED}' then w.error else ${error} end`;
}

/** The identity of a change as it is stored: a wamid holds the person's number. */
export function storedKey(dedupeKey: string): string {
  return createHash("sha256").update(dedupeKey).digest("base64url");
}

/** A wamid where it is only compared. The same as Postgres' `encode(sha256(convert_to(id, 'UTF8')), 'hex')`. */
export function hashOf(messageId: string): string {
  return createHash("sha256").update(messageId).digest("hex");
}

/** The rows must be locked, or nobody else's. */
export function entomb(tx: Tx, db: Database, eventIds: readonly string[]): void {
  tx.send(
    `update ${db.name("whatsapp_events")} set state = ${ERASED}, payload = '{}', external_id = null, contact_id = null, lane_key = null, last_error = null
     where id = any($1)`,
    [eventIds],
  );
}

/** All of a delivery's bytes, whoever else is in them: what the others did is stored as events. */
export function eraseBytes(tx: Tx, db: Database, webhookIds: readonly string[]): void {
  tx.send(
    `with mine as (select id from ${db.name("whatsapp_webhooks")} where id = any($1) order by id for update)
     update ${db.name("whatsapp_webhooks")} w set body = '', payload = null, error = '${BYTES_ERASED}', processed = w.pending = 0
     from mine where w.id = mine.id`,
    [webhookIds],
  );
}

/** Which of these keys belong to erased events. */
export async function erasedKeys(tx: Tx, db: Database, keys: readonly string[]): Promise<readonly string[]> {
  if (keys.length === 0) return [];
  const rows = await tx.query<{ dedupe_key: string }>(
    `select dedupe_key from ${db.name("whatsapp_events")} where dedupe_key = any($1) and state = ${ERASED}`,
    [keys],
  );
  return rows.map((row) => row.dedupe_key);
}

/** Statuses of these messages may come for weeks. */
export function rememberErased(tx: Tx, db: Database, messageIds: readonly string[]): void {
  const table = db.name("whatsapp_erased_messages");
  tx.send(
    `insert into ${table} (message_hash) select hash from unnest($1::text[]) as m (hash) order by hash on conflict do nothing`,
    [[...new Set(messageIds)].map(hashOf)],
  );
}

/** Statuses that match no message of ours, because its person was erased: they go the same way. */
export async function erasePostscripts(tx: Tx, db: Database, eventIds: readonly string[]): Promise<void> {
  if (eventIds.length === 0) return;
  const rows = await tx.query<{ id: string; webhook_id: string }>(
    `select e.id, e.webhook_id from ${db.name("whatsapp_events")} e
     join ${db.name("whatsapp_erased_messages")} m on m.message_hash = encode(sha256(convert_to(e.external_id, 'UTF8')), 'hex')
     where e.id = any($1)`,
    [eventIds],
  );
  bury(tx, db, rows);
}

/** Of these events the key stays, and of their deliveries no byte. */
export function bury(
  tx: Tx,
  db: Database,
  events: readonly { readonly id: string; readonly webhook_id: string }[],
): void {
  if (events.length === 0) return;
  entomb(
    tx,
    db,
    events.map(({ id }) => id),
  );
  eraseBytes(
    tx,
    db,
    events.map((event) => event.webhook_id),
  );
}
