/** Pace, breaker and fairness (docs/pace.md), each with a way to break it and the tests that must notice. */
import type { Mutation } from "./mutations.ts";

const DECIDE = "plugin/pipeline/decide-next.ts";
const BREAKER = "plugin/pipeline/breaker.ts";
const THROUGHPUT = "plugin/pipeline/throughput.ts";
const PACE = "adapters/postgres/pace.ts";
const GRAPH_ERRORS = "adapters/graph-api/graph-errors.ts";
const WORKER = "plugin/pipeline/lane-worker.ts";
const OUTBOUND = "test/integration/outbound/";
const BREAKER_TEST = ["test/unit/pipeline/breaker.test.ts"];
const THROUGHPUT_TEST = ["test/unit/pipeline/throughput.test.ts"];
const FAIRNESS = ["test/integration/engine/fairness.test.ts"];

export const PACE_MUTATIONS: readonly Mutation[] = [
  {
    rule: "pair limit: a person gets no more than a burst at once",
    file: DECIDE,
    find: "if (part.lane.pacedMs > 0) return wait",
    replace: "if (part.lane.pacedMs > Number.MAX_SAFE_INTEGER) return wait",
    tests: [`${OUTBOUND}pair-limit.test.ts`],
  },
  {
    rule: "pair limit: each message counts",
    file: "adapters/postgres/pair-limit.ts",
    find: "return `greatest(l.paced_until, now()) + interval",
    replace: "return `now() + interval",
    tests: [`${OUTBOUND}pair-limit.test.ts`],
  },
  {
    rule: "pair limit: it delays one person only",
    file: "adapters/postgres/outbox.ts",
    find: "from mine where l.lane_key = mine.lane_key returning 1`,\n          [some.map(({ part }) => part.lane.laneKey)",
    replace:
      "from mine where l.lane_key = mine.lane_key or (l.stage = 'out' and l.lease_token is null) returning 1`,\n          [some.map(({ part }) => part.lane.laneKey)",
    tests: [`${OUTBOUND}pair-limit.test.ts`],
  },
  {
    rule: "pair limit: Meta's word for it (131056) is no trouble of the number's",
    file: GRAPH_ERRORS,
    find: '131056: { retry: "backoff", perRecipient: true },',
    replace: '131056: { retry: "backoff", perRecipient: true, throttles: "number" },',
    tests: ["test/unit/graph-api/error-table.test.ts"],
  },
  {
    rule: "pair limit: a late 131056 uses it up",
    file: "adapters/postgres/statuses.ts",
    find: "if (status.errors.some(({ code }) => code === PAIR_LIMIT)) slowed.add(part.lane_key);",
    replace: "if (status.errors.some(({ code }) => code === PAIR_LIMIT)) slowed.clear();",
    tests: [`${OUTBOUND}pair-limit.test.ts`],
  },
  {
    rule: "131056 waits 4^n seconds",
    file: DECIDE,
    find: "pair.intervalMs * Math.max(1, 4 ** failures / 6)",
    replace: "pair.intervalMs * Math.max(1, 2 ** failures / 6)",
    tests: ["test/unit/pipeline/decide-next.test.ts"],
  },
  {
    rule: "throughput: what one instance has sent counts for the others",
    file: PACE,
    find: "used_until = case when a.granted > 0 then a.then_used else p.used_until end,",
    replace: "used_until = p.used_until,",
    tests: [`${OUTBOUND}throughput.test.ts`],
  },
  {
    rule: "throughput: each number has its own",
    file: THROUGHPUT,
    find: "const { connectionId } = part.connection;",
    replace: 'const connectionId = parts[0]?.connection.connectionId ?? "";',
    tests: THROUGHPUT_TEST,
  },
  {
    rule: "throughput: a lot that nobody used is forgotten",
    file: THROUGHPUT,
    find: "lot.until < clock() ? 0 :",
    replace: "lot.until < 0 ? 0 :",
    tests: THROUGHPUT_TEST,
  },
  {
    rule: "throughput: 130429 slows the number down",
    file: THROUGHPUT,
    find: "else await pace.slowDown(connectionId);",
    replace: "else await Promise.resolve();",
    tests: [`${OUTBOUND}throughput.test.ts`],
  },
  {
    rule: "throughput: 131048 rests the whole number",
    file: GRAPH_ERRORS,
    find: '131048: after(HOUR, "number"),',
    replace: "131048: after(HOUR),",
    tests: ["test/unit/graph-api/error-table.test.ts"],
  },
  {
    rule: "usage headers: a budget that is nearly spent is left alone",
    file: "adapters/graph-api/usage.ts",
    find: "const NEARLY_SPENT = 95;",
    replace: "const NEARLY_SPENT = 101;",
    tests: ["test/unit/graph-api/usage.test.ts"],
  },
  {
    rule: "usage headers: what an answer to a message says stops the sends",
    file: THROUGHPUT,
    find: "for (const { scope, forMs } of outcome.spent ?? [])",
    replace: "for (const { scope, forMs } of (outcome.spent ?? []).slice(0, 0))",
    tests: THROUGHPUT_TEST,
  },
  {
    rule: "usage headers: the budget of one account is not another's",
    file: PACE,
    find: "account: `n.waba_id = (",
    replace: "account: `true or n.waba_id = (",
    tests: [`${OUTBOUND}throughput.test.ts`],
  },
  {
    rule: "breaker: opens at the tenth failure in a row",
    file: BREAKER,
    find: "const STORM = 10;",
    replace: "const STORM = 12;",
    tests: BREAKER_TEST,
  },
  {
    rule: "breaker: does not open before the tenth",
    file: BREAKER,
    find: "const STORM = 10;",
    replace: "const STORM = 9;",
    tests: BREAKER_TEST,
  },
  {
    rule: "breaker: failures in a row, not in all",
    file: BREAKER,
    find: "    if (said === undefined) {\n      failures.delete(connectionId);\n",
    replace: "    if (said === undefined) {\n",
    tests: BREAKER_TEST,
  },
  {
    rule: "breaker: opens at once when Meta blocks the number",
    file: BREAKER,
    find: 'if (said === "blocked") return blocked(rejection?.meta.code);',
    replace: 'if (said === "blocked") return null;',
    tests: BREAKER_TEST,
  },
  {
    rule: "breaker: a payment that is missing (131042) stops no answers",
    file: GRAPH_ERRORS,
    find: "131042: FIX,",
    replace: "131042: BLOCKED,",
    tests: ["test/unit/graph-api/error-table.test.ts"],
  },
  {
    rule: "breaker: one probe after a pause",
    file: "adapters/postgres/pauses.ts",
    find: "where id = $1 and pause_strikes > 0 and paused_until <= now() returning 1",
    replace: "where id = $1 and pause_strikes > 0 returning 1",
    tests: [`${OUTBOUND}breaker.test.ts`],
  },
  {
    rule: "breaker: a pause is twice as long each time",
    file: BREAKER,
    find: "10 * baseMs * 2 ** (strikes - 1)",
    replace: "10 * baseMs",
    tests: BREAKER_TEST,
  },
  {
    rule: "breaker: what fails for the whole number ends no message",
    file: DECIDE,
    find: 'return number === "trouble" && part.connection.pause.strikes > 0;',
    replace: "return part.connection.pause.strikes > 100;",
    tests: ["test/unit/pipeline/decide-next.test.ts"],
  },
  {
    rule: "what never reached Meta is not counted against the message",
    file: DECIDE,
    find: 'if (meta === null || retry === "reauth"',
    replace: 'if (retry === "reauth"',
    tests: ["test/unit/pipeline/decide-next.test.ts"],
  },
  {
    rule: "breaker: what it takes to find out is none of the message's own tries",
    file: "adapters/postgres/settle.ts",
    find: "JSON.stringify({ ...error, excused: isExcused })",
    replace: "JSON.stringify(error)",
    tests: [`${OUTBOUND}breaker.test.ts`],
  },
  {
    rule: "fairness: a full claim is followed by one in rounds",
    file: WORKER,
    find: "inTurns = !inRounds && claimed.length === room;",
    replace: "inTurns = false;",
    tests: ["test/unit/pipeline/lane-worker.test.ts"],
  },
  {
    rule: "fairness: in rounds, each tenant gets as much",
    file: "adapters/postgres/lanes.ts",
    find: "limit (select greatest(1, ceil($2::float8 / count(*)))::int from tenants)) c",
    replace: "limit $2) c",
    tests: FAIRNESS,
  },
  {
    rule: "fairness: nobody holds all places of a worker",
    file: "plugin/pipeline/tenant-shares.ts",
    find: "const PER_FREE_PLACE = 3;",
    replace: "const PER_FREE_PLACE = 1_000_000;",
    tests: FAIRNESS,
  },
];
