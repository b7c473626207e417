/** The next part of each lane, with everything its sending depends on, read at the moment of sending. */
import type { ConnectionState, OnAmbiguous, PartState } from "../../plugin/contract.ts";
import type { ClaimedLane, FallbackPart, GraphEndpoint, OutgoingPart, ThroughputLevel } from "../../plugin/ports.ts";
import type { Database } from "./database.ts";
import { fallbackOf } from "./instead.ts";
import { wantsNoMarketing } from "./preferences.ts";
import { windowOf } from "./sessions.ts";

type HeadRow = {
  readonly lane_key: string;
  readonly id: string;
  readonly send_id: string;
  readonly conversation_id: string;
  readonly part_index: number;
  readonly kind: OutgoingPart["kind"];
  readonly state: PartState;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly endpoint: GraphEndpoint;
  readonly needs_window: boolean;
  readonly unwanted: boolean;
  readonly fallback: FallbackPart | null;
  readonly on_window_closed: "fail" | "hold";
  readonly on_ambiguous: OnAmbiguous;
  readonly phone_number: string | null;
  readonly user_id: string | null;
  readonly connection_id: string;
  readonly customer_config_id: string;
  readonly phone_number_id: string;
  readonly waba_id: string;
  readonly connection_state: ConnectionState;
  readonly pause_strikes: number;
  readonly paused_ms: number;
  readonly access_token_enc: string | null;
  readonly throughput: ThroughputLevel;
  readonly window_open: boolean;
  readonly ambiguous: number;
  readonly age_ms: number;
  readonly alive: boolean;
  readonly rejections: number;
  readonly excused: number;
};

/** The first part of each lane. Past what waits for the window there goes only what does not. */
export async function readHeads(
  db: Database,
  lanes: readonly ClaimedLane[],
  provenMs: number,
): Promise<readonly (OutgoingPart | null)[]> {
  const first = await readRows(db, lanes, provenMs, "");
  const behind = lanes.filter(({ laneKey }) => waitsForWindow(first.get(laneKey)));
  const passing = behind.length === 0 ? null : await readRows(db, behind, provenMs, `and ${passes(db)}`);
  return lanes.map((lane) => {
    const past = passing?.get(lane.laneKey);
    // The window has opened in between: what was held goes first.
    const isPast = past !== undefined && (past.state === "sending" || !past.needs_window || !past.window_open);
    const row = isPast ? past : first.get(lane.laneKey);
    return row === undefined ? null : toPart(lane, row);
  });
}

/**
 * Part `o` does not wait for the window: a template, what a template takes the place of, or what has perhaps left already, whose outcome
 * is to be found out.
 */
export function passes(db: Database): string {
  return `(not o.needs_window or o.state = 'sending' or ${fallbackOf(db)} is not null)`;
}

/** Part `o` is a template that Meta has made a marketing one since it was sent: it may wait for days. */
function isMarketingByNow(db: Database): string {
  return `(o.kind = 'template' and exists (
    select 1 from ${db.name("whatsapp_templates")} m
    where m.waba_id = n.waba_id and m.name = o.payload -> 'template' ->> 'name'
      and m.language = o.payload -> 'template' -> 'language' ->> 'code' and m.category = 'MARKETING'))`;
}

function waitsForWindow(row: HeadRow | undefined): boolean {
  if (row === undefined || row.state === "sending") return false;
  return row.needs_window && !row.window_open && row.on_window_closed === "hold";
}

