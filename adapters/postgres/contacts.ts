/** Contacts: one row per person and number, however many names Meta gives them, and the linking of two that are one. */
import type { Person } from "../../plugin/contract.ts";
import type { Database, Tx } from "./database.ts";

export type NewPerson = {
  /** A placeholder until the row has its id. */
  readonly key: string;
  readonly connectionId: string;
  readonly customerConfigId: string;
  readonly person: Person;
};

export function inLane(contactId: string): string {
  return `in:contact:${contactId}`;
}

/**
 * Inserts the people who are still nobody's alias, and every alias learnt.
 * @param known `connection/alias` → contact id or placeholder.
 * @returns placeholder → contact id.
 */
export async function insertPeople(
  tx: Tx,
  db: Database,
  people: readonly NewPerson[],
  known: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, string>> {
  const wanted = new Set(known.values());
  const fresh = people.filter(({ key }) => wanted.has(key));
  const rows = await tx.query<{ id: string }>(
    `insert into ${db.name("whatsapp_contacts")}
       (connection_id, customer_config_id, phone_number, user_id, parent_user_id, username, name)
     select connection_id, customer_config_id, phone_number, user_id, parent_user_id, username, name
     from json_to_recordset($1::json) as p (i int, connection_id uuid, customer_config_id uuid, phone_number text,
       user_id text, parent_user_id text, username text, name text) order by i returning id`,
    [
      JSON.stringify(
        fresh.map(({ connectionId, customerConfigId, person }, i) => ({
          i,
          connection_id: connectionId,
          customer_config_id: customerConfigId,
          phone_number: person.phoneNumber,
          user_id: person.userId,
          parent_user_id: person.parentUserId,
          username: person.username,
          name: person.name,
        })),
      ),
    ],
  );
  const ids = new Map(fresh.map(({ key }, i) => [key, rows[i]?.id ?? ""]));
  const aliases = [...known].map(([name, contact]) => {
    const slash = name.indexOf("/");
    return { connection: name.slice(0, slash), alias: name.slice(slash + 1), contact: ids.get(contact) ?? contact };
  });
  await tx.query(
    `insert into ${db.name("whatsapp_contact_aliases")} (connection_id, alias, contact_id)
     select connection, alias, contact from unnest($1::uuid[], $2::text[], $3::bigint[]) as a (connection, alias, contact)
     order by connection, alias on conflict do nothing`,
    [aliases.map((a) => a.connection), aliases.map((a) => a.alias), aliases.map((a) => a.contact)],
  );
  return ids;
}

/**
 * To be called once, before the first link of a batch, with everybody in it: contacts first and then lanes, each in one
 * global order. A worker that applies events takes them in the same order, and so does every other batch.
 */
export async function lockPeople(tx: Tx, db: Database, contacts: readonly string[]): Promise<void> {
  const lanes = db.name("whatsapp_lanes");
  const keys = contacts.map(inLane);
  await tx.query(`select 1 from ${db.name("whatsapp_contacts")} where id = any($1) order by id for no key update`, [
    contacts,
  ]);
  await tx.query(
    `insert into ${lanes} (lane_key, stage) select key, 'in' from unnest($1::text[]) as k (key) order by key on conflict do nothing`,
    [keys],
  );
  await tx.query(`select 1 from ${lanes} where lane_key = any($1) order by lane_key for update`, [keys]);
}

/**
 * Rule 12: linking never reorders. Both lanes are locked and what waits in the younger moves to the elder, where stored
 * order (the event id) still decides. A worker that holds one of them is fenced out: its transaction rolls back and the
 * events are worked anew, in the elder lane.
 * @returns the elder contact; null when none was given.
 */
export async function linkContacts(tx: Tx, db: Database, contacts: readonly string[]): Promise<string | null> {
  const [elder, ...younger] = [...contacts].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
  if (elder === undefined || younger.length === 0) return elder ?? null;
  const lanes = db.name("whatsapp_lanes");
  const keys = contacts.map(inLane);
  const moved = await tx.query(
    `update ${db.name("whatsapp_events")} set lane_key = $1, contact_id = $2 where lane_key = any($3) and state = 0 returning 1`,
    [inLane(elder), elder, younger.map(inLane)],
  );
  await tx.query(
    `update ${lanes} set lease_token = null, pending = case when lane_key = $1 then pending + $2 else 0 end,
       ready_at = case when lane_key = $1 and pending + $2 > 0 then now() end where lane_key = any($3)`,
    [inLane(elder), moved.length, keys],
  );
  const names = db.name("whatsapp_contacts");
  await tx.query(`update ${db.name("whatsapp_contact_aliases")} set contact_id = $1 where contact_id = any($2)`, [
    elder,
    younger,
  ]);
  await tx.query(
    `update ${names} e set phone_number = coalesce(e.phone_number, y.phone_number), user_id = coalesce(e.user_id, y.user_id),
       parent_user_id = coalesce(e.parent_user_id, y.parent_user_id),
       conversation_id = coalesce(e.conversation_id, y.conversation_id), updated_at = now()
     from (select max(phone_number) as phone_number, max(user_id) as user_id, max(parent_user_id) as parent_user_id,
             (array_agg(conversation_id order by id) filter (where conversation_id is not null))[1] as conversation_id
           from ${names} where id = any($2)) y
     where e.id = $1`,
    [elder, younger],
  );
  await tx.query(`update ${names} set merged_into = $1 where id = any($2) or merged_into = any($2)`, [elder, younger]);
  return elder;
}
