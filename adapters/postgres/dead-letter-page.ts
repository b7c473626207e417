/** One page of what was moved aside, newest first: read by an index from where the page before ended, however much lies aside. */
import type { DeadLetterFilter, DeadLetterPlace, DeadLetterStage } from "../../plugin/ports.ts";
import type { Database } from "./database.ts";

/** Within one moment, of several stages the last in this order comes first. */
const STAGES: readonly DeadLetterStage[] = ["in", "notify", "turn"];

/** Of a row `d` of the stage's own table. */
type Source = {
  readonly table: string;
  readonly keyType: "bigint" | "uuid";
  /** True, and what the index of everybody's has been made with: a tenant's page cannot walk past everybody's by it. */
  readonly everybodys: string;
  /** What is shown of it, with the joins that this takes. */
  readonly shown: string;
  readonly joins: string;
  /** That it is of the conversation in this parameter. */
  readonly ofConversation: (parameter: string) => string;
};

export type Page = { readonly sql: string; readonly params: readonly unknown[] };

export function deadLetterPage(
  db: Database,
  filter: DeadLetterFilter,
  { limit, after }: { readonly limit: number; readonly after: DeadLetterPlace | null },
): Page {
  const [contacts, connections] = [db.name("whatsapp_contacts"), db.name("whatsapp_connections")];
  const sources: Readonly<Record<DeadLetterStage, Source>> = {
    in: {
      table: db.name("whatsapp_events"),
      keyType: "bigint",
      everybodys: "d.id > 0",
      shown:
        "d.kind, coalesce(elder.conversation_id, c.conversation_id) as conversation_id, null::int as attempts, d.id as place",
      joins: `left join ${contacts} c on c.id = d.contact_id left join ${contacts} elder on elder.id = c.merged_into`,
      ofConversation: (id) => `d.contact_id = any(array(
        select c.id from (
          select id from ${contacts} where conversation_id = ${id}
          union select y.id from ${contacts} y join ${contacts} e on e.id = y.merged_into where e.conversation_id = ${id}) theirs
        join ${contacts} c on c.id = theirs.id left join ${contacts} elder on elder.id = c.merged_into
        where coalesce(elder.conversation_id, c.conversation_id) = ${id}))`,
    },
    notify: {
      table: db.name("whatsapp_host_events"),
      keyType: "bigint",
      everybodys: "d.id > 0",
      shown:
        "d.event ->> 'kind' as kind, (d.event ->> 'conversationId')::uuid as conversation_id, null::int as attempts, d.id as place",
      joins: "",
      ofConversation: (id) => `d.event ->> 'conversationId' = ${id}::text`,
    },
    turn: {
      table: db.name("whatsapp_turns"),
      keyType: "uuid",
      everybodys: "d.seq > 0",
      shown: "'turn' as kind, d.conversation_id, d.attempts, 0 as place",
      joins: "",
      ofConversation: (id) => `d.conversation_id = ${id}`,
    },
  };
  const params: unknown[] = [];
  const bind = (value: unknown) => `$${params.push(value)}`;
  const most = bind(limit);
  const tenant = filter.customerConfigId === null ? null : bind(filter.customerConfigId);
  const conversation = filter.conversationId === undefined ? null : bind(filter.conversationId);
  const common = [
    filter.error !== undefined && `split_part(coalesce(d.last_error, 'unknown'), ': ', 1) = ${bind(filter.error)}`,
    filter.from !== undefined && `d.created_at >= ${bind(filter.from)}`,
    filter.until !== undefined && `d.created_at < ${bind(filter.until)}`,
  ].filter((condition) => condition !== false);

  /** Those of the stage that come next, in the order of their index. */
  function next(stage: DeadLetterStage, more: readonly string[]): string {
    const { table, keyType, ofConversation } = sources[stage];
    const conditions = [
      "d.state = 2",
      ...more,
      ...common,
      conversation !== null && ofConversation(conversation),
      after !== null && behind(stage, keyType, after),
    ].filter((condition) => condition !== false);
    return `(select d.* from ${table} d where ${conditions.join(" and ")} order by d.created_at desc, d.id desc limit ${most})`;
  }

  function behind(stage: DeadLetterStage, keyType: string, last: DeadLetterPlace): string {
    const at = `${bind(last.at)}::timestamptz`;
    if (stage === last.stage) return `(d.created_at, d.id) < (${at}, ${bind(last.id)}::${keyType})`;
    return `d.created_at ${STAGES.indexOf(stage) < STAGES.indexOf(last.stage) ? "<=" : "<"} ${at}`;
  }

  function from(stage: DeadLetterStage): string {
    if (tenant === null) return `${next(stage, [sources[stage].everybodys])} d`;
    if (stage === "turn") return `${next(stage, [`d.customer_config_id = ${tenant}`])} d`;
    if (stage === "in")
      return `(select d.* from ${connections} n cross join lateral ${next(stage, ["d.connection_id = n.id"])} d where n.customer_config_id = ${tenant}) d`;
    const known = next(stage, [`d.customer_config_id = ${tenant}`]);
    // Moved aside by an instance of the version before.
    const unknown = next(stage, ["d.customer_config_id is null", `${tenantOfHostEvent(db, "d.event")} = ${tenant}`]);
    return `(${known} union all ${unknown}) d`;
  }

  const parts = STAGES.filter((stage) => filter.stage === undefined || filter.stage === stage).map(
    (stage) =>
      `select '${stage}' as stage, d.id::text as id, d.created_at, d.last_error, ${sources[stage].shown} from ${from(stage)} ${sources[stage].joins}`,
  );
  return {
    sql: `select stage, id, kind, conversation_id, attempts, last_error,
        to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at
      from (${parts.join(" union all ")}) letters
      order by created_at desc, stage collate "C" desc, place desc, id collate "C" desc limit ${most}`,
    params,
  };
}

/** SQL of whose a host event is. One of a number is nobody's: the number may have moved since. */
export function tenantOfHostEvent(db: Database, event: string): string {
  return `coalesce(
    (select c.customer_config_id from ${db.name("whatsapp_contacts")} c where c.conversation_id = (${event} ->> 'conversationId')::uuid limit 1),
    (select n.customer_config_id from ${db.name("whatsapp_connections")} n where n.id = (${event} -> 'connection' ->> 'connectionId')::uuid))`;
}
