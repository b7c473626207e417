/** Signs that something is wrong, each look bounded by an index or a number of rows, and the alarms that are raised. */
import type { Alarm, AlarmKind } from "../../plugin/contract.ts";
import type { Alarms, Sign } from "../../plugin/ports.ts";
import type { Database } from "./database.ts";
import { tellHost } from "./host-events.ts";
import { BEHIND, TRIED } from "./prune.ts";

/** Ten minutes at about 160 parts/s with their statuses: what is older is not seen. */
const NEWEST_PARTS = 100_000;
const NEWEST_EVENTS = 200_000;
/** One status may be lost; when three are missing and nothing else comes, it is not chance. */
const MISSING_STATUSES = 3;
/** With the default schedule a minute: a host that is started anew wakes nobody. */
const FAILING_TRIES = 7;

type Found = { readonly kind: AlarmKind; readonly subject: string; readonly value: number | null };

export function createAlarms(db: Database, { hasListener }: { readonly hasListener: boolean }): Alarms {
  const table = db.name("whatsapp_alarms");
  const [lanes, outbox, events] = [db.name("whatsapp_lanes"), db.name("whatsapp_outbox"), db.name("whatsapp_events")];
  const lately = "now() - interval '1 hour'";

  const QUEUE = `
    select 'lag' as kind, s.stage as subject, extract(epoch from clock_timestamp() - min(l.ready_at))::float8 as value
    from unnest(array['in', 'media', 'turn', 'out', 'notify']) as s (stage) cross join lateral (
      select ready_at from ${lanes} where stage = s.stage and ready_at <= clock_timestamp() order by ready_at limit 1) l group by 2
    union all
    select 'failing', stage, count(*) from ${lanes}
    where ready_at is not null and stage in ('in', 'turn', 'notify') and attempts >= ${FAILING_TRIES} group by stage
    union all
    select 'dead-rows', '', n_dead_tup from pg_stat_all_tables where relid = to_regclass('${lanes.replaceAll("'", "''")}')
    union all
    select 'dead-letters', 'in', count(*) from ${events} where state = 2 and coalesce(died_at, created_at) > ${lately}
    union all
    select 'dead-letters', 'turn', count(*) from ${db.name("whatsapp_turns")} where state = 2 and finished_at > ${lately}
    union all
    select 'dead-letters', 'notify', count(*) from ${db.name("whatsapp_host_events")} where state = 2 and coalesce(died_at, created_at) > ${lately}
    union all
    select 'webhooks-elsewhere', id::text, 1 from ${db.name("whatsapp_connections")} where state = 'connected' and webhooks_elsewhere
    union all
    select 'sent-twice', '', count(*) from ${outbox} where duplicate_message_id is not null and updated_at > ${lately}
    union all
    select 'media-store', '', count(*) from ${db.name("whatsapp_media")} where state = 'pending' and last_error like 'MEDIA\\_%'
    union all
    -- There while something old could not be deleted, and as late as it was when that was last tried: a host that is started anew wakes nobody.
    select 'retention', '', extract(epoch from t.due_at - b.due_at)
    from ${db.name("whatsapp_upkeep")} b join ${db.name("whatsapp_upkeep")} t on t.task = '${TRIED}' where b.task = '${BEHIND}'
    union all
    select 'quarantined', '', count(*) from ${db.name("whatsapp_webhooks")}
    where error like 'quarantined:%' and created_at > ${lately}`;

  // Whoever reads or has written holds vacuum back; vacuum itself does not. Sessions of others show their age only to
  // members of pg_read_all_stats.
  const TRANSACTIONS = `
    select 'long-transaction' as kind, '' as subject, extract(epoch from clock_timestamp() - min(began))::float8 as value from (
      select xact_start as began from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
        and backend_type <> 'autovacuum worker' and (backend_xmin is not null or backend_xid is not null)
      union all select prepared from pg_prepared_xacts where database = current_database()) t`;

  const SENDS = `
    with newest as materialized (
      select connection_id, state, is_marketing, updated_at from ${outbox} order by id desc limit ${NEWEST_PARTS}),
    suspects as materialized (
      select n.id, n.phone_number_id from newest o join ${db.name("whatsapp_connections")} n on n.id = o.connection_id
      where n.state = 'connected' and o.updated_at > now() - interval '1 day' group by 1, 2
      -- A number that never got any is the doctor's: perhaps nothing was ever set up. Advertisements may wait at Meta.
      having count(*) filter (where o.state = 'accepted' and not o.is_marketing and o.updated_at < now() - interval '1 minute') >= ${MISSING_STATUSES}
        and bool_or(o.state in ('sent', 'delivered', 'read', 'played'))),
    -- All numbers at once: looking through them for each suspect took more than ten seconds where there were 500.
    recent as materialized (
      select phone_number_id, created_at from ${events} where exists (select 1 from suspects)
      order by id desc limit ${NEWEST_EVENTS}),
    seen as (select phone_number_id, max(created_at) as at from recent group by 1),
    -- Further back nobody has looked: something may have come there.
    horizon as (select case when count(*) = ${NEWEST_EVENTS} then min(created_at) end as at from recent)
    select 'unknown-sends' as kind, '' as subject, count(*)::float8 as value from newest where state = 'unknown' and updated_at > ${lately}
    union all
    select 'webhooks-silent', s.id::text, extract(epoch from now() - min(o.updated_at)) from suspects s
    join newest o on o.connection_id = s.id left join seen on seen.phone_number_id = s.phone_number_id
    cross join horizon
    where o.state = 'accepted' and not o.is_marketing and o.updated_at > coalesce(seen.at, horizon.at, now() - interval '1 day')
    group by s.id having count(*) >= ${MISSING_STATUSES}`;

  return {
    async signs() {
      const signs: Sign[] = [];
      for (const sql of [QUEUE, TRANSACTIONS, SENDS])
        for (const { value, ...found } of await db.transaction((tx) => tx.query<Found>(sql)))
          if (value !== null) signs.push({ ...found, value: Number(value) });
      return signs;
    },

    async raised() {
      return db.query<{ kind: AlarmKind; subject: string; since: Date }>(
        `select kind, subject, raised_at as since from ${table} order by raised_at, kind, subject`,
      );
    },

    change: (changes) =>
      db.transaction(async (tx) => {
        const written: Alarm[] = [];
        for (const change of [...changes].sort((a, b) => compare(a.kind + a.subject, b.kind + b.subject))) {
          const { kind, subject } = change;
          const [row] = await tx.query<{ since: Date }>(
            change.state === "raised"
              ? `insert into ${table} (kind, subject) values ($1, $2) on conflict do nothing returning raised_at as since`
              : `delete from ${table} where kind = $1 and subject = $2 returning raised_at as since`,
            [kind, subject],
          );
          if (row !== undefined) written.push({ ...change, since: row.since.toISOString() });
        }
        if (hasListener)
          tellHost(
            tx,
            db,
            written.map((alarm) => ({ kind: "alarm", alarm })),
          );
        return written;
      }),
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
