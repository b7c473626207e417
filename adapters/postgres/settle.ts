/** How an attempt ended, written: the part, its lane, the host's inbox, the host's ear, and whatever stood behind it. */
import type { PartState, SentPart } from "../../plugin/contract.ts";
import type { FallbackPart, SentTwice, Settlement } from "../../plugin/ports.ts";
import type { Database, Tx } from "./database.ts";
import { enqueueHostEvents, notifyLane, type WaitingEvent } from "./host-events.ts";
import { updateHostMessages } from "./host-messages.ts";
import type { HostShape } from "./host-tables.ts";
import type { JustFailed } from "./instead.ts";
import { enqueueOnLanes, LeaseLost, releaseLanes, settleOnLanes } from "./lanes.ts";
import { lockRefusers, OPTED_OUT, optOut } from "./preferences.ts";
import { closeWindows, openFreeEntryPoints, windowOf } from "./sessions.ts";
import { rememberErased } from "./tombstones.ts";

export type SettleOptions = {
  readonly hasListener: boolean;
  readonly isPending: (state: PartState) => boolean;
  /** Called after the commit. */
  readonly onSentTwice?: (parts: readonly SentTwice[]) => void;
};

type Locked = {
  readonly id: string;
  readonly state: PartState;
  readonly message_id: string | null;
  readonly send_id: string;
  readonly part_index: number;
  /** Linking two contacts may have moved it since it was read. */
  readonly lane_key: string;
  readonly contact_id: string;
  readonly customer_config_id: string;
  readonly conversation_id: string;
  readonly host_message_id: string | null;
  readonly needs_window: boolean;
  /** An ad brought the person, and nothing has left in answer yet. */
  readonly from_ad: boolean;
};

type Change = {
  readonly row: Locked;
  /** Another message stands in its place. */
  readonly by?: FallbackPart;
  readonly state: PartState;
  readonly messageId: string | null;
  readonly error: SentPart["error"];
};

/**
 * @param withLease whether the lanes are ours still. An answer that came after the lease was lost is still an answer.
 * @returns parts that a status had settled already by another wamid than this answer has.
 * @throws LeaseLost to roll back.
 */
