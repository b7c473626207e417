/** Storing deliveries: raw bytes and their events in one commit, each event on its lane. Only then may anybody say 200. */
import type { ChannelEvent, ReceivedEvent } from "../../plugin/contract.ts";
import { ChannelError } from "../../plugin/errors.ts";
import type { Inbox, IncomingDelivery, RecordedDelivery } from "../../plugin/ports.ts";
import { messageIdOf } from "./aliases.ts";
import { countBy } from "./count-by.ts";
import type { Database, Tx } from "./database.ts";
import { enqueueOnLanes } from "./lanes.ts";
import { type LastHolder, lastHolders } from "./left-numbers.ts";
import { recordOrdinary } from "./record-ordinary.ts";
import { oneAtATime, type Route, routeEvents, waits } from "./routing.ts";
import { BYTES_ERASED, ERASED, erasedKeys, errorOfW, storedKey } from "./tombstones.ts";

export function createRecord(db: Database): Inbox["record"] {
  return async (deliveries) => {
    try {
      return (await recordOrdinary(db, deliveries)) ?? (await recordAny(db, deliveries));
    } catch (error) {
      if (error instanceof ChannelError || deliveries.length > 1 || !isDataFault(error)) throw error;
      // Rule 7: what Postgres will not take as events is kept as bytes, so that Meta need not send it for days.
      const [delivery] = deliveries as [IncomingDelivery];
      const reason = `quarantined: Postgres refused it (${sqlState(error)})`;
      return db.transaction((tx) => store(tx, db, [{ ...delivery, payload: null, error: reason, events: [] }]));
    }
  };
}

/** Thrown to roll back: a contact was linked to another one, or erased, after its events were routed, and before we had its lane. */
class ContactMoved extends Error {
  override readonly name = "ContactMoved";
}

/** Whatever it is: new people, numbers nobody has connected, what was stored before, what must be mended. */
async function recordAny(db: Database, deliveries: readonly IncomingDelivery[]): Promise<readonly RecordedDelivery[]> {
  const erased = new Set<string>();
  for (;;) {
    try {
      return await storing(db, (tx) => store(tx, db, deliveries, erased));
    } catch (error) {
      if (!(error instanceof TwinErased)) throw error;
      for (const key of error.keys) erased.add(key);
    }
  }
}

/** Thrown to roll back: what was stored before is of a person who was erased since, and must not bring them back. */
class TwinErased extends Error {
  override readonly name = "TwinErased";
  readonly keys: readonly string[];
  constructor(keys: readonly string[]) {
    super();
    this.keys = keys;
  }
}

/** A transaction that routes events and stores them. */
export async function storing<T>(db: Database, run: (tx: Tx) => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await db.transaction(run);
    } catch (error) {
      // Routed anew, they find the elder, or make a new one. Both are rare, so this ends.
      if (!(error instanceof ContactMoved)) throw error;
    }
  }
}

async function store(
  tx: Tx,
  db: Database,
  deliveries: readonly IncomingDelivery[],
  erased: ReadonlySet<string> = new Set(),
): Promise<readonly RecordedDelivery[]> {
  const known = deliveries.map((delivery) => without(delivery, erased));
  const all = await routeAll(tx, db, known);
  const left = await writtenToNumbersThatHaveLeft(tx, db, all);
  const leftKeys = new Set(left.map(({ event }) => storedKey(event.dedupeKey)));
  const routed = left.length === 0 ? all : all.filter(({ event }) => !leftKeys.has(storedKey(event.dedupeKey)));
  const kept = known.map((delivery) => without(delivery, leftKeys));
  const webhookIds = await insertWebhooks(tx, db, kept);
  const recorded = await storeEvents(tx, db, routed, webhookIds);
  await insertKeys(tx, db, left, webhookIds);
  const duplicates = routed.filter((_event, i) => recorded[i]?.outcome === "duplicate");
  const twins = await erasedKeys(
    tx,
    db,
    duplicates.map(({ event }) => storedKey(event.dedupeKey)),
  );
  if (twins.length > 0) throw new TwinErased(twins);
  return deliveries.map(({ error, events }, at) => {
    const stored = recorded.filter((_event, i) => routed[i]?.at === at);
    return {
      webhookId: webhookIds[at] as string,
      error,
      events: events.map((event): ReceivedEvent => {
        const key = storedKey(event.dedupeKey);
        if (leftKeys.has(key)) return { kind: event.kind, outcome: "ignored", lane: null, eventId: null };
        const found = erased.has(key) ? undefined : stored.shift();
        return found ?? { kind: event.kind, outcome: "duplicate", lane: null, eventId: null };
      }),
    };
  });
}

