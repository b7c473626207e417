/** The inbox after the commit: stored events are read lane by lane, and each has its effect exactly once. */
import type { ChannelEvent } from "../../plugin/contract.ts";
import type { Inbox, SentTwice, Stage, StoredEvent, Undelivered } from "../../plugin/ports.ts";
import { countBy } from "./count-by.ts";
import { countOff, countWebhooks } from "./count-webhooks.ts";
import type { Database, Tx } from "./database.ts";
import { type EffectOptions, writeEffects } from "./effects.ts";
import { enqueueOnLanes, fenced, LeaseLost, releaseLanes } from "./lanes.ts";
import { awaitMessages, endWaited, unpark } from "./parked.ts";
import { revive } from "./revive.ts";
import { oneAtATime, type Route, routeEvents, waits } from "./routing.ts";
import { bury, erasePostscripts, errorOfW } from "./tombstones.ts";

export function createInbox(db: Database, options: EffectOptions): Omit<Inbox, "record" | "readAgain"> {
  return {
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
        applied_at: Date;
        again: boolean;
      }>(
        `select e.id, e.lane_key, e.contact_id, e.payload, e.created_at, e.again, now() as applied_at,
           to_char(e.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as stored_at
         from unnest((select $1::text[])) with ordinality as l (lane_key, position)
         join lateral (
           select id, lane_key, contact_id, payload, created_at, again from ${db.name("whatsapp_events")}
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
        appliedAt: row.applied_at,
        again: row.again,
      }));
    },

    async apply(lanes, events, effects) {
      const shape = await options.hostShape();
      let twice: readonly SentTwice[] = [];
      let undelivered: readonly Undelivered[] = [];
      let woken: readonly Stage[] = [];
      const isApplied = await fenced(db, async (tx) => {
        const written = await writeEffects(tx, db, shape, effects, events, options);
        ({ twice, undelivered, woken } = written);
        const perLane = countBy(events, ({ laneKey }) => laneKey);
        const finished = lanes.map((lane) => ({ lane, items: perLane.get(lane.laneKey) ?? 0 }));
        const released = releaseLanes(tx, db, finished);
        complete(tx, db, events, written.parked);
        awaitMessages(tx, db, written.early);
        endWaited(tx, db, written.waited);
        if (!(await released)) throw new LeaseLost();
        await erasePostscripts(tx, db, [...written.parked]);
      });
      if (isApplied && twice.length > 0) options.onSentTwice?.(twice);
      if (isApplied && undelivered.length > 0) options.onUndelivered?.(undelivered);
      return isApplied ? woken : null;
    },

    async bury(lane, eventId, error) {
      await fenced(db, async (tx) => {
        if (!(await releaseLanes(tx, db, [{ lane, items: 1 }]))) throw new LeaseLost();
        const rows = await tx.query<{ webhook_id: string }>(
          `update ${db.name("whatsapp_events")} set state = 2, last_error = $2, died_at = now() where id = $1 and state = 0 returning webhook_id`,
          [eventId, error],
        );
        await tx.query(
          // Without a payload, whose making may be what failed.
          `update ${db.name("whatsapp_webhooks")} w set pending = pending - 1, error = ${errorOfW("$2")} where id = any($1)`,
          [rows.map((row) => row.webhook_id), `dead letter: ${error}`],
        );
      });
    },

    unpark: (everything = true) => unpark(db, everything),
  };
}

/** One statement for the events and their deliveries: the lease says that nobody else completes them. */
function complete(tx: Tx, db: Database, events: readonly StoredEvent[], parked: ReadonlySet<string>): void {
  tx.send(
    `with done as (
       update ${db.name("whatsapp_events")} e set state = d.state
       from unnest((select $1::bigint[]), (select $2::smallint[])) as d (id, state) where e.id = d.id returning e.webhook_id),
     counted as (select webhook_id, count(*)::int as n from done group by webhook_id)
     ${countOff(db, "counted")}`,
    [events.map(({ eventId }) => eventId), events.map(({ eventId }) => (parked.has(eventId) ? 3 : 1))],
  );
}

/**
 * Events that came for a number before it was connected: routed now, in stored order.
 * @param isOthers what people wrote to the number was for a tenant who has left: it goes, and the account's own is routed.
 */
export async function routeWaiting(
  tx: Tx,
  db: Database,
  { phoneNumberId, wabaId }: { readonly phoneNumberId: string; readonly wabaId: string },
  isOthers: boolean,
): Promise<void> {
  await oneAtATime(tx, db);
  const rows = await tx.query<{ id: string; webhook_id: string; payload: ChannelEvent }>(
    `select id, webhook_id, payload from ${db.name("whatsapp_events")} e
     where state = 4 and (phone_number_id = $1 or (phone_number_id is null and payload ->> 'wabaId' = $2))
       and ${waits(db, "kind", "e.external_id")} order by id for update`,
    [isOthers ? null : phoneNumberId, wabaId],
  );
  const routes = await routeEvents(
    tx,
    db,
    rows.map((row) => revive(row.payload)),
  );
  // A change of a number that none of an account's tenants has is nobody's still.
  const routed = rows.flatMap((row, i) => {
    const { laneKey, ...route } = routes[i] as Route;
    return laneKey === null ? [] : [{ ...row, ...route, laneKey }];
  });
  const tenants = new Map(routed.map(({ laneKey, tenant }) => [laneKey, tenant]));
  enqueueOnLanes(
    tx,
    db,
    [...countBy(routed, ({ laneKey }) => laneKey)].map(([laneKey, items]) => ({
      laneKey,
      stage: "in" as const,
      items,
      tenant: tenants.get(laneKey) ?? null,
    })),
  );
  await tx.query(
    `update ${db.name("whatsapp_events")} e set state = 0, lane_key = r.lane_key, connection_id = r.connection_id, contact_id = r.contact_id
     from json_to_recordset($1::json) as r (id bigint, lane_key text, connection_id uuid, contact_id bigint) where e.id = r.id`,
    [
      JSON.stringify(
        routed.map(({ id, laneKey, connectionId, contactId }) => ({
          id,
          lane_key: laneKey,
          connection_id: connectionId,
          contact_id: contactId,
        })),
      ),
    ],
  );
  const webhookIds = routed.map((row) => row.webhook_id);
  await tx.query(
    `update ${db.name("whatsapp_webhooks")} set error = null where id = any($1) and error like 'unrouted:%'
       and id <> all(array(select webhook_id from ${db.name("whatsapp_events")} where state = 4 and webhook_id = any($1)))`,
    [webhookIds],
  );
  countWebhooks(tx, db, webhookIds, 1);
  if (isOthers) await forgetWaiting(tx, db, phoneNumberId);
}

async function forgetWaiting(tx: Tx, db: Database, phoneNumberId: string): Promise<void> {
  const rows = await tx.query<{ id: string; webhook_id: string }>(
    `select id, webhook_id from ${db.name("whatsapp_events")} where state = 4 and phone_number_id = $1 order by id for update`,
    [phoneNumberId],
  );
  bury(tx, db, rows);
}
