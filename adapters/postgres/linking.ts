/** Two contacts that turn out to be one person: one contact from now on, one lane per stage, and the stored order kept. */
import { inLane, outLane } from "./contacts.ts";
import type { Database, Tx } from "./database.ts";
import { joinPreferences } from "./preferences.ts";
import { joinWindows } from "./sessions.ts";
import { lockTurns, turnLane } from "./turns.ts";

/** Contacts that are one person, the elder first. */
export type Link = readonly [elder: string, ...younger: string[]];

export function linkOf(contacts: readonly string[]): Link | null {
  const [elder, ...younger] = [...contacts].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
  return elder === undefined || younger.length === 0 ? null : [elder, ...younger];
}

/**
 * To be called once for a batch, with everybody in it: contacts, waiting parts, windows, preferences, lanes by stage, then
 * turns, each in one global order. Everybody who takes several of them does so in this order.
 *
 * Rule 12: linking never reorders. All lanes are locked and what waits in the younger ones moves to the elder's, where
 * stored order still decides. A worker that holds one of them is fenced out: its transaction rolls back and the work is
 * done anew, in the elder lane.
 */
export async function linkPeople(
  tx: Tx,
  db: Database,
  links: readonly Link[],
  everybody: readonly string[],
): Promise<void> {
  await tx.query(`select 1 from ${db.name("whatsapp_contacts")} where id = any($1) order by id for no key update`, [
    everybody,
  ]);
  for (const [elder, ...younger] of links) await mergeRows(tx, db, elder, younger);
  await tx.query(
    `select 1 from ${db.name("whatsapp_outbox")} where lane_key = any($1) and state in ('queued', 'held', 'sending') order by id for update`,
    [everybody.map(outLane)],
  );
  const linked = links.flat();
  joinWindows(tx, db, linked);
  await joinPreferences(tx, db, linked);
  await lockLanes(tx, db, everybody);
  lockTurns(tx, db, linked.map(turnLane));
  for (const [elder, ...younger] of links) await moveWaiting(tx, db, elder, younger);
}

async function lockLanes(tx: Tx, db: Database, contacts: readonly string[]): Promise<void> {
  const lanes = db.name("whatsapp_lanes");
  for (const laneOf of [turnLane, outLane])
    await tx.query(`select 1 from ${lanes} where lane_key = any($1) order by lane_key for update`, [
      contacts.map(laneOf),
    ]);
  const keys = contacts.map(inLane);
  await tx.query(
    `insert into ${lanes} (lane_key, stage) select key, 'in' from unnest($1::text[]) as k (key) order by key on conflict do nothing`,
    [keys],
  );
  await tx.query(`select 1 from ${lanes} where lane_key = any($1) order by lane_key for update`, [keys]);
}

async function moveWaiting(tx: Tx, db: Database, elder: string, younger: readonly string[]): Promise<void> {
  await moveTurns(tx, db, elder, younger);
  await move(
    tx,
    db,
    { stage: "out", table: "whatsapp_outbox", laneOf: outLane, waiting: WAITING_PARTS },
    elder,
    younger,
  );
  await addPace(tx, db, elder, younger);
  await move(tx, db, { stage: "in", table: "whatsapp_events", laneOf: inLane, waiting: "state = 0" }, elder, younger);
}

const WAITING_PARTS = "state in ('queued', 'held', 'sending')";

type Moved = {
  readonly stage: "in" | "out" | "turn";
  readonly table: string;
  readonly laneOf: (contactId: string) => string;
  readonly waiting: string;
};

/**
 * Who holds a younger lane is fenced out. Of the elder's own lanes only `in` is taken from its worker, which has perhaps
 * loaded events that stand behind the ones moved here; a turn or send under way in it goes on.
 */
