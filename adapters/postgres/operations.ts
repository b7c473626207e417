/** How the work is going: looks that are bounded by an index, and whose turn the upkeep is. */
import type { ConnectionState } from "../../plugin/contract.ts";
import type { DeadLetterStage, NumberState, Operations, PartBacklog, Stage, StageBacklog } from "../../plugin/ports.ts";
import type { Database } from "./database.ts";

/** As many as are shown one by one. */
const MOST_NUMBERS = 100;
const STAGES: readonly Stage[] = ["in", "media", "turn", "out", "notify"];

export function createOperations(db: Database): Operations {
  const lanes = db.name("whatsapp_lanes");
  /** In a transaction, so that the server ends what takes too long. */
  const query = db.bounded;

  return {
    async nextReadyMs() {
      const [next] = await query<{ ms: number | null }>(
        `select least((extract(epoch from min(l.ready_at) - clock_timestamp()) * 1000)::float8, (
           select 0 from ${db.name("whatsapp_connections")} where routed_until is not null and state <> 'disconnected' limit 1)) as ms
         from unnest($1::text[]) as s (stage)
         cross join lateral (select ready_at from ${lanes} where stage = s.stage and ready_at is not null order by ready_at limit 1) l`,
        [STAGES],
      );
      return next?.ms ?? null;
    },

    async backlog() {
      const rows = await query<{ stage: Stage; ready: number; leased: number; later: number; oldest: number | null }>(
        `select stage, count(*) filter (where ready_at <= now())::int as ready,
           count(*) filter (where ready_at > now() and lease_token is not null)::int as leased,
           count(*) filter (where ready_at > now() and lease_token is null)::int as later,
           (extract(epoch from now() - min(ready_at)) * 1000)::float8 as oldest
         from ${lanes} where ready_at is not null group by stage`,
      );
      return STAGES.map((stage): StageBacklog => {
        const row = rows.find((one) => one.stage === stage);
        return {
          stage,
          ready: row?.ready ?? 0,
          leased: row?.leased ?? 0,
          later: row?.later ?? 0,
          oldestWaitMs: Math.max(0, row?.oldest ?? 0),
        };
      });
    },

    async deadLetters() {
      const [dead] = await query<Readonly<Record<DeadLetterStage, number>>>(
        `select (select count(*)::int from ${db.name("whatsapp_events")} where state = 2) as "in",
           (select count(*)::int from ${db.name("whatsapp_turns")} where state = 2) as turn,
           (select count(*)::int from ${db.name("whatsapp_host_events")} where state = 2) as notify`,
      );
      return { in: dead?.in ?? 0, turn: dead?.turn ?? 0, notify: dead?.notify ?? 0 };
    },

    async numbers() {
      const rows = await query<NumberRow & { amount: number; next_expires_at: Date | null }>(
        `select id, state, amount, paused, expires_at, next_expires_at from (
           select id, state, paused, expires_at, count(*) over (partition by state)::int as amount,
             min(expires_at) filter (where state = 'connected') over () as next_expires_at,
             row_number() over (partition by state order by paused desc, expires_at, created_at, id)::int as place
           from (
             select n.id, n.state, n.created_at, t.expires_at, coalesce(greatest(p.paused_until, n.paused_until) > now(), false) as paused
             from ${db.name("whatsapp_connections")} n
             left join ${db.name("whatsapp_paces")} p on p.connection_id = n.id
             left join ${db.name("whatsapp_oauth_tokens")} t on t.connection_id = n.id) known) n
         where place <= case when state = 'disconnected' then 1 else ${MOST_NUMBERS} end
         order by state = 'connected', place`,
      );
      const counts = { connected: 0, reauth_required: 0, disconnected: 0 };
      for (const { state, amount } of rows) counts[state] = amount;
      const each = rows.filter(({ state }) => state !== "disconnected").slice(0, MOST_NUMBERS);
      return { counts, each: each.map(toNumberState), nextTokenExpiresAt: rows[0]?.next_expires_at ?? null };
    },

    async parts() {
      const [row] = await query<PartBacklog>(
        `select count(*) filter (where state = 'queued')::int as queued, count(*) filter (where state = 'held')::int as held,
           count(*) filter (where state = 'sending')::int as sending,
           (select count(*)::int from ${db.name("whatsapp_outbox")} where state = 'unknown') as unknown
         from ${db.name("whatsapp_outbox")} where state in ('queued', 'held', 'sending')`,
      );
      return row ?? { queued: 0, held: 0, sending: 0, unknown: 0 };
    },

    async webhookAgeMs() {
      const [row] = await query<{ age: number }>(
        `select (extract(epoch from clock_timestamp() - created_at) * 1000)::float8 as age
         from ${db.name("whatsapp_webhooks")} order by id desc limit 1`,
      );
      return row === undefined ? null : Math.max(0, row.age);
    },

    async sentTwice() {
      const [row] = await query<{ n: number }>(
        `select count(*)::int as n from ${db.name("whatsapp_outbox")} where duplicate_message_id is not null`,
      );
      return row?.n ?? 0;
    },

    async takeUpkeep(forMs) {
      // Due later than this instance would make it: somebody took it who does it more seldom, perhaps never.
      const taken = await query(
        `insert into ${db.name("whatsapp_upkeep")} as u (task, due_at)
         values ('all', clock_timestamp() + $1 * interval '1 millisecond')
         on conflict (task) do update set due_at = excluded.due_at
           where u.due_at <= clock_timestamp() or u.due_at > excluded.due_at returning 1`,
        [forMs],
      );
      return taken.length === 1;
    },
  };
}

type NumberRow = { id: string; state: ConnectionState; paused: boolean; expires_at: Date | null };

function toNumberState({ id, state, paused, expires_at }: NumberRow): NumberState {
  return { connectionId: id, state, paused, tokenExpiresAt: expires_at };
}
