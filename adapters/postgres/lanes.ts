/** Lanes: one row per conversation and stage, leased to one worker at a time. The queue's rules are here and in `inbox.ts`. */
import { randomUUID } from "node:crypto";
import type { ClaimedLane, Lanes, PairLimit, Stage } from "../../plugin/ports.ts";
import type { Database, Tx } from "./database.ts";
import { pacedMs, pacedOut } from "./pair-limit.ts";

/** In place of a tenant. */
export const NOBODY = "'00000000-0000-0000-0000-000000000000'::uuid";

/** Its lease may have run out, but whoever asks works it still. $6: the tokens of those who ask. */
const NOT_HELD = "(lease_token is null or lease_token <> all($6::uuid[]))";

/** The lanes that have waited longest. */
function oldest(db: Database): string {
  return `with ready as (
    select lane_key from ${db.name("whatsapp_lanes")}
    where stage = $1 and ready_at <= now() and ${NOT_HELD} order by ready_at limit $2 for update skip locked)`;
}

/**
 * So many tenants are looked at, from anywhere in their order on: a claim costs the same however many there are. Their ids are
 * hashed, so that anywhere is anywhere, whatever kind of ids the host has.
 */
const TENANTS_PER_CLAIM = 200;

/**
 * The same number of lanes of each tenant that has some, its oldest. The index is walked from tenant to tenant, past
 * whatever each has waiting. $7: where to begin, $8: whom to leave out.
 */
function inTurns(db: Database): string {
  const lanes = db.name("whatsapp_lanes");
  const next = (where: string) =>
    `select tenant, ready_at from ${lanes} where stage = $1 and ready_at is not null and ${where} order by tenant, ready_at limit 1`;
  return `with recursive
    later as (
      (${next("tenant > $7")}) union all
      select n.* from later t cross join lateral (${next("tenant > t.tenant")}) n),
    earlier as (
      (${next("tenant <= $7")}) union all
      select n.* from earlier t cross join lateral (${next("tenant > t.tenant and tenant <= $7")}) n),
    tenants as materialized (
      select tenant from (
        select * from (select * from later union all select * from earlier) found limit ${TENANTS_PER_CLAIM}) seen
      where ready_at <= now() and tenant <> all($8::uuid[])),
    chosen as (
      select c.lane_key from tenants t cross join lateral (
        select lane_key from ${lanes} l where l.stage = $1 and l.tenant = t.tenant and l.ready_at <= now() and ${NOT_HELD} order by l.ready_at
        limit (select greatest(1, ceil($2::float8 / count(*)))::int from tenants)) c
      limit $2),
    ready as (
      select lane_key from ${lanes} where lane_key = any(array(select lane_key from chosen)) and ready_at <= now() and ${NOT_HELD}
      for update skip locked)`;
}

/** One more when it was leased and nobody came back, unless its holder had not begun with it. */
const CRASHES = "l.crashes + (l.lease_token is not null and l.counts)::int";

export type LanesOptions = {
  readonly leaseMs: number;
  /** A lane held by that many processes that ended is counted further only from `begin` on. */
  readonly suspectFrom: number;
  readonly pair?: PairLimit;
};

