/** A person is erased: everything of theirs in one transaction, in the order of locks that everybody keeps. */
import { ChannelError } from "../../plugin/errors.ts";
import type { Erasure, ErasureCounts, ErasureSubject } from "../../plugin/ports.ts";
import { inLane, outLane } from "./contacts.ts";
import { countBy } from "./count-by.ts";
import type { Database, Queries, Tx } from "./database.ts";
import {
  findExchanged,
  findOldConversations,
  findOrphans,
  findPeople,
  findWritten,
  type People,
} from "./find-person.ts";
import { findTraces, type Traces } from "./find-traces.ts";
import { eraseFromHost } from "./host-erasure.ts";
import { eraseMedia } from "./media.ts";
import { oneAtATime } from "./routing.ts";
import { entomb, eraseBytes, rememberErased } from "./tombstones.ts";
import { lockTurns, turnLane } from "./turns.ts";

/** A lock that does not come in this time is held by somebody of the host's: then not now. */
const LOCK_TIMEOUT = "10s";
/** How long a transaction that stores something may have been open when it was looked for. */
const MARGIN = "2 minutes";
const TRIES = 3;

/** @param db with time for statements that read a table from end to end. */
export function createErasure(db: Database): Erasure {
  /** Each by itself, and no longer on the server than here. */
  const one: Queries = { query: db.bounded };

  /** Everything, without a lock: it may take a while, and people must be able to write meanwhile. */
  async function look(subject: ErasureSubject, customerConfigId: string | null) {
    const [{ since }] = (await one.query(`select (now() - interval '${MARGIN}')::text as since`)) as [
      { since: string },
    ];
    const people = await findPeople(one, db, subject, customerConfigId);
    const old = await findOldConversations(one, db, people.contacts);
    const orphans = await findOrphans(one, db, people);
    // One tenant's person must not take another's along.
    const all = [...people.conversations, ...old, ...(customerConfigId === null ? orphans : [])];
    const found = { ...people, conversations: [...new Set(all)] };
    const messageIds = [
      ...(await findWritten(one, db, found.contacts)),
      ...(await findExchanged(one, db, found.conversations)),
    ];
    const traces = await findTraces(one, db, found, messageIds, customerConfigId, null);
    return { since, people: found, orphans, messageIds, traces };
  }

  return {
    async isKnown(subject) {
      return (await findPeople(db, db, subject, null)).contacts.length > 0;
    },

    async count(subject, customerConfigId) {
      const { people, traces } = await look(subject, customerConfigId);
      const [row] = await db.query<ErasureCounts>(
        `select (select count(*)::int from ${db.hostName("messages")} where conversation_id = any($2)) as messages,
           (select count(*)::int from ${db.name("whatsapp_media")} where contact_id = any($1) or conversation_id = any($2)) as media,
           (select count(*)::int from ${db.name("whatsapp_turns")} where contact_id = any($1)) as turns,
           (select count(*)::int from ${db.name("whatsapp_sends")} where conversation_id = any($2)) as sends,
           (select count(*)::int from ${db.name("whatsapp_host_events")} where lane_key = any($3) or id = any($4)) as "hostEvents"`,
        [people.contacts, people.conversations, people.conversations.map(notifyKey), traces.hostEvents],
      );
      return { ...(row as ErasureCounts), ...sizesOf(people, traces) };
    },

    async erase(subject, customerConfigId) {
      for (let tries = 1; ; tries++) {
        const before = await look(subject, customerConfigId);
        try {
          return await db.transaction((tx) => eraseFound(tx, subject, customerConfigId, before));
        } catch (error) {
          // Somebody who works on what is theirs got in the way; the work is still there.
          if (tries === TRIES || !(error instanceof ChannelError) || error.code !== "STORE_UNAVAILABLE") throw error;
        }
      }
    },
  };

  async function eraseFound(
    tx: Tx,
    subject: ErasureSubject,
    customerConfigId: string | null,
    before: Awaited<ReturnType<typeof look>>,
  ): Promise<ErasureCounts> {
    await tx.query(`set local lock_timeout = '${LOCK_TIMEOUT}'`);
    // Nobody new is met while it lasts, so these are all.
    await oneAtATime(tx, db);
    const now = await findPeople(tx, db, subject, customerConfigId);
    // What stands under a name that was not looked for may have been stored long ago, before its number was connected.
    if (isMore(now, before.people))
      throw new ChannelError(
        "STORE_UNAVAILABLE",
        "More of theirs came while it was looked for: nothing is erased yet.",
        {
          retry: "backoff",
        },
      );
    const contacts = [...new Set([...before.people.contacts, ...now.contacts])];
    // A worker that had one of them has perhaps just made the conversation.
    const locked = await tx.query<{ conversation_id: string | null }>(
      `select conversation_id from ${db.name("whatsapp_contacts")} where id = any($1) order by id for update`,
      [contacts],
    );
    const latest = locked.map((row) => row.conversation_id).filter((id) => id !== null);
    const conversations = [...new Set([...before.people.conversations, ...now.conversations, ...latest])];
    const people: People = {
      contacts,
      conversations,
      aliases: new Set([...before.people.aliases, ...now.aliases]),
      formerNumbers: [...before.people.formerNumbers, ...now.formerNumbers],
    };

    await tx.query(
      `select 1 from ${db.name("whatsapp_outbox")} o where o.send_id in (
         select id from ${db.name("whatsapp_sends")} where conversation_id = any($1)) order by o.id for update`,
      [conversations],
    );
    const windows = [...conversations, ...before.orphans];
    await tx.query(
      `select 1 from ${db.name("whatsapp_sessions")} where conversation_id = any($1) order by conversation_id for update`,
      [windows],
    );
    await tx.query(`delete from ${db.name("whatsapp_sessions")} where conversation_id = any($1)`, [windows]);
    await tx.query(`delete from ${db.name("whatsapp_preferences")} where contact_id = any($1)`, [contacts]);
    const messageIds = new Set([...before.messageIds, ...(await findExchanged(tx, db, conversations))]);
    const first = await eraseFromHost(tx, db, conversations);
    const media = await eraseMedia(tx, db, contacts, conversations);
    await lockLanes(tx, people, before.traces);

    // From here on nothing of theirs can be added, nor taken up by a worker. An answer may have come just before.
    for (const id of await findExchanged(tx, db, conversations)) messageIds.add(id);
    const second = await eraseFromHost(tx, db, conversations);
    const messages = first.deleted + second.deleted + second.emptied;
    const traces = merged(
      before.traces,
      await findTraces(tx, db, people, [...messageIds], customerConfigId, before.since),
    );
    const hostEvents = await eraseHostEvents(tx, people, traces);
    lockTurns(tx, db, contacts.map(turnLane));
    const turns = await tx.query(`delete from ${db.name("whatsapp_turns")} where contact_id = any($1) returning 1`, [
      contacts,
    ]);
    const sends = await tx.query(
      `delete from ${db.name("whatsapp_sends")} where conversation_id = any($1) returning 1`,
      [conversations],
    );
    const newest = await eraseEvents(tx, people, traces);
    rememberErased(tx, db, [...messageIds, ...newest]);
    await tx.query(`delete from ${db.name("whatsapp_contacts")} where id = any($1)`, [contacts]);
    return { ...sizesOf(people, traces), messages, media, turns: turns.length, sends: sends.length, hostEvents };
  }

  /** Whoever is working on one of them is fenced out when this commits. */
  async function lockLanes(tx: Tx, { contacts, conversations }: People, traces: Traces): Promise<void> {
    const lanes = db.name("whatsapp_lanes");
    // One that is not there yet must not come into being meanwhile.
    const stages = [
      { stage: "notify", keys: [...conversations.map(notifyKey), ...traces.hostEventLanes] },
      { stage: "turn", keys: contacts.map(turnLane) },
      { stage: "out", keys: contacts.map(outLane) },
      { stage: "in", keys: [...contacts.map(inLane), ...traces.eventLanes] },
    ];
    for (const { stage, keys } of stages) {
      // With the lock at once: between two statements an idle one may be pruned.
      await tx.query(
        `insert into ${lanes} as l (lane_key, stage) select distinct key, $2 from unnest($1::text[]) as k (key) order by key
         on conflict (lane_key) do update set stage = l.stage`,
        [keys, stage],
      );
    }
  }

  async function eraseHostEvents(tx: Tx, { conversations }: People, traces: Traces): Promise<number> {
    const own = conversations.map(notifyKey);
    const rows = await tx.query<{ lane_key: string; state: number }>(
      `delete from ${db.name("whatsapp_host_events")} where lane_key = any($1) or id = any($2) returning lane_key, state`,
      [own, traces.hostEvents],
    );
    const waiting = rows.filter(({ state, lane_key }) => state === 0 && !own.includes(lane_key));
    await takeOff(
      tx,
      countBy(waiting, (row) => row.lane_key),
    );
    await tx.query(`delete from ${db.name("whatsapp_lanes")} where lane_key = any($1)`, [own]);
    return rows.length;
  }

  /** @returns the wamids that they were about. */
  async function eraseEvents(tx: Tx, { contacts }: People, traces: Traces): Promise<readonly string[]> {
    const rows = await tx.query<{
      lane_key: string | null;
      state: number;
      webhook_id: string;
      external_id: string | null;
    }>(
      `select lane_key, state, webhook_id, external_id from ${db.name("whatsapp_events")} where id = any($1) order by id for update`,
      [traces.events],
    );
    const own = [inLane, turnLane, outLane].flatMap((laneOf) => contacts.map(laneOf));
    const waiting = rows.filter(({ state }) => state === 0);
    await takeOff(
      tx,
      countBy(
        waiting.filter((row) => row.lane_key !== null && !own.includes(row.lane_key)),
        (row) => row.lane_key as string,
      ),
    );
    await tx.query(`delete from ${db.name("whatsapp_lanes")} where lane_key = any($1)`, [own]);
    entomb(tx, db, traces.events);
    const perDelivery = [...countBy(waiting, (row) => row.webhook_id)];
    await tx.query(
      `with mine as (
         select w.id, c.n from ${db.name("whatsapp_webhooks")} w join unnest($1::bigint[], $2::int[]) as c (id, n) on c.id = w.id
         order by w.id for update of w)
       update ${db.name("whatsapp_webhooks")} w set pending = w.pending - mine.n from mine where w.id = mine.id`,
      [perDelivery.map(([id]) => id), perDelivery.map(([, n]) => n)],
    );
    eraseBytes(tx, db, traces.deliveries);
    return rows.map((row) => row.external_id).filter((id) => id !== null);
  }

  /** Off lanes that others use too: who holds one has perhaps read what is gone, and begins anew. */
  async function takeOff(tx: Tx, counts: ReadonlyMap<string, number>): Promise<void> {
    await tx.query(
      `update ${db.name("whatsapp_lanes")} l set pending = l.pending - c.n, lease_token = null,
         ready_at = case when l.pending - c.n > 0 then now() end
       from unnest($1::text[], $2::int[]) as c (lane_key, n) where l.lane_key = c.lane_key`,
      [[...counts.keys()], [...counts.values()]],
    );
  }
}

/** Whether one knows somebody, or a name of theirs, that the other does not. */
function isMore(one: People, other: People): boolean {
  const all = ({ contacts, aliases, formerNumbers }: People) => [
    ...contacts,
    ...aliases,
    ...formerNumbers.map(({ number }) => `phone:${number}`),
  ];
  const known = new Set(all(other));
  return all(one).some((key) => !known.has(key));
}

function notifyKey(conversationId: string): string {
  return `notify:conversation:${conversationId}`;
}

function merged(one: Traces, other: Traces): Traces {
  const both = (key: keyof Traces) => [...new Set([...one[key], ...other[key]])];
  return {
    events: both("events"),
    eventLanes: both("eventLanes"),
    hostEvents: both("hostEvents"),
    hostEventLanes: both("hostEventLanes"),
    deliveries: both("deliveries"),
  };
}

function sizesOf({ contacts, conversations }: People, { events, deliveries }: Traces) {
  return {
    contacts: contacts.length,
    conversations: conversations.length,
    events: events.length,
    deliveries: deliveries.length,
  };
}
