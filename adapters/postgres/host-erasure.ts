/** What the host's own tables hold of a person's conversations: deleted, or emptied where the host needs the rows. */
import { ChannelError } from "../../plugin/errors.ts";
import type { Database, Tx } from "./database.ts";
import { heldBack } from "./row-security.ts";

/**
 * Messages are deleted, unless something of the host's forbids it (a foreign key, a trigger) or keeps the rows without a word (a
 * trigger or a rule that deletes softly, a policy): then they are emptied. The conversation stays, because the host's other tables may
 * point at it, without what we wrote into it.
 * @returns how many messages.
 * @throws ChannelError HOST_TABLE_INCOMPATIBLE where they can be neither, or where nobody can tell whether these are all.
 */
export async function eraseFromHost(
  tx: Tx,
  db: Database,
  conversations: readonly string[],
): Promise<{ readonly deleted: number; readonly emptied: number }> {
  const messages = db.hostName("messages");
  if (conversations.length === 0) return { deleted: 0, emptied: 0 };
  for (const table of [messages, db.hostName("conversations")]) await assertNothingIsHidden(tx, table);
  const locked = await tx.query(`select 1 from ${messages} where conversation_id = any($1) order by id for update`, [
    conversations,
  ]);
  await tx.query("savepoint messages");
  const isDeleted = (await deleted(tx, messages, conversations)) === locked.length;
  if (!isDeleted) {
    await tx.query("rollback to savepoint messages");
    if ((await emptied(tx, messages, conversations)) !== locked.length)
      throw refused(
        `Messages of this person could be neither deleted nor emptied, so nothing was erased: a trigger, a rule or a policy of the host's on ${messages} keeps their text. Fix: let it through for the role that we connect as, and erase again.`,
      );
  }
  await tx.query("release savepoint messages");
  const marked = await tx.query(
    `update ${db.hostName("conversations")} set channel_metadata = coalesce(channel_metadata, '{}') || '{"whatsapp": {"erased": true}}'
     where id = any($1) returning 1`,
    [conversations],
  );
  const there = await tx.query(`select 1 from ${db.hostName("conversations")} where id = any($1)`, [conversations]);
  if (marked.length !== there.length)
    throw refused(
      `What we wrote into this person's conversations stays as it is, so nothing was erased: a trigger, a rule or a policy of the host's on ${db.hostName("conversations")} does not let us change them. Fix: let it through for the role that we connect as, and erase again.`,
    );
  return isDeleted ? { deleted: locked.length, emptied: 0 } : { deleted: 0, emptied: locked.length };
}

/** @returns how many are really gone; -1 where the host forbids it. */
async function deleted(tx: Tx, messages: string, conversations: readonly string[]): Promise<number> {
  try {
    // A check that the host has put off to the commit must fail here, where there is another way.
    await tx.query("set constraints all immediate");
    const gone = await tx.query(`delete from ${messages} where conversation_id = any($1) returning 1`, [conversations]);
    return gone.length;
  } catch (error) {
    if (error instanceof ChannelError || (error as { code?: unknown }).code === undefined) throw error;
    return -1;
  }
}

/** @returns how many have lost their text: a trigger may have put it back. */
async function emptied(tx: Tx, messages: string, conversations: readonly string[]): Promise<number> {
  const rows = await tx.query<{ gone: boolean }>(
    `update ${messages} set content = '[erased]', media_url = null, media_type = null, external_id = null, channel_metadata = '{}'
     where conversation_id = any($1) returning content::text = '[erased]' as gone`,
    [conversations],
  );
  return rows.filter(({ gone }) => gone).length;
}

/** What is hidden would stay, and we would say that it is gone. */
async function assertNothingIsHidden(tx: Tx, table: string): Promise<void> {
  const held = await heldBack(tx, table, ["select", "update"]);
  if (held.length === 0) return;
  throw refused(
    `Row level security may hide rows of this person in ${table} from us (${held.join(", ")}), so nothing was erased. Fix: a policy for the role that we connect as: create policy whatsapp on ${table} to … using (true) with check (true); and erase again.`,
  );
}

function refused(message: string): ChannelError {
  return new ChannelError("HOST_TABLE_INCOMPATIBLE", message, { retry: "fix" });
}
