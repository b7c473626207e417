/** Turns that the host has not seen yet: what people write joins them, and what they take back leaves them. */
import type { ShownChange, ShownMessage } from "../../plugin/ports.ts";
import type { Database, Tx } from "./database.ts";
import type { ContactRow } from "./host-tables.ts";
import { lockTurns, turnLane } from "./turns.ts";

export type OpenTurn = ContactRow & {
  readonly laneKey: string;
  readonly contactId: string;
  readonly messages: object[];
  /** The bytes of some are on their way. */
  hasMedia: boolean;
};

/** @param messageIds of the rows in the host's inbox, in the order of `shown`. */
export function turnsOf(
  shown: readonly ShownMessage[],
  messageIds: readonly string[],
  contacts: ReadonlyMap<string, ContactRow>,
  paused: ReadonlySet<string>,
): readonly OpenTurn[] {
  const turns = new Map<string, OpenTurn>();
  for (const [i, { contactId, wakes }] of shown.entries()) {
    const contact = contacts.get(contactId);
    if (wakes === null || contact === undefined || paused.has(contactId)) continue;
    const turn = turns.get(contactId) ?? {
      ...contact,
      laneKey: turnLane(contactId),
      contactId,
      messages: [],
      hasMedia: false,
    };
    turn.messages.push({ id: messageIds[i], ...wakes });
    if (wakes.media?.id != null) turn.hasMedia = true;
    turns.set(contactId, turn);
  }
  return [...turns.values()];
}

/**
 * The answer goes to where the latest message stands: the host may have deleted the conversation of those before.
 * @returns lanes whose messages joined a turn that was already waiting, so that their count is taken back.
 */
export async function openTurns(
  tx: Tx,
  db: Database,
  turns: readonly OpenTurn[],
  mediaWaitMs: number,
): Promise<readonly string[]> {
  if (turns.length === 0) return [];
  const rows = await tx.query<{ lane_key: string; inserted: boolean }>(
    `insert into ${db.name("whatsapp_turns")} as t (lane_key, connection_id, customer_config_id, contact_id, conversation_id, messages, waits_until)
     select lane_key, connection_id, customer_config_id, contact_id, conversation_id, messages, now() + waits_ms * interval '1 millisecond'
     from jsonb_to_recordset($1::jsonb) as n (lane_key text, connection_id uuid, customer_config_id uuid, contact_id bigint,
       conversation_id uuid, messages jsonb, waits_ms int) order by lane_key
     on conflict (lane_key) where sealed_at is null and state = 0 do update set messages = t.messages || excluded.messages,
       conversation_id = excluded.conversation_id, waits_until = greatest(t.waits_until, excluded.waits_until)
     returning lane_key, xmax = 0 as inserted`,
    [
      JSON.stringify(
        turns.map((turn) => ({
          lane_key: turn.laneKey,
          connection_id: turn.connectionId,
          customer_config_id: turn.customerConfigId,
          contact_id: turn.contactId,
          conversation_id: turn.conversationId,
          messages: turn.messages,
          waits_ms: turn.hasMedia && mediaWaitMs > 0 ? mediaWaitMs : null,
        })),
      ),
    ],
  );
  return rows.filter((row) => !row.inserted).map((row) => row.lane_key);
}

/** To be called before turns are opened and changed, each of which may touch those of several lanes. */
export function lockChangedTurns(
  tx: Tx,
  db: Database,
  turns: readonly OpenTurn[],
  changes: readonly ShownChange[],
): void {
  const changed = changes.filter(({ inTurn }) => inTurn !== null).map(({ contactId }) => turnLane(contactId));
  if (changed.length > 0) lockTurns(tx, db, [...turns.map(({ laneKey }) => laneKey), ...changed]);
}

/**
 * An edit or deletion that is faster than the AI changes what it is asked. A turn that is left empty asks nobody.
 * @returns lanes whose turn waits no longer: the file that it waited for was taken back. They must be locked before.
 */
export async function changeOpenTurns(
  tx: Tx,
  db: Database,
  changes: readonly ShownChange[],
): Promise<readonly string[]> {
  for (const { contactId, targetId, inTurn } of changes) {
    if (inTurn === null) continue;
    tx.send(
      `update ${db.name("whatsapp_turns")} t set messages = coalesce((
         select jsonb_agg(case when m ->> 'externalId' = $2 then m || $3::jsonb else m end order by n)
         from jsonb_array_elements(t.messages) with ordinality as e (m, n) where $3::jsonb is not null or m ->> 'externalId' <> $2), '[]')
       where t.lane_key = $1 and t.sealed_at is null and t.state = 0
         and t.messages @> jsonb_build_array(jsonb_build_object('externalId', $2::text))`,
      [turnLane(contactId), targetId, inTurn.kind === "edit" ? JSON.stringify({ text: inTurn.text }) : null],
    );
  }
  const shortened = shortenedTurns(changes);
  if (shortened.length === 0) return [];
  const rows = await tx.query<{ lane_key: string }>(
    `update ${db.name("whatsapp_turns")} t set waits_until = null
     where t.lane_key = any($1) and t.sealed_at is null and t.state = 0 and t.waits_until is not null and not exists (
       select 1 from jsonb_array_elements(t.messages) m join ${db.name("whatsapp_media")} f on f.id = (m -> 'media' ->> 'id')::uuid
       where f.state = 'pending')
     returning t.lane_key`,
    [shortened],
  );
  return rows.map((row) => row.lane_key);
}

/** The lanes of turns from which something may have been taken back. */
export function shortenedTurns(changes: readonly ShownChange[]): readonly string[] {
  const removed = changes.filter(({ inTurn }) => inTurn?.kind === "remove");
  return [...new Set(removed.map(({ contactId }) => turnLane(contactId)))];
}
