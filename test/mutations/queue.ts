/** Rules 5, 6, 7 and 10 of the queue (docs/decisions/0005-lanes-on-postgres.md), each with a way to break it and the tests that must notice. */
import type { Mutation } from "./mutations.ts";

const APPLY = "plugin/pipeline/apply-events.ts";
const DATABASE = "adapters/postgres/database.ts";
const CLOCK_TEST = ["test/integration/engine/clock.test.ts"];
const POISON_TEST = ["test/integration/engine/poison.test.ts"];
const TIMEOUTS_TEST = ["test/integration/engine/database.test.ts"];
const HOSTILE_TEST = ["test/integration/receiving/hostile.test.ts"];

/** The process's own time, where the database's stood. */
const HERE = "timestamptz '${" + "new Date().toISOString()}'";

export const QUEUE_MUTATIONS: readonly Mutation[] = [
  {
    rule: "rule 5: a lane is ready by the database's clock",
    file: "adapters/postgres/lanes.ts",
    find: "where stage = $1 and ready_at <= now() and",
    replace: `where stage = $1 and ready_at <= ${HERE} and`,
    tests: CLOCK_TEST,
  },
  {
    rule: "rule 5: a lease lasts by the database's clock",
    file: "adapters/postgres/lanes.ts",
    find: "lease_token = $3, woken = false, ready_at = now() +",
    replace: `lease_token = $3, woken = false, ready_at = ${HERE} +`,
    tests: CLOCK_TEST,
  },
  {
    rule: "rule 5: a lost answer is waited for by the database's clock",
    file: "adapters/postgres/outbox-head.ts",
    find: "coalesce(extract(epoch from clock_timestamp()\n",
    replace: `coalesce(extract(epoch from ${HERE}\n`,
    tests: CLOCK_TEST,
  },
  {
    rule: "rule 5: the pair limit counts by the database's clock",
    file: "adapters/postgres/pair-limit.ts",
    find: "return `greatest(l.paced_until, now()) + interval",
    replace: `return \`greatest(l.paced_until, ${HERE}) + interval`,
    tests: CLOCK_TEST,
  },
  {
    rule: "rule 5: a number pauses by the database's clock",
    file: "adapters/postgres/pauses.ts",
    find: "set paused_until = now() + $3 *",
    replace: `set paused_until = ${HERE} + $3 *`,
    tests: CLOCK_TEST,
  },
  {
    rule: "rule 5: a sign-in lives by the database's clock",
    file: "adapters/postgres/sign-ins.ts",
    find: "$8, now() + $9 *",
    replace: `$8, ${HERE} + $9 *`,
    tests: CLOCK_TEST,
  },
  {
    rule: "rule 5: a sign-in ends by the database's clock",
    file: "adapters/postgres/sign-ins.ts",
    find: "and used_at is null and expires_at > now()",
    replace: `and used_at is null and expires_at > ${HERE}`,
    tests: CLOCK_TEST,
  },
  {
    rule: "rule 5: what is old is so by the database's clock",
    file: "adapters/postgres/prune.ts",
    find: "select id, created_at, created_at < now() - $2 *",
    replace: `select id, created_at, created_at < ${HERE} - $2 *`,
    tests: CLOCK_TEST,
  },
  {
    rule: "rule 6: what failed beside others is tried by itself, at once",
    file: APPLY,
    find: "if (some.length > 1) return applyEach(some);",
    replace: "if (some.length > 1) return giveBack(some, null);",
    tests: POISON_TEST,
  },
  {
    rule: "rule 6: a lane that failed goes on one event at a time",
    file: APPLY,
    find: "[head] = await inbox.load([lane], 1);\n",
    replace: "[head] = (await inbox.load([lane], EVENTS_PER_LANE)).slice(-1);\n",
    tests: POISON_TEST,
  },
  {
    rule: "rule 7: what is not JSON is kept, and not refused",
    file: "plugin/webhook/read-payload.ts",
    find: 'return quarantined("not JSON");',
    replace: 'throw new Error("not JSON");',
    tests: HOSTILE_TEST,
  },
  {
    rule: "rule 7: what is nested too deep is not read",
    file: "plugin/webhook/read-payload.ts",
    find: "if (isTooDeep(body.bytes)) return",
    replace: "if (body.bytes.length === 0) return",
    tests: HOSTILE_TEST,
  },
  {
    rule: "rule 7: what Postgres cannot hold is mended first",
    file: "plugin/webhook/read-payload.ts",
    find: "const text = withoutUnstorable(decoded);",
    replace: "const text = decoded;",
    tests: HOSTILE_TEST,
  },
  {
    rule: "rule 7: what Postgres refuses is kept as bytes",
    file: "adapters/postgres/record.ts",
    find: "if (error instanceof ChannelError || deliveries.length > 1 || !isDataFault(error)) throw error;",
    replace: "if (deliveries.length > 0) throw error;",
    tests: HOSTILE_TEST,
  },
  {
    rule: "rule 7: a delivery that cannot be stored fails without those that shared its commit",
    file: "plugin/receive.ts",
    find: "isItemsFault: (error) => !isStoreDown(error),",
    replace: "isItemsFault: () => false,",
    tests: HOSTILE_TEST,
  },
  ...(["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"] as const).map((name) => ({
    rule: `rule 10: a transaction has its ${name}`,
    file: DATABASE,
    find: `set local ${name} = `,
    // Another one that takes a bare number.
    replace: "set local work_mem = ",
    tests: TIMEOUTS_TEST,
  })),
  {
    rule: "rule 10: who waits for a number's pace has its timeouts",
    file: "adapters/postgres/pace.ts",
    find: "db.bounded<Taken>(",
    replace: "db.query<Taken>(",
    tests: TIMEOUTS_TEST,
  },
  {
    rule: "what gives a lane back is planned once per connection",
    file: "adapters/postgres/lanes.ts",
    find: "join unnest((select $1::text[]), (select $2::uuid[]), (select $3::int[]), (select $4::int[]))",
    replace: "join unnest($1::text[], $2::uuid[], $3::int[], $4::int[])",
    tests: TIMEOUTS_TEST,
  },
  {
    rule: "what stores a delivery is planned once per connection",
    file: "migrations/20261129000002-plan-of-record.ts",
    find: 'plan_cache_mode: "force_generic_plan", ',
    replace: "",
    tests: TIMEOUTS_TEST,
  },
  {
    rule: "rule 10: a server that has gone silent is given up",
    file: DATABASE,
    find: "connection.connection?.stream?.destroy();",
    replace: "",
    tests: TIMEOUTS_TEST,
  },
  {
    rule: "rule 10: what waits too long for a connection is told so",
    file: DATABASE,
    find: "return await Promise.race([pending, timeout]);",
    replace: "void timeout.catch(() => undefined);\n    return await pending;",
    tests: TIMEOUTS_TEST,
  },
];