/** Its bytes go whole, whoever else is in them. */
function without(delivery: IncomingDelivery, keys: ReadonlySet<string>): IncomingDelivery {
  if (keys.size === 0) return delivery;
  const events = delivery.events.filter(({ dedupeKey }) => !keys.has(storedKey(dedupeKey)));
  if (events.length === delivery.events.length) return delivery;
  return { ...delivery, events, body: new Uint8Array(), payload: null, error: BYTES_ERASED };
}

/** Nobody has asked for it: whose it was has left, and who has the number next must not get it. */
async function writtenToNumbersThatHaveLeft(
  tx: Tx,
  db: Database,
  routed: readonly RoutedEvent[],
): Promise<readonly RoutedEvent[]> {
  const nobodys = routed.filter(({ event, route }) => route.laneKey === null && event.phoneNumberId !== null);
  const numbers = new Set(nobodys.map(({ event }) => event.phoneNumberId as string));
  const holders = await lastHolders(tx, db, [...numbers]);
  const isLeft = (holder: LastHolder | undefined) => holder?.isComingBack === false && !holder.isConnected;
  return nobodys.filter(({ event }) => isLeft(holders.get(event.phoneNumberId as string)));
}

/** By the key alone it is known when Meta brings it again, whoever has the number by then. */
async function insertKeys(
  tx: Tx,
  db: Database,
  left: readonly RoutedEvent[],
  webhookIds: readonly string[],
): Promise<void> {
  if (left.length === 0) return;
  await tx.query(
    `insert into ${db.name("whatsapp_events")} (dedupe_key, kind, phone_number_id, payload, state, webhook_id)
     select dedupe_key, kind, phone_number_id, '{}', ${ERASED}, webhook_id
     from unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) as e (dedupe_key, kind, phone_number_id, webhook_id)
     on conflict (dedupe_key) do nothing`,
    [
      left.map(({ event }) => storedKey(event.dedupeKey)),
      left.map(({ event }) => event.kind),
      left.map(({ event }) => event.phoneNumberId),
      left.map(({ at }) => webhookIds[at]),
    ],
  );
}

export type RoutedEvent = { readonly event: ChannelEvent; readonly at: number; readonly route: Route };

/** @returns every event with the delivery that it came in, in order. */
export async function routeAll(
  tx: Tx,
  db: Database,
  deliveries: readonly Pick<IncomingDelivery, "events">[],
): Promise<readonly RoutedEvent[]> {
  const events = deliveries.flatMap((delivery, at) => delivery.events.map((event) => ({ event, at })));
  const routes = await route(
    tx,
    db,
    events.map(({ event }) => event),
  );
  return events.map((one, i) => ({ ...one, route: routes[i] as Route }));
}

/**
 * @param webhookIds by the position of the delivery.
 * @param pending how many events these deliveries do not count as pending yet.
 */
