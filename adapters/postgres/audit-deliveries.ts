/** Stored deliveries as one tenant's: found by the events in them that came to its numbers. */
import type { ChannelEvent } from "../../plugin/contract.ts";
import type { Audit, AuditEvent, AuditEventState, DeliveryRow } from "../../plugin/ports.ts";
import { inChunks, NEVER, type Owned, scan, searched } from "./audit-scan.ts";
import type { Database } from "./database.ts";
import { BYTES_ERASED } from "./tombstones.ts";

type Found = {
  readonly id: string;
  readonly webhook_type: string;
  readonly created_at: Date;
  readonly size: number;
  readonly error: string | null;
  readonly events: number;
  readonly waiting: number;
  readonly dead: number;
  readonly dead_error: string | null;
};

/** Deliveries are stored by several transactions at once: their ids and their times differ in order by no more. */
const OUT_OF_ORDER_MS = 60_000;

export function createDeliveryAudit(db: Database, owned: Owned): Pick<Audit, "deliveries" | "delivery"> {
  const [webhooks, events] = [db.name("whatsapp_webhooks"), db.name("whatsapp_events")];
  const columns = `w.id, w.webhook_type, w.created_at, octet_length(w.body) as size, w.error, own.*
    from unnest($2::bigint[]) as wanted (id) join ${webhooks} w on w.id = wanted.id cross join lateral (
      select count(*)::int as events, count(*) filter (where e.state = 0)::int as waiting,
        count(*) filter (where e.state = 2)::int as dead, min(e.last_error) filter (where e.state = 2) as dead_error
      from ${events} e where e.connection_id = any($1::uuid[]) and e.webhook_id = w.id) own`;

  return {
    async deliveries({ type, state, since, until, q, ...owner }, { limit, before }) {
      const own = await owned(owner);
      const upper = until === undefined ? null : await firstAfter(new Date(until.getTime() + OUT_OF_ORDER_MS));
      const lower = since === undefined ? "0" : await firstAfter(new Date(since.getTime() - OUT_OF_ORDER_MS));
      const start = [before ?? NEVER, upper ?? NEVER].reduce((a, b) => (BigInt(a) < BigInt(b) ? a : b));
      const isFiltered = [type, state, since, until, q].some((wish) => wish !== undefined);
      const { rows: seen, isOver } = await scan(
        limit,
        (rows) =>
          db.bounded<{ webhook_id: string }>(
            `select e.webhook_id from unnest($1::uuid[]) as own (id) cross join lateral (
               select webhook_id from ${events} where connection_id = own.id and webhook_id < $2 and webhook_id >= $3
                 ${state === "failed" ? "and state = 2" : ""} order by webhook_id desc limit $4) e
             order by e.webhook_id desc limit $4`,
            [own, start, lower, rows],
          ),
        (rows) => !isFiltered && new Set(rows.map((row) => row.webhook_id)).size > limit,
      );
      const ids = [...new Set(seen.map((row) => row.webhook_id))];
      const found = await inChunks(ids, limit + 1, (some) =>
        db.bounded<Found>(
          `select ${columns} where own.events > 0 and ($3::text is null or w.webhook_type = $3)
             and ($4::timestamptz is null or w.created_at >= $4) and ($5::timestamptz is null or w.created_at < $5)
             and ($6::text is null or $6 = case when own.dead > 0 then 'failed' when own.waiting > 0 then 'waiting' else 'processed' end)
             and ($7::text is null or w.id::text = $7 or exists (select 1 from ${events} e
               where e.connection_id = any($1::uuid[]) and e.webhook_id = w.id and position($7 in lower(e.payload::text)) > 0))
           order by w.id desc`,
          [own, some, type ?? null, since ?? null, until ?? null, state ?? null, searched(q)],
        ),
      );
      const page = found.slice(0, limit);
      const ended = isOver ? null : (ids.at(-1) ?? null);
      return { deliveries: page.map(toRow), next: found.length > limit ? (page.at(-1)?.id ?? null) : ended };
    },

    async delivery(owner, webhookId) {
      const own = await owned(owner);
      const [found] = await db.bounded<Found & { body: string }>(
        `select encode(w.body, 'base64') as body, ${columns} where own.events > 0`,
        [own, [webhookId]],
      );
      if (found === undefined) return null;
      const rows = await db.bounded<{
        id: string;
        kind: ChannelEvent["kind"];
        state: number;
        last_error: string | null;
        occurred_at: string | null;
        attempts: number | null;
        phone_number_id: string | null;
        waba_id: string | null;
        display_phone_number: string | null;
      }>(
        `select e.id, e.kind, e.state, e.last_error, e.payload ->> 'occurredAt' as occurred_at, e.phone_number_id,
           e.payload ->> 'wabaId' as waba_id, e.payload ->> 'displayPhoneNumber' as display_phone_number, case when e.state = 0 and not exists (
             select 1 from ${events} b where b.lane_key = e.lane_key and b.state = 0 and b.id < e.id)
             then (select l.attempts from ${db.name("whatsapp_lanes")} l where l.lane_key = e.lane_key) end as attempts
         from ${events} e where e.connection_id = any($1::uuid[]) and e.webhook_id = $2 order by e.id`,
        [own, webhookId],
      );
      return {
        ...toRow(found),
        body: Buffer.from(found.body, "base64"),
        ownEvents: rows.map(
          (row): AuditEvent => ({
            id: row.id,
            kind: row.kind,
            state: stateOf(row),
            error: row.last_error,
            occurredAt: row.occurred_at,
            attempts: row.attempts,
            phoneNumberId: row.phone_number_id,
            wabaId: row.waba_id,
            displayPhoneNumber: row.display_phone_number,
          }),
        ),
      };
    },
  };

  /** The id from which on all deliveries came at that time or later: there is no index on the time, but ids grow with it. */
  async function firstAfter(time: Date): Promise<string> {
    const [row] = await db.bounded<{ hi: string }>(
      `with recursive search (lo, hi) as (
         select coalesce(min(id), 0), coalesce(max(id), 0) + 1 from ${webhooks}
         union all
         select case when probe.created_at < $1 then probe.id + 1 else lo end,
           case when probe.created_at < $1 then hi else lo + (hi - lo) / 2 end
         from search left join lateral (
           select id, created_at from ${webhooks} where id >= lo + (hi - lo) / 2 and id < hi order by id limit 1) probe on true
         where lo < hi)
       select hi from search where lo >= hi`,
      [time],
    );
    return row?.hi ?? "0";
  }
}

function toRow({ id, webhook_type, created_at, size, error, events, waiting, dead, dead_error }: Found): DeliveryRow {
  return {
    id,
    type: webhook_type,
    receivedAt: created_at,
    state: dead > 0 ? "failed" : waiting > 0 ? "waiting" : "processed",
    // What else stands there may be of somebody else's event.
    error: dead_error ?? (error === BYTES_ERASED ? error : null),
    size,
    events,
  };
}

function stateOf({ state, kind }: { readonly state: number; readonly kind: string }): AuditEventState {
  if (state === 1) return kind === "unsupported" ? "unknown" : "applied";
  return ({ 0: "waiting", 2: "failed", 3: "parked" } as const)[state] ?? "erased";
}
