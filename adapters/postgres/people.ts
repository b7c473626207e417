/** What an event says about a person: profile, number, window, and whether staff is talking to them. */
import type { Effects } from "../../plugin/ports.ts";
import { canonicalNumber, formerAlias, leftAlias, phoneAlias } from "./aliases.ts";
import type { Database, Tx } from "./database.ts";
import type { ContactRow } from "./host-tables.ts";

type Profile = Effects["profiles"][number];
type Contacts = ReadonlyMap<string, ContactRow>;

/** What is not told stays as it was, but for a number that was left. */
const NUMBER = "coalesce(p.phone_number, case when not p.has_moved then c.phone_number end)";

export function updateProfiles(tx: Tx, db: Database, profiles: Effects["profiles"], left: LeftIds): void {
  const latest = new Map<string, Profile>();
  for (const profile of profiles)
    if (left.get(profile.contactId)?.get(profile.person.userId ?? "") !== true)
      latest.set(profile.contactId, withNumber(profile, latest.get(profile.contactId)));
  if (latest.size === 0) return;
  tx.send(
    `update ${db.name("whatsapp_contacts")} c set phone_number = ${NUMBER},
       user_id = coalesce(p.user_id, c.user_id), parent_user_id = coalesce(p.parent_user_id, c.parent_user_id),
       username = coalesce(p.username, c.username), name = coalesce(p.name, c.name), updated_at = now()
     from json_to_recordset($1::json) as p (id bigint, phone_number text, user_id text, parent_user_id text, username text,
       name text, has_moved boolean, left_alias text)
     where c.id = p.id and not exists (
         select 1 from ${db.name("whatsapp_contact_aliases")} a where a.connection_id = c.connection_id and a.alias = p.left_alias)
       and (c.phone_number, c.user_id, c.parent_user_id, c.username, c.name) is distinct from (
       ${NUMBER}, coalesce(p.user_id, c.user_id), coalesce(p.parent_user_id, c.parent_user_id),
       coalesce(p.username, c.username), coalesce(p.name, c.name))`,
    [
      JSON.stringify(
        [...latest].map(([id, { person, hasMoved }]) => ({
          id,
          phone_number: person.phoneNumber,
          user_id: person.userId,
          parent_user_id: person.parentUserId,
          username: person.username,
          name: person.name,
          has_moved: hasMoved === true,
          // What comes late, from before they moved, says where they are no longer.
          left_alias: person.userId === null ? null : leftAlias(person.userId),
        })),
      ),
    ],
  );
}

/** What was named before in the batch counts, unless they have moved since. */
function withNumber(profile: Profile, before: Profile | undefined): Profile {
  if (before === undefined || profile.hasMoved === true) return profile;
  const { person } = profile;
  return { ...before, ...profile, person: { ...person, phoneNumber: person.phoneNumber ?? before.person.phoneNumber } };
}

/** By contact: whether each user id was left, or is theirs after all. */
type LeftIds = ReadonlyMap<string, ReadonlyMap<string, boolean>>;

/**
 * Somebody else may get the number, and must not find this person's conversation: the number names them no longer, but for what was
 * written of them until then, when they are erased; and what names their old user id teaches nothing more. Before the profiles change: what the contact's row says is left as well.
 */
export async function leaveNumbers(
  tx: Tx,
  db: Database,
  left: Effects["leftNumbers"],
  contacts: Contacts,
): Promise<LeftIds> {
  if (left.length === 0) return new Map();
  const rows = await tx.query<{ id: string; phone_number: string | null; user_id: string | null }>(
    `select id::text as id, phone_number, user_id from ${db.name("whatsapp_contacts")} where id = any($1)`,
    [left.map(({ contactId }) => contactId)],
  );
  const inRow = new Map(rows.map((row) => [row.id, row]));
  const ids = new Map<string, Map<string, boolean>>();
  for (const { contactId, userIds, person } of left) {
    const ofContact = ids.get(contactId) ?? new Map<string, boolean>();
    ids.set(contactId, ofContact);
    for (const id of userIds) ofContact.set(id, true);
    if (person.userId === null) continue;
    // Where the new id is not told, the one in the row may be it.
    const known = inRow.get(contactId)?.user_id;
    if (known) ofContact.set(known, true);
    ofContact.set(person.userId, false);
  }
  rememberLeft(tx, db, ids, contacts);
  const gone = left.flatMap(({ contactId, phoneNumbers, person, at }) => {
    const numbers = [...phoneNumbers, inRow.get(contactId)?.phone_number ?? null].filter((number) => number !== null);
    return [...new Set(numbers.map(canonicalNumber))]
      .map((number) => ({ contactId, alias: `phone:${number}`, former: formerAlias({ number, until: at }) }))
      .filter(({ alias }) => alias !== phoneAlias(person));
  });
  forget(tx, db, gone, contacts);
  remember(
    tx,
    db,
    gone.map(({ contactId, former }) => ({ contactId, alias: former })),
    contacts,
  );
  return ids;
}

