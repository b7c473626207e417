/** The host's `messages` table: the rows we add, and what becomes of them. */
import type { ShownChange } from "../../plugin/ports.ts";
import type { Database, Tx } from "./database.ts";
import { sayingWhichTable } from "./host-access.ts";
import type { ContactRow, HostShape } from "./host-tables.ts";
import { waitingFor } from "./parked.ts";

export type HostMessage = {
  readonly conversationId: string;
  readonly role: "user" | "assistant";
  readonly content: string;
  readonly status: string;
  readonly mediaType: string | null;
  /** Where the tenant gets its bytes: a path. */
  readonly mediaUrl?: string | null;
  readonly externalId: string | null;
  readonly metadata: object;
  /** ISO 8601; null: now. */
  readonly createdAt: string | null;
};

/** @returns the ids of the new rows, in order. */
export async function insertHostMessages(
  tx: Tx,
  db: Database,
  messages: readonly HostMessage[],
): Promise<readonly string[]> {
  const rows = await insert<{ id: string }>(tx, db, messages, "id::text as id");
  return rows.map((row) => row.id);
}

export type InsertedMessage = {
  readonly id: string;
  /** Ids of events that have waited for it: it was changed, or taken back, before it came. */
  readonly waited: readonly string[];
};

/** For what people write: the look for what has waited for it costs no statement of its own. */
export function insertShownMessages(
  tx: Tx,
  db: Database,
  messages: readonly HostMessage[],
): Promise<readonly InsertedMessage[]> {
  return insert(tx, db, messages, `id::text as id, ${waitingFor(db, "written.external_id::text")} as waited`);
}

async function insert<Row>(
  tx: Tx,
  db: Database,
  messages: readonly HostMessage[],
  returning: string,
): Promise<readonly Row[]> {
  if (messages.length === 0) return [];
  const table = db.hostName("messages");
  // Words of the statement take the column's type, which may be an enum: a text would not.
  const role = `case role when 'user' then 'user' when 'assistant' then 'assistant' else (select role from ${table} limit 0) end`;
  const inserting = tx.query<Row>(
    `insert into ${table} as written (conversation_id, role, content, status, media_type, media_url, external_id, channel_metadata, created_at)
     select conversation_id, ${role}, content, status, media_type, media_url, external_id, channel_metadata,
       coalesce(created_at, clock_timestamp() + i * interval '1 microsecond')
     from jsonb_to_recordset($1::jsonb) as m (i int, conversation_id uuid, role text, content text, status text, media_type text,
       media_url text, external_id text, channel_metadata jsonb, created_at timestamptz) order by i returning ${returning}`,
    [
      JSON.stringify(
        messages.map((message, i) => ({
          i,
          conversation_id: message.conversationId,
          role: message.role,
          content: message.content,
          status: message.status,
          media_type: message.mediaType,
          media_url: message.mediaUrl ?? null,
          external_id: message.externalId,
          channel_metadata: message.metadata,
          created_at: message.createdAt,
        })),
      ),
    ],
  );
  return inserting.catch((error: unknown) => {
    throw sayingWhichTable(table, error);
  });
}

/** What of a row is new; what is left out or null stays as it is. */
export type HostMessageChange = {
  readonly id: string | null;
  readonly status?: string;
  readonly externalId?: string | null;
  readonly content?: string | null;
  /** Empty: it is no media any more. */
  readonly mediaType?: string | null;
  /** Members of `channel_metadata`; one that is null goes. */
  readonly metadata?: Readonly<Record<string, unknown>>;
};

