/** `npm run measure:claims`: what a claim costs with 100,000 lanes ready, oldest first and in rounds. */
import knexFactory from "knex";
import { createStore } from "../adapters/postgres/store.ts";
import { startEmbeddedPostgres } from "../examples/host/embedded-postgres.ts";
import { migrate } from "../migrations/index.ts";

const schemas = { schema: "public", hostSchema: "public" };
const postgres = await startEmbeddedPostgres();
const knex = knexFactory({ client: "pg", connection: postgres.url, pool: { min: 1, max: 4 } });
try {
  await migrate(knex, schemas);
  const store = createStore(knex, {
    ...schemas,
    leaseMs: 600_000,
    coalesceMs: 0,
    hasListener: false,
    advance: (_before, after) => after,
    isPending: () => true,
  });
  for (const { name, tenants } of [
    { name: "one tenant", tenants: 1 },
    { name: "a backlog of one, and a few lanes of 9 others", tenants: 10 },
    { name: "1,000 tenants", tenants: 1_000 },
    { name: "20,000 tenants", tenants: 20_000 },
  ]) {
    await fill(tenants);
    const [first] = (await knex.raw("select md5('1')::uuid as tenant")).rows;
    console.log(`100,000 lanes ready, ${name}:`);
    await measure("  in rounds, without the first", () => store.lanes.claim("in", 50, { without: [first.tenant] }));
    await measure("  in rounds", () => store.lanes.claim("in", 50, { without: [] }));
    await measure("  oldest first", () => store.lanes.claim("in", 50));
  }
} finally {
  await knex.destroy();
  await postgres.stop();
}

/** The first tenant has what the others, with ten lanes each at most, leave of 100,000. */
async function fill(tenants: number): Promise<void> {
  await knex.raw("truncate whatsapp_lanes");
  await knex.raw(
    `insert into whatsapp_lanes (lane_key, stage, tenant, pending, ready_at)
     select 'in:contact:' || n, 'in',
       md5((case when n > least(10 * (?::int - 1), 99000) then 1 else 2 + n % greatest(1, ?::int - 1) end)::text)::uuid,
       1, now() - interval '1 hour' + n * interval '1 millisecond'
     from generate_series(1, 100000) n`,
    [tenants, tenants],
  );
  await knex.raw("vacuum analyze whatsapp_lanes");
}

async function measure(name: string, claim: () => Promise<readonly unknown[]>): Promise<void> {
  const times: number[] = [];
  let lanes = 0;
  for (let i = 0; i < 100; i++) {
    const startedAt = performance.now();
    lanes += (await claim()).length;
    times.push(performance.now() - startedAt);
  }
  times.sort((a, b) => a - b);
  console.log(
    `${name}: p50 ${times[50]?.toFixed(2)} ms, p95 ${times[95]?.toFixed(2)} ms, ${lanes} lanes in 100 claims`,
  );
}
