/** Events on their way to the host's `onEvent`: queued with the change that caused them, deleted once heard. */
import type { HostEvent, MetaError, SentPart } from "../../plugin/contract.ts";
import type { HostEvents } from "../../plugin/ports.ts";
import { countBy } from "./count-by.ts";
import type { Database, Tx } from "./database.ts";
import { tenantOfHostEvent } from "./dead-letter-page.ts";
import { enqueueOnLanes, fenced, LeaseLost, NOBODY, releaseLanes } from "./lanes.ts";
import { revive } from "./revive.ts";

/** As it waits: whose it is, is looked up when it is told. */
export type WaitingEvent = HostEvent extends infer Event
  ? Event extends HostEvent
    ? Omit<Event, "customerConfigId">
    : never
  : never;

/** In order per conversation; what belongs to none goes by number. */
export function notifyLane(event: WaitingEvent): string {
  if (event.kind === "connection") return `notify:connection:${event.connection.connectionId}`;
  if (event.kind === "alarm") return "notify:alarms";
  if (event.conversationId !== null) return `notify:conversation:${event.conversationId}`;
  if (!("event" in event)) return "notify:number:none";
  return `notify:number:${event.event.phoneNumberId ?? event.event.wabaId ?? "none"}`.slice(0, 300);
}

/** The lanes must be locked and counted before: see `enqueueOnLanes`. */
export function enqueueHostEvents(tx: Tx, db: Database, events: readonly WaitingEvent[]): void {
  if (events.length === 0) return;
  tx.send(
    `insert into ${db.name("whatsapp_host_events")} (lane_key, event)
     select lane_key, event from jsonb_to_recordset($1::jsonb) as e (i int, lane_key text, event jsonb) order by i`,
    [JSON.stringify(events.map((event, i) => ({ i, lane_key: notifyLane(event), event })))],
  );
}

/**
 * Where nothing else is told in the transaction: lanes and events at once.
 * @param tenants by lane, where the lane may be new.
 */
export function tellHost(
  tx: Tx,
  db: Database,
  events: readonly WaitingEvent[],
  tenants: ReadonlyMap<string, string | null> = new Map(),
): void {
  enqueueOnLanes(
    tx,
    db,
    [...countBy(events, notifyLane)].map(([laneKey, items]) => ({
      laneKey,
      stage: "notify",
      items,
      tenant: tenants.get(laneKey) ?? null,
    })),
  );
  enqueueHostEvents(tx, db, events);
}

export function createHostEvents(db: Database): HostEvents {
  const table = db.name("whatsapp_host_events");
  return {
    async load(lanes) {
      const rows = await db.query<{ position: string; id: string; event: WaitingEvent; tenant: string | null }>(
        // Of a number that has moved nobody knows whose it was when this was said: then it is nobody's.
        `select l.position, e.id, e.event, case when e.event ->> 'conversationId' is not null then (
             select c.customer_config_id from ${db.name("whatsapp_contacts")} c
             where c.conversation_id = (e.event ->> 'conversationId')::uuid limit 1)
           when e.event -> 'event' is not null then (
             select min(n.customer_config_id::text)::uuid from ${db.name("whatsapp_connections")} n
             where n.phone_number_id = e.event #>> '{event,phoneNumberId}'
               or (e.event #>> '{event,phoneNumberId}' is null and n.waba_id = e.event #>> '{event,wabaId}')
             having count(distinct n.customer_config_id) = 1) end as tenant
         from unnest((select $1::text[])) with ordinality as l (lane_key, position)
         join lateral (select id, event from ${table} where lane_key = l.lane_key and state = 0 order by id limit 1) e on true`,
        [lanes.map(({ laneKey }) => laneKey)],
      );
      return rows.flatMap((row) => {
        const lane = lanes[Number(row.position) - 1];
        return lane === undefined ? [] : [{ lane, id: row.id, event: toldOf(row.event, row.tenant) }];
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
        await tx.query(
          `update ${table} set state = 2, last_error = $2, died_at = now(),
             customer_config_id = coalesce(${tenantOfHostEvent(db, "event")}, ${NOBODY}) where id = $1`,
          [id, error],
        );
      });
    },
  };
}

function toldOf(waiting: WaitingEvent, customerConfigId: string | null): HostEvent {
  if (waiting.kind === "connection" || waiting.kind === "alarm") return waiting;
  const told = { ...waiting, customerConfigId };
  if (told.kind === "status") return { ...told, error: asOfPart(told.error) } as HostEvent;
  return ("event" in told ? { ...told, event: revive(told.event) } : told) as HostEvent;
}

/** An earlier version has stored Meta's error alone, whose code is a number. */
function asOfPart(error: SentPart["error"] | MetaError): SentPart["error"] {
  return error !== null && typeof error.code === "number" ? rejected(error as MetaError) : (error as SentPart["error"]);
}

/** What Meta has said against a part, as the part has it. */
export function rejected(meta: MetaError): NonNullable<SentPart["error"]> {
  return { code: "GRAPH_REJECTED", message: meta.title ?? "Meta reported a failure.", meta };
}
