/** Turns: the messages of a burst, frozen when the host is first asked, finished together with the answer's outbox rows. */
import type { FinishedTurn, OfferedChoice, SealedTurn, StoredTurnMessage, Turns } from "../../plugin/ports.ts";
import type { Database, Tx } from "./database.ts";
import { notifyLane, tellHost, type WaitingEvent } from "./host-events.ts";
import { fenced, fencedEach, holdsLane, LeaseLost, postponing, releaseLanes } from "./lanes.ts";
import { readMediaStates } from "./media-states.ts";
import { reviveContent } from "./revive.ts";
import { insertSends } from "./sends.ts";

type TurnRow = {
  readonly lane_key: string;
  readonly id: string;
  readonly conversation_id: string;
  readonly customer_config_id: string;
  readonly connection_id: string;
  readonly contact_id: string;
  readonly messages: readonly StoredTurnMessage[];
  readonly attempts: number;
  readonly name: string | null;
  readonly phone_number: string | null;
  readonly user_id: string | null;
  readonly phone_number_id: string;
  readonly waba_id: string;
  readonly access_token_enc: string | null;
  readonly paused: boolean;
  readonly offered: readonly (readonly OfferedChoice[] | null)[] | null;
  readonly said_before: readonly string[] | null;
};

/** The last send to leave is one of so many in its conversation, though others may have overtaken it, as templates do what is held. */
const LATEST_SENDS = 20;

/**
 * The parts of send `s` that had left, or may have, when a `message` of a turn was written: by Meta's clock, which shows seconds, and by ours,
 * by which what was held leaves just after the message that opens its window. What nobody knows to have arrived is nothing to choose from, but
 * neither is then what stands above it.
 */
function partsLeft(db: Database): string {
  return `select o.part_index, l.left_at, a.tried_at, o.state not in ('sending', 'unknown') as arrived
    from ${db.name("whatsapp_outbox")} o
    cross join lateral (select max(started_at) as tried_at from ${db.name("whatsapp_send_attempts")} where outbox_id = o.id) a
    cross join lateral (select date_trunc('second', coalesce(o.sent_at, a.tried_at)) as left_at) l
    where o.send_id = s.id and o.state in ('sending', 'unknown', 'accepted', 'sent', 'delivered', 'read', 'played')
      and l.left_at <= (message ->> 'timestamp')::timestamptz
      and a.tried_at <= coalesce((message ->> 'receivedAt')::timestamptz, a.tried_at)`;
}

export function turnLane(contactId: string): string {
  return `turn:contact:${contactId}`;
}

/**
 * Of each message of turn `t`, what the last send to contact `c` that had left by then has offered; null where nothing was offered lately,
 * which is nearly always and must cost next to nothing. A send that `t` made itself is not meant. Two contacts that were linked keep a conversation
 * each, and may pick in one what was offered in the other.
 */
function offeredTo(db: Database): string {
  const sends = db.name("whatsapp_sends");
  return `(
    with latest as materialized (
      select s.* from (
        select t.conversation_id as id union select c.conversation_id
        union select y.conversation_id from ${db.name("whatsapp_contacts")} y where y.merged_into = c.id) v
      cross join lateral (
        select id, choices, created_at from ${sends} where conversation_id = v.id and turn_id is distinct from t.id
        order by created_at desc limit ${LATEST_SENDS}) s)
    select jsonb_agg((
      select (
        -- An earlier version said neither the number nor the part that shows it.
        select jsonb_agg(jsonb_build_object('number', i) || choice order by i) from jsonb_array_elements(s.choices) with ordinality as offered (choice, i)
        where coalesce((choice->>'part')::int, seen.parts[1]) = any(seen.parts))
      from latest s
      cross join lateral (
        select max(left_at) as left_at, max(tried_at) as tried_at, array_agg(part_index) filter (where arrived) as parts from (${partsLeft(db)}) o) seen
      where seen.left_at is not null order by seen.left_at desc, seen.tried_at desc limit 1) order by n)
    from jsonb_array_elements(t.messages) with ordinality as written (message, n)
    where exists (select 1 from latest where choices <> '[]'))`;
}

/** For whoever changes turns of several lanes: in the order in which `seal` locks them, which holds no lane. */
export function lockTurns(tx: Tx, db: Database, laneKeys: readonly string[]): void {
  tx.send(
    `select 1 from ${db.name("whatsapp_turns")} where lane_key = any($1) and state = 0 order by lane_key, seq for no key update`,
    [laneKeys],
  );
}

