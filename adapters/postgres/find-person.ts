/** Where a person stands in the database: looked for without locks, because some of it must be read from end to end. */
import type { ChannelEvent } from "../../plugin/contract.ts";
import type { ErasureSubject } from "../../plugin/ports.ts";
import {
  aliasesOfEvent,
  canonicalNumber,
  conversationOf,
  type FormerNumber,
  formerNumberOf,
  formerPrefix,
  personOf,
  spellingsOf,
} from "./aliases.ts";
import type { Database, Queries } from "./database.ts";
import type { WaitingEvent } from "./host-events.ts";
import { ERASED } from "./tombstones.ts";

/** Who it is, by every name that we have for them. */
export type People = {
  readonly contacts: readonly string[];
  readonly conversations: readonly string[];
  /** `phone:447700900123`, `user:GB.5512`, `parent:GB.ENT.77`. */
  readonly aliases: ReadonlySet<string>;
  /** Numbers that may be somebody else's by now: theirs is what was written until they left them. */
  readonly formerNumbers: readonly FormerNumber[];
};

/** What is theirs beside what hangs on the contact. */
export type Traces = {
  /** Events of the contacts, and those that nobody's contact has. */
  readonly events: readonly string[];
  /** Of the latter, the lanes: others use them too. */
  readonly eventLanes: readonly string[];
  readonly hostEvents: readonly string[];
  readonly hostEventLanes: readonly string[];
  readonly deliveries: readonly string[];
};

export async function findPeople(
  tx: Queries,
  db: Database,
  subject: ErasureSubject,
  customerConfigId: string | null,
): Promise<People> {
  const meant =
    subject.phoneNumber === undefined
      ? { aliases: [`user:${subject.userId}`, `parent:${subject.userId}`], contacts: [] }
      : await byNumber(tx, db, subject.phoneNumber, customerConfigId);
  const aliases = new Set(meant.aliases);
  const contacts = new Set(meant.contacts);
  const formerNumbers = new Map<string, FormerNumber>();
  const conversations = new Set<string>();
  // What one row tells may lead to the next: a number to a user id, and that to another tenant's contact.
  for (let known = -1; known !== contacts.size + aliases.size; ) {
    known = contacts.size + aliases.size;
    const rows = await tx.query<{
      id: string;
      merged_into: string | null;
      conversation_id: string | null;
      names: readonly string[];
    }>(
      // By aliases only: a number in the contact's row may have passed on to somebody else.
      `select c.id, c.merged_into, c.conversation_id, array_to_json(array(
         select alias from ${db.name("whatsapp_contact_aliases")} a where a.contact_id = c.id)) as names
       from ${db.name("whatsapp_contacts")} c
       where ($1::uuid is null or c.customer_config_id = $1) and (c.id = any($2) or c.merged_into = any($2)
         or c.id in (select contact_id from ${db.name("whatsapp_contact_aliases")} where alias = any($3)))`,
      [customerConfigId, [...contacts], [...aliases]],
    );
    for (const row of rows) {
      contacts.add(row.id);
      if (row.merged_into !== null) contacts.add(row.merged_into);
      if (row.conversation_id !== null) conversations.add(row.conversation_id);
      for (const name of row.names) {
        const [former, conversation] = [formerNumberOf(name), conversationOf(name)];
        if (former !== null) formerNumbers.set(name, former);
        else if (conversation !== null) conversations.add(conversation);
        else aliases.add(name);
      }
    }
  }
  return {
    contacts: [...contacts],
    conversations: [...conversations],
    aliases,
    formerNumbers: [...formerNumbers.values()],
  };
}

/** Whoever has the number; where nobody has it, on a number of the business's, whoever had it last. */
async function byNumber(
  tx: Queries,
  db: Database,
  phoneNumber: string,
  customerConfigId: string | null,
): Promise<{ readonly aliases: readonly string[]; readonly contacts: readonly string[] }> {
  const aliases = db.name("whatsapp_contact_aliases");
  const alias = `phone:${canonicalNumber(phoneNumber)}`;
  const rows = await tx.query<{ contact_id: string; alias: string }>(
    `select a.contact_id, a.alias from ${aliases} a join ${db.name("whatsapp_contacts")} c on c.id = a.contact_id
     where ($1::uuid is null or c.customer_config_id = $1) and (a.alias = $2 or starts_with(a.alias, $3) and not exists (
       select 1 from ${aliases} l where l.connection_id = a.connection_id
         and (l.alias = $2 or starts_with(l.alias, $3) and l.alias collate "C" > a.alias)))`,
    [customerConfigId, alias, formerPrefix(phoneNumber)],
  );
  const had = rows.filter((row) => row.alias !== alias).map((row) => row.contact_id);
  return { aliases: had.length > 0 && had.length === rows.length ? [] : [alias], contacts: had };
}

