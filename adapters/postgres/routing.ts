/** Which tenant, contact and lane an event belongs to: decided in the transaction that stores it, by the binding at receipt. */
import type { ChannelEvent } from "../../plugin/contract.ts";
import { aliasesOfEvent, introduces, leftAlias, personOf, userIdsOfEvent } from "./aliases.ts";
import { inLane, insertPeople, type NewPerson } from "./contacts.ts";
import type { Database, Tx } from "./database.ts";
import { type Link, linkOf, linkPeople } from "./linking.ts";
import { hashOf } from "./tombstones.ts";

/** Of a message whose recipient nobody here knows; as a hash, because a wamid holds the person's number. */
export const MESSAGE_LANE = "in:status:";

export type Route = {
  /** Null when no connection holds the number or account. */
  readonly laneKey: string | null;
  readonly connectionId: string | null;
  readonly tenant: string | null;
  readonly contactId: string | null;
};

type Found = {
  readonly connection_id: string | null;
  readonly customer_config_id: string | null;
  /** The person's names, as far as the event can tell. */
  readonly aliases: readonly string[];
  /** Those that are known, with their contact. */
  readonly known: Readonly<Record<string, string>>;
};

/**
 * Lane of a person's events: their contact, whatever name Meta gives them this time (phone, BSUID and parent BSUID are
 * aliases of one contact). Of a status without a known recipient: its message. Of anything else: the number.
 * @param next the connection whose turn it is to have routed what came before it: of any other like it nothing is routed but statuses.
 */
export async function routeEvents(
  tx: Tx,
  db: Database,
  events: readonly ChannelEvent[],
  next: string | null = null,
): Promise<readonly Route[]> {
  if (events.length === 0) return [];
  const found = await lookUp(tx, db, events, next);
  if (events.every((event, i) => isSettled(event, found[i]))) return events.map((event, i) => routeOf(event, found[i]));
  await oneAtATime(tx, db);
  return meetPeople(tx, db, events, await lookUp(tx, db, events, next));
}

/**
 * SQL of whether an event waits for its number to be connected. What became of a message that somebody else has sent changes nothing
 * here, then as now: an app beside us may leave millions of them, which nobody could take up while a number is connected.
 */
export function waits(db: Database, kind: string, messageId: string): string {
  return `(${kind} <> 'status' or exists (select 1 from ${db.name("whatsapp_outbox")} o where o.message_id = ${messageId}))`;
}

/** What is rare, such as meeting and linking people, goes one at a time across all instances: simple, and free of deadlocks. */
export async function oneAtATime(tx: Tx, db: Database): Promise<void> {
  await tx.query("select pg_advisory_xact_lock(hashtext($1))", [db.name("whatsapp_contacts")]);
}

/** One indexed look-up for the whole group, by the distinct numbers and aliases in it. */
async function lookUp(
  tx: Tx,
  db: Database,
  events: readonly ChannelEvent[],
  next: string | null,
): Promise<readonly Found[]> {
  const names = events.flatMap((event) => [...aliasesOfEvent(event), ...userIdsOfEvent(event).map(leftAlias)]);
  const rows = await tx.query<{
    readonly connection_id: string;
    readonly customer_config_id: string;
    readonly phone_number_id: string;
    readonly waba_id: string;
    readonly display_phone_number: string;
    readonly is_behind: boolean;
    readonly alias: string | null;
    readonly contact_id: string | null;
  }>(
    `select c.id as connection_id, c.customer_config_id, c.phone_number_id, c.waba_id, c.display_phone_number,
       c.routed_until is not null as is_behind, a.alias, a.contact_id
     from ${db.name("whatsapp_connections")} c
     left join ${db.name("whatsapp_contact_aliases")} a on a.connection_id = c.id and a.alias = any($3)
     where c.state <> 'disconnected' and (c.phone_number_id = any($1) or c.waba_id = any($2))
     order by c.created_at`,
    [
      distinct(events.map((event) => event.phoneNumberId)),
      distinct(events.map((event) => (event.phoneNumberId === null ? event.wabaId : null))),
      distinct(names),
    ],
  );
  const contactOf = new Map(rows.map((row) => [`${row.connection_id}/${row.alias}`, row.contact_id]));
  const byNumber = new Map(rows.map((row) => [row.phone_number_id, row]));
  return events.map((event) => {
    const row =
      event.phoneNumberId === null
        ? speakerOf(
            event,
            rows.filter((one) => one.waba_id === event.wabaId),
          )
        : byNumber.get(event.phoneNumberId);
    // Behind what waits already. What became of our own messages stands in no order with what people write.
    const waitsItsTurn = row?.is_behind === true && row.connection_id !== next && event.kind !== "status";
    if (row === undefined || waitsItsTurn)
      return { connection_id: null, customer_config_id: null, aliases: [], known: {} };
    const contactBy = (alias: string) => contactOf.get(`${row.connection_id}/${alias}`);
    const aliases = aliasesOfEvent(event, (userId) => Boolean(contactBy(leftAlias(userId))));
    const known: Record<string, string> = {};
    for (const alias of aliases) {
      const contact = contactBy(alias);
      if (contact) known[alias] = contact;
    }
    return { connection_id: row.connection_id, customer_config_id: row.customer_config_id, aliases, known };
  });
}

