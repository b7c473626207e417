/** What people allow to be sent to them: the latest word counts, and what they told Meta only Meta takes back. */
import type { ContactPreference } from "../../plugin/ports.ts";
import type { Database, Tx } from "./database.ts";

/** Meta's code for a marketing message to somebody who has opted out. */
export const OPTED_OUT = 131050;

/**
 * Whether the person whose contact is `c` wants no marketing. What they have said stands with the elder; where an earlier version has linked
 * them beside this one, a stop stands with the younger still, until the elder's later word lifts it, as it does in `savePreferences`.
 */
export function wantsNoMarketing(db: Database): string {
  const preferences = db.name("whatsapp_preferences");
  const person = "coalesce(c.merged_into, c.id)";
  return `exists (
    select 1 from ${preferences} p
    where p.contact_id = any(${person} || array(select y.id from ${db.name("whatsapp_contacts")} y where y.merged_into = ${person}))
      and p.category = 'marketing_messages' and p.value = 'stop' and not exists (
        select 1 from ${preferences} e
        where e.contact_id = ${person} and e.category = p.category and e.value <> 'stop' and e.updated_at > p.updated_at
          and (e.source = 'meta' or p.source = 'keyword')))`;
}

/** The contacts must be locked before, so that two batches meet at the contact and not here. */
export function savePreferences(tx: Tx, db: Database, preferences: readonly ContactPreference[]): void {
  if (preferences.length === 0) return;
  const latest = new Map<string, ContactPreference>();
  for (const preference of preferences) {
    const key = `${preference.contactId}/${preference.category}`;
    const before = latest.get(key);
    if (before === undefined || replaces(preference, before)) latest.set(key, preference);
  }
  const rows = [...latest.values()];
  tx.send(
    `insert into ${db.name("whatsapp_preferences")} as p (contact_id, category, value, source, updated_at)
     select * from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::timestamptz[]) as n (contact_id, category, value, source, at)
     order by contact_id, category
     on conflict (contact_id, category) do update set value = excluded.value, source = excluded.source, updated_at = excluded.updated_at
     where not (p.source = 'meta' and p.value = 'stop' and excluded.source = 'keyword') and (p.updated_at <= excluded.updated_at
       or (p.source = 'keyword' and p.value = 'resume' and excluded.source = 'meta' and excluded.value = 'stop'))`,
    [
      rows.map(({ contactId }) => contactId),
      rows.map(({ category }) => category),
      rows.map(({ value }) => value),
      rows.map(({ source }) => source),
      rows.map(({ at }) => at),
    ],
  );
}

/** The same rule as in the statement: a word typed to the business lifts no stop of Meta's, which refuses all the same. */
function replaces(word: ContactPreference, before: ContactPreference): boolean {
  if (isMetaStop(before) && word.source === "keyword") return false;
  const isLifted = before.source === "keyword" && before.value === "resume";
  return before.at <= word.at || (isLifted && isMetaStop(word));
}

function isMetaStop({ source, value }: ContactPreference): boolean {
  return source === "meta" && value === "stop";
}

/**
 * Meta refuses marketing to these people, so they must have said so to it. In whole seconds, like the times of what people
 * write, or a word of the same second, which can only be younger, would count as the older one. A part that left before
 * two contacts were linked names the one that is not asked any more.
 */
export function optOut(tx: Tx, db: Database, contactIds: readonly string[]): void {
  const ids = [...new Set(contactIds)];
  if (ids.length === 0) return;
  tx.send(
    `insert into ${db.name("whatsapp_preferences")} as p (contact_id, category, value, source, updated_at)
     select distinct coalesce(merged_into, id), 'marketing_messages', 'stop', 'meta', date_trunc('second', now())
     from ${db.name("whatsapp_contacts")} where id = any($1) order by 1
     on conflict (contact_id, category) do update set value = 'stop', source = 'meta', updated_at = excluded.updated_at
     where p.value <> 'stop' or p.source <> 'meta'`,
    [ids],
  );
}

/** For `optOut`, before the parts are locked: its rows lock the contact that they name, and whoever erases one has it before its parts. */
export function lockRefusers(tx: Tx, db: Database, outboxIds: readonly string[]): void {
  if (outboxIds.length === 0) return;
  const contacts = db.name("whatsapp_contacts");
  tx.send(
    `select 1 from ${contacts} where id in (
       select coalesce(c.merged_into, c.id) from ${contacts} c join ${db.name("whatsapp_outbox")} o on o.contact_id = c.id
       where o.id = any($1)) order by id for key share`,
    [outboxIds],
  );
}

/** Contacts that have just been linked: what either said is the person's word, and the latest counts. */
export async function joinPreferences(tx: Tx, db: Database, linked: readonly string[]): Promise<void> {
  const preferences = db.name("whatsapp_preferences");
  const words = await tx.query<ContactPreference & { readonly saidTo: string }>(
    `select p.contact_id as "saidTo", coalesce(c.merged_into, c.id) as "contactId", p.category, p.value, p.source, p.updated_at as at
     from ${preferences} p join ${db.name("whatsapp_contacts")} c on c.id = p.contact_id
     where p.contact_id = any($1) order by p.contact_id, p.category for update of p`,
    [linked],
  );
  const moved = words.filter(({ saidTo, contactId }) => saidTo !== contactId);
  if (moved.length === 0) return;
  savePreferences(tx, db, moved);
  tx.send(`delete from ${preferences} where contact_id = any($1)`, [moved.map(({ saidTo }) => saidTo)]);
}
