/** The inbox: raw bytes and their events stored in one commit, then applied lane by lane, exactly once. */
import type { ChannelEvent, ReceivedEvent } from "../../plugin/contract.ts";
import { ChannelError } from "../../plugin/errors.ts";
import type { Inbox, IncomingDelivery, RecordedDelivery, StoredEvent } from "../../plugin/ports.ts";
import type { Database, Tx } from "./database.ts";
import { type EffectOptions, writeEffects } from "./effects.ts";
import { enqueueOnLanes, fenced, LeaseLost, releaseLanes } from "./lanes.ts";
import { oneAtATime, type Route, routeEvents, routeKnown } from "./routing.ts";

/** Meta's own retries end after 7 days; a status may precede its message by seconds, not by a day. */
const PARKED_FOR = "24 hours";

export function createInbox(db: Database, options: EffectOptions): Inbox {
  return {
    async record(deliveries) {
      try {
        return await storeAll(db, deliveries);
      } catch (error) {
        if (error instanceof ChannelError || deliveries.length > 1 || !isDataFault(error)) throw error;
        // Rule 7: what Postgres will not take as events is kept as bytes, so that Meta need not send it for days.
        const [delivery] = deliveries as [IncomingDelivery];
        const reason = `quarantined: Postgres refused it (${sqlState(error)})`;
        return db.transaction((tx) => store(tx, db, [{ ...delivery, payload: null, error: reason, events: [] }]));
      }
    },

    // Rule: the lane was taken in one statement, its events are read in the next. One statement would read them from a
    // snapshot older than the lease: 46 order violations in 20,000 events.
    async load(lanes, perLane) {
      const rows = await db.query<{
        id: string;
        lane_key: string;
        contact_id: string | null;
        payload: ChannelEvent;
        created_at: Date;
        stored_at: string;
      }>(
        `select e.id, e.lane_key, e.contact_id, e.payload, e.created_at,
           to_char(e.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as stored_at
         from unnest($1::text[]) with ordinality as l (lane_key, position)
         join lateral (
           select id, lane_key, contact_id, payload, created_at from ${db.name("whatsapp_events")}
           where lane_key = l.lane_key and state = 0 order by id limit $2) e on true
         order by l.position, e.id`,
        [lanes.map(({ laneKey }) => laneKey), perLane],
      );
      return rows.map((row) => ({
        eventId: row.id,
        laneKey: row.lane_key,
        contactId: row.contact_id,
        event: revive(row.payload),
        receivedAt: row.created_at,
        storedAt: row.stored_at,
      }));
    },

    async apply(lanes, events, effects) {
      const shape = await options.hostShape();
      return fenced(db, async (tx) => {
        const parked = await writeEffects(tx, db, shape, effects, events, options);
        const perLane = countBy(events, ({ laneKey }) => laneKey);
        const finished = lanes.map((lane) => ({ lane, items: perLane.get(lane.laneKey) ?? 0 }));
        if (!(await releaseLanes(tx, db, finished))) throw new LeaseLost();
        await complete(tx, db, events, parked);
      });
    },

    async bury(lane, eventId, error) {
      await fenced(db, async (tx) => {
        if (!(await releaseLanes(tx, db, [{ lane, items: 1 }]))) throw new LeaseLost();
        const rows = await tx.query<{ webhook_id: string }>(
          `update ${db.name("whatsapp_events")} set state = 2, last_error = $2 where id = $1 and state = 0 returning webhook_id`,
          [eventId, error],
        );
        await tx.query(
          `update ${db.name("whatsapp_webhooks")} set pending = pending - 1, error = $2 where id = any($1)`,
          [rows.map((row) => row.webhook_id), `dead letter: ${error}`],
        );
      });
    },

    async unpark() {
      return db.transaction(async (tx) => {
        const found = await tx.query<{ id: string; lane_key: string; webhook_id: string }>(
          `select e.id, e.lane_key, e.webhook_id from ${db.name("whatsapp_events")} e
           where e.state = 3 and exists (select 1 from ${db.name("whatsapp_outbox")} o where o.message_id = e.external_id)
           order by e.id limit 500 for update skip locked`,
        );
        const perLane = [...countBy(found, (row) => row.lane_key)];
        await enqueueOnLanes(
          tx,
          db,
          perLane.map(([laneKey, items]) => ({ laneKey, stage: "in" as const, items })),
        );
        await tx.query(`update ${db.name("whatsapp_events")} set state = 0 where id = any($1)`, [
          found.map((row) => row.id),
        ]);
        await countWebhooks(
          tx,
          db,
          found.map((row) => row.webhook_id),
          1,
        );
        // Sent by another app on the same number: nothing of ours will ever match.
        await tx.query(
          `update ${db.name("whatsapp_events")} set state = 1 where state = 3 and created_at < now() - interval '${PARKED_FOR}'`,
        );
        return found.length;
      });
    },
  };
}