type Alias = { readonly contactId: string; readonly alias: string };

function rememberLeft(tx: Tx, db: Database, ids: LeftIds, contacts: Contacts): void {
  const all = [...ids].flatMap(([contactId, ofContact]) =>
    [...ofContact].map(([id, isLeft]) => ({ contactId, alias: leftAlias(id), isLeft })),
  );
  forget(
    tx,
    db,
    all.filter(({ isLeft }) => !isLeft),
    contacts,
  );
  remember(
    tx,
    db,
    all.filter(({ isLeft }) => isLeft),
    contacts,
  );
}

function remember(tx: Tx, db: Database, aliases: readonly Alias[], contacts: Contacts): void {
  if (aliases.length === 0) return;
  tx.send(
    `insert into ${db.name("whatsapp_contact_aliases")} (connection_id, alias, contact_id)
     select * from unnest($1::uuid[], $2::text[], $3::bigint[]) order by 1, 2 on conflict do nothing`,
    columns(aliases, contacts),
  );
}

function forget(tx: Tx, db: Database, aliases: readonly Alias[], contacts: Contacts): void {
  if (aliases.length === 0) return;
  tx.send(
    `delete from ${db.name("whatsapp_contact_aliases")} a using unnest($1::uuid[], $2::text[], $3::bigint[]) as l (connection_id, alias, contact_id)
     where a.connection_id = l.connection_id and a.alias = l.alias and a.contact_id = l.contact_id`,
    columns(aliases, contacts),
  );
}

function columns(aliases: readonly Alias[], contacts: Contacts): readonly unknown[] {
  return [
    aliases.map(({ contactId }) => contacts.get(contactId)?.connectionId),
    aliases.map(({ alias }) => alias),
    aliases.map(({ contactId }) => contactId),
  ];
}

/** @returns the contacts whom the AI does not answer now. */
export async function pauseAi(
  tx: Tx,
  db: Database,
  pauses: Effects["pauses"],
  contacts: Contacts,
): Promise<ReadonlySet<string>> {
  const paused = new Set([...contacts].filter(([, { isPaused }]) => isPaused).map(([id]) => id));
  if (pauses.length === 0) return paused;
  const rows = await tx.query<{ id: string }>(
    `update ${db.name("whatsapp_contacts")} c set ai_paused_until = greatest(c.ai_paused_until, p.until)
     from (select id, max(until) as until from unnest($1::bigint[], $2::timestamptz[]) as u (id, until) group by id) p
     where c.id = p.id and p.until > now() returning c.id`,
    [pauses.map(({ contactId }) => contactId), pauses.map(({ until }) => until)],
  );
  for (const { id } of rows) paused.add(id);
  return paused;
}

/** One call per conversation: the latest of its messages decides, and the function never shortens a window. */
export function extendWindows(tx: Tx, db: Database, windows: Effects["windows"], contacts: Contacts): void {
  const latest = new Map<string, Effects["windows"][number]>();
  for (const window of windows) {
    const conversationId = contacts.get(window.contactId)?.conversationId;
    if (!conversationId) continue;
    const before = latest.get(conversationId);
    const byAd = window.byAd || (before?.byAd ?? false);
    if (before === undefined || before.at < window.at) latest.set(conversationId, { ...window, byAd });
    else latest.set(conversationId, { ...before, byAd });
  }
  if (latest.size === 0) return;
  const rows = [...latest];
  tx.send(
    `select ${db.name("extend_whatsapp_session")}(id, phone, at, by_ad)
     from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::boolean[]) as w (id, phone, at, by_ad) order by id`,
    [
      rows.map(([id]) => id),
      rows.map(([, { phoneNumber }]) => phoneNumber),
      rows.map(([, { at }]) => at),
      rows.map(([, { byAd }]) => byAd),
    ],
  );
}