export async function settleParts(
  tx: Tx,
  db: Database,
  shape: HostShape,
  options: SettleOptions,
  settlements: readonly Settlement[],
  withLease: boolean,
): Promise<readonly SentTwice[]> {
  lockRefusers(
    tx,
    db,
    settlements.filter(({ error }) => error?.meta?.code === OPTED_OUT).map(({ part }) => part.outboxId),
  );
  const rows = await lockWithSuccessors(
    tx,
    db,
    settlements.map(({ part }) => part.outboxId),
  );
  const changes: Change[] = [];
  const copies: { readonly row: Locked; readonly messageId: string }[] = [];
  const finished = settlements.map((settlement) => {
    const { part, next } = settlement;
    const row = rows.find(({ id }) => id === part.outboxId);
    if (row === undefined) return { lane: part.lane, laneKey: part.lane.laneKey, items: 0 };
    const lane = { lane: part.lane, laneKey: row.lane_key };
    // A status was faster: the part is settled and already counted off its lane. Only its wamid may be missing.
    if (!options.isPending(row.state)) {
      // Meta's word stands above what was only guessed while this answer was on its way.
      if (row.message_id !== null && settlement.messageId !== null && settlement.messageId !== row.message_id)
        copies.push({ row, messageId: settlement.messageId });
      if (row.message_id === null && settlement.messageId !== null) {
        const isGuess = row.state === "unknown" || row.state === "expired";
        changes.push({
          row,
          state: isGuess ? "accepted" : row.state,
          messageId: settlement.messageId,
          error: null,
        });
      }
      return { ...lane, items: 0 };
    }
    if (next.kind === "retry") {
      if (withLease) changes.push({ row, state: next.state, messageId: null, error: settlement.error });
      return { ...lane, items: 0, delayMs: next.delayMs };
    }
    // A template that was queued in the place of an earlier part stands for them all, and goes.
    const ofSend = rows.filter(({ send_id, id }) => send_id === row.send_id && id !== row.id);
    const after = ofSend.filter(
      ({ id, needs_window, state }) => needs_window && BigInt(id) > BigInt(row.id) && options.isPending(state),
    );
    if (next.kind === "replace") {
      // Whoever has the lane now may be sending it; that the window is closed they will see by themselves.
      if (!withLease) return { ...lane, items: 0 };
      const hasGone = ofSend.some(({ needs_window }) => !needs_window);
      if (hasGone) changes.push({ row, state: "expired", messageId: null, error: REPLACED });
      else changes.push({ row, state: "queued", messageId: null, error: null, by: next.by });
      for (const one of after) changes.push({ row: one, state: "expired", messageId: null, error: REPLACED });
      return { ...lane, items: after.length + (hasGone ? 1 : 0), delayMs: 0 };
    }
    changes.push({ row, state: next.state, messageId: settlement.messageId, error: settlement.error });
    // A reaction says nothing that they would need.
    if (next.state === "accepted" || part.kind === "reaction") return { ...lane, items: 1 };
    // What follows would make no sense without this part, so it is not sent either, and the receipt says so.
    for (const one of after) changes.push({ row: one, state: "failed", messageId: null, error: PART_BEFORE });
    return { ...lane, items: 1 + after.length };
  });
  writeAttempts(tx, db, settlements);
  writeTries(
    tx,
    db,
    settlements.filter(({ part, isTry }) => isTry && rows.some(({ id }) => id === part.outboxId)),
  );
  // Its person was erased while it was on its way.
  const orphans = settlements.filter(({ part }) => !rows.some(({ id }) => id === part.outboxId));
  if (orphans.length > 0)
    rememberErased(
      tx,
      db,
      orphans.map(({ messageId }) => messageId).filter((messageId) => messageId !== null),
    );
  writeParts(tx, db, changes);
  replaceParts(tx, db, changes);
  writeCopies(tx, db, copies);
  const answered = changes.filter(({ row, state }) => state === "accepted" && row.from_ad);
  const answeredIds = answered.map(({ row }) => row.id);
  closeWindows(tx, db, refusedBy(settlements), { parts: answeredIds });
  openFreeEntryPoints(tx, db, answeredIds);
  optOut(
    tx,
    db,
    changes.filter(({ error }) => error?.meta?.code === OPTED_OUT).map(({ row }) => row.contact_id),
  );
  updateHostMessages(
    tx,
    db,
    shape,
    changes.map(({ row, state, messageId, by }) => ({
      id: row.host_message_id,
      status: state,
      externalId: messageId,
      content: by?.content ?? null,
      mediaType: by === undefined ? null : (by.mediaType ?? ""),
    })),
  );
  const news = options.hasListener
    ? changes.filter(({ row, state }) => state !== row.state && !options.isPending(state)).map(toHostEvent)
    : [];
  const tenants = new Map(
    changes.map(({ row }) => [`notify:conversation:${row.conversation_id}`, row.customer_config_id]),
  );
  const lanes = new Map<string, number>();
  for (const event of news) lanes.set(notifyLane(event), (lanes.get(notifyLane(event)) ?? 0) + 1);
  enqueueOnLanes(
    tx,
    db,
    [...lanes].map(([laneKey, items]) => ({ laneKey, stage: "notify", items, tenant: tenants.get(laneKey) ?? null })),
  );
  enqueueHostEvents(tx, db, news);
  if (!withLease)
    settleOnLanes(
      tx,
      db,
      finished.flatMap(({ laneKey, items }) => Array.from({ length: items }, () => laneKey)),
    );
  else if (!(await releaseLanes(tx, db, finished))) throw new LeaseLost();
  return copies.map(({ row }) => ({ outboxId: row.id, sendId: row.send_id, part: row.part_index }));
}

function refusedBy(settlements: readonly Settlement[]): readonly JustFailed[] {
  return settlements.flatMap(({ part: { outboxId: id }, error }) => (error?.meta ? [{ id, error: error.meta }] : []));
}

const REPLACED: SentPart["error"] = {
  code: "WINDOW_CLOSED",
  message: "The 24-hour window closed before it could leave; the template was sent in its place.",
  meta: null,
};

const PART_BEFORE: SentPart["error"] = {
  code: "PART_BEFORE_FAILED",
  message: "An earlier part of this answer was not sent.",
  meta: null,
};

