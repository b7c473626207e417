/** What Meta has of ours already, by number and content; and files that hosts give us for one person. */
import { ChannelError } from "../../plugin/errors.ts";
import type { OutboundMedia } from "../../plugin/ports.ts";
import type { Database, Tx } from "./database.ts";
import type { JustFailed } from "./instead.ts";
import { keepBytes } from "./media.ts";

export function createOutboundMedia(db: Database): OutboundMedia {
  const uploads = db.name("whatsapp_media_uploads");
  const media = db.name("whatsapp_media");
  const contacts = db.name("whatsapp_contacts");

  return {
    async uploaded({ phoneNumberId, sha256, mime }) {
      const [row] = await db.query<{ id: string }>(
        `select meta_media_id as id from ${uploads} where phone_number_id = $1 and sha256 = $2 and mime = $3 and expires_at > now()`,
        [phoneNumberId, sha256, mime],
      );
      return row?.id ?? null;
    },

    async rememberUpload({ phoneNumberId, sha256, mime, metaMediaId, lifeMs }) {
      await db.query(
        `insert into ${uploads} (phone_number_id, sha256, mime, meta_media_id, expires_at)
         values ($1, $2, $3, $4, now() + $5 * interval '1 millisecond')
         on conflict (phone_number_id, sha256, mime)
         do update set meta_media_id = excluded.meta_media_id, expires_at = excluded.expires_at`,
        [phoneNumberId, sha256, mime, metaMediaId, lifeMs],
      );
    },

    async forgetUploads(phoneNumberId, metaMediaIds) {
      await db.query(`delete from ${uploads} where phone_number_id = $1 and meta_media_id = any($2)`, [
        phoneNumberId,
        metaMediaIds,
      ]);
    },

    async findKept({ customerConfigId, conversationId, sha256, mime }) {
      const [row] = await db.query<{ id: string }>(
        `select id from ${media}
         where contact_id in (select coalesce(merged_into, id) from ${contacts} where conversation_id = $1)
           and customer_config_id = $2 and sha256 = $3 and mime = $4 and direction = 'out' and state = 'stored'
         order by created_at desc limit 1`,
        [conversationId, customerConfigId, sha256, mime],
      );
      return row?.id ?? null;
    },

    keepFor: (file, quotaBytes) =>
      db.transaction(async (tx) => {
        // Locked, so that the person cannot be erased between.
        const [contact] = await tx.query<{ id: string; connection_id: string }>(
          `select coalesce(c.merged_into, c.id) as id, c.connection_id from ${contacts} c
           where c.conversation_id = $1 and c.customer_config_id = $2 order by c.merged_into nulls first, c.id limit 1 for key share of c`,
          [file.conversationId, file.customerConfigId],
        );
        if (contact === undefined)
          throw new ChannelError("CONVERSATION_UNKNOWN", "There is no WhatsApp conversation with this id.");
        await keepBytes(tx, db, { ...file, quotaBytes });
        const [row] = await tx.query<{ id: string }>(
          `insert into ${media} (customer_config_id, direction, kind, state, connection_id, contact_id, conversation_id,
             filename, mime, size, sha256, storage_key, stored_at)
           values ($1, 'out', $2, 'stored', $3, $4, $5, $6, $7, $8, $9, $10, now()) returning id`,
          [
            file.customerConfigId,
            file.kind,
            contact.connection_id,
            contact.id,
            file.conversationId,
            file.filename,
            file.mime,
            file.size,
            file.sha256,
            file.storageKey,
          ],
        );
        return (row as { id: string }).id;
      }),
  };
}

/** Of parts with a file that Meta had accepted and then could not use: perhaps it has lost what it was given. */
const UNUSABLE: ReadonlySet<number> = new Set([131052, 131053]);

/**
 * With the next message each is uploaded anew: otherwise all of them would name the same id until it expires.
 * @param failed parts by a status, which may come when the answer of Meta's was 200.
 * @see https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
 */
export function uploadAnew(tx: Tx, db: Database, failed: readonly JustFailed[]): void {
  const parts = failed.filter(({ error }) => UNUSABLE.has(error.code)).map(({ id }) => id);
  if (parts.length === 0) return;
  tx.send(
    `delete from ${db.name("whatsapp_media_uploads")} u
     using ${db.name("whatsapp_send_attempts")} a, jsonb_array_elements_text(a.media_ids) used (id), ${db.name("whatsapp_outbox")} o,
       ${db.name("whatsapp_connections")} n
     where a.outbox_id = any($1::bigint[]) and o.id = a.outbox_id and n.id = o.connection_id
       and u.phone_number_id = n.phone_number_id and u.meta_media_id = used.id`,
    [parts],
  );
}
