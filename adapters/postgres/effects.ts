/** What applied events leave behind, all inside the caller's transaction, rows and lanes in the one global order. */
import type {
  Effects,
  PairLimit,
  SentTwice,
  ShownChange,
  ShownMessage,
  Stage,
  StoredEvent,
  Undelivered,
} from "../../plugin/ports.ts";
import { wakeWaitingSends } from "./connection-row.ts";
import { outLane } from "./contacts.ts";
import type { Database, Tx } from "./database.ts";
import { enqueueHostEvents, notifyLane, type WaitingEvent } from "./host-events.ts";
import { findShown, insertShownMessages, updateHostMessages } from "./host-messages.ts";
import { type ContactRow, ensureConversations, type HostShape } from "./host-tables.ts";
import { findInstead, type InsteadOf, insertInsteadMessages, queueInstead } from "./instead.ts";
import { enqueueOnLanes, lockLanes, type NewItems, settleOnLanes, wakeLanes } from "./lanes.ts";
import { closeAccounts } from "./leaving.ts";
import { forgetDeleted, insertMedia, type NumberedMessage, withMediaId } from "./new-media.ts";
import { changeOpenTurns, lockChangedTurns, openTurns, shortenedTurns, turnsOf } from "./open-turns.ts";
import { uploadAnew } from "./outbound-media.ts";
import { type ChangesOf, readTakenBack, readWaited } from "./parked.ts";
import { extendWindows, leaveNumbers, pauseAi, updateProfiles } from "./people.ts";
import { OPTED_OUT, optOut, savePreferences } from "./preferences.ts";
import { closeWindows, moveWindows, openFreeEntryPoints } from "./sessions.ts";
import { applyStatuses, type StatusRules } from "./statuses.ts";
import { updateTemplates } from "./templates.ts";
import { asItStands, type Place } from "./told.ts";

export type EffectOptions = StatusRules & {
  readonly insteadOf: InsteadOf;
  readonly coalesceMs: number;
  /** Whether the host listens: otherwise nothing is queued for it. */
  readonly hasListener: boolean;
  /** Called after the commit. */
  readonly onSentTwice?: (parts: readonly SentTwice[]) => void;
  /** Called after the commit. */
  readonly onUndelivered?: (parts: readonly Undelivered[]) => void;
  readonly hostShape: () => Promise<HostShape>;
  /** How long a turn waits for the bytes of its media, in milliseconds. */
  readonly mediaWaitMs: number;
  /** Where the tenant gets the bytes of media: a path. */
  readonly mediaUrl: (id: string) => string;
  /** What an event changes that has waited for its message, which the plugin decides. */
  readonly changesOf: ChangesOf;
  /** What Meta allows one person to get, where that is counted. */
  readonly pair?: PairLimit;
};

const WAKES: readonly Stage[] = ["turn", "out", "notify", "media"];

export type Written = {
  /** Ids of the events whose message is not known yet: to be parked. */
  readonly parked: ReadonlySet<string>;
  /** Of these, what people have changed or taken back. */
  readonly early: readonly ShownChange[];
  /** Parked before: their message has come. */
  readonly waited: readonly ShownChange[];
  readonly twice: readonly SentTwice[];
  readonly undelivered: readonly Undelivered[];
  /** What is ready once this is committed. */
  readonly woken: readonly Stage[];
};

/** Meta tells that a number's quality or name has changed, but not what it is now: that is looked up with the next upkeep. */
function lookSoon(tx: Tx, db: Database, events: readonly StoredEvent[]): void {
  const changed = events.filter(({ event }) => event.kind === "phone-number").map(({ eventId }) => eventId);
  if (changed.length === 0) return;
  tx.send(
    `update ${db.name("whatsapp_connections")} set throughput_read_at = now() - interval '1 day' where id in (
       select c.id from ${db.name("whatsapp_connections")} c
       where c.id in (select connection_id from ${db.name("whatsapp_events")} where id = any($1)) order by c.id for no key update)`,
    [changed],
  );
}

