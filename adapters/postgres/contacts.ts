/** Contacts: one row per person and number, however many names Meta gives them. */
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

export function outLane(contactId: string): string {
  return `out:contact:${contactId}`;
}

/**
 * Inserts the people who are still nobody's alias, and every alias learnt.
 * @param learnt `connection/alias` → contact id or placeholder.
 * @returns placeholder → contact id.
 */
export async function insertPeople(
  tx: Tx,
  db: Database,
  people: readonly NewPerson[],
  learnt: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, string>> {
  const wanted = new Set(learnt.values());
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
  const aliases = [...learnt].map(([name, contact]) => {
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