export function createLanes(db: Database, { leaseMs, suspectFrom, pair }: LanesOptions): Lanes {
  /** @returns those whose lease was still held. One that somebody has locked, perhaps for long, keeps none of the others waiting. */
  async function setHeld(lanes: readonly ClaimedLane[], to: string, ms: number): Promise<readonly ClaimedLane[]> {
    const set = async (some: readonly ClaimedLane[], locked: "skip locked" | ""): Promise<readonly ClaimedLane[]> => {
      const rows = await db.bounded<{ lane_key: string }>(
        `with mine as (
           select l.lane_key from ${db.name("whatsapp_lanes")} l
           join unnest((select $1::text[]), (select $2::uuid[])) as m (lane_key, token) on l.lane_key = m.lane_key and l.lease_token = m.token
           order by l.lane_key for update of l ${locked})
         update ${db.name("whatsapp_lanes")} l set ${to}
         from mine where l.lane_key = mine.lane_key returning l.lane_key`,
        [some.map(({ laneKey }) => laneKey), some.map(({ token }) => token), ms],
      );
      const found = new Set(rows.map((row) => row.lane_key));
      return some.filter(({ laneKey }) => found.has(laneKey));
    };
    const held = await set(lanes, "skip locked");
    const left = lanes.filter((lane) => !held.includes(lane));
    return left.length === 0 ? held : [...held, ...(await set(left, ""))];
  }

  return {
    async claim(stage, limit, { without, held = [] } = {}) {
      const token = randomUUID();
      const ready = without === undefined ? oldest(db) : inTurns(db);
      // A lane whose lease ran out still carries the dead worker's token: its head may be what ended that worker.
      const rows = await db.query<{
        lane_key: string;
        tenant: string;
        attempts: number;
        crashes: number;
        paced_ms: number;
      }>(
        `${ready}
         update ${db.name("whatsapp_lanes")} l set
           crashes = ${CRASHES}, counts = ${CRASHES} < $5,
           lease_token = $3, woken = false, ready_at = now() + $4 * interval '1 millisecond'
         from ready where l.lane_key = ready.lane_key
         returning l.lane_key, l.tenant, l.attempts, l.crashes, ${pacedMs(pair)} as paced_ms`,
        [stage, limit, token, leaseMs, suspectFrom, held, ...(without === undefined ? [] : [randomUUID(), without])],
      );
      return rows.map((row) => ({
        laneKey: row.lane_key,
        tenant: row.tenant,
        token,
        attempts: row.attempts,
        crashes: row.crashes,
        pacedMs: row.paced_ms,
      }));
    },

    async begin({ laneKey, token }) {
      const held = await db.bounded(
        `update ${db.name("whatsapp_lanes")} set counts = true where lane_key = $1 and lease_token = $2 returning 1`,
        [laneKey, token],
      );
      return held.length === 1;
    },

    renew: (lanes) => setHeld(lanes, "ready_at = now() + $3 * interval '1 millisecond'", leaseMs),

    async release(lanes, delayMs = 0) {
      const ready = "case when l.pending > 0 then now() + $3 * interval '1 millisecond' end";
      await setHeld(lanes, `lease_token = null, ready_at = ${ready}`, delayMs);
    },

    async postpone({ laneKey, token }, delayMs, failed) {
      await db.bounded(postponing(db), [laneKey, token, delayMs, failed ? 1 : 0]);
    },
  };
}

/** $1: the lane, $2: its token, $3: the delay in milliseconds, $4: what is added to its failures in a row. */
export function postponing(db: Database): string {
  return `update ${db.name("whatsapp_lanes")} set lease_token = null, attempts = attempts + $4,
      ready_at = case when pending > 0 then now() + case when woken then 0 else $3 end * interval '1 millisecond' end
    where lane_key = $1 and lease_token = $2`;
}

export type NewItems = {
  readonly laneKey: string;
  readonly stage: Stage;
  readonly items: number;
  readonly delayMs?: number;
  /** `customer_configs.id`; may be left out where the lane is there already. */
  readonly tenant?: string | null;
};

/**
 * Rule 1: lane rows first, in one global order, and only then the items. The order prevents deadlocks; the lock makes
 * item ids rise in commit order inside a lane. A lane that is leased or backing off keeps its time (rule 3).
 */
export function enqueueOnLanes(tx: Tx, db: Database, lanes: readonly NewItems[]): void {
  if (lanes.length === 0) return;
  tx.send(
    `insert into ${db.name("whatsapp_lanes")} as l (lane_key, stage, pending, ready_at, tenant)
     select lane_key, stage, items, now() + delay_ms * interval '1 millisecond', coalesce(md5(tenant::text)::uuid, ${NOBODY})
     from unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::uuid[]) as new (lane_key, stage, items, delay_ms, tenant)
     order by lane_key
     on conflict (lane_key) do update set
       pending = l.pending + excluded.pending,
       tenant = case when l.tenant = ${NOBODY} then excluded.tenant else l.tenant end,
       ready_at = case when l.pending + excluded.pending > 0 then coalesce(l.ready_at, excluded.ready_at) end`,
    [
      lanes.map(({ laneKey }) => laneKey),
      lanes.map(({ stage }) => stage),
      lanes.map(({ items }) => items),
      lanes.map(({ delayMs }) => delayMs ?? 0),
      lanes.map(({ tenant }) => tenant ?? null),
    ],
  );
}

export type FinishedItems = { readonly lane: ClaimedLane; readonly items: number; readonly delayMs?: number };

/**
 * Rule 2: release by counter. Under READ COMMITTED a blocked UPDATE reads the row anew, so an event that was added
 * meanwhile is counted; an EXISTS would look at the old snapshot and strand the lane.
 * Rule 4: the lease token is the fence. Fewer rows than lanes means that a lease was lost: the caller must roll back.
 */
