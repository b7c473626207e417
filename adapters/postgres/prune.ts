/** What has outlived its use goes: in small transactions, past rows that somebody holds, so that any number of instances may do it. */
import { setTimeout as pause } from "node:timers/promises";
import type { Prune, Pruned } from "../../plugin/ports.ts";
import type { Database } from "./database.ts";
import { pruneMedia } from "./media.ts";
import { MESSAGE_LANE } from "./routing.ts";
import { ERASED } from "./tombstones.ts";

/** Rows per transaction: few enough to hold locks for milliseconds. */
const BATCH = 1_000;
/** Transactions of each table, however short the time: nobody else may starve it altogether. */
const LEAST_ROUNDS = 20;
/** After each that deleted something comes a pause of its length: half of one connection's time is everybody else's. At most, in milliseconds: */
const LONGEST_PAUSE_MS = 1_000;
/** In `whatsapp_upkeep`, while something is older than was promised: since when. */
export const BEHIND = "prune";
/** Beside it: when it was last tried. How late it was then is told, as nobody is late while no process runs. */
export const TRIED = "prune tried";

/** A status may come weeks after its message, and the message is gone from Meta after 30 days. */
const ERASED_MESSAGES = 90;
/** How long somebody may ask, by their code, whether they were forgotten. */
const ERASURES = 365;
/** Of no use after ten minutes and after a day; kept for whoever looks for what went wrong. */
const SIGN_INS = 7;
const ONBOARDINGS = 30;

type Step = {
  readonly gone: number;
  readonly goesOn: boolean;
  /** When the youngest row that was looked at was to go: what is left is younger. Null where nothing was seen. */
  readonly due: Date | null;
};

const NOTHING: Step = { gone: 0, goesOn: false, due: null };

type Table = Exclude<keyof Pruned, "isDone">;
type Gone = { readonly due: Date };

/** Of rows that went: as many as may go at once are perhaps not all. */
function toStep(gone: readonly Gone[]): Step {
  const latest = gone.reduce((most, { due }) => Math.max(most, due.getTime()), 0);
  return { gone: gone.length, goesOn: gone.length === BATCH, due: gone.length === 0 ? null : new Date(latest) };
}

