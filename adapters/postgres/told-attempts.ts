/** The attempts that statuses tell of: what is known of each, and what Meta says of it. */
import type { MetaError, StatusEvent } from "../../plugin/contract.ts";
import type { Database, Tx } from "./database.ts";
import { rejected } from "./host-events.ts";

/** @returns token → outbox id. */
export async function attemptsOf(
  tx: Tx,
  db: Database,
  statuses: readonly StatusEvent[],
): Promise<ReadonlyMap<string, string>> {
  const tokens = statuses.map(({ callbackData }) => callbackData).filter((token) => token !== null);
  if (tokens.length === 0) return new Map();
  const rows = await tx.query<{ token: string; outbox_id: string }>(
    `select token, outbox_id from ${db.name("whatsapp_send_attempts")} where token = any((select $1::text[])::text[])`,
    [tokens],
  );
  return new Map(rows.map((row) => [row.token, row.outbox_id]));
}

export type Try = {
  readonly token: string;
  readonly outboxId: string;
  state: "intent" | "accepted" | "rejected" | "ambiguous";
  messageId: string | null;
  /** Meta had accepted it, and has said since that nobody gets it. */
  hasFailed: boolean;
};

/** Every attempt of these parts. */
export async function readTries(tx: Tx, db: Database, parts: readonly { readonly id: string }[]): Promise<Try[]> {
  if (parts.length === 0) return [];
  const rows = await tx.query<Try>(
    `select token, outbox_id as "outboxId", state, message_id as "messageId", state = 'accepted' and error is not null as "hasFailed"
     from ${db.name("whatsapp_send_attempts")} where outbox_id = any($1::bigint[]) order by id`,
    [parts.map(({ id }) => id)],
  );
  return rows.map((row) => ({ ...row }));
}

/** The attempt that Meta speaks of was accepted, whatever we thought of it. */
export function confirmAttempts(
  tx: Tx,
  db: Database,
  confirmed: readonly { readonly token: string; readonly messageId: string }[],
): void {
  if (confirmed.length === 0) return;
  tx.send(
    `update ${db.name("whatsapp_send_attempts")} a set state = 'accepted', message_id = c.message_id,
       error = null, finished_at = coalesce(a.finished_at, now())
     from unnest((select $1::text[]), (select $2::text[])) as c (token, message_id)
     where a.token = c.token and (a.state <> 'accepted' or a.message_id is null)`,
    [confirmed.map(({ token }) => token), confirmed.map(({ messageId }) => messageId)],
  );
}

/** Kept with the attempt: a part of which there are two copies has failed when both have. */
export function failAttempts(
  tx: Tx,
  db: Database,
  lost: readonly { readonly token: string; readonly error: MetaError | null }[],
): void {
  if (lost.length === 0) return;
  tx.send(
    `update ${db.name("whatsapp_send_attempts")} a set error = l.error::jsonb
     from unnest($1::text[], $2::text[]) as l (token, error) where a.token = l.token and a.error is null`,
    [lost.map(({ token }) => token), lost.map(({ error }) => JSON.stringify(error === null ? {} : rejected(error)))],
  );
}