export async function writeEffects(
  tx: Tx,
  db: Database,
  shape: HostShape,
  effects: Effects,
  events: readonly StoredEvent[],
  options: EffectOptions,
): Promise<Written> {
  // Connections, contacts, parts, windows, preferences, rows of the inbox, lanes: the order of every transaction that takes several.
  const closed = await closeAccounts(tx, db, effects.closings);
  lookSoon(tx, db, events);
  const people = [...new Set([...everybodyIn(effects), ...refusersIn(events)])];
  const contacts = await ensureConversations(tx, db, shape, people, inInbox(effects));
  const left = await leaveNumbers(tx, db, effects.leftNumbers, contacts);
  updateProfiles(tx, db, effects.profiles, left);
  const paused = await pauseAi(tx, db, effects.pauses, contacts);
  const statuses = await applyStatuses(tx, db, events, options);
  const touched = [...contacts.values()].map(({ conversationId }) => conversationId);
  moveWindows(tx, db, newHomes(contacts), {
    parts: [...statuses.justFailed.map(({ id }) => id), ...statuses.answered],
    conversations: touched,
  });
  closeWindows(tx, db, statuses.justFailed, { parts: statuses.answered, conversations: touched });
  openFreeEntryPoints(tx, db, statuses.answered);
  extendWindows(tx, db, effects.windows, contacts);
  savePreferences(tx, db, effects.preferences);
  optOut(tx, db, statuses.optedOut);
  updateTemplates(tx, db, effects.templates);
  const { fresh, standIns, deleted } = await sortShown(tx, db, effects.shown, contacts);
  const [inserted, held] = await Promise.all([
    insertShownMessages(
      tx,
      db,
      fresh.map((message) => ({
        ...message,
        conversationId: conversationOf(contacts, message.contactId),
        createdAt: message.at,
        mediaUrl: message.mediaId === null ? null : options.mediaUrl(message.mediaId),
      })),
    ),
    heldLanes(tx, db, effects.windows),
  ]);
  const waited = await readWaited(
    tx,
    db,
    inserted.flatMap(({ waited: ids }, i) => ids.map((eventId) => ({ eventId, contactId: fresh[i]?.contactId ?? "" }))),
    options.changesOf,
  );
  const instead = await findInstead(tx, db, statuses.justFailed, options.insteadOf);
  const insteadIds = await insertInsteadMessages(tx, db, instead);
  const changes = await findShown(tx, db, [...waited, ...effects.changes], contacts);
  updateHostMessages(tx, db, shape, [
    ...statuses.messages,
    ...standIns.map(({ id, message: { content, metadata, mediaType } }) => ({ id, content, metadata, mediaType })),
    ...changes.rows,
  ]);
  const shown = [...standIns.map(({ message }) => message), ...fresh];
  const shownIds = [...standIns.map(({ id }) => id), ...inserted.map(({ id }) => id)];
  const mediaLanes = insertMedia(tx, db, shown, shownIds, contacts);
  uploadAnew(tx, db, statuses.justFailed);
  await forgetDeleted(tx, db, changes.standing, contacts);
  const takenBack = options.hasListener ? await readTakenBack(tx, db, changes.early, options.changesOf) : [];
  const stands = { made: effects.changes, standing: changes.standing, gone: [...deleted, ...takenBack] };
  const news = [
    ...asItStands(effects.told, stands).map((one) => ({ eventId: one.eventId, event: toHostEvent(one, contacts) })),
    ...statuses.changes,
  ];
  const told: WaitingEvent[] = [
    ...inStoredOrder(news).map(({ event }) => event),
    ...closed.map((connection) => ({ kind: "connection" as const, connection })),
  ];
  const heard = options.hasListener ? told : [];
  const turns = turnsOf(shown, shownIds, contacts, paused);
  enqueueOnLanes(tx, db, [
    ...mediaLanes,
    ...notifyLanes(heard, contacts),
    ...turns.map(({ laneKey, customerConfigId }) => onTurnLane(laneKey, 1, options.coalesceMs, customerConfigId)),
    ...locking(
      shortenedTurns(changes.standing),
      turns.map(({ laneKey }) => laneKey),
    ),
  ]);
  lockOutLanes(tx, db, [
    instead.map((one) => outLane(one.contact_id)),
    [...statuses.settledLanes, ...statuses.slowedLanes],
    held,
  ]);
  enqueueHostEvents(tx, db, heard);
  lockChangedTurns(tx, db, turns, changes.standing);
  const joining = openTurns(tx, db, turns, options.mediaWaitMs);
  const [joined, letGo] = await Promise.all([joining, changeOpenTurns(tx, db, changes.standing)]);
  enqueueOnLanes(
    tx,
    db,
    joined.map((laneKey) => onTurnLane(laneKey, -1, options.coalesceMs)),
  );
  await queueInstead(tx, db, instead, insteadIds);
  settleOnLanes(tx, db, statuses.settledLanes, { slowed: statuses.slowedLanes, pair: options.pair });
  wakeLanes(tx, db, letGo);
  wakeLanes(tx, db, held);
  await wakeWaitingSends(
    tx,
    db,
    closed.map(({ connectionId }) => connectionId),
  );
  const isWoken: Readonly<Partial<Record<Stage, boolean>>> = {
    turn: turns.length > 0 || letGo.length > 0,
    notify: heard.length > 0,
    media: mediaLanes.length > 0,
    out: instead.length > 0 || statuses.settledLanes.length > 0 || held.length > 0 || closed.length > 0,
  };
  const parked = new Set([...statuses.parked, ...changes.early.flatMap(({ eventId }) => eventId ?? [])]);
  return { ...statuses, parked, early: changes.early, waited, woken: WAKES.filter((stage) => isWoken[stage]) };
}

