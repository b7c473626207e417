/** Where a person stands beside their own rows: looked for without locks, because some of it must be read from end to end. */
import type { ChannelEvent } from "../../plugin/contract.ts";
import { aliasesOfEvent, personOf, spellingsOf } from "./aliases.ts";
import type { Database, Queries } from "./database.ts";
import type { People } from "./find-person.ts";
import type { WaitingEvent } from "./host-events.ts";
import { ERASED } from "./tombstones.ts";

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

/** Deliveries that one statement reads: no longer than a moment, so that vacuum need not wait, and no table is too large. */
const SLICE = 10_000;

/**
 * Each row is tried first with what costs little, plain text that no name of theirs can be without; the patterns decide about the few that have it.
 * @param since only what was stored after; null: everything.
 */
export async function findTraces(
  tx: Queries,
  db: Database,
  people: People,
  messageIds: readonly string[],
  customerConfigId: string | null,
  since: string | null,
): Promise<Traces> {
  const events = db.name("whatsapp_events");
  const named = namesOf(people);
  const owned = customerConfigId === null ? null : await numbersOf(tx, db, customerConfigId);
  const recent = since === null ? "$1::timestamptz is null" : "created_at >= $1::timestamptz";
  const ids = new Set(messageIds);
  const loose = (
    await tx.query<Held & { id: string; lane_key: string | null; external_id: string | null; payload: ChannelEvent }>(
      `select id, lane_key, external_id, payload, held.numbers from (
         select * from (
           select *, external_id in (select unnest($2::text[])) as is_theirs from ${events}
           where ${recent} and contact_id is null and state <> ${ERASED} offset 0) w
         where is_theirs or payload::text like any ($3) offset 0) e ${heldThen("$5", "e")}
       where is_theirs or payload::text ~ $4 or payload::text ~ held.pattern`,
      [since, messageIds, named.parts, named.pattern, named.former],
    )
  ).filter(
    ({ payload, external_id, numbers }) =>
      isOf(payload, owned) && (ids.has(external_id ?? "") || isAbout(payload, people, numbers)),
  );
  // After those that nobody has: one of these that becomes theirs between the two is seen twice, and not never.
  const own = await tx.query<{ id: string }>(
    `select id from ${events} where ${recent} and contact_id = any($2) and state <> ${ERASED}`,
    [since, people.contacts],
  );
  const told = (
    await tx.query<Held & { id: string; lane_key: string; event: WaitingEvent }>(
      `select id, lane_key, event, held.numbers from (
         select * from ${db.name("whatsapp_host_events")}
         where ${recent} and lane_key like 'notify:number:%' and event::text like any ($2) offset 0) h ${heldThen("$4", "h")}
       where event::text ~ $3 or event::text ~ held.pattern`,
      [since, named.parts, named.pattern, named.former],
    )
  ).filter(
    ({ event, numbers }) => "event" in event && isOf(event.event, owned) && isAbout(event.event, people, numbers),
  );
  const found = [...new Set([...own, ...loose].map(({ id }) => id))];
  const deliveries = await tx.query<{ id: string }>(
    `select distinct webhook_id as id from ${events} where id = any($1)`,
    [found],
  );
  const naming = await findDeliveries(tx, db, named, messageIds, owned, since);
  return {
    events: found,
    eventLanes: loose.map((row) => row.lane_key).filter((key) => key !== null),
    hostEvents: told.map(({ id }) => id),
    hostEventLanes: told.map((row) => row.lane_key),
    deliveries: [...new Set([...deliveries.map(({ id }) => id), ...naming])],
  };
}

