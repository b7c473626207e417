/** What was moved aside after its last try: shown without what people said, and put back where it stood. */
import { ChannelError } from "../../plugin/errors.ts";
import type { DeadLetterFilter, DeadLetterRow, DeadLetterStage, DeadLetters } from "../../plugin/ports.ts";
import { inLane } from "./contacts.ts";
import { countBy } from "./count-by.ts";
import { countWebhooks } from "./count-webhooks.ts";
import type { Database, Tx } from "./database.ts";
import { deadLetterPage, tenantOfHostEvent } from "./dead-letter-page.ts";
import { enqueueOnLanes } from "./lanes.ts";
import { oneAtATime } from "./routing.ts";
import { meetStrangers } from "./strangers.ts";
import { turnLane } from "./turns.ts";

/** In the order of a message. */
const STAGES: readonly DeadLetterStage[] = ["in", "turn", "notify"];
const KEYS: Readonly<Record<DeadLetterStage, string>> = { in: "bigint", turn: "uuid", notify: "bigint" };

/** Many come at one moment, and an earlier one may have begun to be stored later: none goes back before those before it. */
const inOrder = "max(created_at) over (partition by stage order by place), stage, place";

/** Puts a value among the parameters. @returns its place in the statement. */
type Bind = (value: unknown) => string;
type Of = { readonly where?: readonly string[]; readonly end?: string };
type Wanted = { readonly sql: string; readonly params: readonly unknown[]; readonly bind: Bind };

type Shown = {
  readonly stage: DeadLetterStage;
  readonly id: string;
  readonly kind: string;
  readonly conversation_id: string | null;
  readonly at: string;
  readonly attempts: number | null;
  readonly last_error: string | null;
};

type Found = {
  readonly stage: DeadLetterStage;
  readonly id: string;
  readonly lane_key: string;
  readonly contact_id: string | null;
  readonly place: string;
};