export async function releaseLanes(tx: Tx, db: Database, finished: readonly FinishedItems[]): Promise<boolean> {
  const rows = await tx.query(
    `with mine as (
       select l.lane_key, f.items, f.delay_ms from ${db.name("whatsapp_lanes")} l
       join unnest((select $1::text[]), (select $2::uuid[]), (select $3::int[]), (select $4::int[])) as f (lane_key, token, items, delay_ms)
         on l.lane_key = f.lane_key and l.lease_token = f.token
       order by l.lane_key for update of l)
     update ${db.name("whatsapp_lanes")} l set
       pending = l.pending - mine.items, lease_token = null, attempts = 0, crashes = 0,
       ready_at = case when l.pending - mine.items > 0
         then now() + case when l.woken then 0 else mine.delay_ms end * interval '1 millisecond' end
     from mine where l.lane_key = mine.lane_key returning 1`,
    [
      finished.map(({ lane }) => lane.laneKey),
      finished.map(({ lane }) => lane.token),
      finished.map(({ items }) => items),
      finished.map(({ delayMs }) => delayMs ?? 0),
    ],
  );
  return rows.length === finished.length;
}

/** The fence for work that goes on: the lane stays leased, and locked until the transaction ends. */
export async function holdsLane(tx: Tx, db: Database, { laneKey, token }: ClaimedLane): Promise<boolean> {
  const held = await tx.query(
    `select 1 from ${db.name("whatsapp_lanes")} where lane_key = $1 and lease_token = $2 for no key update`,
    [laneKey, token],
  );
  return held.length === 1;
}

/** For whoever is about to change lanes in several statements, each of which has its own in order only. */
export function lockLanes(tx: Tx, db: Database, laneKeys: readonly string[]): void {
  tx.send(`select 1 from ${db.name("whatsapp_lanes")} where lane_key = any($1) order by lane_key for update`, [
    laneKeys,
  ]);
}

/**
 * Takes one item off each of these lanes from outside: a status settled what the lane was holding for. A lane that
 * nobody leases goes on at once; a leased one is left to its worker, which sees the settled row.
 */
export function settleOnLanes(
  tx: Tx,
  db: Database,
  laneKeys: readonly string[],
  /** Whose person has had too much, as Meta says: nothing more of theirs leaves for an interval of the limit. */
  { slowed = [], pair }: { readonly slowed?: readonly string[]; readonly pair?: PairLimit | undefined } = {},
): void {
  const counts = new Map<string, number>(slowed.map((key) => [key, 0]));
  for (const key of laneKeys) counts.set(key, (counts.get(key) ?? 0) + 1);
  if (counts.size === 0) return;
  tx.send(
    `with mine as (
       select l.lane_key, s.items from ${db.name("whatsapp_lanes")} l
       join unnest((select $1::text[]), (select $2::int[])) as s (lane_key, items) on s.lane_key = l.lane_key
       order by l.lane_key for update of l)
     update ${db.name("whatsapp_lanes")} l set pending = l.pending - mine.items,
       paced_until = case when l.lane_key = any($3) then ${pacedOut(pair)} else l.paced_until end,
       ready_at = case when l.lease_token is not null or mine.items = 0 then l.ready_at
         when l.pending - mine.items > 0 then now() end
     from mine where l.lane_key = mine.lane_key`,
    [[...counts.keys()], [...counts.values()], slowed],
  );
}

/**
 * What these lanes waited for has come: they are looked at now. Whoever leases one has perhaps read its head before, so
 * the wait that it is about to ask for is not granted.
 */
export function wakeLanes(tx: Tx, db: Database, laneKeys: readonly string[]): void {
  if (laneKeys.length === 0) return;
  tx.send(
    `with mine as (
       select l.lane_key from ${db.name("whatsapp_lanes")} l where l.lane_key = any($1) and l.pending > 0
       order by l.lane_key for update of l)
     update ${db.name("whatsapp_lanes")} l set
       woken = l.lease_token is not null, ready_at = case when l.lease_token is null then now() else l.ready_at end
     from mine where l.lane_key = mine.lane_key`,
    [laneKeys],
  );
}

/** Thrown inside a transaction to roll it back: another worker has the lane by now, and will do the work. */
export class LeaseLost extends Error {
  override readonly name = "LeaseLost";
}

/** Runs a transaction whose work counts only if all its leases were still held. */
export async function fenced(db: Database, run: (tx: Tx) => Promise<void>): Promise<boolean> {
  try {
    await db.transaction(run);
    return true;
  } catch (error) {
    if (error instanceof LeaseLost) return false;
    throw error;
  }
}

/** All in one transaction; when one of them has lost its lease, each in its own, so that it takes nobody along. */
export async function fencedEach<T>(
  db: Database,
  items: readonly T[],
  run: (tx: Tx, items: readonly T[]) => Promise<void>,
): Promise<readonly boolean[]> {
  if (await fenced(db, (tx) => run(tx, items))) return items.map(() => true);
  if (items.length === 1) return [false];
  const outcomes: boolean[] = [];
  for (const item of items) outcomes.push(await fenced(db, (tx) => run(tx, [item])));
  return outcomes;
}
