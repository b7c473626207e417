/** What came before its message was known waits: statuses, most of them for nothing of ours, and what people have changed or taken back. */
import type { ChannelEvent } from "../../plugin/contract.ts";
import type { ShownChange, StoredEvent } from "../../plugin/ports.ts";
import { countBy } from "./count-by.ts";
import { countWebhooks } from "./count-webhooks.ts";
import type { Database, Tx } from "./database.ts";
import { enqueueOnLanes } from "./lanes.ts";
import { revive } from "./revive.ts";
import { isDeletion } from "./told.ts";

/** Meta's own retries end after 7 days; a status may precede its message by seconds, not by a day. */
const PARKED_FOR = "24 hours";

/** A deletion may precede its message by as long as Meta brings that again: nobody must be shown what was taken back. */
const CHANGES_PARKED_FOR = "8 days";

/** Nearly all that is ever joined is joined within it; what another app sends on the same account is parked all day. */
const RECENT = "10 minutes";

/** So many are laid aside by one statement. */
const AT_ONCE = 10_000;

/** @param everything also what has waited for long; and what has waited for too long ends. */
export async function unpark(db: Database, everything: boolean): Promise<number> {
  const events = db.name("whatsapp_events");
  const queued = await db.transaction(async (tx) => {
    const found = await tx.query<{ id: string; lane_key: string; tenant: string | null }>(
      `select e.id, e.lane_key,
         (select customer_config_id from ${db.name("whatsapp_connections")} n where n.id = e.connection_id) as tenant
       from ${events} e
       where e.state = 3 and e.kind = 'status' ${everything ? "" : `and e.created_at > now() - interval '${RECENT}'`}
         and (exists (select 1 from ${db.name("whatsapp_outbox")} o where o.message_id = e.external_id)
           or exists (select 1 from ${db.name("whatsapp_outbox")} o where o.duplicate_message_id = e.external_id))
       order by e.id limit 500`,
    );
    const tenants = new Map(found.map((row) => [row.lane_key, row.tenant]));
    const count = (perLane: ReadonlyMap<string, number>, sign: 1 | -1) =>
      enqueueOnLanes(
        tx,
        db,
        [...perLane].map(([laneKey, items]) => ({
          laneKey,
          stage: "in" as const,
          items: sign * items,
          tenant: tenants.get(laneKey) ?? null,
        })),
      );
    // The lanes first: whoever erases a person has theirs, and then takes what is in them.
    count(
      countBy(found, (row) => row.lane_key),
      1,
    );
    const rows = await tx.query<{ id: string; webhook_id: string }>(
      `update ${events} set state = 0 where id = any($1) and state = 3 returning id, webhook_id`,
      [found.map(({ id }) => id)],
    );
    const taken = new Set(rows.map(({ id }) => id));
    const others = found.filter(({ id }) => !taken.has(id));
    count(
      countBy(others, (row) => row.lane_key),
      -1,
    );
    countWebhooks(
      tx,
      db,
      rows.map((row) => row.webhook_id),
      1,
    );
    return rows.length;
  });
  if (everything) await endWaiting(db);
  return queued;
}

/**
 * Sent by another app on the same number, or changed by somebody whose message is gone: nothing here will ever match. A change whose message
 * is here and still to be worked waits with it. Apart from the look, which may take too long.
 */
async function endWaiting(db: Database): Promise<void> {
  const events = db.name("whatsapp_events");
  // A look by index for each: as `exists` they would be hashed, which reads all that is unrouted. What is queued is found in its lane.
  const isNowhere = `(select 1 from ${events} m where m.state in (2, 4) and m.external_id = e.external_id limit 1) is null
    and (select 1 from ${events} m where m.state = 0 and m.lane_key = e.lane_key and m.external_id = e.external_id limit 1) is null`;
  for (;;) {
    const ended = await db.bounded(
      `update ${events} set state = 1 where id in (
         select e.id from ${events} e where e.state = 3 and case e.kind when 'status' then e.created_at < now() - interval '${PARKED_FOR}'
           else e.created_at < now() - interval '${CHANGES_PARKED_FOR}' and ${isNowhere} end
         limit ${AT_ONCE} for update of e skip locked)
       returning 1`,
    );
    if (ended.length < AT_ONCE) return;
  }
}

/** SQL of the events that wait for a message: what was done to it before it came, in the order of its storing. */
export function waitingFor(db: Database, messageId: string): string {
  return `array_to_json(array(
    select e.id::text from ${db.name("whatsapp_events")} e
    where e.state = 3 and e.external_id = ${messageId} and e.kind <> 'status' order by e.id))`;
}

/** A change that has waited, and the person whose message has come. */
export type Waited = { readonly eventId: string; readonly contactId: string };

export type ChangesOf = (
  stored: Pick<StoredEvent, "eventId" | "event" | "receivedAt">,
  contactId: string,
) => readonly ShownChange[];

/** Those of the same person and number only: a wamid is Meta's word, and another tenant's row must not change by it. */
export async function readWaited(
  tx: Tx,
  db: Database,
  waited: readonly Waited[],
  changesOf: ChangesOf,
): Promise<readonly ShownChange[]> {
  if (waited.length === 0) return [];
  const rows = await tx.query<{ id: string; contact_id: string; payload: ChannelEvent; created_at: Date }>(
    `select e.id, w.contact_id, e.payload, e.created_at from unnest($1::bigint[], $2::bigint[]) as w (id, contact_id)
     join ${db.name("whatsapp_events")} e on e.id = w.id
     join ${db.name("whatsapp_contacts")} c on c.id = e.contact_id and coalesce(c.merged_into, c.id) = w.contact_id
     order by e.id`,
    [waited.map(({ eventId }) => eventId), waited.map(({ contactId }) => contactId)],
  );
  return rows.flatMap(({ id, contact_id, payload, created_at }) =>
    changesOf({ eventId: id, event: revive(payload), receivedAt: created_at }, contact_id),
  );
}

/** @returns deletions that wait for the message that is written anew here, which has not come either: those words are deleted, too. */
export async function readTakenBack(
  tx: Tx,
  db: Database,
  early: readonly ShownChange[],
  changesOf: ChangesOf,
): Promise<readonly ShownChange[]> {
  const edits = early.filter(({ inTurn }) => inTurn?.kind === "edit");
  if (edits.length === 0) return [];
  const waiting = await tx.query<Waited>(
    `select e.id::text as "eventId", w.contact_id::text as "contactId" from unnest($1::text[], $2::bigint[]) as w (target, contact_id)
     join ${db.name("whatsapp_events")} e on e.state = 3 and e.external_id = w.target and e.kind <> 'status'`,
    [edits.map(({ targetId }) => targetId), edits.map(({ contactId }) => contactId)],
  );
  return (await readWaited(tx, db, waiting, changesOf)).filter(isDeletion);
}

/** After `complete` has parked them: by their target they are found when it comes. */
export function awaitMessages(tx: Tx, db: Database, changes: readonly ShownChange[]): void {
  if (changes.length === 0) return;
  tx.send(
    `update ${db.name("whatsapp_events")} e set external_id = w.target
     from unnest($1::bigint[], $2::text[]) as w (id, target) where e.id = w.id`,
    [changes.map(({ eventId }) => eventId), changes.map(({ targetId }) => targetId)],
  );
}

/** Their message has come. */
export function endWaited(tx: Tx, db: Database, changes: readonly ShownChange[]): void {
  if (changes.length === 0) return;
  tx.send(`update ${db.name("whatsapp_events")} set state = 1 where id = any($1) and state = 3`, [
    changes.map(({ eventId }) => eventId),
  ]);
}