export function createPrune(db: Database): Prune {
  /** Nobody else has the table's rows in this order: an index on their age would cost the way to the 200. */
  function byId(table: string, settled: string, days: number): () => Promise<Step> {
    const name = db.name(table);
    let last = "0";
    return async () => {
      const [step] = await db.transaction((tx) =>
        tx.query<{ last: string; seen: number; due: Date | null; gone: number }>(
          `with step as materialized (
             select id, created_at, created_at < now() - $2 * interval '1 day' as is_old from ${name} where id > $1 order by id limit ${BATCH}),
           old as (
             select t.id from ${name} t join step on step.id = t.id where step.is_old and ${settled}
             order by t.id for update of t skip locked),
           gone as (delete from ${name} t using old where t.id = old.id returning 1)
           select coalesce(max(id), 0) as last, count(*)::int as seen,
             max(created_at) filter (where is_old) + $2 * interval '1 day' as due,
             (select count(*)::int from gone) as gone from step`,
          [last, days],
        ),
      );
      if (step === undefined) return NOTHING;
      last = step.last;
      return { gone: step.gone, goesOn: step.seen === BATCH && step.due !== null, due: step.due };
    };
  }

  /** Where there is an index on the age, or never much. */
  function byAge(table: string, key: string, age: string, days: number, settled = "true"): () => Promise<Step> {
    const name = db.name(table);
    return async () => {
      const gone = await db.transaction((tx) =>
        tx.query<Gone>(
          `with old as (
             select ${key} from ${name} where ${settled} and ${age} < now() - $1 * interval '1 day'
             order by ${age} limit ${BATCH} for update skip locked)
           delete from ${name} t using old where t.${key} = old.${key} returning t.${age} + $1 * interval '1 day' as due`,
          [days],
        ),
      );
      return toStep(gone);
    };
  }

  /** Its parts and their attempts go with it. They are locked first and in order, as a late status would lock them. */
  function sends(days: number): () => Promise<Step> {
    const [sent, parts] = [db.name("whatsapp_sends"), db.name("whatsapp_outbox")];
    return async () => {
      const gone = await db.transaction((tx) =>
        tx.query<Gone>(
          `with old as (
             select s.id from ${sent} s where s.created_at < now() - $1 * interval '1 day' and not exists (
               select 1 from ${parts} o where o.send_id = s.id and o.state in ('queued', 'held', 'sending'))
             order by s.created_at limit ${BATCH} for update of s skip locked),
           held as materialized (
             select o.send_id from ${parts} o where o.send_id in (select id from old) order by o.id for update skip locked)
           delete from ${sent} s using old where s.id = old.id
             and (select count(*) from ${parts} o where o.send_id = s.id) = (select count(*) from held where send_id = s.id)
           returning s.created_at + $1 * interval '1 day' as due`,
          [days],
        ),
      );
      return toStep(gone);
    };
  }

  function media(days: number): () => Promise<Step> {
    return async () => {
      return toStep(await db.transaction((tx) => pruneMedia(tx, db, days, BATCH)));
    };
  }

  // Kept while its tenant was connecting it again, and never did. What was never anybody's waits for its first.
  const connections = db.name("whatsapp_connections");
  const upkeep = db.name("whatsapp_upkeep");
  const left = `select phone_number_id from ${connections} except select phone_number_id from ${connections} where state <> 'disconnected'`;

  /**
   * Of messages that another app sends on the same account, each of which has a lane for its statuses. Whoever stores one
   * meanwhile waits for the end of this, and makes the lane anew.
   */
  function lanesOfMessages(): () => Promise<Step> {
    const lanes = db.name("whatsapp_lanes");
    let last = MESSAGE_LANE;
    return async () => {
      const [step] = await db.transaction((tx) =>
        tx.query<{ last: string; seen: number; gone: number }>(
          `with step as materialized (
             select lane_key from ${lanes} where lane_key > $1 order by lane_key limit ${BATCH}),
           idle as (
             select l.lane_key from ${lanes} l join step on step.lane_key = l.lane_key
             where starts_with(l.lane_key, $2) and l.pending = 0 and l.ready_at is null and l.lease_token is null
             order by l.lane_key for update of l skip locked),
           gone as (delete from ${lanes} l using idle where l.lane_key = idle.lane_key returning 1)
           select coalesce(max(lane_key), $1) as last, count(*) filter (where starts_with(lane_key, $2))::int as seen,
             (select count(*)::int from gone) as gone from step`,
          [last, MESSAGE_LANE],
        ),
      );
      if (step === undefined) return NOTHING;
      last = step.last;
      return { gone: step.gone, goesOn: step.seen === BATCH, due: null };
    };
  }

  return async ({ rawDays, eventDays, sendDays, mediaDays, deadDays }, signal, isOver = () => false) => {
    const tables: Readonly<Record<Table, readonly (() => Promise<Step>)[]>> = {
      webhooks: [byId("whatsapp_webhooks", "t.pending = 0", rawDays)],
      events: [
        byId("whatsapp_events", `t.state in (1, ${ERASED})`, eventDays),
        byAge("whatsapp_events", "id", "created_at", deadDays, "state = 2"),
        byAge("whatsapp_events", "id", "created_at", eventDays, `state = 4 and phone_number_id in (${left})`),
        // For a number that nobody has connected. Not by id: what is done may stay for longer, and is not walked past every minute.
        byAge("whatsapp_events", "id", "created_at", deadDays, "state = 4"),
      ],
      turns: [
        byAge("whatsapp_turns", "id", "created_at", eventDays, "state = 1"),
        byAge("whatsapp_turns", "id", "created_at", deadDays, "state = 2"),
      ],
      sends: [sends(sendDays)],
      media: [media(mediaDays)],
      hostEvents: [byAge("whatsapp_host_events", "id", "created_at", deadDays, "state = 2")],
      others: [
        byAge("whatsapp_erased_messages", "message_hash", "erased_at", ERASED_MESSAGES),
        byAge("whatsapp_erasures", "code", "completed_at", ERASURES),
        byAge("whatsapp_oauth_states", "state_hash", "expires_at", SIGN_INS),
        byAge("whatsapp_onboardings", "id", "created_at", ONBOARDINGS, "access_token_enc is null"),
        // Of three columns: the row's own place, which holds for one statement.
        byAge("whatsapp_media_uploads", "ctid", "expires_at", 0),
        lanesOfMessages(),
      ],
    };
    const pruned = { webhooks: 0, events: 0, turns: 0, sends: 0, media: 0, hostEvents: 0, others: 0 };
    // What fails from now on leaves this behind, so that it is seen how long nothing has got through.
    await db.query(
      `insert into ${upkeep} as u (task, due_at) values ($1, now()), ($2, now())
       on conflict (task) do update set due_at = excluded.due_at where u.task = $2`,
      [BEHIND, TRIED],
    );
    const rest = await inTurns(
      (Object.keys(tables) as Table[]).flatMap((table) => tables[table].map((step) => ({ table, step, due: null }))),
      { isStopped: () => signal.aborted, isOver, onGone: (table, gone) => (pruned[table] += gone) },
    );
    if (rest.length === 0) await db.query(`delete from ${upkeep} where task in ($1, $2)`, [BEHIND, TRIED]);
    else {
      const dues = rest.map(({ due }) => due).filter((due) => due !== null);
      await db.query(`update ${upkeep} set due_at = least($2::timestamptz, clock_timestamp()) where task = $1`, [
        BEHIND,
        dues.sort((a, b) => a.getTime() - b.getTime())[0] ?? null,
      ]);
    }
    return { ...pruned, isDone: rest.length === 0 };
  };
}

type Task = { readonly table: Table; readonly step: () => Promise<Step>; readonly due: Date | null };

/**
 * One batch of each after the other, so that no table waits for the end of a larger one; past rows that stay, however many they
 * are, so that they never hide those behind them.
 * @returns what is left to do.
 */
async function inTurns(
  tasks: readonly Task[],
  {
    isStopped,
    isOver,
    onGone,
  }: {
    readonly isStopped: () => boolean;
    readonly isOver: () => boolean;
    readonly onGone: (table: Table, gone: number) => void;
  },
): Promise<readonly Task[]> {
  let left = tasks;
  for (let rounds = 0; left.length > 0 && !isStopped() && (rounds < LEAST_ROUNDS || !isOver()); rounds += 1) {
    const going: Task[] = [];
    for (const task of left) {
      const began = performance.now();
      const { gone, goesOn, due } = isStopped() ? { ...NOTHING, goesOn: true } : await task.step();
      onGone(task.table, gone);
      if (goesOn) going.push({ ...task, due: due ?? task.due });
      if (goesOn && gone > 0) await pause(Math.min(performance.now() - began, LONGEST_PAUSE_MS));
    }
    left = going;
  }
  return left;
}
