/** What the database tells the doctor. Every look is bounded: by an index, by a number of rows, by a timeout. */
import type { ConnectionState, PartState } from "../../plugin/contract.ts";
import type { Arrivals, Examination, ExaminedNumber, NumberSends, Unrouted } from "../../plugin/ports.ts";
import type { Database } from "./database.ts";

/** More would outlast the doctor's patience, each being asked about at Meta. */
const MOST_NUMBERS = 25;
const MOST_COUNTED = 10_001;
const NEWEST_EVENTS = 50_000;
const NEWEST_PARTS = 20_000;

type NumberRow = {
  readonly id: string;
  readonly customer_config_id: string;
  readonly phone_number_id: string;
  readonly waba_id: string;
  readonly display_phone_number: string;
  readonly verified_name: string | null;
  readonly state: ConnectionState;
  readonly reason: string | null;
  readonly access_token_enc: string | null;
  readonly templates_synced_at: Date | null;
  readonly all_numbers: number;
};

export function createExamination(db: Database): Examination {
  const webhooks = db.name("whatsapp_webhooks");
  const events = db.name("whatsapp_events");
  const outbox = db.name("whatsapp_outbox");
  /** In a transaction, so that the server ends what takes too long. */
  const query = db.bounded;
  const one = async <T>(sql: string, params?: readonly unknown[]) => (await query<T>(sql, params))[0] as T;

  return {
    async clock() {
      return (await one<{ now: Date }>("select clock_timestamp() as now")).now;
    },

    async numbers(customerConfigId) {
      const rows = await query<NumberRow>(
        `select c.*, t.access_token_enc, count(*) over ()::int as all_numbers
         from ${db.name("whatsapp_connections")} c left join ${db.name("whatsapp_oauth_tokens")} t on t.connection_id = c.id
         where c.state <> 'disconnected' and ($1::uuid is null or c.customer_config_id = $1)
         order by c.created_at, c.id limit $2`,
        [customerConfigId, MOST_NUMBERS],
      );
      return { numbers: rows.map(toNumber), more: (rows[0]?.all_numbers ?? 0) - rows.length };
    },

    async arrivals(numbers): Promise<Arrivals> {
      const [last] = await query<{ at: Date; secret_index: number }>(
        `select created_at as at, secret_index from ${webhooks} order by id desc limit 1`,
      );
      const counted = await one<{ last_day: number; quarantined: number }>(
        `select count(*)::int as last_day, count(*) filter (where error like 'quarantined:%')::int as quarantined
         from (select error from ${webhooks} where created_at > now() - interval '1 day' order by id desc limit $1) w`,
        [MOST_COUNTED],
      );
      const rows = await query<{
        phone_number_id: string;
        last_at: Date;
        last_message_at: Date | null;
        last_day: number;
      }>(
        `select phone_number_id, max(created_at) as last_at, max(created_at) filter (where kind = 'message') as last_message_at,
           count(*) filter (where created_at > now() - interval '1 day')::int as last_day
         from (select phone_number_id, kind, created_at from ${events} order by id desc limit $2) e
         where phone_number_id = any($1) group by 1`,
        [numbers.map(({ phoneNumberId }) => phoneNumberId), NEWEST_EVENTS],
      );
      return {
        last: last === undefined ? null : { at: last.at, secretIndex: last.secret_index },
        lastDay: counted.last_day,
        quarantinedLastDay: counted.quarantined,
        numbers: rows.map((row) => ({
          phoneNumberId: row.phone_number_id,
          lastAt: row.last_at,
          lastMessageAt: row.last_message_at,
          lastDay: row.last_day,
        })),
      };
    },

    async unrouted(wabaIds) {
      const rows = await query<{ phone_number_id: string | null; amount: number; last_at: Date }>(
        `select phone_number_id, count(*)::int as amount, max(created_at) as last_at
         from (select phone_number_id, created_at from ${events} e where state = 4 and created_at > now() - interval '7 days'
           and not exists (select 1 from ${db.name("whatsapp_connections")} c where c.phone_number_id = e.phone_number_id and c.state <> 'disconnected')
           and ($1::text[] is null or payload ->> 'wabaId' = any($1)) limit $2) e
         group by 1 order by 2 desc, 1 limit 5`,
        [wabaIds, MOST_COUNTED],
      );
      return rows.map(
        (row): Unrouted => ({ phoneNumberId: row.phone_number_id, count: row.amount, lastAt: row.last_at }),
      );
    },

    async sends(numbers) {
      const rows = await query<{
        connection_id: string;
        waiting: number;
        last_at: Date | null;
        last_state: PartState | null;
        failed_at: Date | null;
        code: string | null;
        meta_code: number | null;
      }>(
        `with newest as materialized (
           select id, connection_id, state, error, updated_at from ${outbox} order by id desc limit $2),
         waiting as (
           select connection_id, count(*)::int as parts from ${outbox}
           where state in ('queued', 'held', 'sending') and connection_id = any($1) group by 1)
         select c.id as connection_id, coalesce(w.parts, 0) as waiting, l.updated_at as last_at, l.state as last_state,
           f.updated_at as failed_at, f.error ->> 'code' as code, (f.error #>> '{meta,code}')::int as meta_code
         from unnest($1::uuid[]) as c (id)
         left join waiting w on w.connection_id = c.id
         left join lateral (select * from newest n where n.connection_id = c.id and n.state not in ('queued', 'held', 'sending')
           order by n.id desc limit 1) l on true
         left join lateral (select * from newest n where n.connection_id = c.id and n.error is not null
           order by n.id desc limit 1) f on true`,
        [numbers.map(({ connectionId }) => connectionId), NEWEST_PARTS],
      );
      return rows.map(
        (row): NumberSends => ({
          connectionId: row.connection_id,
          waiting: row.waiting,
          last: row.last_at === null || row.last_state === null ? null : { at: row.last_at, state: row.last_state },
          lastFailure: row.failed_at === null ? null : { at: row.failed_at, code: row.code, metaCode: row.meta_code },
        }),
      );
    },

    async templates(numbers) {
      const rows = await query<{ waba_id: string; counts: Readonly<Record<string, number>> }>(
        `select waba_id, json_object_agg(status, amount order by status) as counts
         from (select waba_id, status, count(*) as amount from ${db.name("whatsapp_templates")}
           where waba_id = any($1) group by 1, 2) t group by 1`,
        [numbers.map(({ wabaId }) => wabaId)],
      );
      return rows.map((row) => ({ wabaId: row.waba_id, counts: row.counts }));
    },

    async work(numbers) {
      const connections = numbers?.map(({ connectionId }) => connectionId) ?? null;
      const dead = await one<{ events: number; turns: number; host_events: number }>(
        `select (select count(*)::int from (select 1 from ${events} where state = 2
             and ($1::uuid[] is null or connection_id = any($1)) limit $2) e) as events,
           (select count(*)::int from (select 1 from ${db.name("whatsapp_turns")} where state = 2
             and ($1::uuid[] is null or connection_id = any($1)) limit $2) t) as turns,
           (select count(*)::int from (select 1 from ${db.name("whatsapp_host_events")} where state = 2
             and $1::uuid[] is null limit $2) h) as host_events`,
        [connections, MOST_COUNTED],
      );
      const lag = await one<{ ms: number | null }>(
        `select (extract(epoch from now() - min(ready_at)) * 1000)::float8 as ms from ${db.name("whatsapp_lanes")} where ready_at <= now() and lease_token is null`,
      );
      return {
        deadLetters: { events: dead.events, turns: dead.turns, hostEvents: dead.host_events },
        waitingMs: lag.ms,
      };
    },
  };
}

function toNumber(row: NumberRow): ExaminedNumber {
  return {
    connectionId: row.id,
    customerConfigId: row.customer_config_id,
    phoneNumberId: row.phone_number_id,
    wabaId: row.waba_id,
    displayPhoneNumber: row.display_phone_number,
    verifiedName: row.verified_name,
    state: row.state,
    reason: row.reason,
    accessTokenEnc: row.access_token_enc,
    templatesSyncedAt: row.templates_synced_at,
  };
}