export function createTurns(db: Database, { hasListener }: { readonly hasListener: boolean }): Turns {
  const table = db.name("whatsapp_turns");
  return {
    async seal(lanes) {
      const rows = await db.bounded<TurnRow>(
        // Locked in the order of the lanes, as by everybody else.
        `with head as (
           select t.id from (select lane_key from unnest((select $1::text[])) as k (lane_key) order by lane_key) l
           join lateral (select id, sealed_at, waits_until from ${table} where lane_key = l.lane_key and state = 0 order by seq limit 1
             for no key update) t on true
           where t.sealed_at is not null or t.waits_until is null or t.waits_until <= now())
         update ${table} t set sealed_at = coalesce(t.sealed_at, now()), attempts = t.attempts + 1
         from head, ${db.name("whatsapp_contacts")} c, ${db.name("whatsapp_connections")} n
         left join ${db.name("whatsapp_oauth_tokens")} k on k.connection_id = n.id
         where t.id = head.id and c.id = t.contact_id and n.id = t.connection_id
         returning t.lane_key, t.id, t.conversation_id, t.customer_config_id, t.connection_id, t.contact_id, t.messages,
           t.attempts, c.name, c.phone_number, c.user_id, n.phone_number_id, n.waba_id, k.access_token_enc,
           coalesce(c.ai_paused_until > now(), false) as paused, ${offeredTo(db)} as offered, (
             select jsonb_agg(s.request_hash order by s.turn_piece) from ${db.name("whatsapp_sends")} s where s.turn_id = t.id) as said_before`,
        [lanes.map(({ laneKey }) => laneKey)],
      );
      const byLane = new Map(rows.map((row) => [row.lane_key, row]));
      // After they are sealed: what comes from here on is told to the host.
      const mediaIds = rows.flatMap(({ messages }) => messages.flatMap(({ media }) => media?.id ?? []));
      const media = mediaIds.length === 0 ? [] : await readMediaStates(db, db, mediaIds);
      return lanes.map((lane): SealedTurn | null => {
        const row = byLane.get(lane.laneKey);
        if (row === undefined) return null;
        return {
          lane,
          turnId: row.id,
          conversationId: row.conversation_id,
          customerConfigId: row.customer_config_id,
          connectionId: row.connection_id,
          contactId: row.contact_id,
          channel: "whatsapp",
          contact: { name: row.name, phoneNumber: row.phone_number, userId: row.user_id },
          messages: row.messages.map((message) => ({ ...message, content: reviveContent(message.content) })),
          media,
          attempt: row.attempts,
          phoneNumberId: row.phone_number_id,
          wabaId: row.waba_id,
          accessTokenEnc: row.access_token_enc,
          isPaused: row.paused,
          offered: (row.offered ?? []).map((choices) => choices ?? []),
          saidBefore: row.said_before ?? [],
        };
      });
    },

    async waits(lanes) {
      const rows = await db.query<{ lane_key: string; ms: number }>(
        `select lane_key, ceil(extract(epoch from waits_until - now()) * 1000)::int as ms from ${table}
         where lane_key = any($1) and sealed_at is null and state = 0 and waits_until > now()`,
        [lanes.map(({ laneKey }) => laneKey)],
      );
      return new Map(
        rows.flatMap(({ lane_key, ms }) => {
          const lane = lanes.find(({ laneKey }) => laneKey === lane_key);
          return lane === undefined ? [] : [[lane, ms] as const];
        }),
      );
    },

    finish: (answers) =>
      fencedEach(db, answers, async (tx, some) => {
        // Before the turns' lanes, by the order of locks.
        if (hasListener) tellHandoffs(tx, db, some);
        const released = releaseLanes(
          tx,
          db,
          some.map(({ turn }) => ({ lane: turn.lane, items: 1 })),
        );
        tx.send(
          // In the order of the lanes, as by everybody else: an edit locks turns of several without holding their lanes.
          `with mine as (
             select id from ${table} where id = any((select $1::uuid[])::uuid[]) order by lane_key, seq for no key update)
           update ${table} t set state = 1, finished_at = now(), last_error = null from mine where t.id = mine.id`,
          [some.map(({ turn }) => turn.turnId)],
        );
        const inserting = insertSends(
          tx,
          db,
          some.flatMap(({ turn, send }) => (send === null || send.parts.length === 0 ? [] : [{ ...turn, ...send }])),
        );
        const [held, inserted] = await Promise.allSettled([released, inserting]);
        if (held.status === "rejected") throw held.reason;
        // First: what a worker without its lane could not insert, because its person was erased meanwhile, is nobody's failure.
        if (!held.value) throw new LeaseLost();
        if (inserted.status === "rejected") throw inserted.reason;
      }),

    append: (turn, index, piece) =>
      fenced(db, async (tx) => {
        if (!(await holdsLane(tx, db, turn.lane))) throw new LeaseLost();
        await insertSends(tx, db, [{ ...turn, ...piece, turnPiece: index }]);
      }),

    async putOff({ lane, turnId }, delayMs) {
      await db.bounded(
        `with held as (${postponing(db)} returning 1)
         update ${table} set attempts = attempts - 1 where id = $5 and exists (select 1 from held)`,
        [lane.laneKey, lane.token, delayMs, 1, turnId],
      );
    },

    async bury({ lane, turnId }, error) {
      await fenced(db, async (tx) => {
        if (!(await releaseLanes(tx, db, [{ lane, items: 1 }]))) throw new LeaseLost();
        await tx.query(`update ${table} set state = 2, finished_at = now(), last_error = $2 where id = $1`, [
          turnId,
          error,
        ]);
      });
    },
  };
}

function tellHandoffs(tx: Tx, db: Database, finished: readonly FinishedTurn[]): void {
  const turns = finished.filter(({ handoff }) => handoff === true).map(({ turn }) => turn);
  const events = turns.map(({ conversationId, turnId }): WaitingEvent => ({ kind: "handoff", conversationId, turnId }));
  tellHost(tx, db, events, new Map(events.map((event, i) => [notifyLane(event), turns[i]?.customerConfigId ?? null])));
}