/** Conversations that the host has deleted since may have left something behind. */
export async function findOldConversations(
  tx: Queries,
  db: Database,
  contacts: readonly string[],
): Promise<readonly string[]> {
  const rows = await tx.query<{ id: string }>(
    `select conversation_id as id from ${db.name("whatsapp_outbox")} where contact_id = any($1)
     union select conversation_id from ${db.name("whatsapp_turns")} where contact_id = any($1)
     union select conversation_id from ${db.name("whatsapp_media")} where contact_id = any($1) and conversation_id is not null`,
    [contacts],
  );
  return rows.map(({ id }) => id);
}

/** Deleted ones that no contact leads to, as earlier versions left them: their windows hold the number. Of which tenant, nobody knows. */
export async function findOrphans(
  tx: Queries,
  db: Database,
  { aliases, formerNumbers }: People,
): Promise<readonly string[]> {
  const numbers = [...aliases].filter((alias) => alias.startsWith("phone:")).map((alias) => alias.slice(6));
  const rows = await tx.query<{ id: string }>(
    `select conversation_id as id from ${db.name("whatsapp_sessions")} s where phone_number = any($1)
       and not exists (select 1 from ${db.name("whatsapp_contacts")} c where c.conversation_id = s.conversation_id)
       and not exists (select 1 from ${db.hostName("conversations")} v where v.id = s.conversation_id)`,
    [[...numbers, ...formerNumbers.map(({ number }) => number)].flatMap(spellingsOf)],
  );
  return rows.map(({ id }) => id);
}

/** The wamids of what they wrote. */
export async function findWritten(tx: Queries, db: Database, contacts: readonly string[]): Promise<readonly string[]> {
  const rows = await tx.query<{ id: string }>(
    `select external_id as id from ${db.name("whatsapp_events")} where contact_id = any($1) and external_id is not null`,
    [contacts],
  );
  return rows.map(({ id }) => id);
}

/** The wamids of what stands in their conversations and of what they were sent. */
export async function findExchanged(
  tx: Queries,
  db: Database,
  conversations: readonly string[],
): Promise<readonly string[]> {
  const rows = await tx.query<{ id: string }>(
    `with parts as (
       select o.id, o.message_id from ${db.name("whatsapp_outbox")} o join ${db.name("whatsapp_sends")} s on s.id = o.send_id
       where s.conversation_id = any($1))
     select message_id as id from parts where message_id is not null
     union select a.message_id from ${db.name("whatsapp_send_attempts")} a join parts on parts.id = a.outbox_id where a.message_id is not null
     union select external_id from ${db.hostName("messages")} where conversation_id = any($1) and external_id is not null`,
    [conversations],
  );
  return rows.map(({ id }) => id);
}