/** Thrown to roll back: a contact was linked to another one after its events were routed, and before we had its lane. */
class ContactMoved extends Error {
  override readonly name = "ContactMoved";
}

async function storeAll(db: Database, deliveries: readonly IncomingDelivery[]): Promise<readonly RecordedDelivery[]> {
  const stored = await storeInOneCall(db, deliveries);
  if (stored !== null) return stored;
  for (;;) {
    try {
      return await db.transaction((tx) => store(tx, db, deliveries));
    } catch (error) {
      // Routed anew, they find the elder. Links are rare, so this ends.
      if (!(error instanceof ContactMoved)) throw error;
    }
  }
}

/** Out of the ordinary: see the function `whatsapp_record` in the migrations. */
const LONG_WAY = "WA001";

/**
 * Two round trips instead of six, when everybody is known, every number is connected and nothing was stored before.
 * @returns null when it is not so: nothing was stored then.
 */
async function storeInOneCall(
  db: Database,
  deliveries: readonly IncomingDelivery[],
): Promise<readonly RecordedDelivery[] | null> {
  const items = deliveries.flatMap((delivery, at) => delivery.events.map((event) => ({ event, at })));
  const routes = await routeKnown(
    db,
    db,
    items.map(({ event }) => event),
  );
  if (routes === null || routes.some(({ laneKey }) => laneKey === null)) return null;
  const bodies = together(deliveries.map(({ body }) => body));
  const payloads = together(items.map(({ event }) => Buffer.from(JSON.stringify(event))));
  try {
    const [row] = await db.query<{ webhook_ids: readonly string[]; event_ids: readonly string[] | null }>(
      `select to_json(webhook_ids::text[]) as webhook_ids, to_json(event_ids::text[]) as event_ids
       from ${db.name("whatsapp_record")}(
         $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`,
      [
        bodies.all,
        bodies.starts,
        bodies.lengths,
        ...deliveryColumns(deliveries),
        items.map(({ at }) => at + 1),
        routes.map(({ laneKey }) => laneKey),
        routes.map(({ connectionId }) => connectionId),
        routes.map(({ contactId }) => contactId),
        ...eventColumns(items),
        payloads.all,
        payloads.starts,
        payloads.lengths,
      ],
    );
    const recorded = items.map(
      ({ event }, i): ReceivedEvent => ({
        kind: event.kind,
        outcome: "accepted",
        lane: routes[i]?.laneKey ?? null,
        eventId: row?.event_ids?.[i] ?? null,
      }),
    );
    return deliveries.map(({ error }, at) => ({
      webhookId: row?.webhook_ids[at] as string,
      error,
      events: recorded.filter((_event, i) => items[i]?.at === at),
    }));
  } catch (error) {
    if (sqlState(error) === LONG_WAY) return null;
    throw error;
  }
}

function deliveryColumns(deliveries: readonly IncomingDelivery[]): readonly unknown[] {
  return [
    deliveries.map(({ payload }) => payload === "verbatim"),
    deliveries.map(({ payload }) => (payload === null || payload === "verbatim" ? null : payload.text)),
    deliveries.map(({ webhookType }) => webhookType),
    deliveries.map(({ secretIndex }) => secretIndex),
    deliveries.map(({ events }) => events.length),
    deliveries.map(({ error }) => error),
  ];
}

function eventColumns(items: readonly { readonly event: ChannelEvent }[]): readonly unknown[] {
  return [
    items.map(({ event }) => event.dedupeKey),
    items.map(({ event }) => event.kind),
    items.map(({ event }) => (event.kind === "unsupported" ? null : event.messageId)),
    items.map(({ event }) => event.phoneNumberId),
  ];
}

