/** Rows of media, and the keys of objects that no row has: together they leave nothing behind, whenever a process ends. */
import { randomBytes } from "node:crypto";
import { ChannelError, quotaExceeded } from "../../plugin/errors.ts";
import type { MediaRecord, MediaRecords } from "../../plugin/ports.ts";
import type { Database, Tx } from "./database.ts";

/** Longer than any bytes take to be written. */
const RESERVED_FOR = "1 day";

const COLUMNS = `id, customer_config_id as "customerConfigId", direction, kind, state, reason, filename, mime, size::float8 as size,
  sha256, storage_key as "storageKey"`;

export function createMediaRecords(db: Database): MediaRecords {
  const media = db.name("whatsapp_media");
  const leftovers = db.name("whatsapp_media_leftovers");

  return {
    async reserve(customerConfigId) {
      const key = `${customerConfigId}/${randomBytes(24).toString("base64url")}`;
      await db.query(
        `insert into ${leftovers} (storage_key, remove_at) values ($1, now() + interval '${RESERVED_FOR}')`,
        [key],
      );
      return key;
    },

    keep: (given, quotaBytes) =>
      db.transaction(async (tx) => {
        await keepBytes(tx, db, { ...given, quotaBytes });
        const [row] = await tx.query<{ id: string }>(
          `insert into ${media} (customer_config_id, direction, kind, state, filename, mime, size, sha256, storage_key, stored_at)
           values ($1, 'out', $2, 'stored', $3, $4, $5, $6, $7, now()) returning id`,
          [given.customerConfigId, given.kind, given.filename, given.mime, given.size, given.sha256, given.storageKey],
        );
        return (row as { id: string }).id;
      }),

    async discard(storageKey) {
      // Only what is noted: where a COMMIT was lost on its way, a row has it perhaps after all.
      await db.query(`update ${leftovers} set remove_at = now() where storage_key = $1`, [storageKey]);
    },

    async find(id, customerConfigId) {
      const [found] = await db.query<MediaRecord>(
        `select ${COLUMNS} from ${media} where id = $1 and customer_config_id = $2`,
        [id, customerConfigId],
      );
      return found ?? null;
    },

    used: (customerConfigId) => usedBytes(db, db, customerConfigId),

    due: (limit, after) =>
      // Skipped: somebody is about to keep it.
      db.query(
        `select storage_key as "storageKey", remove_at::text as "removeAt" from ${leftovers}
         where remove_at <= now() and (remove_at, storage_key) > (coalesce($2::timestamptz, '-infinity'), $3)
         order by remove_at, storage_key limit $1 for update skip locked`,
        [limit, after?.removeAt ?? null, after?.storageKey ?? ""],
      ),

    async removed(storageKeys) {
      await db.query(`delete from ${leftovers} where storage_key = any($1)`, [storageKeys]);
    },
  };
}

/**
 * In the transaction that writes `storage_key` into a row: from now on the object stays. To be called after all other locks,
 * because what a tenant has is counted by one at a time.
 * @throws ChannelError MEDIA_QUOTA_EXCEEDED; MEDIA_STORE_UNAVAILABLE when the object is being removed, because it took too long.
 */
export async function keepBytes(
  tx: Tx,
  db: Database,
  {
    customerConfigId,
    storageKey,
    size,
    quotaBytes,
  }: {
    readonly customerConfigId: string;
    readonly storageKey: string;
    readonly size: number;
    readonly quotaBytes: number;
  },
): Promise<void> {
  if (quotaBytes !== Number.POSITIVE_INFINITY) {
    await tx.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [
      `${db.name("whatsapp_media")} ${customerConfigId}`,
    ]);
    if ((await usedBytes(tx, db, customerConfigId)) + size > quotaBytes) throw quotaExceeded(quotaBytes);
  }
  // The clock of this moment, not of the transaction's beginning: what is due is perhaps being removed.
  const reserved = await tx.query(
    `delete from ${db.name("whatsapp_media_leftovers")} where storage_key = $1 and remove_at > clock_timestamp() returning 1`,
    [storageKey],
  );
  if (reserved.length === 0)
    throw new ChannelError("MEDIA_STORE_UNAVAILABLE", "The bytes took so long that they are removed again.", {
      retry: "backoff",
    });
}

/** In the transaction after which nobody wants these objects: the upkeep removes them. */
export async function leaveBytes(tx: Tx, db: Database, storageKeys: readonly string[]): Promise<void> {
  await tx.query(
    `insert into ${db.name("whatsapp_media_leftovers")} (storage_key, remove_at)
     select key, now() from unnest($1::text[]) as k (key) order by key
     on conflict (storage_key) do update set remove_at = excluded.remove_at`,
    [storageKeys],
  );
}

/**
 * The rows of a person's media go, and their bytes with the next upkeep. In the order of locks: after the host's messages, before lanes.
 * @returns how many.
 */
export async function eraseMedia(
  tx: Tx,
  db: Database,
  contacts: readonly string[],
  conversations: readonly string[],
): Promise<number> {
  const gone = await tx.query<{ storage_key: string | null }>(
    `with theirs as (
       select id from ${db.name("whatsapp_media")} where contact_id = any($1) or conversation_id = any($2) order by id for update)
     delete from ${db.name("whatsapp_media")} m using theirs where m.id = theirs.id returning m.storage_key`,
    [contacts, conversations],
  );
  await leaveBytes(tx, db, keysOf(gone));
  return gone.length;
}

/** Those that are too old, without what is still on its way. @returns when each was to go; fewer than `limit` when there are no more. */
export async function pruneMedia(
  tx: Tx,
  db: Database,
  days: number,
  limit: number,
): Promise<readonly { readonly due: Date }[]> {
  const gone = await tx.query<{ storage_key: string | null; due: Date }>(
    `with old as (
       select id from ${db.name("whatsapp_media")} where created_at < now() - $1 * interval '1 day' and state <> 'pending'
       order by created_at limit $2 for update skip locked)
     delete from ${db.name("whatsapp_media")} m using old where m.id = old.id returning m.storage_key,
       m.created_at + $1 * interval '1 day' as due`,
    [days, limit],
  );
  await leaveBytes(tx, db, keysOf(gone));
  return gone;
}

function keysOf(rows: readonly { readonly storage_key: string | null }[]): readonly string[] {
  return rows.map(({ storage_key }) => storage_key).filter((key) => key !== null);
}

async function usedBytes(queries: Pick<Tx, "query">, db: Database, customerConfigId: string): Promise<number> {
  const [row] = await queries.query<{ used: number }>(
    `select coalesce(sum(size), 0)::float8 as used from ${db.name("whatsapp_media")}
     where customer_config_id = $1 and state = 'stored'`,
    [customerConfigId],
  );
  return row?.used ?? 0;
}
