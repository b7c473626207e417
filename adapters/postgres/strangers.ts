/** Dead letters that are nobody's yet, because Postgres refused to route them: given their contact, before they are put back. */
import type { ChannelEvent } from "../../plugin/contract.ts";
import { introduces, personOf } from "./aliases.ts";
import type { Database, Tx } from "./database.ts";
import { isDataFault } from "./record.ts";
import { revive } from "./revive.ts";
import { oneAtATime, routeEvents } from "./routing.ts";

/**
 * In transactions of their own: who links people holds lanes of every stage, and may not wait for another afterwards. One that
 * Postgres refuses still is found by halving, and keeps none of the others from their contact.
 * @param ids events without a contact.
 * @returns those that need none. What somebody wrote and has none even now would be applied to nobody, and be lost.
 */
export async function meetStrangers(db: Database, ids: readonly string[]): Promise<readonly string[]> {
  if (ids.length === 0) return [];
  try {
    return await db.transaction((tx) => meet(tx, db, ids));
  } catch (error) {
    if (!isDataFault(error)) throw error;
    if (ids.length === 1) return [];
    const half = Math.ceil(ids.length / 2);
    return [...(await meetStrangers(db, ids.slice(0, half))), ...(await meetStrangers(db, ids.slice(half)))];
  }
}

async function meet(tx: Tx, db: Database, ids: readonly string[]): Promise<readonly string[]> {
  const events = db.name("whatsapp_events");
  await oneAtATime(tx, db);
  const rows = await tx.query<{ id: string; payload: ChannelEvent; connection_id: string | null }>(
    // By their own number, and only while it is connected: somebody else who has it now is told nothing of them.
    `select e.id, e.payload, n.id as connection_id from ${events} e left join ${db.name("whatsapp_connections")} n
       on n.id = e.connection_id and n.phone_number_id = e.phone_number_id and n.state <> 'disconnected'
     where e.id = any($1) and e.state = 2 order by e.id`,
    [ids],
  );
  const letters = rows.map(({ payload, ...row }) => ({ ...row, event: revive(payload) }));
  const contacts = new Map<string, string>();
  for (const connectionId of new Set(letters.map((letter) => letter.connection_id))) {
    if (connectionId === null) continue;
    const own = letters.filter((letter) => letter.connection_id === connectionId);
    // Where the number is behind they stand before what waits for it.
    const routes = await routeEvents(
      tx,
      db,
      own.map(({ event }) => event),
      connectionId,
    );
    for (const [i, { id }] of own.entries()) {
      const contact = routes[i]?.contactId ?? null;
      if (contact !== null) contacts.set(id, contact);
    }
  }
  await tx.query(
    `update ${events} e set contact_id = c.contact from unnest($1::bigint[], $2::bigint[]) as c (id, contact) where e.id = c.id`,
    [[...contacts.keys()], [...contacts.values()]],
  );
  const needsOne = (event: ChannelEvent) => introduces(event) && personOf(event) !== null;
  return letters.filter(({ id, event }) => !contacts.has(id) && !needsOne(event)).map(({ id }) => id);
}