async function readRows(
  db: Database,
  lanes: readonly ClaimedLane[],
  provenMs: number,
  only: string,
): Promise<ReadonlyMap<string, HeadRow>> {
  const rows = await db.bounded<HeadRow>(
    `select l.lane_key, o.id, o.send_id, o.conversation_id, o.part_index, o.kind, o.state, o.payload, o.endpoint, o.needs_window, ${fallbackOf(db)} as fallback, o.on_window_closed, o.on_ambiguous,
       (o.is_marketing or ${isMarketingByNow(db)}) and ${wantsNoMarketing(db)} as unwanted, c.phone_number, c.user_id, o.connection_id,
       o.customer_config_id, n.phone_number_id, n.waba_id, n.state as connection_state, n.pause_strikes,
       coalesce(greatest(0, ceil(extract(epoch from n.paused_until - now()) * 1000)), 0)::int as paused_ms, t.access_token_enc,
       case when n.on_business_app then 'coexistence' when n.throughput_level = 'HIGH' then 'high' else 'standard' end as throughput,
       ${db.name("is_whatsapp_session_active")}(${windowOf(db)}) as window_open,
       a.ambiguous, a.age_ms, a.rejections, a.excused,
       -- Silence proves nothing: a status can only have failed to come if something else of this number came, long enough
       -- ago that the status would have come since (Meta brings again only after a while what was refused), and if it
       -- does not wait here to be applied.
       a.ambiguous > 0 and exists (
         select 1 from ${db.name("whatsapp_events")} e
         where e.created_at > a.last_started and e.created_at <= clock_timestamp() - $2 * interval '1 millisecond'
           and e.phone_number_id = n.phone_number_id)
       and not exists (
         select 1 from ${db.name("whatsapp_events")} e
         where e.state = 0 and e.kind = 'status' and e.phone_number_id = n.phone_number_id and e.payload ->> 'callbackData' in (
           select token from ${db.name("whatsapp_send_attempts")} where outbox_id = o.id)) as alive
     from unnest((select $1::text[])) as l (lane_key)
     join lateral (
       select * from ${db.name("whatsapp_outbox")} o
       where o.lane_key = l.lane_key and o.state in ('queued', 'held', 'sending') ${only} order by o.id limit 1) o on true
     join ${db.name("whatsapp_contacts")} c on c.id = o.contact_id
     join ${db.name("whatsapp_connections")} n on n.id = o.connection_id
     left join ${db.name("whatsapp_oauth_tokens")} t on t.connection_id = n.id
     cross join lateral (
       select count(*) filter (where state in ('intent', 'ambiguous'))::int as ambiguous,
         count(*) filter (where state = 'rejected' and error ->> 'excused' is null)::int as rejections,
         count(*) filter (where state = 'rejected' and error ->> 'excused' is not null)::int as excused,
         max(started_at) filter (where state in ('intent', 'ambiguous')) as last_started,
         coalesce(extract(epoch from clock_timestamp()
           - max(started_at) filter (where state in ('intent', 'ambiguous'))) * 1000, 0)::float8 as age_ms
       from ${db.name("whatsapp_send_attempts")} where outbox_id = o.id) a`,
    [lanes.map(({ laneKey }) => laneKey), provenMs],
  );
  return new Map(rows.map((row) => [row.lane_key, row]));
}

function toPart(lane: ClaimedLane, row: HeadRow): OutgoingPart {
  return {
    lane,
    outboxId: row.id,
    sendId: row.send_id,
    conversationId: row.conversation_id,
    index: row.part_index,
    kind: row.kind,
    state: row.state,
    payload: row.payload,
    endpoint: row.endpoint,
    needsWindow: row.needs_window,
    isUnwanted: row.unwanted,
    fallback: row.fallback,
    recipient: { phoneNumber: row.phone_number, userId: row.user_id },
    connection: {
      connectionId: row.connection_id,
      customerConfigId: row.customer_config_id,
      phoneNumberId: row.phone_number_id,
      wabaId: row.waba_id,
      state: row.connection_state,
      accessTokenEnc: row.access_token_enc,
      throughput: row.throughput,
      pause: { strikes: row.pause_strikes, leftMs: row.paused_ms },
    },
    windowOpen: row.window_open,
    onWindowClosed: row.on_window_closed,
    onAmbiguous: row.on_ambiguous,
    ambiguous: { count: row.ambiguous, ageMs: row.age_ms, webhooksAlive: row.alive },
    rejections: row.rejections,
    excused: row.excused,
  };
}