/** Those that name them, whoever's they are. Redelivered ones have no events, so all must be read: they are known by their message ids, too. */
async function findDeliveries(
  tx: Queries,
  db: Database,
  { parts, pattern, former }: Names,
  messageIds: readonly string[],
  owned: Owned | null,
  since: string | null,
): Promise<readonly string[]> {
  const webhooks = db.name("whatsapp_webhooks");
  const ids = messageIds.filter((id) => WHOLE_ID.test(id));
  // What is split at a beginning that few other things have is in few pieces; at least one, which stands for all of the text.
  const beginnings = [...new Set(["wamid.", ...ids.map((id) => /^[a-z]+\./.exec(id)?.[0] ?? "")])];
  const [ends] = await tx.query<{ first: string | null; last: string | null }>(
    since === null
      ? `select min(id) as first, max(id) as last from ${webhooks}`
      : // By its time alone: the index of the ids would be read from its old end.
        `select min(id) as first, max(id) as last from (select id from ${webhooks} where created_at >= $1::timestamptz offset 0) w`,
    since === null ? [] : [since],
  );
  const found: string[] = [];
  for (let from = Number(ends?.first); ends?.last != null && from <= Number(ends.last); from += SLICE) {
    const rows = await tx.query<{ id: string }>(
      // The number of a business is in all of its deliveries. What stands behind an "offset 0" is computed once for each row.
      `select s.id from (
         select id, array_agg('"' || message_id || '"') filter (where message_id is not null) as ids from (
           select w.*, case when m.n > 1 then b.beginning || split_part(m.rest, '"', 1) end as message_id
           from (select id, ${TEXT_OF_W} as text from ${webhooks} w where id >= $1 and id < $2 and body <> '' offset 0) w
           cross join unnest($4::text[]) as b (beginning)
           cross join lateral unnest(string_to_array(w.text, '"' || b.beginning)) with ordinality as m (rest, n) offset 0) p
         where case when message_id is null then text like any ($5) else message_id in (select unnest($3::text[])) end
         group by id) s
       cross join lateral (select created_at, regexp_replace(${TEXT_OF_W}, '"display_phone_number": ?"[^"]*"', '', 'g') as text
         from ${webhooks} w where w.id = s.id offset 0) w ${heldThen("$7", "w")}
       where ($8::text is null or w.text ~ $8) and (w.text ~ $6 or w.text ~ held.pattern
         or exists (select 1 from unnest(s.ids) as i (id) where strpos(w.text, i.id) > 0))`,
      [from, from + SLICE, ids, beginnings, parts, pattern, former, owned?.pattern ?? null],
    );
    found.push(...rows.map(({ id }) => id));
  }
  return found;
}

/** Of a delivery `w`: as JSON, or as it came where nobody has read it. */
const TEXT_OF_W = "coalesce(w.payload::text, encode(w.body, 'escape'))";

/** Between quotes. What a host has put into its own messages may be a word that is in every delivery; no id of Meta's is so short. */
const WHOLE_ID = /^[A-Za-z0-9+/=_.:-]{6,}$/;

type Names = {
  /** For `like`: what holds none of these holds no name. */
  readonly parts: readonly string[];
  /** Finds a number, in any of its spellings, and a user id, each where it stands by itself. */
  readonly pattern: string;
  /** All their former numbers, each with its own pattern, as JSON. */
  readonly former: string;
};

/** Matches nothing. */
const NOTHING = "$.";

function namesOf({ aliases, formerNumbers }: People): Names {
  const names = [...aliases].map((alias) => {
    const name = alias.slice(alias.indexOf(":") + 1);
    if (alias.startsWith("phone:")) return { parts: spellingsOf(name), pattern: patternOfNumber(name) };
    // In JSON a line break before it ends in a letter. Looking behind would read a gigabyte in twice the time.
    return { parts: [name], pattern: `(?:^|[^0-9A-Za-z]|\\\\[bfnrt])${escaped(name)}(?![0-9A-Za-z])` };
  });
  const parts = [...names.flatMap((name) => name.parts), ...formerNumbers.flatMap(({ number }) => spellingsOf(number))];
  return {
    parts: parts.map((part) => `%${part.replaceAll(/[\\%_]/g, "\\$&")}%`),
    pattern: names.length === 0 ? NOTHING : names.map(({ pattern }) => pattern).join("|"),
    former: JSON.stringify(
      formerNumbers.map(({ number, until }) => ({ number, pattern: patternOfNumber(number), until })),
    ),
  };
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

/** Of the parameter with all their former numbers, those that were theirs when a row of this table was stored. */
function heldThen(parameter: string, table: string): string {
  return `cross join lateral (select coalesce(json_agg(number), '[]') as numbers, string_agg(pattern, '|') as pattern
    from json_to_recordset(${parameter}::json) as f (number text, pattern text, until timestamptz) where ${table}.created_at <= until) held`;
}

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