/** @param since only what was stored after; null: everything. */
export async function findTraces(
  tx: Queries,
  db: Database,
  people: People,
  messageIds: readonly string[],
  customerConfigId: string | null,
  since: string | null,
): Promise<Traces> {
  const events = db.name("whatsapp_events");
  const names = patternOf(people.aliases);
  const former = JSON.stringify(
    people.formerNumbers.map(({ number, until }) => ({ number, pattern: patternOfNumber(number), until })),
  );
  /** Of the parameter with all their former numbers, those that were theirs when a row of this table was stored. */
  const heldThen = (parameter: string, table: string) =>
    `cross join lateral (select coalesce(json_agg(number), '[]') as numbers, string_agg(pattern, '|') as pattern
       from json_to_recordset(${parameter}::json) as f (number text, pattern text, until timestamptz) where ${table}.created_at <= until) held`;
  const owned = customerConfigId === null ? null : await numbersOf(tx, db, customerConfigId);
  const recent = since === null ? "$1::timestamptz is null" : "created_at >= $1::timestamptz";
  const own = await tx.query<{ id: string }>(
    `select id from ${events} where ${recent} and contact_id = any($2) and state <> ${ERASED}`,
    [since, people.contacts],
  );
  const ids = new Set(messageIds);
  const loose = (
    await tx.query<Held & { id: string; lane_key: string | null; external_id: string | null; payload: ChannelEvent }>(
      `select id, lane_key, external_id, payload, held.numbers from ${events} e ${heldThen("$4", "e")}
       where ${recent} and contact_id is null and state <> ${ERASED}
         and (payload::text ~ $2 or payload::text ~ held.pattern or external_id = any($3))`,
      [since, names, messageIds, former],
    )
  ).filter(
    ({ payload, external_id, numbers }) =>
      isOf(payload, owned) && (ids.has(external_id ?? "") || isAbout(payload, people, numbers)),
  );
  const told = (
    await tx.query<Held & { id: string; lane_key: string; event: WaitingEvent }>(
      `select id, lane_key, event, held.numbers from ${db.name("whatsapp_host_events")} h ${heldThen("$3", "h")}
       where ${recent} and lane_key like 'notify:number:%' and (event::text ~ $2 or event::text ~ held.pattern)`,
      [since, names, former],
    )
  ).filter(
    ({ event, numbers }) => "event" in event && isOf(event.event, owned) && isAbout(event.event, people, numbers),
  );
  const deliveries = await tx.query<{ id: string }>(
    // The number of a business is in all of its deliveries. Redelivered ones have no events: they are known by their ids.
    `select w.id from ${db.name("whatsapp_webhooks")} w ${heldThen("$6", "w")}
     cross join lateral (select regexp_replace(coalesce(w.payload::text, encode(w.body, 'escape')),
       '"display_phone_number": ?"[^"]*"', '', 'g') as text) t
     where ${recent} and w.body <> '' and ($4::text is null or t.text ~ $4) and (t.text ~ $2 or t.text ~ held.pattern or exists (
       select 1 from regexp_matches(t.text, '"([A-Za-z0-9+/=_.:-]{6,})"', 'g') as m where m[1] = any($3)))
     union select webhook_id from ${events} where id = any($5)`,
    [since, names, messageIds, owned?.pattern ?? null, [...own, ...loose].map(({ id }) => id), former],
  );
  return {
    events: [...own, ...loose].map(({ id }) => id),
    eventLanes: loose.map((row) => row.lane_key).filter((key) => key !== null),
    hostEvents: told.map(({ id }) => id),
    hostEventLanes: told.map((row) => row.lane_key),
    deliveries: deliveries.map(({ id }) => id),
  };
}

/** Matches nothing. */
const NOTHING = "$.";

/** Finds a number, in any of its spellings, and a user id, each where it stands by itself. */
function patternOf(aliases: ReadonlySet<string>): string {
  const names = [...aliases].map((alias) => {
    const name = alias.slice(alias.indexOf(":") + 1);
    // In JSON a line break before it ends in a letter. Looking behind would read a gigabyte in twice the time.
    return alias.startsWith("phone:")
      ? patternOfNumber(name)
      : `(?:^|[^0-9A-Za-z]|\\\\[bfnrt])${escaped(name)}(?![0-9A-Za-z])`;
  });
  return names.length === 0 ? NOTHING : names.join("|");
}

function patternOfNumber(number: string): string {
  return spellingsOf(number)
    .map((digits) => `(?<![0-9])${escaped(digits)}(?![0-9])`)
    .join("|");
}

function escaped(text: string): string {
  return text.replaceAll(/[^0-9A-Za-z]/g, "\\$&");
}

type Held = {
  /** Former numbers that were theirs when it was stored. */
  readonly numbers: readonly string[];
};

/** By who it is about, and not by what somebody wrote in it. What is about nobody that we know of goes when it names them. */
function isAbout(event: ChannelEvent, { aliases }: People, held: readonly string[]): boolean {
  const isTheirs = (alias: string) => aliases.has(alias) || held.some((number) => alias === `phone:${number}`);
  return personOf(event) === null || aliasesOfEvent(event).some(isTheirs);
}

type Owned = {
  readonly numbers: ReadonlySet<string>;
  readonly accounts: ReadonlySet<string>;
  readonly pattern: string;
};

/** Numbers that the tenant has or had. */
async function numbersOf(tx: Queries, db: Database, customerConfigId: string): Promise<Owned> {
  const rows = await tx.query<{ phone_number_id: string; waba_id: string }>(
    `select phone_number_id, waba_id from ${db.name("whatsapp_connections")} where customer_config_id = $1`,
    [customerConfigId],
  );
  const numbers = new Set(rows.map((row) => row.phone_number_id));
  // A tenant without a number has nothing.
  const pattern = numbers.size === 0 ? NOTHING : [...numbers].map(escaped).join("|");
  return { numbers, accounts: new Set(rows.map((row) => row.waba_id)), pattern };
}

function isOf({ phoneNumberId, wabaId }: ChannelEvent, owned: Owned | null): boolean {
  if (owned === null) return true;
  return phoneNumberId === null ? owned.accounts.has(wabaId ?? "") : owned.numbers.has(phoneNumberId);
}