async function move(tx: Tx, db: Database, moved: Moved, elder: string, younger: readonly string[]): Promise<void> {
  const lanes = db.name("whatsapp_lanes");
  const [to, from] = [moved.laneOf(elder), younger.map(moved.laneOf)];
  const rows = await tx.query(
    `update ${db.name(moved.table)} set lane_key = $1, contact_id = $2 where lane_key = any($3) and ${moved.waiting} returning 1`,
    [to, elder, from],
  );
  if (rows.length === 0) return;
  await tx.query(`update ${lanes} set lease_token = null, pending = 0, ready_at = null where lane_key = any($1)`, [
    from,
  ]);
  const takeOver =
    moved.stage === "in" ? "lease_token = null, ready_at = now()" : "ready_at = coalesce(l.ready_at, now())";
  await tx.query(
    `insert into ${lanes} as l (lane_key, stage, pending, ready_at) values ($1, $2, $3, now())
     on conflict (lane_key) do update set pending = l.pending + excluded.pending, ${takeOver}`,
    [to, moved.stage, rows.length],
  );
}

/** What was sent to either was sent to one person: what is ahead in the younger lanes is added to the elder's. */
async function addPace(tx: Tx, db: Database, elder: string, younger: readonly string[]): Promise<void> {
  const lanes = db.name("whatsapp_lanes");
  await tx.query(
    `insert into ${lanes} as l (lane_key, stage, paced_until)
     select $1, 'out', now() + sum(y.paced_until - now()) from ${lanes} y
     where y.lane_key = any($2) and y.paced_until > now() having count(*) > 0
     on conflict (lane_key) do update set paced_until = greatest(l.paced_until, now()) + (excluded.paced_until - now())`,
    [outLane(elder), younger.map(outLane)],
  );
}

/**
 * Of turns that the host has not seen yet a contact has one: those of both become one, in the order of their messages. It comes
 * after all that the host has seen, as the messages in it do.
 */
async function moveTurns(tx: Tx, db: Database, elder: string, younger: readonly string[]): Promise<void> {
  const turns = db.name("whatsapp_turns");
  const all = [elder, ...younger].map(turnLane);
  const open = await tx.query<{ id: string; lane_key: string }>(
    `select id, lane_key from ${turns} where lane_key = any($1) and sealed_at is null and state = 0 order by seq`,
    [all],
  );
  const [first, ...others] = open;
  if (first !== undefined && others.length > 0) {
    const ids = open.map(({ id }) => id);
    await tx.query(
      `update ${turns} set messages = (
         select jsonb_agg(m order by m ->> 'timestamp', t.seq, n)
         from ${turns} t, jsonb_array_elements(t.messages) with ordinality as e (m, n) where t.id = any($2)),
         waits_until = (select max(waits_until) from ${turns} where id = any($2)) where id = $1`,
      [first.id, ids],
    );
    await tx.query(`delete from ${turns} where id = any($1)`, [others.map(({ id }) => id)]);
    const lanes = db.name("whatsapp_lanes");
    for (const { lane_key } of others)
      await tx.query(`update ${lanes} set pending = pending - 1 where lane_key = $1`, [lane_key]);
  }
  if (first !== undefined) await tx.query(`update ${turns} set seq = default where id = $1`, [first.id]);
  await move(
    tx,
    db,
    { stage: "turn", table: "whatsapp_turns", laneOf: turnLane, waiting: "state = 0" },
    elder,
    younger,
  );
}

/** The elder learns what the younger ones knew; they point to it from now on. */
async function mergeRows(tx: Tx, db: Database, elder: string, younger: readonly string[]): Promise<void> {
  const names = db.name("whatsapp_contacts");
  await tx.query(`update ${db.name("whatsapp_contact_aliases")} set contact_id = $1 where contact_id = any($2)`, [
    elder,
    younger,
  ]);
  await tx.query(
    `update ${names} e set phone_number = coalesce(e.phone_number, y.phone_number), user_id = coalesce(e.user_id, y.user_id),
       parent_user_id = coalesce(e.parent_user_id, y.parent_user_id),
       conversation_id = coalesce(e.conversation_id, y.conversation_id),
       ai_paused_until = greatest(e.ai_paused_until, y.ai_paused_until), updated_at = now()
     from (select max(phone_number) as phone_number, max(user_id) as user_id, max(parent_user_id) as parent_user_id,
             max(ai_paused_until) as ai_paused_until,
             (array_agg(conversation_id order by id) filter (where conversation_id is not null))[1] as conversation_id
           from ${names} where id = any($2)) y
     where e.id = $1`,
    [elder, younger],
  );
  await tx.query(`update ${names} set merged_into = $1 where id = any($2) or merged_into = any($2)`, [elder, younger]);
}
