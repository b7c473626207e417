/** The inbox after the commit: stored events are read lane by lane, and each has its effect exactly once. */
import type { ChannelEvent } from "../../plugin/contract.ts";
import type { Inbox, SentTwice, Stage, StoredEvent, Undelivered } from "../../plugin/ports.ts";
import { catchUp } from "./catch-up.ts";
import { countBy } from "./count-by.ts";
import { countOff } from "./count-webhooks.ts";
import type { Database, Tx } from "./database.ts";
import { type EffectOptions, writeEffects } from "./effects.ts";
import { fenced, LeaseLost, releaseLanes } from "./lanes.ts";
import { awaitMessages, endWaited, unpark } from "./parked.ts";
import { revive } from "./revive.ts";
import { erasePostscripts, errorOfW } from "./tombstones.ts";

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

    catchUp: () => catchUp(db),
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
