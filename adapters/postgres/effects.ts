/** What applied events leave behind: contact, conversation, window, message, turn, status, all inside the caller's transaction. */
import type { HostEvent } from "../../plugin/contract.ts";
import type { Effects, ReceivedMessage, StoredEvent } from "../../plugin/ports.ts";
import type { Database, Tx } from "./database.ts";
import { enqueueHostEvents, notifyLane } from "./host-events.ts";
import { type ConversationOf, ensureConversations, type HostShape, insertHostMessages } from "./host-tables.ts";
import { enqueueOnLanes, type NewItems } from "./lanes.ts";
import { outLane } from "./sends.ts";
import { applyStatuses, type StatusRules } from "./statuses.ts";

export type EffectOptions = StatusRules & {
  readonly coalesceMs: number;
  /** Whether the host listens: otherwise nothing is queued for it. */
  readonly hasListener: boolean;
  readonly hostShape: () => Promise<HostShape>;
};

/** @returns ids of the status events whose message is not known yet: to be parked. */
export async function writeEffects(
  tx: Tx,
  db: Database,
  shape: HostShape,
  effects: Effects,
  events: readonly StoredEvent[],
  options: EffectOptions,
): Promise<ReadonlySet<string>> {
  const contactIds = [...new Set(effects.messages.map(({ contactId }) => contactId))];
  const conversations = await ensureConversations(tx, db, shape, contactIds);
  await updateProfiles(tx, db, effects.messages);
  await extendWindows(tx, db, effects.messages, conversations);
  const messageIds = await insertHostMessages(
    tx,
    db,
    effects.messages.map((message) => ({
      conversationId: conversationOf(conversations, message).conversationId,
      role: "user",
      content: message.content,
      status: "received",
      mediaType: message.mediaType,
      externalId: message.event.messageId,
      metadata: metadataOf(message),
      createdAt: message.storedAt,
    })),
  );
  const statuses = await applyStatuses(tx, db, shape, events, options);
  const news: HostEvent[] = [
    ...effects.messages.map((message): HostEvent => {
      const { conversationId } = conversationOf(conversations, message);
      return { kind: "message", conversationId, event: message.event, late: message.late };
    }),
    ...statuses.changes,
    ...effects.unsupported.flatMap(({ event }): HostEvent[] =>
      event.kind === "unsupported" ? [{ kind: "unsupported", conversationId: null, event }] : [],
    ),
  ];
  const heard = options.hasListener ? news : [];
  const turns = turnsOf(effects.messages, conversations, messageIds);
  await enqueueOnLanes(tx, db, [
    ...notifyLanes(heard),
    ...turns.map(({ laneKey }) => turnLane(laneKey, 1, options.coalesceMs)),
  ]);
  await enqueueHostEvents(tx, db, heard);
  const joined = await openTurns(tx, db, turns);
  await enqueueOnLanes(
    tx,
    db,
    joined.map((laneKey) => turnLane(laneKey, -1, options.coalesceMs)),
  );
  await statuses.wakeLanes();
  await wakeHeldParts(tx, db, contactIds);
  return statuses.parked;
}

function conversationOf(
  conversations: ReadonlyMap<string, ConversationOf>,
  { contactId }: ReceivedMessage,
): ConversationOf {
  const found = conversations.get(contactId);
  if (found === undefined) throw new Error(`contact ${contactId} has no row`);
  return found;
}

function metadataOf({ event, sentAt, late }: ReceivedMessage): object {
  return {
    type: event.type,
    timestamp: sentAt.toISOString(),
    reply_to: event.replyTo,
    ...(late ? { late: true } : {}),
  };
}

async function updateProfiles(tx: Tx, db: Database, messages: readonly ReceivedMessage[]): Promise<void> {
  const latest = new Map(messages.map(({ contactId, event }) => [contactId, event.from]));
  if (latest.size === 0) return;
  await tx.query(
    `update ${db.name("whatsapp_contacts")} c set phone_number = coalesce(p.phone_number, c.phone_number),
       user_id = coalesce(p.user_id, c.user_id), parent_user_id = coalesce(p.parent_user_id, c.parent_user_id),
       username = coalesce(p.username, c.username), name = coalesce(p.name, c.name), updated_at = now()
     from json_to_recordset($1::json) as p (id bigint, phone_number text, user_id text, parent_user_id text, username text, name text)
     where c.id = p.id and (c.phone_number, c.user_id, c.parent_user_id, c.username, c.name) is distinct from (
       coalesce(p.phone_number, c.phone_number), coalesce(p.user_id, c.user_id), coalesce(p.parent_user_id, c.parent_user_id),
       coalesce(p.username, c.username), coalesce(p.name, c.name))`,
    [
      JSON.stringify(
        [...latest].map(([id, person]) => ({
          id,
          phone_number: person.phoneNumber,
          user_id: person.userId,
          parent_user_id: person.parentUserId,
          username: person.username,
          name: person.name,
        })),
      ),
    ],
  );
}