type Holder = { readonly customer_config_id: string; readonly display_phone_number: string };

/**
 * Of an account's numbers, oldest first, the one that an event without a number's id is of: the one that it names as people dial it,
 * or else the oldest, which speaks for the account. A change of a number that is none of these is nobody's where several tenants share the account.
 */
function speakerOf<Row extends Holder>(event: ChannelEvent, rows: readonly Row[]): Row | undefined {
  const [oldest] = rows;
  const named = "displayPhoneNumber" in event ? event.displayPhoneNumber : null;
  if (!named) return oldest;
  const one = rows.find((row) => row.display_phone_number.replaceAll(/\D/g, "") === named);
  if (one !== undefined || event.kind !== "phone-number") return one ?? oldest;
  return rows.every((row) => row.customer_config_id === oldest?.customer_config_id) ? oldest : undefined;
}

function distinct(values: readonly (string | null)[]): readonly string[] {
  return [...new Set(values.filter((value) => value !== null))];
}

/** Nothing new to learn: one contact behind all the names, or an event that makes no contact. */
function isSettled(event: ChannelEvent, found: Found | undefined): boolean {
  if (found === undefined || found.connection_id === null) return true;
  const contacts = new Set(Object.values(found.known));
  if (contacts.size === 0) return !introduces(event);
  return contacts.size === 1 && found.aliases.every((alias) => Object.hasOwn(found.known, alias));
}

/** Walks the events in order with what is known so far: makes contacts, learns names, links two that are one person. */
async function meetPeople(
  tx: Tx,
  db: Database,
  events: readonly ChannelEvent[],
  found: readonly Found[],
): Promise<readonly Route[]> {
  const known = new Map<string, string>();
  for (const { connection_id, known: aliases } of found)
    for (const [alias, contact] of Object.entries(aliases)) known.set(`${connection_id}/${alias}`, contact);
  const everybody = [...new Set(known.values())];
  const before = new Set(known.keys());
  const people: NewPerson[] = [];
  const links: Link[] = [];
  const contactOf: (string | null)[] = [];
  for (const [i, event] of events.entries()) {
    const { connection_id: connectionId, customer_config_id: customerConfigId, aliases = [] } = found[i] ?? {};
    const person = personOf(event);
    const keys = aliases.map((alias) => `${connectionId}/${alias}`);
    const contacts = [...new Set(keys.map((key) => known.get(key)).filter((contact) => contact !== undefined))];
    if (contacts.length > 1) {
      const stored = contacts.filter(isStored);
      const link = linkOf(stored);
      if (link !== null) links.push(link);
      const one = link?.[0] ?? stored[0] ?? (contacts[0] as string);
      for (const [key, contact] of known) if (contacts.includes(contact)) known.set(key, one);
      for (const [at, contact] of contactOf.entries())
        if (contact !== null && contacts.includes(contact)) contactOf[at] = one;
      contacts.splice(0, contacts.length, one);
    }
    if (contacts.length === 0 && introduces(event) && connectionId && customerConfigId && person !== null) {
      contacts.push(`new:${people.length}`);
      people.push({ key: `new:${people.length}`, connectionId, customerConfigId, person });
    }
    const contact = contacts[0] ?? null;
    if (contact !== null) for (const key of keys) known.set(key, contact);
    contactOf.push(contact);
  }
  if (links.length > 0) await linkPeople(tx, db, links, everybody);
  // What was known already may have been left since it was looked up.
  const learnt = new Map([...known].filter(([key]) => !before.has(key)));
  const ids = await insertPeople(tx, db, people, learnt);
  return events.map((event, i) => {
    const contact = contactOf[i] ?? null;
    return routeOf(event, found[i], contact === null ? null : (ids.get(contact) ?? contact));
  });
}

function isStored(contact: string): boolean {
  return !contact.startsWith("new:");
}

function routeOf(event: ChannelEvent, found: Found | undefined, contact?: string | null): Route {
  if (found === undefined || found.connection_id === null)
    return { laneKey: null, connectionId: null, tenant: null, contactId: null };
  const { connection_id: connectionId, customer_config_id: tenant } = found;
  const contactId = contact ?? Object.values(found.known)[0] ?? null;
  if (contactId !== null) return { laneKey: inLane(contactId), connectionId, tenant, contactId };
  if (event.kind === "status")
    return { laneKey: `${MESSAGE_LANE}${hashOf(event.messageId)}`, connectionId, tenant, contactId };
  return { laneKey: numberLane(connectionId), connectionId, tenant, contactId };
}

/** Of what is nobody's but the number's own. */
export function numberLane(connectionId: string): string {
  return `in:number:${connectionId}`;
}