export async function storeEvents(
  tx: Tx,
  db: Database,
  routed: readonly RoutedEvent[],
  webhookIds: readonly string[],
  { again, pending }: { readonly again: boolean; readonly pending: number } = { again: false, pending: 0 },
): Promise<readonly ReceivedEvent[]> {
  const items = routed.map((one) => ({ ...one, webhookId: webhookIds[one.at] as string }));
  const lanes = countBy(items, ({ route }) => route.laneKey);
  const tenants = new Map(items.map(({ route }) => [route.laneKey, route.tenant]));
  lanes.delete(null);
  enqueueOnLanes(
    tx,
    db,
    [...lanes].map(([laneKey, count]) => ({
      laneKey: laneKey as string,
      stage: "in" as const,
      items: count,
      tenant: tenants.get(laneKey) ?? null,
    })),
  );
  const { inserted, waiting } = await insertEvents(tx, db, items, again);
  await uncountDuplicates(tx, db, items, inserted);
  const recorded = items.map(({ event, route }, i): ReceivedEvent => {
    const eventId = inserted.get(i) ?? null;
    const outcome = eventId === null ? "duplicate" : route.laneKey === null ? "ignored" : "accepted";
    return { kind: event.kind, outcome, lane: route.laneKey, eventId };
  });
  // After the lanes, as everybody who takes both.
  if (pending > 0)
    await tx.query(
      `update ${db.name("whatsapp_webhooks")} set pending = pending + $2, processed = false where id = any($1)`,
      [webhookIds, pending],
    );
  await finishWebhooks(tx, db, webhookIds, items, recorded, waiting);
  return recorded;
}

/**
 * Events without a lane have no row to queue at, so they queue here: two batches in opposite order would meet at the
 * dedupe keys, and a connection that is made meanwhile must see them or be seen.
 */
async function route(tx: Tx, db: Database, events: readonly ChannelEvent[]): Promise<readonly Route[]> {
  const routes = await routeEvents(tx, db, events);
  if (routes.every(({ laneKey }) => laneKey !== null)) return routes;
  await oneAtATime(tx, db);
  return routeEvents(tx, db, events);
}

type Item = RoutedEvent & { readonly webhookId: string };

/** Bodies travel as one binary parameter and are cut apart on the server: no escaping, no text form of bytes. */
function together(parts: readonly Uint8Array[]) {
  let next = 1; // SQL counts from one
  const starts = parts.map(({ byteLength }) => {
    const start = next;
    next += byteLength;
    return start;
  });
  return { all: Buffer.concat(parts), starts, lengths: parts.map(({ byteLength }) => byteLength) };
}

async function insertWebhooks(
  tx: Tx,
  db: Database,
  deliveries: readonly IncomingDelivery[],
): Promise<readonly string[]> {
  const bodies = together(deliveries.map(({ body }) => body));
  const inserted = await tx.query<{ id: string }>(
    `insert into ${db.name("whatsapp_webhooks")} (webhook_type, body, payload, secret_index, pending, error, processed)
     select type, substring($1::bytea from start for length),
       case when verbatim then convert_from(substring($1::bytea from start for length), 'UTF8')::jsonb else mended::jsonb end,
       secret, pending, error, pending = 0 and (error is null or error = '${BYTES_ERASED}')
     from unnest($2::int[], $3::int[], $4::boolean[], $5::text[], $6::text[], $7::smallint[], $8::int[], $9::text[])
       as d (start, length, verbatim, mended, type, secret, pending, error) returning id`,
    [
      bodies.all,
      bodies.starts,
      bodies.lengths,
      deliveries.map(({ payload }) => payload === "verbatim"),
      deliveries.map(({ payload }) => (payload === null || payload === "verbatim" ? null : payload.text)),
      deliveries.map(({ webhookType }) => webhookType),
      deliveries.map(({ secretIndex }) => secretIndex),
      deliveries.map(({ events }) => events.length),
      deliveries.map(({ error }) => error),
    ],
  );
  // Identity values are drawn in the order of the rows.
  return inserted.map((row) => row.id);
}

type Inserted = {
  /** Event ids by position; a position that is missing was stored before. */
  readonly inserted: ReadonlyMap<number, string>;
  /** Ids of those that wait for their number to be connected. */
  readonly waiting: ReadonlySet<string>;
};