/** All changes of a transaction in one call: the rows are locked in one order, so that two of them never wait for each other. */
export function updateHostMessages(
  tx: Tx,
  db: Database,
  shape: HostShape,
  changes: readonly HostMessageChange[],
): void {
  const merged = new Map<string, HostMessageChange>();
  for (const change of changes) {
    if (change.id === null) continue;
    const before = merged.get(change.id);
    const metadata = { ...before?.metadata, ...change.metadata };
    merged.set(change.id, { ...before, ...present(change), metadata });
  }
  if (merged.size === 0) return;
  tx.send(
    `with mine as (
       select m.id, s.status, s.external_id, s.content, s.media_type, s.metadata, s.gone from ${db.hostName("messages")} m
       join jsonb_to_recordset($1::jsonb) as s (id ${shape.messageIdType}, status text, external_id text, content text, media_type text, metadata jsonb, gone jsonb)
         on s.id = m.id
       order by m.id for update of m)
     update ${db.hostName("messages")} m set status = coalesce(mine.status, m.status),
       external_id = coalesce(mine.external_id, m.external_id), content = coalesce(mine.content, m.content),
       media_type = case when mine.media_type is null then m.media_type else nullif(mine.media_type, '') end,
       media_url = case when mine.media_type = '' then null else m.media_url end,
       channel_metadata = case when mine.metadata = '{}' and mine.gone = '[]' then m.channel_metadata
         else (coalesce(m.channel_metadata, '{}') || mine.metadata) - array(select jsonb_array_elements_text(mine.gone)) end
     from mine where m.id = mine.id`,
    [
      JSON.stringify(
        [...merged].map(([id, { status, externalId, content, mediaType, metadata = {} }]) => ({
          id,
          status: status ?? null,
          external_id: externalId ?? null,
          content: content ?? null,
          media_type: mediaType ?? null,
          metadata: Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== null)),
          gone: Object.keys(metadata).filter((key) => metadata[key] === null),
        })),
      ),
    ],
  );
}

function present(change: HostMessageChange): HostMessageChange {
  const given = Object.entries(change).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(given) as HostMessageChange;
}

export type FoundChanges = {
  /** What of the rows is new. */
  readonly rows: readonly HostMessageChange[];
  /** Those that count, also where there is no row: all but what is older than what the row has been told already. */
  readonly standing: readonly ShownChange[];
  /** Those whose message has not come yet, and that wait for it. */
  readonly early: readonly ShownChange[];
};

/**
 * The rows that edits, deletions and reactions speak of. Only those of the same person and number: a wamid is Meta's
 * word, and another tenant's row must not change by it. Meta brings them in no order: what is deleted stays so, and of two edits the
 * newer one stands, as of two reactions.
 */
export async function findShown(
  tx: Tx,
  db: Database,
  changes: readonly ShownChange[],
  contacts: ReadonlyMap<string, ContactRow>,
): Promise<FoundChanges> {
  if (changes.length === 0) return { rows: [], standing: [], early: [] };
  const found = await tx.query<ShownRow>(
    `select m.id::text as id, m.external_id, coalesce(c.merged_into, c.id) as contact_id,
       m.channel_metadata ->> 'changed_at' as changed_at, m.channel_metadata ->> 'reacted_at' as reacted_at, coalesce(m.channel_metadata ->> 'deleted' = 'true', false) as deleted
     from ${db.hostName("messages")} m
     join ${db.name("whatsapp_contacts")} c on c.conversation_id = m.conversation_id
     where m.external_id = any($1) and coalesce(c.merged_into, c.id) = any($2)`,
    [changes.map(({ targetId }) => targetId), [...contacts.keys()]],
  );
  const rows: HostMessageChange[] = [];
  const standing: ShownChange[] = [];
  const early: ShownChange[] = [];
  for (const change of changes) {
    const { contactId, targetId, content, mediaType, metadata } = change;
    const row = found.find((one) => one.external_id === targetId && one.contact_id === contactId);
    if (row !== undefined && !stands(row, change)) continue;
    standing.push(change);
    if (row !== undefined) rows.push({ id: row.id, content, mediaType, metadata });
    else if (change.eventId !== null) early.push(change);
  }
  return { rows, standing, early };
}

type ShownRow = {
  readonly id: string;
  readonly external_id: string;
  readonly contact_id: string;
  changed_at: string | null;
  reacted_at: string | null;
  deleted: boolean;
};

/** Notes it in the row, for those that follow in the same transaction. */
function stands(row: ShownRow, { at, inTurn }: ShownChange): boolean {
  // A reaction, which changes no words.
  if (inTurn === null) {
    if (row.reacted_at !== null && row.reacted_at > at) return false;
    row.reacted_at = at;
    return true;
  }
  const isDeletion = inTurn.kind === "remove";
  if (row.deleted || (!isDeletion && row.changed_at !== null && row.changed_at > at)) return false;
  row.deleted = isDeletion;
  row.changed_at = at;
  return true;
}
