/** Pages of dead letters: in one order whatever their stage, and each at the cost of a page, however much lies aside. */
import { describe, expect, it } from "vitest";
import type { DeadLetterFilter, DeadLetterPlace, DeadLetterRow } from "../../../plugin/ports.ts";
import { TENANT } from "../../support/channel.ts";
import { type Engine, startEngine } from "./support.ts";

const OTHER = "00000000-0000-4000-8000-000000000002";
const MINE = "aaaaaaaa-0000-4000-8000-000000000001";
const THEIRS = "aaaaaaaa-0000-4000-8000-000000000002";

/** A number, a person and a conversation of each of two tenants, and of each stage so many that lie aside: every tenth is the first's. */
async function lyingAside(amount: number): Promise<Engine> {
  const engine = await startEngine();
  const { rows } = engine;
  await rows("insert into customer_configs (id) values (?)", [OTHER]);
  await rows(
    `insert into whatsapp_connections (customer_config_id, phone_number_id, waba_id, display_phone_number) values (?, '301777000333999', '299', '1555')`,
    [OTHER],
  );
  await rows(
    `insert into whatsapp_contacts (connection_id, customer_config_id, conversation_id)
     select id, customer_config_id, case when customer_config_id = ? then ?::uuid else ?::uuid end from whatsapp_connections`,
    [TENANT, MINE, THEIRS],
  );
  // Eight of each stage came at one moment; every hundredth of them has an error of its own.
  const each = `select n, now() - (n / 8) * interval '1 second' as at,
    case when n % 100 = 0 then 'Error RARE: x' else 'error P0001' end as error, c.id as contact, c.connection_id, c.customer_config_id, c.conversation_id
    from generate_series(1, ${amount}) n join whatsapp_contacts c on (c.customer_config_id = '${TENANT}') = (n % 10 = 0)`;
  await rows(
    `insert into whatsapp_events (lane_key, connection_id, contact_id, dedupe_key, kind, payload, state, last_error, webhook_id, created_at)
     select 'in:contact:' || contact, connection_id, contact, n::text, 'message', '{}', 2, error, n, at from (${each}) e order by e.n`,
  );
  await rows(
    `insert into whatsapp_turns (lane_key, connection_id, customer_config_id, contact_id, conversation_id, messages, state, last_error, created_at)
     select 'turn:' || contact, connection_id, customer_config_id, contact, conversation_id, '[]', 2, error, at from (${each}) e order by e.n`,
  );
  await rows(
    `insert into whatsapp_host_events (lane_key, event, customer_config_id, state, last_error, created_at)
     select 'x', jsonb_build_object('kind', 'message', 'conversationId', conversation_id),
       case when n % 40 <> 0 or n > 400 then customer_config_id end, 2, error, at from (${each}) e order by e.n`,
  );
  await rows("analyze");
  return engine;
}

async function pages({ store }: Engine, filter: DeadLetterFilter, limit: number): Promise<readonly DeadLetterRow[]> {
  const all: DeadLetterRow[] = [];
  for (let after: DeadLetterPlace | null = null; ; ) {
    const page: readonly DeadLetterRow[] = await store.deadLetters.list(filter, { limit, after });
    all.push(...page);
    const last = page.at(-1);
    if (last === undefined || page.length < limit) return all;
    after = { at: last.at, stage: last.stage, id: last.id.slice(last.stage.length + 1) };
  }
}

describe("pages of dead letters", () => {
  it.each<[string, Omit<DeadLetterFilter, "customerConfigId"> & { readonly of?: string }, number]>([
    ["of everybody", {}, 360],
    ["of a tenant", { of: TENANT }, 36],
    ["of a stage", { of: TENANT, stage: "notify" }, 12],
    ["of a conversation", { conversationId: MINE }, 36],
    ["of somebody else's conversation", { of: TENANT, conversationId: THEIRS }, 0],
    ["with an error", { error: "Error RARE" }, 3],
  ])(
    "%s have each of them once, newest first, whatever comes at one moment",
    async (_which, { of, ...filter }, amount) => {
      const engine = await lyingAside(120);

      const all = await pages(engine, { ...filter, customerConfigId: of ?? null }, 7);

      expect(new Set(all.map(({ id }) => id)).size).toBe(amount);
      expect(all).toHaveLength(amount);
      const times = all.map(({ at }) => at);
      expect(times).toEqual(times.toSorted().toReversed());
      const one = await engine.store.deadLetters.list(
        { ...filter, customerConfigId: of ?? null },
        { limit: 400, after: null },
      );
      expect(all).toEqual(one);
    },
  );

  it("are of a time: what came before it, and from it on", async () => {
    const engine = await lyingAside(120);
    const everything = await pages(engine, { customerConfigId: null }, 50);
    const until = new Date(everything[100]?.at ?? "");

    const before = await pages(engine, { customerConfigId: null, until }, 50);
    const since = await pages(engine, { customerConfigId: null, from: until }, 50);

    expect([...since, ...before]).toEqual(everything);
    expect(before.length).toBeGreaterThan(100);
  });

  it.each<[string, DeadLetterFilter]>([
    ["of everybody", { customerConfigId: null }],
    ["of a tenant", { customerConfigId: TENANT }],
    ["until a time", { customerConfigId: TENANT, until: new Date(Date.now() - 60_000) }],
  ])("%s cost a page, and not what lies aside", async (_which, filter) => {
    const engine = await lyingAside(4_000);
    const knex = engine.database.connect({ min: 1, max: 1 });
    const store = engine.another({ knex });
    const first = await store.deadLetters.list(filter, { limit: 10, after: null });
    const last = first.at(-1);
    if (last === undefined) expect.fail("nothing lies aside");
    const after = { at: last.at, stage: last.stage, id: last.id.slice(last.stage.length + 1) };
    const read = async (): Promise<number> => {
      await knex.raw("select pg_stat_force_next_flush()");
      const [row] = await engine.rows<{ n: string }>(
        `select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) as n from pg_stat_user_tables
         where relname in ('whatsapp_events', 'whatsapp_turns', 'whatsapp_host_events')`,
      );
      return Number(row?.n);
    };
    const before = await read();

    // Often enough that Postgres has made up its mind about the plan.
    for (let n = 0; n < 8; n += 1) await store.deadLetters.list(filter, { limit: 10, after });

    expect((await read()) - before).toBeLessThan(8 * 80);
  });
});
