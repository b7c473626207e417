/** What the host's own tables hold of a person's conversations: deleted, or emptied where the host needs the rows. */
import { ChannelError } from "../../plugin/errors.ts";
import type { Database, Tx } from "./database.ts";

/**
 * Messages are deleted, unless a foreign key or a trigger of the host's forbids it: then they are emptied. The
 * conversation stays, because the host's other tables may point at it, without what we wrote into it.
 * @returns how many messages.
 */
export async function eraseFromHost(
  tx: Tx,
  db: Database,
  conversations: readonly string[],
): Promise<{ readonly deleted: number; readonly emptied: number }> {
  const messages = db.hostName("messages");
  if (conversations.length === 0) return { deleted: 0, emptied: 0 };
  let isDeleted = true;
  const locked = await tx.query(`select 1 from ${messages} where conversation_id = any($1) order by id for update`, [
    conversations,
  ]);
  await tx.query("savepoint messages");
  try {
    // A check that the host has put off to the commit must fail here, where there is another way.
    await tx.query("set constraints all immediate");
    await tx.query(`delete from ${messages} where conversation_id = any($1)`, [conversations]);
  } catch (error) {
    if (error instanceof ChannelError || (error as { code?: unknown }).code === undefined) throw error;
    await tx.query("rollback to savepoint messages");
    isDeleted = false;
    await tx.query(
      `update ${messages} set content = '[erased]', media_url = null, media_type = null, external_id = null, channel_metadata = '{}'
       where conversation_id = any($1)`,
      [conversations],
    );
  }
  await tx.query("release savepoint messages");
  await tx.query(
    `update ${db.hostName("conversations")} set channel_metadata = coalesce(channel_metadata, '{}') || '{"whatsapp": {"erased": true}}'
     where id = any($1)`,
    [conversations],
  );
  return isDeleted ? { deleted: locked.length, emptied: 0 } : { deleted: 0, emptied: locked.length };
}
