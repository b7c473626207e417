/** What has outlived its use goes: in small transactions, past rows that somebody holds, so that any number of instances may do it. */
import type { Prune, Pruned } from "../../plugin/ports.ts";
import type { Database } from "./database.ts";
import { pruneMedia } from "./media.ts";
import { MESSAGE_LANE } from "./routing.ts";
import { ERASED } from "./tombstones.ts";

/** Rows per transaction: few enough to hold locks for milliseconds. */
const BATCH = 1_000;
/** Transactions that deleted something, per table and call; what is left goes with the next one. */
const ROUNDS = 20;

/** A status may come weeks after its message, and the message is gone from Meta after 30 days. */
const ERASED_MESSAGES = 90;
/** How long somebody may ask, by their code, whether they were forgotten. */
const ERASURES = 365;
/** Of no use after ten minutes and after a day; kept for whoever looks for what went wrong. */
const SIGN_INS = 7;
const ONBOARDINGS = 30;

type Step = { readonly gone: number; readonly goesOn: boolean };

export function createPrune(db: Database): Prune {
  /** Nobody else has the table's rows in this order: an index on their age would cost the way to the 200. */
  function byId(table: string, settled: string, days: number): () => Promise<Step> {
    const name = db.name(table);
    let last = "0";
    return async () => {
      const [step] = await db.transaction((tx) =>
        tx.query<{ last: string; seen: number; any_old: boolean; gone: number }>(
          `with step as materialized (
             select id, created_at < now() - $2 * interval '1 day' as is_old from ${name} where id > $1 order by id limit ${BATCH}),
           old as (
             select t.id from ${name} t join step on step.id = t.id where step.is_old and ${settled}
             order by t.id for update of t skip locked),
           gone as (delete from ${name} t using old where t.id = old.id returning 1)
           select coalesce(max(id), 0) as last, count(*)::int as seen, coalesce(bool_or(is_old), false) as any_old,
             (select count(*)::int from gone) as gone from step`,
          [last, days],
        ),
      );
      if (step === undefined) return { gone: 0, goesOn: false };
      last = step.last;
      return { gone: step.gone, goesOn: step.seen === BATCH && step.any_old };
    };
  }

  /** Where there is an index on the age, or never much. */
  function byAge(table: string, key: string, age: string, days: number, settled = "true"): () => Promise<Step> {
    const name = db.name(table);
    return async () => {
      const gone = await db.transaction((tx) =>
        tx.query(
          `with old as (
             select ${key} from ${name} where ${settled} and ${age} < now() - $1 * interval '1 day'
             order by ${age} limit ${BATCH} for update skip locked)
           delete from ${name} t using old where t.${key} = old.${key} returning 1`,
          [days],
        ),
      );
      return { gone: gone.length, goesOn: gone.length === BATCH };
    };
  }

  /** Its parts and their attempts go with it. They are locked first and in order, as a late status would lock them. */
  function sends(days: number): () => Promise<Step> {
    const [sent, parts] = [db.name("whatsapp_sends"), db.name("whatsapp_outbox")];
    return async () => {
      const gone = await db.transaction((tx) =>
        tx.query(
          `with old as (
             select s.id from ${sent} s where s.created_at < now() - $1 * interval '1 day' and not exists (
               select 1 from ${parts} o where o.send_id = s.id and o.state in ('queued', 'held', 'sending'))
             order by s.created_at limit ${BATCH} for update of s skip locked),
           held as materialized (
             select o.send_id from ${parts} o where o.send_id in (select id from old) order by o.id for update skip locked)
           delete from ${sent} s using old where s.id = old.id
             and (select count(*) from ${parts} o where o.send_id = s.id) = (select count(*) from held where send_id = s.id)
           returning 1`,
          [days],
        ),
      );
      return { gone: gone.length, goesOn: gone.length === BATCH };
    };
  }

  function media(days: number): () => Promise<Step> {
    return async () => {
      const gone = await db.transaction((tx) => pruneMedia(tx, db, days, BATCH));
      return { gone, goesOn: gone === BATCH };
    };
  }

  // Kept while its tenant was connecting it again, and never did. What was never anybody's waits for its first.
  const connections = db.name("whatsapp_connections");
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
      if (step === undefined) return { gone: 0, goesOn: false };
      last = step.last;
      return { gone: step.gone, goesOn: step.seen === BATCH };
    };
  }

  return async ({ rawDays, eventDays, sendDays, mediaDays, deadDays }, signal) => {
    const tables: Readonly<Record<keyof Pruned, readonly (() => Promise<Step>)[]>> = {
      webhooks: [byId("whatsapp_webhooks", "t.pending = 0", rawDays)],
      events: [
        byId("whatsapp_events", `t.state in (1, ${ERASED})`, eventDays),
        byAge("whatsapp_events", "id", "created_at", deadDays, "state = 2"),
        byAge("whatsapp_events", "id", "created_at", eventDays, `state = 4 and phone_number_id in (${left})`),
        // For a number that nobody has connected.
        byId("whatsapp_events", "t.state = 4", deadDays),
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
    for (const [name, steps] of Object.entries(tables))
      for (const step of steps) pruned[name as keyof Pruned] += await repeat(step, signal);
    return pruned;
  };
}

/** Past rows that stay, however many they are, so that they never hide those behind them. */
async function repeat(step: () => Promise<Step>, signal: AbortSignal): Promise<number> {
  let total = 0;
  for (let rounds = 0; rounds < ROUNDS && !signal.aborted; ) {
    const { gone, goesOn } = await step();
    total += gone;
    if (!goesOn) break;
    if (gone > 0) rounds += 1;
  }
  return total;
}