export function createDeadLetters(db: Database): DeadLetters {
  const [events, turns, hostEvents] = [
    db.name("whatsapp_events"),
    db.name("whatsapp_turns"),
    db.name("whatsapp_host_events"),
  ];
  const [contacts, connections] = [db.name("whatsapp_contacts"), db.name("whatsapp_connections")];
  const letters: Readonly<Record<DeadLetterStage, string>> = {
    in: `
      select 'in' as stage, e.id as key, coalesce(elder.conversation_id, c.conversation_id) as conversation_id, e.created_at,
        e.last_error, n.customer_config_id, e.lane_key, coalesce(c.merged_into, c.id)::text as contact_id, e.id as place
      from ${events} e left join ${connections} n on n.id = e.connection_id left join ${contacts} c on c.id = e.contact_id
      left join ${contacts} elder on elder.id = c.merged_into where e.state = 2`,
    turn: `
      select 'turn' as stage, t.id as key, t.conversation_id, t.created_at, t.last_error, t.customer_config_id, t.lane_key,
        coalesce(c.merged_into, t.contact_id)::text as contact_id, t.seq as place
      from ${turns} t left join ${contacts} c on c.id = t.contact_id where t.state = 2`,
    notify: `
      select 'notify' as stage, h.id as key, (h.event ->> 'conversationId')::uuid as conversation_id, h.created_at, h.last_error,
        coalesce(h.customer_config_id, ${tenantOfHostEvent(db, "h.event")}) as customer_config_id, h.lane_key, null::text as contact_id, h.id as place
      from ${hostEvents} h where h.state = 2`,
  };

  /** Of each stage that may have some what is wanted of it: its own condition, so that each is found by an index, and its own end. */
  function wanted(filter: DeadLetterFilter, more: (stage: DeadLetterStage, bind: Bind) => Of): Wanted {
    const params: unknown[] = [];
    const bind: Bind = (value) => `$${params.push(value)}`;
    const { customerConfigId, stage, conversationId, error, from, until } = filter;
    const conditions = [
      customerConfigId !== null && `customer_config_id = ${bind(customerConfigId)}`,
      conversationId !== undefined && `conversation_id = ${bind(conversationId)}`,
      error !== undefined && `split_part(coalesce(last_error, 'unknown'), ': ', 1) = ${bind(error)}`,
      from !== undefined && `created_at >= ${bind(from)}`,
      until !== undefined && `created_at < ${bind(until)}`,
    ].filter((condition) => condition !== false);
    const parts = STAGES.filter((one) => stage === undefined || stage === one).map((one) => {
      const { where = [], end = "" } = more(one, bind);
      const all = [...conditions, ...where];
      return `(select stage, key::text as id, created_at, lane_key, contact_id, place
        from (${letters[one]}) letters ${all.length === 0 ? "" : `where ${all.join(" and ")}`} ${end})`;
    });
    return { sql: parts.join(" union all "), params, bind };
  }

  return {
    async list(filter, page) {
      const { sql, params } = deadLetterPage(db, filter, page);
      return (await db.bounded<Shown>(sql, params)).map(toRow);
    },

    async redrive(filter, { ids, limit }) {
      const chosen = ids === null ? null : keysOf(ids);
      const among = (stage: DeadLetterStage, bind: Bind) =>
        chosen === null ? [] : [`key = any(${bind(chosen[stage])}::${KEYS[stage]}[])`];
      const { sql, params, bind } = wanted(filter, (stage, bound) => ({
        where: among(stage, bound),
        end: `order by place limit ${bound(limit)}`,
      }));
      const oldest = `select stage, id, lane_key, contact_id, place from (${sql}) letters order by ${inOrder} limit ${bind(limit)}`;
      const isNobodys = ({ stage, contact_id }: Found) => stage === "in" && contact_id === null;
      const nobodys = (await db.bounded<Found>(oldest, params)).filter(isNobodys).map(({ id }) => id);
      const nobodysStill = new Set(await meetStrangers(db, nobodys));
      const { found, redriven } = await db.transaction(async (tx) => {
        // Nobody is linked or erased meanwhile, and nobody else puts the same ones back.
        await oneAtATime(tx, db);
        const found = await tx.query<Found>(oldest, params);
        const items = found
          .filter((row) => !isNobodys(row) || nobodysStill.has(row.id))
          .map((row) => ({ ...row, lane: laneOf(row) }));
        // Each has its old id, and a lane is worked by id: it goes behind whatever still waits before it.
        for (const stage of STAGES.toReversed())
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
        return { found, redriven: items.length };
      });
      return { redriven, left: found.length < limit ? 0 : await countLeft(filter, among, found) };
    },
  };

  /** Afterwards and without the lock: there may be very many. What was put back and lies aside again already is none of them. */
  async function countLeft(
    filter: DeadLetterFilter,
    among: (stage: DeadLetterStage, bind: Bind) => readonly string[],
    redriven: readonly Found[],
  ): Promise<number> {
    const { sql, params } = wanted(filter, (stage, bind) => {
      const last = redriven.findLast((row) => row.stage === stage);
      return { where: [...among(stage, bind), ...(last === undefined ? [] : [`place > ${bind(last.place)}::bigint`])] };
    });
    const [row] = await db.query<{ n: number }>(`select count(*)::int as n from (${sql}) letters`, params);
    return row?.n ?? 0;
  }

  async function reopen(tx: Tx, items: readonly (Found & { readonly lane: string })[]): Promise<void> {
    const of = (stage: DeadLetterStage) => items.filter((item) => item.stage === stage);
    const columns = (some: readonly (Found & { readonly lane: string })[]) => [
      some.map(({ id }) => id),
      some.map(({ lane }) => lane),
      some.map(({ contact_id }) => contact_id),
    ];
    const told = await tx.query(
      `update ${hostEvents} set state = 0, last_error = null, died_at = null where id = any($1::bigint[]) and state = 2 returning 1`,
      [of("notify").map(({ id }) => id)],
    );
    const asked = await tx.query(
      `update ${turns} t set state = 0, attempts = 0, last_error = null, finished_at = null, lane_key = b.lane, contact_id = b.contact
       from unnest($1::uuid[], $2::text[], $3::bigint[]) as b (id, lane, contact) where t.id = b.id and t.state = 2 returning 1`,
      columns(of("turn")),
    );
    const reopened = await tx.query<{ webhook_id: string }>(
      `update ${events} e set state = 0, last_error = null, died_at = null, lane_key = b.lane, contact_id = b.contact
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

/** What is no id of ours is no dead letter's either. */
function keysOf(ids: readonly string[]): Readonly<Record<DeadLetterStage, readonly string[]>> {
  const of = (stage: DeadLetterStage, key: RegExp) =>
    ids
      .filter((id) => id.startsWith(`${stage}:`))
      .map((id) => id.slice(stage.length + 1))
      .filter((id) => key.test(id));
  return {
    in: of("in", /^[1-9]\d{0,17}$/),
    turn: of("turn", /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
    notify: of("notify", /^[1-9]\d{0,17}$/),
  };
}

/** Of the person as they are known now: two contacts may have become one since. */
function laneOf({ stage, contact_id, lane_key }: Found): string {
  if (contact_id === null || stage === "notify") return lane_key;
  return stage === "in" ? inLane(contact_id) : turnLane(contact_id);
}

function toRow({ stage, id, kind, conversation_id, at, attempts, last_error }: Shown): DeadLetterRow {
  return { stage, id: `${stage}:${id}`, kind, conversationId: conversation_id, at, attempts, lastError: last_error };
}