async function insertEvents(tx: Tx, db: Database, items: readonly Item[], again: boolean): Promise<Inserted> {
  if (items.length === 0) return { inserted: new Map(), waiting: new Set() };
  const inserted = await tx.query<{ id: string; dedupe_key: string; waits: boolean; moved: boolean }>(
    `insert into ${db.name("whatsapp_events")} (lane_key, connection_id, contact_id, dedupe_key, kind, external_id,
       phone_number_id, payload, state, webhook_id, again, created_at)
     select lane_key, connection_id, contact_id, dedupe_key, kind, external_id, phone_number_id, payload::json,
       case when lane_key is not null then 0 when ${waits(db, "kind", "e.external_id")} then 4 else 1 end, webhook_id, $10, clock_timestamp() + i * interval '1 microsecond'
     from unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
       string_to_array($8, E'\\n'), $9::bigint[]) with ordinality as e (lane_key, connection_id, contact_id, dedupe_key, kind,
         external_id, phone_number_id, payload, webhook_id, i)
     on conflict (dedupe_key) do nothing returning id, dedupe_key, state = 4 as waits, exists (
       select 1 from unnest($3::bigint[]) as r (id) left join ${db.name("whatsapp_contacts")} c on c.id = r.id
       where r.id is not null and (c.id is null or c.merged_into is not null)) as moved`,
    [
      items.map(({ route }) => route.laneKey),
      items.map(({ route }) => route.connectionId),
      items.map(({ route }) => route.contactId),
      items.map(({ event }) => storedKey(event.dedupeKey)),
      items.map(({ event }) => event.kind),
      items.map(({ event }) => messageIdOf(event)),
      items.map(({ event }) => event.phoneNumberId),
      items.map(({ event }) => JSON.stringify(event)).join("\n"),
      items.map(({ webhookId }) => webhookId),
      again,
    ],
  );
  // Whoever links contacts holds their lanes, and so do we by now: what this statement sees of them is final.
  if (inserted.some(({ moved }) => moved)) throw new ContactMoved();
  const idOf = new Map(inserted.map((row) => [row.dedupe_key, row.id]));
  const byPosition = new Map<number, string>();
  for (const [i, { event }] of items.entries()) {
    const key = storedKey(event.dedupeKey);
    const id = idOf.get(key);
    if (id === undefined) continue;
    byPosition.set(i, id);
    idOf.delete(key); // the same change twice in one batch: the second is a duplicate
  }
  return {
    inserted: byPosition,
    waiting: new Set(inserted.flatMap(({ id, waits: isWaiting }) => (isWaiting ? [id] : []))),
  };
}

async function uncountDuplicates(
  tx: Tx,
  db: Database,
  items: readonly Item[],
  inserted: ReadonlyMap<number, string>,
): Promise<void> {
  const duplicates = items.filter(({ route }, i) => !inserted.has(i) && route.laneKey !== null);
  const lanes = countBy(duplicates, ({ route }) => route.laneKey as string);
  enqueueOnLanes(
    tx,
    db,
    [...lanes].map(([laneKey, count]) => ({ laneKey, stage: "in" as const, items: -count })),
  );
}

/** A delivery waits for its accepted events only; duplicates were counted elsewhere, those that wait for their number are its error. */
async function finishWebhooks(
  tx: Tx,
  db: Database,
  webhookIds: readonly string[],
  items: readonly Item[],
  recorded: readonly ReceivedEvent[],
  waiting: ReadonlySet<string>,
): Promise<void> {
  const corrections = webhookIds.map((id) => ({ id, less: 0, unrouted: false }));
  for (const [i, { outcome, eventId }] of recorded.entries()) {
    const correction = corrections[items[i]?.at ?? -1];
    if (correction === undefined || outcome === "accepted") continue;
    correction.less += 1;
    if (eventId !== null && waiting.has(eventId)) correction.unrouted = true;
  }
  const needed = corrections.filter(({ less }) => less > 0);
  if (needed.length === 0) return;
  await tx.query(
    `update ${db.name("whatsapp_webhooks")} w set pending = w.pending - c.less,
       error = case when c.unrouted then ${errorOfW("'unrouted: no connection holds this number, or not all that came before is routed yet; it is applied then'")} else w.error end,
       processed = w.pending - c.less = 0 and not c.unrouted and (w.error is null or w.error = '${BYTES_ERASED}')
     from json_to_recordset($1::json) as c (id bigint, less int, unrouted boolean) where w.id = c.id`,
    [JSON.stringify(needed)],
  );
}

/** Data, constraint and size errors speak of the payload; anything else is ours to mend before Meta brings it again. */
export function isDataFault(error: unknown): boolean {
  return /^(?:22|23|54)/.test(sqlState(error));
}

export function sqlState(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  return typeof code === "string" ? code : "unknown";
}