function everybodyIn(effects: Effects): readonly string[] {
  const { shown, profiles, windows, changes, pauses, leftNumbers, preferences, told } = effects;
  const all = [shown, profiles, windows, changes, pauses, leftNumbers, preferences, told].flat();
  return [...new Set(all.map(({ contactId }) => contactId).filter((id) => id !== null))];
}

/** Locked like the others: a link that is under way must not leave behind what Meta says now. */
function refusersIn(events: readonly StoredEvent[]): readonly string[] {
  return events.flatMap(({ contactId, event }) =>
    contactId !== null && event.kind === "status" && event.errors.some(({ code }) => code === OPTED_OUT)
      ? [contactId]
      : [],
  );
}

function inInbox({ shown, windows }: Effects): ReadonlySet<string> {
  return new Set([...shown, ...windows].map(({ contactId }) => contactId));
}

function conversationOf(contacts: ReadonlyMap<string, ContactRow>, contactId: string): string {
  const found = contacts.get(contactId)?.conversationId;
  if (!found) throw new Error(`contact ${contactId} has no conversation`);
  return found;
}

/** From conversations that the host has deleted to those that took their place. */
function newHomes(contacts: ReadonlyMap<string, ContactRow>) {
  return [...contacts.values()].flatMap(({ deletedConversationId: from, conversationId: to }) =>
    from === null || to === null ? [] : [{ from, to }],
  );
}

/** SQL of whether a row's words are those that it came with: what somebody has taken back, or written anew, stays so. */
function isAsWritten(row: string): string {
  return `${row}.channel_metadata -> 'deleted' is null and ${row}.channel_metadata -> 'edited' is null`;
}

type Sorted = {
  readonly fresh: readonly NumberedMessage[];
  /** Rows that stood for what could not be read yet. */
  readonly standIns: readonly { readonly id: string; readonly message: NumberedMessage }[];
  /** Whose row is there already, and deleted. */
  readonly deleted: readonly Place[];
};

type ShownRow = {
  readonly id: string;
  readonly external_id: string;
  readonly conversation_id: string;
  readonly contact_id: string;
  readonly stands_in: boolean;
  readonly deleted: boolean;
};