/** One call per conversation: the latest of its messages decides, and the function never shortens a window. */
async function extendWindows(
  tx: Tx,
  db: Database,
  messages: readonly ReceivedMessage[],
  conversations: ReadonlyMap<string, ConversationOf>,
): Promise<void> {
  const latest = new Map<string, { phone: string | null; at: Date }>();
  for (const message of messages) {
    const { conversationId } = conversationOf(conversations, message);
    const before = latest.get(conversationId);
    if (before === undefined || before.at < message.sentAt)
      latest.set(conversationId, { phone: message.event.from.phoneNumber, at: message.sentAt });
  }
  if (latest.size === 0) return;
  const rows = [...latest];
  await tx.query(
    `select ${db.name("extend_whatsapp_session")}(id, phone, at)
     from unnest($1::uuid[], $2::text[], $3::timestamptz[]) as w (id, phone, at) order by id`,
    [rows.map(([id]) => id), rows.map(([, { phone }]) => phone), rows.map(([, { at }]) => at)],
  );
}

/** The window is open again: what was held for it leaves now. */
async function wakeHeldParts(tx: Tx, db: Database, contactIds: readonly string[]): Promise<void> {
  if (contactIds.length === 0) return;
  await tx.query(
    `with mine as (
       select l.lane_key from ${db.name("whatsapp_lanes")} l
       where l.lane_key = any($1) and l.lease_token is null and exists (
         select 1 from ${db.name("whatsapp_outbox")} o where o.lane_key = l.lane_key and o.state = 'held')
       order by l.lane_key for update of l)
     update ${db.name("whatsapp_lanes")} l set ready_at = now() from mine where l.lane_key = mine.lane_key`,
    [contactIds.map(outLane)],
  );
}

type OpenTurn = ConversationOf & { readonly laneKey: string; readonly contactId: string; readonly messages: object[] };

/** A late message is stored and shown, and wakes nobody: its window was closed when it came. */
function turnsOf(
  messages: readonly ReceivedMessage[],
  conversations: ReadonlyMap<string, ConversationOf>,
  messageIds: readonly string[],
): readonly OpenTurn[] {
  const turns = new Map<string, OpenTurn>();
  for (const [i, message] of messages.entries()) {
    if (message.late) continue;
    const { contactId, event, sentAt } = message;
    const turn = turns.get(contactId) ?? {
      ...conversationOf(conversations, message),
      laneKey: `turn:contact:${contactId}`,
      contactId,
      messages: [],
    };
    turn.messages.push({
      id: messageIds[i],
      externalId: event.messageId,
      type: event.type,
      text: event.text,
      media: null,
      replyTo: event.replyTo,
      timestamp: sentAt.toISOString(),
    });
    turns.set(contactId, turn);
  }
  return [...turns.values()];
}

/** @returns lanes whose messages joined a turn that was already waiting, so that their count is taken back. */
async function openTurns(tx: Tx, db: Database, turns: readonly OpenTurn[]): Promise<readonly string[]> {
  if (turns.length === 0) return [];
  const rows = await tx.query<{ lane_key: string; inserted: boolean }>(
    `insert into ${db.name("whatsapp_turns")} as t (lane_key, connection_id, customer_config_id, contact_id, conversation_id, messages)
     select lane_key, connection_id, customer_config_id, contact_id, conversation_id, messages
     from jsonb_to_recordset($1::jsonb) as n (lane_key text, connection_id uuid, customer_config_id uuid, contact_id bigint,
       conversation_id uuid, messages jsonb) order by lane_key
     on conflict (lane_key) where sealed_at is null and state = 0 do update set messages = t.messages || excluded.messages
     returning lane_key, xmax = 0 as inserted`,
    [
      JSON.stringify(
        turns.map((turn) => ({
          lane_key: turn.laneKey,
          connection_id: turn.connectionId,
          customer_config_id: turn.customerConfigId,
          contact_id: turn.contactId,
          conversation_id: turn.conversationId,
          messages: turn.messages,
        })),
      ),
    ],
  );
  return rows.filter((row) => !row.inserted).map((row) => row.lane_key);
}

function turnLane(laneKey: string, items: number, delayMs: number): NewItems {
  return { laneKey, stage: "turn", items, delayMs };
}

function notifyLanes(news: readonly HostEvent[]): readonly NewItems[] {
  const counts = new Map<string, number>();
  for (const event of news) counts.set(notifyLane(event), (counts.get(notifyLane(event)) ?? 0) + 1);
  return [...counts].map(([laneKey, items]) => ({ laneKey, stage: "notify", items }));
}