async function lockWithSuccessors(tx: Tx, db: Database, ids: readonly string[]): Promise<readonly Locked[]> {
  return tx.query<Locked>(
    `select o.id, o.state, o.message_id, o.send_id, o.part_index, o.lane_key, o.contact_id, o.customer_config_id, o.conversation_id, o.host_message_id, o.needs_window,
       exists (select 1 from ${db.name("whatsapp_contacts")} c join ${db.name("whatsapp_sessions")} s on s.conversation_id = ${windowOf(db)}
         where c.id = o.contact_id and s.ad_message_at is not null) as from_ad
     from ${db.name("whatsapp_outbox")} o
     where o.send_id in (select send_id from ${db.name("whatsapp_outbox")} where id = any((select $1::bigint[])::bigint[])) order by o.id for update`,
    [ids],
  );
}

function writeAttempts(tx: Tx, db: Database, settlements: readonly Settlement[]): void {
  const made = settlements.filter(({ token }) => token !== null);
  if (made.length === 0) return;
  tx.send(
    // Accepted is absorbing: a status may have said so while the answer was still on its way. Arrays, because a plan for a
    // recordset expects a hundred of them, and walks the whole index instead of looking each up.
    `update ${db.name("whatsapp_send_attempts")} a set state = s.state, message_id = coalesce(s.message_id, a.message_id),
       error = s.error::jsonb, finished_at = now()
     from unnest((select $1::text[]), (select $2::text[]), (select $3::text[]), (select $4::text[])) as s (token, state, message_id, error)
     where a.token = s.token and a.state <> 'accepted'`,
    [
      made.map(({ token }) => token),
      made.map(({ attempt }) => attempt),
      made.map(({ messageId }) => messageId),
      made.map(attemptError),
    ],
  );
}

/** What never came to an attempt is in its history all the same, where it is counted. */
function writeTries(tx: Tx, db: Database, settlements: readonly Settlement[]): void {
  if (settlements.length === 0) return;
  tx.send(
    `insert into ${db.name("whatsapp_send_attempts")} (outbox_id, token, state, error, finished_at)
     select outbox_id, gen_random_uuid()::text, 'rejected', error::jsonb, now() from unnest($1::bigint[], $2::text[]) as s (outbox_id, error)`,
    [settlements.map(({ part }) => part.outboxId), settlements.map(attemptError)],
  );
}

function attemptError({ error, isExcused }: Settlement): string | null {
  return error === null ? null : JSON.stringify({ ...error, excused: isExcused });
}

function writeParts(tx: Tx, db: Database, changes: readonly Change[]): void {
  if (changes.length === 0) return;
  tx.send(
    `update ${db.name("whatsapp_outbox")} o set state = c.state, message_id = coalesce(c.message_id, o.message_id), error = c.error,
       failed_at = case when c.state in ('failed', 'expired', 'unknown') then coalesce(o.failed_at, now()) end, updated_at = now()
     from json_to_recordset($1::json) as c (id bigint, state text, message_id text, error jsonb) where o.id = c.id`,
    [
      JSON.stringify(
        changes.map(({ row, state, messageId, error }) => ({ id: row.id, state, message_id: messageId, error })),
      ),
    ],
  );
}

function writeCopies(
  tx: Tx,
  db: Database,
  copies: readonly { readonly row: Locked; readonly messageId: string }[],
): void {
  for (const { row, messageId } of copies)
    tx.send(
      `update ${db.name("whatsapp_outbox")} set duplicate_message_id = $2, updated_at = now() where id = $1 and duplicate_message_id is null`,
      [row.id, messageId],
    );
}

function replaceParts(tx: Tx, db: Database, changes: readonly Change[]): void {
  for (const { row, by } of changes) {
    if (by === undefined) continue;
    tx.send(
      `update ${db.name("whatsapp_outbox")} set kind = $2, payload = $3, endpoint = $4, needs_window = $5, is_marketing = $6, on_ambiguous = $7, fallback = null
       where id = $1`,
      [row.id, by.kind, JSON.stringify(by.payload), by.endpoint, by.needsWindow, by.isMarketing, by.onAmbiguous],
    );
    // What was to be chosen from has gone with the answer.
    tx.send(`update ${db.name("whatsapp_sends")} set degraded = degraded || $2::jsonb, choices = '[]' where id = $1`, [
      row.send_id,
      JSON.stringify(by.degraded.map((change) => ({ ...change, part: row.part_index }))),
    ]);
  }
}

function toHostEvent({ row, state, messageId, error }: Change): WaitingEvent {
  return {
    kind: "status",
    conversationId: row.conversation_id,
    sendId: row.send_id,
    part: row.part_index,
    messageId,
    state,
    error,
    pricing: null,
  };
}