async function store(
  tx: Tx,
  db: Database,
  deliveries: readonly IncomingDelivery[],
): Promise<readonly RecordedDelivery[]> {
  const events = deliveries.flatMap((delivery, at) => delivery.events.map((event) => ({ event, at })));
  const routes = await route(
    tx,
    db,
    events.map(({ event }) => event),
  );
  const webhookIds = await insertWebhooks(tx, db, deliveries);
  const items = events.map(({ event, at }, i) => ({
    event,
    at,
    webhookId: webhookIds[at] as string,
    route: routes[i] as Route,
  }));
  const lanes = countBy(items, ({ route }) => route.laneKey);
  lanes.delete(null);
  await enqueueOnLanes(
    tx,
    db,
    [...lanes].map(([laneKey, count]) => ({ laneKey: laneKey as string, stage: "in" as const, items: count })),
  );
  const inserted = await insertEvents(tx, db, items);
  await uncountDuplicates(tx, db, items, inserted);
  const recorded = items.map(({ event, route }, i): ReceivedEvent => {
    const eventId = inserted.get(i) ?? null;
    const outcome = eventId === null ? "duplicate" : route.laneKey === null ? "ignored" : "accepted";
    return { kind: event.kind, outcome, lane: route.laneKey, eventId };
  });
  await finishWebhooks(tx, db, webhookIds, items, recorded);
  return deliveries.map(({ error }, at) => ({
    webhookId: webhookIds[at] as string,
    error,
    events: recorded.filter((_event, i) => items[i]?.at === at),
  }));
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

type Item = { readonly event: ChannelEvent; readonly at: number; readonly webhookId: string; readonly route: Route };

/** Travels as one binary parameter and is cut apart on the server: no escaping, no text form of bytes. */
type Bytes = { readonly all: Buffer; readonly starts: readonly number[]; readonly lengths: readonly number[] };

function together(parts: readonly Uint8Array[]): Bytes {
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
       secret, pending, error, pending = 0 and error is null
     from unnest($2::int[], $3::int[], $4::boolean[], $5::text[], $6::text[], $7::smallint[], $8::int[], $9::text[])
       as d (start, length, verbatim, mended, type, secret, pending, error) returning id`,
    [bodies.all, bodies.starts, bodies.lengths, ...deliveryColumns(deliveries)],
  );
  // Identity values are drawn in the order of the rows.
  return inserted.map((row) => row.id);
}

/** @returns event ids by position; a position that is missing was stored before. */
async function insertEvents(tx: Tx, db: Database, items: readonly Item[]): Promise<ReadonlyMap<number, string>> {
  if (items.length === 0) return new Map();
  const payloads = together(items.map(({ event }) => Buffer.from(JSON.stringify(event))));
  const inserted = await tx.query<{ id: string; dedupe_key: string; moved: boolean }>(
    `insert into ${db.name("whatsapp_events")} (lane_key, connection_id, contact_id, dedupe_key, kind, external_id,
       phone_number_id, payload, state, webhook_id, created_at)
     select lane_key, connection_id, contact_id, dedupe_key, kind, external_id, phone_number_id,
       convert_from(substring($8::bytea from start for length), 'UTF8')::jsonb,
       case when lane_key is null then 4 else 0 end, webhook_id, clock_timestamp() + i * interval '1 microsecond'
     from unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $9::int[], $10::int[],
       $11::bigint[]) with ordinality as e (lane_key, connection_id, contact_id, dedupe_key, kind, external_id, phone_number_id,
         start, length, webhook_id, i)
     on conflict (dedupe_key) do nothing returning id, dedupe_key, exists (
       select 1 from ${db.name("whatsapp_contacts")} where id = any($3) and merged_into is not null) as moved`,
    [
      items.map(({ route }) => route.laneKey),
      items.map(({ route }) => route.connectionId),
      items.map(({ route }) => route.contactId),
      ...eventColumns(items),
      payloads.all,
      payloads.starts,
      payloads.lengths,
      items.map(({ webhookId }) => webhookId),
    ],
  );
  // Whoever links contacts holds their lanes, and so do we by now: what this statement sees of them is final.
  if (inserted.some(({ moved }) => moved)) throw new ContactMoved();
  const idOf = new Map(inserted.map((row) => [row.dedupe_key, row.id]));
  const byPosition = new Map<number, string>();
  for (const [i, { event }] of items.entries()) {
    const id = idOf.get(event.dedupeKey);
    if (id === undefined) continue;
    byPosition.set(i, id);
    idOf.delete(event.dedupeKey); // the same change twice in one batch: the second is a duplicate
  }
  return byPosition;
}

async function uncountDuplicates(
  tx: Tx,
  db: Database,
  items: readonly Item[],
  inserted: ReadonlyMap<number, string>,
): Promise<void> {
  const duplicates = items.filter(({ route }, i) => !inserted.has(i) && route.laneKey !== null);
  const lanes = countBy(duplicates, ({ route }) => route.laneKey as string);
  await enqueueOnLanes(
    tx,
    db,
    [...lanes].map(([laneKey, count]) => ({ laneKey, stage: "in" as const, items: -count })),
  );
}

/** A delivery waits for its accepted events only; duplicates were counted elsewhere, unrouted ones are its error. */
async function finishWebhooks(
  tx: Tx,
  db: Database,
  webhookIds: readonly string[],
  items: readonly Item[],
  recorded: readonly ReceivedEvent[],
): Promise<void> {
  const corrections = webhookIds.map((id) => ({ id, less: 0, unrouted: false }));
  for (const [i, { outcome }] of recorded.entries()) {
    const correction = corrections[items[i]?.at ?? -1];
    if (correction === undefined || outcome === "accepted") continue;
    correction.less += 1;
    if (outcome === "ignored") correction.unrouted = true;
  }
  const needed = corrections.filter(({ less }) => less > 0);
  if (needed.length === 0) return;
  await tx.query(
    `update ${db.name("whatsapp_webhooks")} w set pending = w.pending - c.less,
       error = case when c.unrouted then 'unrouted: no connection holds this number; it is applied once one does' else w.error end,
       processed = w.pending - c.less = 0 and not c.unrouted and w.error is null
     from json_to_recordset($1::json) as c (id bigint, less int, unrouted boolean) where w.id = c.id`,
    [JSON.stringify(needed)],
  );
}

async function complete(
  tx: Tx,
  db: Database,
  events: readonly StoredEvent[],
  parked: ReadonlySet<string>,
): Promise<void> {
  const rows = await tx.query<{ webhook_id: string }>(
    `update ${db.name("whatsapp_events")} e set state = done.state
     from unnest($1::bigint[], $2::smallint[]) as done (id, state) where e.id = done.id returning e.webhook_id`,
    [events.map(({ eventId }) => eventId), events.map(({ eventId }) => (parked.has(eventId) ? 3 : 1))],
  );
  await countWebhooks(
    tx,
    db,
    rows.map((row) => row.webhook_id),
    -1,
  );
}

/** Sorted, because the events of one delivery are completed by several workers at once. */
async function countWebhooks(tx: Tx, db: Database, webhookIds: readonly string[], sign: 1 | -1): Promise<void> {
  if (webhookIds.length === 0) return;
  const counts = countBy(webhookIds, (id) => id);
  await tx.query(
    `with mine as (
       select w.id, c.n from ${db.name("whatsapp_webhooks")} w
       join unnest($1::bigint[], $2::int[]) as c (id, n) on c.id = w.id order by w.id for update of w)
     update ${db.name("whatsapp_webhooks")} w set pending = w.pending + mine.n,
       processed = w.pending + mine.n = 0 and w.error is null
     from mine where w.id = mine.id`,
    [[...counts.keys()], [...counts.values()].map((n) => n * sign)],
  );
}

/**
 * Events that came for a number before it was connected: routed now, in stored order.
 * @returns how many were queued.
 */
export async function routeWaiting(tx: Tx, db: Database, phoneNumberId: string, wabaId: string): Promise<number> {
  await oneAtATime(tx, db);
  const rows = await tx.query<{ id: string; webhook_id: string; payload: ChannelEvent }>(
    `select id, webhook_id, payload from ${db.name("whatsapp_events")}
     where state = 4 and (phone_number_id = $1 or (phone_number_id is null and payload ->> 'wabaId' = $2)) order by id for update`,
    [phoneNumberId, wabaId],
  );
  const routes = await routeEvents(
    tx,
    db,
    rows.map((row) => revive(row.payload)),
  );
  const lanes = countBy(routes, (route) => route.laneKey);
  lanes.delete(null);
  await enqueueOnLanes(
    tx,
    db,
    [...lanes].map(([laneKey, items]) => ({ laneKey: laneKey as string, stage: "in" as const, items })),
  );
  await tx.query(
    `update ${db.name("whatsapp_events")} e set state = 0, lane_key = r.lane_key, connection_id = r.connection_id, contact_id = r.contact_id
     from json_to_recordset($1::json) as r (id bigint, lane_key text, connection_id uuid, contact_id bigint)
     where e.id = r.id and r.lane_key is not null`,
    [
      JSON.stringify(
        rows.map((row, i) => ({
          id: row.id,
          lane_key: routes[i]?.laneKey,
          connection_id: routes[i]?.connectionId,
          contact_id: routes[i]?.contactId,
        })),
      ),
    ],
  );
  await tx.query(
    `update ${db.name("whatsapp_webhooks")} set error = null where id = any($1) and error like 'unrouted:%'`,
    [rows.map((row) => row.webhook_id)],
  );
  await countWebhooks(
    tx,
    db,
    rows.map((row) => row.webhook_id),
    1,
  );
  return rows.length;
}

/** JSON has no dates. */
function revive(event: ChannelEvent): ChannelEvent {
  return { ...event, occurredAt: event.occurredAt === null ? null : new Date(event.occurredAt) };
}

function countBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, number> {
  const counts = new Map<K, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}

/** Data, constraint and size errors speak of the payload; anything else is ours to mend before Meta brings it again. */
function isDataFault(error: unknown): boolean {
  return /^(?:22|23|54)/.test(sqlState(error));
}

function sqlState(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  return typeof code === "string" ? code : "unknown";
}
