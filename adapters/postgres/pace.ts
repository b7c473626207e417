/** How fast numbers send, counted for all instances: a row per number, which is asked for some messages at once. */
import type { Pace } from "../../plugin/ports.ts";
import type { Database } from "./database.ts";

/** What may leave at once after a silence, in milliseconds' worth: with {@link SHARE} no second sees more than Meta allows. */
const BURST_MS = 100;
const SHARE = 0.9;
/** How much of its pace a number that was slowed down gets back per second. */
const BACK_PER_SECOND = 0.05;
/** Longest wait for a place: the queue may be shorter by then, because sends have ended otherwise. */
const LONGEST_WAIT_MS = 300_000;

type Taken = {
  readonly connection_id: string;
  readonly granted: number;
  readonly wait_ms: number;
  readonly every_ms: number;
};

export function createPace(db: Database): Pace {
  const table = db.name("whatsapp_paces");

  /** One statement, one short lock per number. */
  const take = (wishes: Parameters<Pace["take"]>[0]) =>
    db.bounded<Taken>(
      `with asked as (
         select p.connection_id, w.wanted, w.at_most, p.used_until, p.queued_until,
           w.per_second * ${SHARE} * least(1, p.share + ${BACK_PER_SECOND} * extract(epoch from now() - p.slowed_at))::float8 as rate,
           greatest(p.used_until, p.paused_until, now()) as used
         from ${table} p join unnest((select $1::uuid[]), (select $2::float8[]), (select $3::int[]), (select $4::int[]))
           as w (connection_id, per_second, wanted, at_most) on w.connection_id = p.connection_id
         order by p.connection_id for update of p),
       answered as (
         select *, case when used > now() + interval '${BURST_MS} milliseconds' then 0
           else least(at_most, 1 + floor(extract(epoch from now() + interval '${BURST_MS} milliseconds' - used)::float8 * rate))::int end as granted
         from asked),
       placed as (
         select *, used + granted / rate * interval '1 second' as then_used, greatest(0, wanted - granted) as waiting from answered)
       update ${table} p set
         used_until = case when a.granted > 0 then a.then_used else p.used_until end,
         queued_until = case when a.waiting > 0
           then greatest(a.queued_until, a.then_used) + a.waiting / a.rate * interval '1 second' else a.queued_until end
       from placed a where a.connection_id = p.connection_id
       returning p.connection_id, a.granted, 1000 / a.rate as every_ms,
         least(${LONGEST_WAIT_MS}, ceil(extract(epoch from greatest(a.queued_until, a.then_used) - now()) * 1000))::int as wait_ms`,
      [
        wishes.map(({ connectionId }) => connectionId),
        wishes.map(({ perSecond }) => perSecond),
        wishes.map(({ wanted }) => wanted),
        wishes.map(({ atMost }) => atMost),
      ],
    );

  const begin = (connectionIds: readonly string[]) =>
    db.bounded(
      `insert into ${table} (connection_id)
       select id from ${db.name("whatsapp_connections")} where id = any($1) on conflict do nothing`,
      [connectionIds],
    );

  return {
    async take(wishes) {
      let taken = await take(wishes);
      if (taken.length < wishes.length) {
        // Numbers that have never sent, or have not since the database crashed.
        const known = new Set(taken.map((one) => one.connection_id));
        const missing = wishes.filter(({ connectionId }) => !known.has(connectionId));
        await begin(missing.map(({ connectionId }) => connectionId));
        taken = [...taken, ...(await take(missing))];
      }
      const byId = new Map(taken.map((one) => [one.connection_id, one]));
      return wishes.map(({ connectionId }) => {
        const one = byId.get(connectionId);
        if (one === undefined) return { granted: 0, waitMs: 1_000, everyMs: 0 };
        return { granted: one.granted, waitMs: Math.max(1, one.wait_ms), everyMs: one.every_ms };
      });
    },

    async slowDown(connectionId) {
      await begin([connectionId]);
      // Those that were under way together fail together: they slow it down once.
      await db.bounded(
        `update ${table} set slowed_at = now(),
           share = greatest(0.05, least(1, share + ${BACK_PER_SECOND} * extract(epoch from now() - slowed_at)) / 2)
         where connection_id = $1 and slowed_at < now() - interval '1 second'`,
        [connectionId],
      );
    },

    async pause({ connectionId, scope, forMs }) {
      const whose = {
        number: "n.id = $1",
        account: `n.waba_id = (select waba_id from ${db.name("whatsapp_connections")} where id = $1)`,
        app: "true",
      }[scope];
      await db.bounded(
        `insert into ${table} as p (connection_id, paused_until)
         select n.id, now() + $2 * interval '1 millisecond' from ${db.name("whatsapp_connections")} n
         where n.state <> 'disconnected' and ($1::uuid is not null) and ${whose} order by n.id
         on conflict (connection_id) do update set paused_until = excluded.paused_until
         where p.paused_until < excluded.paused_until - $2 * interval '1 millisecond' / 10`,
        [connectionId, forMs],
      );
    },
  };
}
