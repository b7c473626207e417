/** A message that Meta had accepted and then could not show: another one is queued behind it, in the same send. */
import type { MetaError } from "../../plugin/contract.ts";
import type { OutgoingPart, RewrittenPart } from "../../plugin/ports.ts";
import type { Database, Tx } from "./database.ts";
import { insertHostMessages } from "./host-messages.ts";
import { enqueueOnLanes } from "./lanes.ts";

/** @returns what is sent in its place; null when nothing is. */
export type InsteadOf = (part: Pick<OutgoingPart, "kind" | "payload">, error: MetaError) => RewrittenPart | null;

/** Parts that have just failed, locked. */
export type JustFailed = { readonly id: string; readonly error: MetaError };

type FailedRow = Pick<OutgoingPart, "kind" | "payload"> & {
  readonly id: string;
  readonly send_id: string;
  readonly part_index: number;
  readonly last_index: number;
  readonly lane_key: string;
  readonly customer_config_id: string;
  readonly conversation_id: string;
};

export type Instead = FailedRow & { readonly index: number; readonly by: RewrittenPart };

/** @returns what takes the place of these parts, each in a row of the host's inbox: to be queued once the lanes are locked. */
export async function findInstead(
  tx: Tx,
  db: Database,
  failed: readonly JustFailed[],
  insteadOf: InsteadOf,
): Promise<readonly Instead[]> {
  if (failed.length === 0) return [];
  const rows = await tx.query<FailedRow>(
    `select o.id, o.send_id, o.part_index, o.lane_key, o.customer_config_id, o.conversation_id, o.kind, o.payload,
       (select max(part_index) from ${db.name("whatsapp_outbox")} m where m.send_id = o.send_id) as last_index
     from ${db.name("whatsapp_outbox")} o where o.id = any($1::bigint[]) order by o.id`,
    [failed.map(({ id }) => id)],
  );
  const added = new Map<string, number>();
  return rows.flatMap((row) => {
    const { error } = failed.find(({ id }) => id === row.id) as JustFailed;
    const by = insteadOf(row, error);
    if (by === null) return [];
    const nth = (added.get(row.send_id) ?? 0) + 1;
    added.set(row.send_id, nth);
    return [{ ...row, index: row.last_index + nth, by }];
  });
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

export function queueInstead(
  tx: Tx,
  db: Database,
  instead: readonly Instead[],
  hostMessageIds: readonly string[],
): void {
  if (instead.length === 0) return;
  const tenants = new Map(instead.map((one) => [one.lane_key, one.customer_config_id]));
  enqueueOnLanes(
    tx,
    db,
    [...tenants].map(([laneKey, tenant]) => ({
      laneKey,
      stage: "out",
      items: instead.filter(({ lane_key }) => lane_key === laneKey).length,
      tenant,
    })),
  );
  tx.send(
    `insert into ${db.name("whatsapp_outbox")} (send_id, part_index, lane_key, connection_id, customer_config_id, contact_id,
       conversation_id, kind, payload, needs_window, on_window_closed, on_ambiguous, host_message_id)
     select o.send_id, p.part_index, o.lane_key, o.connection_id, o.customer_config_id, o.contact_id, o.conversation_id,
       p.kind, p.payload, o.needs_window, o.on_window_closed, o.on_ambiguous, p.host_message_id
     from jsonb_to_recordset($1::jsonb) as p (id bigint, part_index int, kind text, payload jsonb, host_message_id text)
     join ${db.name("whatsapp_outbox")} o on o.id = p.id order by p.id`,
    [
      JSON.stringify(
        instead.map(({ id, index, by }, i) => ({
          id,
          part_index: index,
          kind: by.kind,
          payload: by.payload,
          host_message_id: hostMessageIds[i],
        })),
      ),
    ],
  );
  for (const { send_id, part_index, by } of instead)
    tx.send(`update ${db.name("whatsapp_sends")} set degraded = degraded || $2::jsonb where id = $1`, [
      send_id,
      JSON.stringify(by.degraded.map(({ what, from, to }) => ({ part: part_index, what, from, to }))),
    ]);
}
