/** Media of messages that are being shown: rows that wait for their bytes, and what goes when a sender takes a message back. */
import { randomUUID } from "node:crypto";
import type { ShownChange, ShownMessage } from "../../plugin/ports.ts";
import type { Database, Tx } from "./database.ts";
import type { ContactRow } from "./host-tables.ts";
import type { NewItems } from "./lanes.ts";
import { leaveBytes } from "./media.ts";

export type NumberedMessage = ShownMessage & {
  /** `whatsapp_media.id`; null without media. */
  readonly mediaId: string | null;
};

export const MEDIA_LANE = "media:";

export function mediaLane(id: string): string {
  return MEDIA_LANE + id;
}

export function mediaOfLane(laneKey: string): string {
  return laneKey.slice(MEDIA_LANE.length);
}

/** From here on the message, and the turn that it wakes, know the media by our id. */
export function withMediaId(message: ShownMessage): NumberedMessage {
  if (message.media === null) return { ...message, mediaId: null };
  const id = randomUUID();
  const { wakes } = message;
  return {
    ...message,
    mediaId: id,
    metadata: { ...message.metadata, media: { id, state: "pending" } },
    wakes: wakes === null || wakes.media === null ? wakes : { ...wakes, media: { ...wakes.media, id } },
  };
}

/** @param messageIds of the rows in the host's inbox, in the order of `shown`. @returns the lanes in which their bytes are fetched. */
export function insertMedia(
  tx: Tx,
  db: Database,
  shown: readonly NumberedMessage[],
  messageIds: readonly string[],
  contacts: ReadonlyMap<string, ContactRow>,
): readonly NewItems[] {
  const rows = shown.flatMap(({ media, mediaId, contactId, externalId }, i) => {
    const contact = contacts.get(contactId);
    if (media === null || mediaId === null || contact === undefined) return [];
    return [
      {
        id: mediaId,
        customer_config_id: contact.customerConfigId,
        kind: media.kind,
        connection_id: contact.connectionId,
        contact_id: contactId,
        conversation_id: contact.conversationId,
        message_id: externalId,
        host_message_id: messageIds[i],
        meta_media_id: media.metaMediaId,
        said_mime: media.mime,
        said_sha256: media.sha256,
        filename: media.filename,
        voice: media.voice,
        fetch_until: media.fetchUntil,
      },
    ];
  });
  if (rows.length === 0) return [];
  const columns = `id, customer_config_id, kind, connection_id, contact_id, conversation_id, message_id, host_message_id, meta_media_id,
    said_mime, said_sha256, filename, voice, fetch_until`;
  tx.send(
    `insert into ${db.name("whatsapp_media")} (direction, ${columns}) select 'in', ${columns}
     from jsonb_to_recordset($1::jsonb) as m (id uuid, customer_config_id uuid, kind text, connection_id uuid, contact_id bigint,
       conversation_id uuid, message_id text, host_message_id text, meta_media_id text, said_mime text, said_sha256 text, filename text,
       voice boolean, fetch_until timestamptz)`,
    [JSON.stringify(rows)],
  );
  return rows.map(({ id, customer_config_id }) => ({
    laneKey: mediaLane(id),
    stage: "media",
    items: 1,
    tenant: customer_config_id,
  }));
}

/** What a sender has deleted is not kept either. Its lane finds that nobody waits any more. */
export async function forgetDeleted(
  tx: Tx,
  db: Database,
  changes: readonly ShownChange[],
  contacts: ReadonlyMap<string, ContactRow>,
): Promise<void> {
  const deleted = changes.filter(({ inTurn }) => inTurn?.kind === "remove");
  if (deleted.length === 0) return;
  const rows = await tx.query<{ storage_key: string | null }>(
    `with gone as materialized (
       select m.id, m.storage_key from ${db.name("whatsapp_media")} m
       join unnest($1::uuid[], $2::text[], $3::bigint[]) as d (connection, message, contact)
         on m.connection_id = d.connection and m.message_id = d.message
       join ${db.name("whatsapp_contacts")} c on c.id = m.contact_id and coalesce(c.merged_into, c.id) = d.contact
       where m.state <> 'expired' order by m.id for update of m)
     update ${db.name("whatsapp_media")} m set state = 'expired', reason = 'The sender has deleted it.',
       storage_key = null, size = null, sha256 = null, filename = null, said_sha256 = null, meta_media_id = null
     from gone where m.id = gone.id returning gone.storage_key`,
    [
      deleted.map(({ contactId }) => contacts.get(contactId)?.connectionId ?? null),
      deleted.map(({ targetId }) => targetId),
      deleted.map(({ contactId }) => contactId),
    ],
  );
  const keys = rows.map((row) => row.storage_key).filter((key) => key !== null);
  if (keys.length > 0) await leaveBytes(tx, db, keys);
}
