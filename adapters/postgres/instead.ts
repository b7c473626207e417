/** A message that Meta had accepted and then could not show, or not any more: another is queued behind it, in the same send. */
import type { MetaError } from "../../plugin/contract.ts";
import type { FallbackPart, OutgoingPart, RewrittenPart } from "../../plugin/ports.ts";
import { outLane } from "./contacts.ts";
import { countBy } from "./count-by.ts";
import type { Database, Tx } from "./database.ts";
import { insertHostMessages } from "./host-messages.ts";
import { enqueueOnLanes, LeaseLost } from "./lanes.ts";
import { OUTSIDE_WINDOW } from "./sessions.ts";

/** @returns what is sent in its place; null when nothing is. */
export type InsteadOf = (part: Pick<OutgoingPart, "kind" | "payload">, error: MetaError) => RewrittenPart | null;

/** Parts that have just failed, locked. */
export type JustFailed = { readonly id: string; readonly error: MetaError };

type FailedRow = Pick<OutgoingPart, "kind" | "payload"> & {
  readonly id: string;
  readonly send_id: string;
  readonly part_index: number;
  readonly last_index: number;
  /** Of its person as they are known now: two contacts may have become one since it left. */
  readonly contact_id: string;
  readonly customer_config_id: string;
  readonly conversation_id: string;
  /** Null also where it has taken the place of this answer already. */
  readonly fallback: FallbackPart | null;
};

export type Instead = FailedRow & { readonly index: number; readonly by: RewrittenPart | FallbackPart };

/**
 * @returns what takes the place of these parts, each in a row of the host's inbox: to be queued once the lanes are locked.
 * Nothing in a conversation that the host has deleted.
 */
export async function findInstead(
  tx: Tx,
  db: Database,
  failed: readonly JustFailed[],
  insteadOf: InsteadOf,
): Promise<readonly Instead[]> {
  if (failed.length === 0) return [];
  const rows = await tx.query<FailedRow>(
    `select o.id, o.send_id, o.part_index, coalesce(c.merged_into, c.id) as contact_id, o.customer_config_id, o.conversation_id, o.kind, o.payload, ${fallbackOf(db)} as fallback,
       (select max(part_index) from ${db.name("whatsapp_outbox")} m where m.send_id = o.send_id) as last_index
     from ${db.name("whatsapp_outbox")} o join ${db.hostName("conversations")} v on v.id = o.conversation_id
     join ${db.name("whatsapp_contacts")} c on c.id = o.contact_id
     where o.id = any($1::bigint[]) order by o.id`,
    [failed.map(({ id }) => id)],
  );
  const added = new Map<string, number>();
  const replaced = new Set<string>();
  return rows.flatMap((row) => {
    const { error } = failed.find(({ id }) => id === row.id) as JustFailed;
    const by = error.code === OUTSIDE_WINDOW ? row.fallback : insteadOf(row, error);
    if (by === null || replaced.has(row.send_id)) return [];
    // The template stands for the whole answer, however many of its parts were refused.
    if (by === row.fallback) replaced.add(row.send_id);
    const nth = (added.get(row.send_id) ?? 0) + 1;
    added.set(row.send_id, nth);
    return [{ ...row, index: row.last_index + nth, by }];
  });
}

/** What was wished for a closed window; null where it has gone in the place of another part of `o`'s send. */
export function fallbackOf(db: Database): string {
  return `case when o.fallback is not null and not exists (
    select 1 from ${db.name("whatsapp_outbox")} t where t.send_id = o.send_id and not t.needs_window) then o.fallback end`;
}

/** Their rows of the inbox, before the lanes by the order of locks. @returns ids, in order. */
export function insertInsteadMessages(tx: Tx, db: Database, instead: readonly Instead[]): Promise<readonly string[]> {
  return insertHostMessages(
    tx,
    db,
    instead.map(({ conversation_id, send_id, index, by }) => ({
      conversationId: conversation_id,
      role: "assistant",
      content: by.content,
      status: "queued",
      mediaType: by.mediaType,
      externalId: null,
      metadata: { send_id, part: index },
      createdAt: null,
    })),
  );
}

/** @throws LeaseLost to roll back: their person became another contact after they were found, and before we had the lane. */
export async function queueInstead(
  tx: Tx,
  db: Database,
  instead: readonly Instead[],
  hostMessageIds: readonly string[],
): Promise<void> {
  if (instead.length === 0) return;
  const tenants = new Map(instead.map((one) => [outLane(one.contact_id), one.customer_config_id]));
  const lanes = countBy(instead, ({ contact_id }) => outLane(contact_id));
  enqueueOnLanes(
    tx,
    db,
    [...lanes].map(([laneKey, items]) => ({ laneKey, stage: "out", items, tenant: tenants.get(laneKey) ?? null })),
  );
  const queueing = tx.query<{ moved: boolean }>(
    `insert into ${db.name("whatsapp_outbox")} (send_id, part_index, lane_key, connection_id, customer_config_id, contact_id,
       conversation_id, kind, payload, endpoint, needs_window, is_marketing, on_window_closed, on_ambiguous, host_message_id)
     select o.send_id, p.part_index, p.lane_key, o.connection_id, o.customer_config_id, p.contact_id, o.conversation_id,
       p.kind, p.payload, coalesce(p.endpoint, 'messages'), coalesce(p.needs_window, o.needs_window),
       coalesce(p.is_marketing, false), o.on_window_closed, coalesce(p.on_ambiguous, o.on_ambiguous), p.host_message_id
     from jsonb_to_recordset($1::jsonb) as p (id bigint, part_index int, lane_key text, contact_id bigint, kind text, payload jsonb, endpoint text,
       needs_window boolean, is_marketing boolean, on_ambiguous text, host_message_id text)
     join ${db.name("whatsapp_outbox")} o on o.id = p.id order by p.id
     returning exists (select 1 from ${db.name("whatsapp_contacts")} c where c.id = contact_id and c.merged_into is not null) as moved`,
    [
      JSON.stringify(
        instead.map(({ id, index, contact_id, by }, i) => ({
          id,
          part_index: index,
          lane_key: outLane(contact_id),
          contact_id,
          kind: by.kind,
          payload: by.payload,
          ...("needsWindow" in by && {
            endpoint: by.endpoint,
            needs_window: by.needsWindow,
            is_marketing: by.isMarketing,
            on_ambiguous: by.onAmbiguous,
          }),
          host_message_id: hostMessageIds[i],
        })),
      ),
    ],
  );
  for (const { send_id, part_index, index, by, fallback } of instead)
    tx.send(
      // What was to be chosen from has gone with the answer, or is shown by the new part.
      `update ${db.name("whatsapp_sends")} set degraded = degraded || $2::jsonb, choices = case when $3 then '[]' else (
         select coalesce(jsonb_agg(case when choice -> 'part' = to_jsonb($4::int) then jsonb_set(choice, '{part}', to_jsonb($5::int)) else choice end
           order by n), '[]')
         from jsonb_array_elements(choices) with ordinality as offered (choice, n)) end
       where id = $1`,
      [
        send_id,
        JSON.stringify(by.degraded.map(({ what, from, to }) => ({ part: part_index, what, from, to }))),
        by === fallback,
        part_index,
        index,
      ],
    );
  if ((await queueing).some(({ moved }) => moved)) throw new LeaseLost();
}