/** History and echoes may bring what came before; what was read again may have a row that stands for it. */
async function sortShown(
  tx: Tx,
  db: Database,
  shown: readonly ShownMessage[],
  contacts: ReadonlyMap<string, ContactRow>,
): Promise<Sorted> {
  const doubtful = shown.filter(({ unlessThere }) => unlessThere);
  if (doubtful.length === 0) return { fresh: shown.map(withMediaId), standIns: [], deleted: [] };
  // Of the same person and number only, as in findShown: what another tenant has been shown is not shown here.
  const rows = await tx.query<ShownRow>(
    `select m.id::text as id, m.external_id, m.conversation_id, coalesce(c.merged_into, c.id)::text as contact_id,
       coalesce(m.channel_metadata ->> 'type' = 'unsupported', false) and ${isAsWritten("m")} as stands_in,
       m.channel_metadata -> 'deleted' is not null as deleted
     from ${db.hostName("messages")} m join ${db.name("whatsapp_contacts")} c on c.conversation_id = m.conversation_id
     where m.external_id = any($1) and coalesce(c.merged_into, c.id) = any($2)`,
    [doubtful.map(({ externalId }) => externalId), [...contacts.keys()]],
  );
  const placeOf = (externalId: string, contactId: string) => `${contactId} ${externalId}`;
  const there = new Map(rows.map((row) => [placeOf(row.external_id, row.contact_id), row]));
  const standIns: { id: string; message: NumberedMessage }[] = [];
  const seen = new Set<string>();
  const fresh = shown.filter((message) => {
    const { externalId, unlessThere, again, contactId } = message;
    const place = placeOf(externalId, contactId);
    const row = there.get(place);
    const isFirst = !seen.has(place);
    seen.add(place);
    if (!unlessThere || (row === undefined && isFirst)) return true;
    if (again && isFirst && row?.stands_in && row.conversation_id === contacts.get(contactId)?.conversationId)
      standIns.push({ id: row.id, message: withMediaId(message) });
    return false;
  });
  const deleted = rows
    .filter((row) => row.deleted)
    .map(({ contact_id: contactId, external_id: targetId }) => ({ contactId, targetId }));
  return { fresh: fresh.map(withMediaId), standIns, deleted };
}

/** What became of a send is told where it came, between what was written before it and after it. */
function inStoredOrder<T extends { readonly eventId: string }>(news: readonly T[]): readonly T[] {
  return news.toSorted((a, b) => Number(BigInt(a.eventId) - BigInt(b.eventId)));
}

function toHostEvent(
  { contactId, event, late }: Effects["told"][number],
  contacts: ReadonlyMap<string, ContactRow>,
): WaitingEvent {
  const conversationId = contactId === null ? null : (contacts.get(contactId)?.conversationId ?? null);
  if (event.kind === "message" && conversationId !== null) return { kind: "message", conversationId, event, late };
  return { kind: event.kind, conversationId, event } as WaitingEvent;
}

/**
 * The window is open again: what was held for it leaves now. A part that is just being found too late for the window is
 * not `held` yet, so every lane with parts that would wait for it is woken.
 */
async function heldLanes(tx: Tx, db: Database, windows: Effects["windows"]): Promise<readonly string[]> {
  if (windows.length === 0) return [];
  const rows = await tx.query<{ lane_key: string }>(
    `select distinct lane_key from ${db.name("whatsapp_outbox")}
     where lane_key = any($1) and on_window_closed = 'hold' and state in ('queued', 'held', 'sending')`,
    [windows.map(({ contactId }) => outLane(contactId))],
  );
  return rows.map((row) => row.lane_key);
}

/** @param together those that one statement changes: it has them in order by itself. */
function lockOutLanes(tx: Tx, db: Database, together: readonly (readonly string[])[]): void {
  if (together.filter((laneKeys) => laneKeys.length > 0).length > 1) lockLanes(tx, db, together.flat());
}

function onTurnLane(laneKey: string, items: number, delayMs: number, tenant: string | null = null): NewItems {
  return { laneKey, stage: "turn", items, delayMs, tenant };
}

/** Nothing is added: they are locked in the order of all others, those that are not there yet too. */
function locking(laneKeys: readonly string[], others: readonly string[]): readonly NewItems[] {
  return laneKeys.filter((laneKey) => !others.includes(laneKey)).map((laneKey) => onTurnLane(laneKey, 0, 0));
}

function notifyLanes(news: readonly WaitingEvent[], contacts: ReadonlyMap<string, ContactRow>): readonly NewItems[] {
  const tenants = new Map(
    [...contacts.values()].map(({ conversationId, customerConfigId }) => [
      `notify:conversation:${conversationId}`,
      customerConfigId,
    ]),
  );
  const counts = new Map<string, number>();
  for (const event of news) counts.set(notifyLane(event), (counts.get(notifyLane(event)) ?? 0) + 1);
  return [...counts].map(([laneKey, items]) => ({
    laneKey,
    stage: "notify",
    items,
    tenant: tenants.get(laneKey) ?? null,
  }));
}
