/** What one row, one listener or one refusal may hold up: each rule with a way to break it and the tests that must notice. */
import type { Mutation } from "./mutations.ts";

const LANE_WORKER = "plugin/pipeline/lane-worker.ts";
const STOPPING = ["test/unit/pipeline/lane-worker-stop.test.ts"];
const HOST_EVENTS = ["test/integration/engine/host-events.test.ts"];
const PLAN = ["test/unit/pipeline/plan-effects.test.ts"];

export const HELD_UP_MUTATIONS: readonly Mutation[] = [
  {
    rule: "held up: an answer that only the database fails to take is no failed try",
    file: "adapters/postgres/turns.ts",
    find: "set attempts = attempts - 1 where",
    replace: "set attempts = attempts where",
    tests: ["test/integration/engine/turns.test.ts"],
  },
  {
    rule: "held up: a send waits for two contacts that are being linked",
    file: "adapters/postgres/outbox.ts",
    find: "order by id for share`",
    replace: "order by id for key share`",
    tests: ["test/integration/engine/linking.test.ts"],
  },
  {
    rule: "held up: the host hears what became of a send where it came, between the messages",
    file: "adapters/postgres/effects.ts",
    find: "...inStoredOrder(news).map(",
    replace: "...news.map(",
    tests: HOST_EVENTS,
  },
  {
    rule: "held up: a listener that hangs is a failure, and gives its place back",
    file: "plugin/pipeline/tell-host.ts",
    find: "await withinTime(eventTimeoutMs, signal, async () => host.onEvent?.(event));",
    replace: "await host.onEvent?.(event);",
    tests: HOST_EVENTS,
  },
  {
    rule: "held up: stop does not wait for a database that is silent",
    file: LANE_WORKER,
    find: "await settledWithin([giveBack(abandoned)], GIVE_BACK_MS);",
    replace: "await giveBack(abandoned);",
    tests: STOPPING,
  },
  {
    rule: "held up: a start while it stops waits until that is over",
    file: LANE_WORKER,
    find: "if (draining) startAfter = true;\n      else if (!running) begin();",
    replace: "if (!running) begin();",
    tests: STOPPING,
  },
  {
    rule: "held up: a new life puts back nothing of the last one's",
    file: LANE_WORKER,
    find: "run out by themselves.\n    stuck.clear();",
    replace: "run out by themselves.",
    tests: STOPPING,
  },
  {
    rule: "held up: a lane that somebody has locked keeps no other lease from being renewed",
    file: "adapters/postgres/lanes.ts",
    find: 'await set(lanes, "skip locked")',
    replace: 'await set(lanes, "")',
    tests: ["test/integration/engine/lanes.test.ts"],
  },
  {
    rule: "held up: a row that somebody has locked is found among its neighbours",
    file: "plugin/pipeline/apply-events.ts",
    find: "if (isStoreDown(error) && !isHeldUp(error)) return giveBack(some, error);",
    replace: "if (isStoreDown(error)) return giveBack(some, error);",
    tests: ["test/unit/pipeline/apply-events.test.ts"],
  },
  {
    rule: "held up: answers of Meta are settled without the one whose row is locked",
    file: "plugin/pipeline/failure.ts",
    find: "return !isStoreDown(error) || isHeldUp(error);",
    replace: "return !isStoreDown(error);",
    tests: ["test/unit/pipeline/apply-events.test.ts"],
  },
  {
    rule: "held up: items are tried alone for half a minute at most",
    file: "plugin/pipeline/group-commit.ts",
    find: "performance.now() < until ? await settle([one]) : () => one.reject(error)",
    replace: "await settle([one])",
    tests: ["test/unit/pipeline/group-commit.test.ts"],
  },
  {
    rule: "held up: one webhook after an outage proves nothing about the statuses that were refused in it",
    file: "adapters/postgres/outbox-head.ts",
    find: "clock_timestamp() - $2 * interval",
    replace: "clock_timestamp() - 0 * $2 * interval",
    tests: ["test/integration/engine/silence.test.ts"],
  },
  {
    rule: "held up: old parked statuses are looked for now and then, not each second",
    file: "adapters/postgres/parked.ts",
    find: 'everything ? "" :',
    replace: 'true ? "" :',
    tests: ["test/integration/engine/statuses.test.ts"],
  },
  {
    rule: "held up: an answer of another shape is no silence",
    file: "plugin/pipeline/run-turns.ts",
    find: 'if (typeof reply !== "string" && !isStream(reply)) requireAiResponse(reply);',
    replace: "",
    tests: ["test/integration/engine/turns.test.ts"],
  },
  {
    rule: "held up: a refusal that may be of one asset does not stop a number whose token is valid",
    file: "plugin/pipeline/verify-token.ts",
    find: "return code === 10 ||",
    replace: "return code === 0 ||",
    tests: ["test/unit/pipeline/verify-token.test.ts"],
  },
  {
    rule: "held up: Meta's word that the window is closed closes it",
    file: "adapters/postgres/sessions.ts",
    find: "if (refused.length === 0) return;",
    replace: "if (refused.length >= 0) return;",
    tests: ["test/integration/outbound/window.test.ts"],
  },
  {
    rule: "held up: an edit that cannot be read opens no window",
    file: "plugin/ports/unreadable.ts",
    find: '  "message:edit",\n',
    replace: "",
    tests: PLAN,
  },
  {
    rule: "held up: a button titled Start lifts no stop",
    file: "plugin/pipeline/keywords.ts",
    find: "content === null && RESUME.has(word)",
    replace: "RESUME.has(word)",
    tests: PLAN,
  },
];
