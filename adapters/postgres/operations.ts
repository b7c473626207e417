/** How the work is going: looks that are bounded by an index, and whose turn the upkeep is. */
import type { Operations, Stage, StageBacklog } from "../../plugin/ports.ts";
import type { Database } from "./database.ts";

const STAGES: readonly Stage[] = ["in", "turn", "out", "notify"];

export function createOperations(db: Database): Operations {
  const lanes = db.name("whatsapp_lanes");
  /** In a transaction, so that the server ends what takes too long. */
  const query = <T>(sql: string, params: readonly unknown[] = []) => db.transaction((tx) => tx.query<T>(sql, params));

  return {
    async nextReadyMs() {
      const [next] = await query<{ ms: number | null }>(
        `select (extract(epoch from min(l.ready_at) - clock_timestamp()) * 1000)::float8 as ms from unnest($1::text[]) as s (stage)
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

    async takeUpkeep(forMs) {
      const taken = await query(
        `insert into ${db.name("whatsapp_upkeep")} as u (task, due_at)
         values ('all', clock_timestamp() + $1 * interval '1 millisecond')
         on conflict (task) do update set due_at = excluded.due_at where u.due_at <= clock_timestamp() returning 1`,
        [forMs],
      );
      return taken.length === 1;
    },
  };
}
