/** What was moved aside after its last try: shown without what people said, and put back where it stood. */
import { ChannelError } from "../../plugin/errors.ts";
import type { DeadLetterRow, DeadLetterStage, DeadLetters } from "../../plugin/ports.ts";
import { inLane } from "./contacts.ts";
import { countBy } from "./count-by.ts";
import { countWebhooks } from "./count-webhooks.ts";
import type { Database, Queries, Tx } from "./database.ts";
import { enqueueOnLanes } from "./lanes.ts";
import { oneAtATime } from "./routing.ts";
import { turnLane } from "./turns.ts";

type Found = {
  readonly stage: DeadLetterStage;
  readonly id: string;
  readonly kind: string;
  readonly conversation_id: string | null;
  readonly at: string;
  readonly attempts: number | null;
  readonly last_error: string | null;
  readonly lane_key: string;
  readonly contact_id: string | null;
  readonly total: number;
};

export function createDeadLetters(db: Database): DeadLetters {
  const [events, turns, hostEvents] = [
    db.name("whatsapp_events"),
    db.name("whatsapp_turns"),
    db.name("whatsapp_host_events"),
  ];
  const [contacts, connections] = [db.name("whatsapp_contacts"), db.name("whatsapp_connections")];
  // A host event of a number is nobody's: the number may have moved since.
  const letters = `
    select 'in' as stage, e.id::text as id, e.kind, coalesce(elder.conversation_id, c.conversation_id) as conversation_id, e.created_at,
      null::int as attempts, e.last_error, n.customer_config_id, e.lane_key, coalesce(c.merged_into, c.id)::text as contact_id, e.id as place
    from ${events} e left join ${connections} n on n.id = e.connection_id left join ${contacts} c on c.id = e.contact_id
    left join ${contacts} elder on elder.id = c.merged_into where e.state = 2
    union all
    select 'turn', t.id::text, 'turn', t.conversation_id, t.created_at, t.attempts, t.last_error, t.customer_config_id, t.lane_key,
      coalesce(c.merged_into, t.contact_id)::text, t.seq
    from ${turns} t left join ${contacts} c on c.id = t.contact_id where t.state = 2
    union all
    select 'notify', h.id::text, h.event ->> 'kind', (h.event ->> 'conversationId')::uuid, h.created_at, null, h.last_error,
      coalesce(
        (select c.customer_config_id from ${contacts} c where c.conversation_id = (h.event ->> 'conversationId')::uuid limit 1),
        (select n.customer_config_id from ${connections} n where n.id::text = h.event -> 'connection' ->> 'connectionId')),
      h.lane_key, null, h.id
    from ${hostEvents} h where h.state = 2`;
  const wanted = `($1::uuid is null or customer_config_id = $1) and ($2::text is null or stage = $2)
    and ($3::uuid is null or conversation_id = $3) and ($4::text is null or split_part(coalesce(last_error, 'unknown'), ': ', 1) = $4)
    and ($5::timestamptz is null or created_at >= $5) and ($6::timestamptz is null or created_at < $6)`;

  // Many come at one moment, and a lane's earlier one may have begun to be stored later: none goes back before those before it.
  const inOrder =
    "max(created_at) over (partition by stage, coalesce(contact_id, lane_key) order by place), stage, place";

  async function find(
    on: Queries,
    filter: Parameters<DeadLetters["list"]>[0],
    extra: string,
    params: readonly unknown[],
  ) {
    return on.query<Found>(
      `select stage, id, kind, conversation_id, attempts, last_error, lane_key, contact_id, count(*) over ()::int as total,
         to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at
       from (${letters}) letters where ${wanted} ${extra}`,
      [
        filter.customerConfigId,
        filter.stage ?? null,
        filter.conversationId ?? null,
        filter.error ?? null,
        filter.from ?? null,
        filter.until ?? null,
        ...params,
      ],
    );
  }

  return {
    async list(filter, { limit, after }) {
      const rows = await find(
        db,
        filter,
        `and ($7::timestamptz is null or (created_at, stage || id) < ($7, $8)) order by created_at desc, stage || id desc limit $9`,
        [after?.at ?? null, after?.key ?? null, limit],
      );
      return rows.map(toRow);
    },

    redrive: (filter, { ids, limit }) =>
      db.transaction(async (tx) => {
        // Nobody is linked or erased meanwhile, and nobody else puts the same ones back.
        await oneAtATime(tx, db);
        const rows = await find(
          tx,
          filter,
          `and ($7::text[] is null or stage || ':' || id = any($7)) order by ${inOrder} limit $8`,
          [ids, limit],
        );
        const items = rows.map((row) => ({ ...row, lane: laneOf(row) }));
        // Each has its old id, and a lane is worked by id: it goes behind whatever still waits before it.
        for (const stage of ["notify", "turn", "in"] as const)
          enqueueOnLanes(
            tx,
            db,
            [
              ...countBy(
                items.filter((item) => item.stage === stage),
                ({ lane }) => lane,
              ),
            ].map(([laneKey, count]) => ({ laneKey, stage, items: count })),
          );
        await reopen(tx, items);
        return { redriven: rows.length, left: (rows[0]?.total ?? 0) - rows.length };
      }),
  };

  async function reopen(tx: Tx, items: readonly (Found & { readonly lane: string })[]): Promise<void> {
    const of = (stage: DeadLetterStage) => items.filter((item) => item.stage === stage);
    const columns = (some: readonly (Found & { readonly lane: string })[]) => [
      some.map(({ id }) => id),
      some.map(({ lane }) => lane),
      some.map(({ contact_id }) => contact_id),
    ];
    const told = await tx.query(
      `update ${hostEvents} set state = 0, last_error = null where id = any($1::bigint[]) and state = 2 returning 1`,
      [of("notify").map(({ id }) => id)],
    );
    const asked = await tx.query(
      `update ${turns} t set state = 0, attempts = 0, last_error = null, finished_at = null, lane_key = b.lane, contact_id = b.contact
       from unnest($1::uuid[], $2::text[], $3::bigint[]) as b (id, lane, contact) where t.id = b.id and t.state = 2 returning 1`,
      columns(of("turn")),
    );
    const reopened = await tx.query<{ webhook_id: string }>(
      `update ${events} e set state = 0, last_error = null, lane_key = b.lane, contact_id = b.contact
       from unnest($1::bigint[], $2::text[], $3::bigint[]) as b (id, lane, contact) where e.id = b.id and e.state = 2 returning e.webhook_id`,
      columns(of("in")),
    );
    // One that was deleted by age meanwhile would be counted on its lane for ever.
    if (told.length + asked.length + reopened.length !== items.length)
      throw new ChannelError("STORE_UNAVAILABLE", "Some of them went meanwhile; try again.", { retry: "backoff" });
    const webhookIds = reopened.map((row) => row.webhook_id);
    await tx.query(
      `with mine as (select id from ${db.name("whatsapp_webhooks")} where id = any($1) order by id for update)
       update ${db.name("whatsapp_webhooks")} w set error = null from mine
       where w.id = mine.id and w.error like 'dead letter:%'
         and not exists (select 1 from ${events} e where e.state = 2 and e.webhook_id = w.id)`,
      [webhookIds],
    );
    countWebhooks(tx, db, webhookIds, 1);
  }
}

/** Of the person as they are known now: two contacts may have become one since. */
function laneOf({ stage, contact_id, lane_key }: Found): string {
  if (contact_id === null || stage === "notify") return lane_key;
  return stage === "in" ? inLane(contact_id) : turnLane(contact_id);
}

function toRow({ stage, id, kind, conversation_id, at, attempts, last_error }: Found): DeadLetterRow {
  return { stage, id: `${stage}:${id}`, kind, conversationId: conversation_id, at, attempts, lastError: last_error };
}
