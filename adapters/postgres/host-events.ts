/** Events on their way to the host's `onEvent`: queued with the change that caused them, deleted once heard. */
import type { HostEvent } from "../../plugin/contract.ts";
import type { HostEvents } from "../../plugin/ports.ts";
import { countBy } from "./count-by.ts";
import type { Database, Tx } from "./database.ts";
import { enqueueOnLanes, fenced, LeaseLost, releaseLanes } from "./lanes.ts";
import { revive } from "./revive.ts";

/** In order per conversation; what belongs to none goes by number. */
export function notifyLane(event: HostEvent): string {
  if (event.kind === "connection") return `notify:connection:${event.connection.connectionId}`;
  if (event.kind === "alarm") return "notify:alarms";
  if (event.conversationId !== null) return `notify:conversation:${event.conversationId}`;
  if (!("event" in event)) return "notify:number:none";
  return `notify:number:${event.event.phoneNumberId ?? event.event.wabaId ?? "none"}`.slice(0, 300);
}

/** The lanes must be locked and counted before: see `enqueueOnLanes`. */
export function enqueueHostEvents(tx: Tx, db: Database, events: readonly HostEvent[]): void {
  if (events.length === 0) return;
  tx.send(
    `insert into ${db.name("whatsapp_host_events")} (lane_key, event)
     select lane_key, event from jsonb_to_recordset($1::jsonb) as e (i int, lane_key text, event jsonb) order by i`,
    [JSON.stringify(events.map((event, i) => ({ i, lane_key: notifyLane(event), event })))],
  );
}

/** Where nothing else is told in the transaction: lanes and events at once. */
export function tellHost(tx: Tx, db: Database, events: readonly HostEvent[]): void {
  enqueueOnLanes(
    tx,
    db,
    [...countBy(events, notifyLane)].map(([laneKey, items]) => ({ laneKey, stage: "notify", items })),
  );
  enqueueHostEvents(tx, db, events);
}

export function createHostEvents(db: Database): HostEvents {
  const table = db.name("whatsapp_host_events");
  return {
    async load(lanes) {
      const rows = await db.query<{ position: string; id: string; event: HostEvent }>(
        `select l.position, e.id, e.event from unnest($1::text[]) with ordinality as l (lane_key, position)
         join lateral (select id, event from ${table} where lane_key = l.lane_key and state = 0 order by id limit 1) e on true`,
        [lanes.map(({ laneKey }) => laneKey)],
      );
      return rows.flatMap((row) => {
        const lane = lanes[Number(row.position) - 1];
        return lane === undefined ? [] : [{ lane, id: row.id, event: withDates(row.event) }];
      });
    },

    async done(lane, id) {
      await fenced(db, async (tx) => {
        if (!(await releaseLanes(tx, db, [{ lane, items: 1 }]))) throw new LeaseLost();
        await tx.query(`delete from ${table} where id = $1`, [id]);
      });
    },

    async bury(lane, id, error) {
      await fenced(db, async (tx) => {
        if (!(await releaseLanes(tx, db, [{ lane, items: 1 }]))) throw new LeaseLost();
        await tx.query(`update ${table} set state = 2, last_error = $2 where id = $1`, [id, error]);
      });
    },
  };
}

function withDates(told: HostEvent): HostEvent {
  return "event" in told ? ({ ...told, event: revive(told.event) } as HostEvent) : told;
}
