/** The rules that our promises stand on, each with a way to break it and the tests that must notice. */

import { FETCHED_MEDIA_MUTATIONS } from "./fetched-media.ts";
import { HELD_UP_MUTATIONS } from "./held-up.ts";
import { KEPT_MEDIA_MUTATIONS } from "./kept-media.ts";
import { OUTBOUND_MEDIA_MUTATIONS } from "./outbound-media.ts";
import { PACE_MUTATIONS } from "./pace.ts";
import { PAGE_MUTATIONS } from "./page.ts";
import { QA_MUTATIONS } from "./qa.ts";
import { QUEUE_MUTATIONS } from "./queue.ts";
import { SECURITY_MUTATIONS } from "./security.ts";

export type Mutation = {
  /** The rule, as it holds. */
  readonly rule: string;
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** Paths as vitest takes them. */
  readonly tests: readonly string[];
};

const LANES = "adapters/postgres/lanes.ts";
const INBOX = "migrations/20261122000003-inbox.ts";
const DECIDE = "plugin/pipeline/decide-next.ts";

export const MUTATIONS: readonly Mutation[] = [
  {
    rule: "lanes are locked in one order",
    file: LANES,
    find: "as new (lane_key, stage, items, delay_ms, tenant)\n     order by lane_key\n",
    replace: "as new (lane_key, stage, items, delay_ms, tenant)\n",
    tests: ["test/integration/engine/record.test.ts"],
  },
  {
    rule: "a lane is released by counter, never by looking for what is left",
    file: LANES,
    find: "ready_at = case when l.pending - mine.items > 0\n",
    replace:
      "ready_at = case when (select count(*) from whatsapp_events e where e.lane_key = l.lane_key and e.state = 0) > mine.items\n",
    tests: ["test/integration/engine/lanes.test.ts"],
  },
  {
    rule: "who has lost the lease commits nothing",
    file: LANES,
    find: "on l.lane_key = f.lane_key and l.lease_token = f.token",
    replace: "on l.lane_key = f.lane_key and f.token is not null",
    tests: ["test/integration/engine/fence.test.ts"],
  },
  {
    rule: "a wake-up is kept for whoever leases the lane",
    file: LANES,
    find: "woken = l.lease_token is not null",
    replace: "woken = false",
    tests: ["test/integration/outbound/reauth.test.ts"],
  },
  {
    rule: "lanes are locked in one order, by the short way too",
    file: INBOX,
    find: "group by key order by key",
    replace: "group by key order by min(key) desc",
    tests: ["test/integration/engine/record.test.ts"],
  },
  {
    rule: "new events do not make a leased lane ready",
    file: INBOX,
    find: "ready_at = coalesce(l.ready_at, excluded.ready_at);",
    replace: "ready_at = excluded.ready_at;",
    tests: ["test/integration/engine/lanes.test.ts"],
  },
  {
    rule: "a new item does not hurry a lane that is leased or waits",
    file: LANES,
    find: "coalesce(l.ready_at, excluded.ready_at)",
    replace: "excluded.ready_at",
    tests: ["test/integration/engine/turns.test.ts"],
  },
  {
    rule: "200 is said after the commit",
    file: "plugin/http/webhook-routes.ts",
    find: "await receive({ rawBody: await readBody(request), signature });",
    replace:
      "const rawBody = await readBody(request);\n    response.end();\n    await receive({ rawBody, signature });",
    tests: ["test/integration/receiving.test.ts"],
  },
  {
    rule: "secrets are compared in constant time",
    file: "plugin/webhook/verify-signature.ts",
    find: 'timingSafeEqual(createHmac("sha256", secret).update(bytes).digest(), claimed),',
    replace: 'createHmac("sha256", secret).update(bytes).digest("hex") === claimed.toString("hex"),',
    tests: ["test/unit/webhook/verify-signature.property.test.ts"],
  },
  {
    rule: "the signature is of the bytes",
    file: "plugin/webhook/verify-signature.ts",
    find: ".update(bytes).digest()",
    replace: ".update(Buffer.from(bytes).toString()).digest()",
    tests: ["test/unit/webhook/verify-signature.property.test.ts"],
  },
  {
    rule: "a change is known by what it says, not by the body that brought it",
    file: "plugin/receive.ts",
    find: "const events = parseWebhook(payload.value);",
    // The same bytes are still known again: only who puts them together otherwise can tell.
    replace:
      'const body256 = process.getBuiltinModule("node:crypto").createHash("sha256").update(bytes).digest("hex");\n' +
      "  const events = parseWebhook(payload.value).map((one) => ({ ...one, dedupeKey: one.dedupeKey + body256 }));",
    tests: ["test/integration/receiving/duplicates.test.ts"],
  },
  {
    rule: "a status never goes backwards",
    file: "plugin/pipeline/part-state.ts",
    find: "return LADDER.indexOf(status) > LADDER.indexOf(current) ? status : current;",
    replace: "return LADDER.includes(current) ? status : current;",
    tests: ["test/unit/pipeline/part-state.test.ts"],
  },
  {
    rule: "an attempt is written before its request leaves",
    file: "plugin/pipeline/dispatch-outbox.ts",
    find: "if (!(await begin.add({ part, token, mediaIds: used }))) {",
    replace: "if (part.outboxId === token) {",
    tests: ["test/integration/outbound/attempts.test.ts"],
  },
  {
    rule: "an ambiguous attempt is not repeated before a status could have come",
    file: DECIDE,
    find: "if (ageMs < reconcileMs) return wait",
    replace: "if (ageMs < reconcileMs / 10) return wait",
    tests: ["test/unit/pipeline/decide-next.test.ts"],
  },
  {
    rule: "an answer that tells nothing is ambiguous, and not refused",
    file: "adapters/graph-api/post-outcome.ts",
    find: 'return { kind: "ambiguous", reason: `Graph answered',
    replace:
      'if (outcome.status >= 500) return { kind: "rejected", rejection: { meta: null, retry: "backoff", retryAfterMs: null, perRecipient: false, message: "" } };\n  return { kind: "ambiguous", reason: `Graph answered',
    tests: ["test/unit/graph-api/post-message.test.ts"],
  },
  {
    rule: "a lost answer is ambiguous, and not refused",
    file: "adapters/graph-api/post-outcome.ts",
    find: 'if (outcome.kind === "unsent") {',
    replace: 'if (outcome.kind === "unsent" || outcome.kind === "broken") {',
    tests: ["test/unit/graph-api/sockets.test.ts", "test/unit/graph-api/post-message.test.ts"],
  },
  {
    rule: "dead letters go back in the order of their lanes, a batch at a time",
    file: "adapters/postgres/dead-letters.ts",
    find: "order by place limit",
    replace: "order by created_at, key desc limit",
    tests: ["test/integration/engine/dead-letters.test.ts"],
  },
  {
    rule: "at most one automatic resend",
    file: DECIDE,
    find: "if (count > 1 ||",
    replace: "if (count > 2 ||",
    tests: ["test/integration/outbound/ambiguous.test.ts"],
  },
  {
    rule: "silence proves nothing while no webhook comes at all",
    file: DECIDE,
    find: "if (!webhooksAlive && ageMs",
    replace: "if (!webhooksAlive && reconcileMs === 0 && ageMs",
    tests: ["test/integration/outbound/ambiguous.test.ts"],
  },
  {
    rule: "the window is looked at again when a message is about to leave",
    file: DECIDE,
    find: "if (part.needsWindow && !part.windowOpen)",
    replace: "if (part.needsWindow && part.windowOpen === null)",
    tests: ["test/integration/outbound/window.test.ts"],
  },
  {
    rule: "what follows a rejected part is not sent",
    file: "adapters/postgres/settle.ts",
    find: "return { ...lane, items: 1 + after.length };",
    replace: "changes.splice(-after.length, after.length);\n    return { ...lane, items: 1 };",
    tests: ["test/integration/outbound/refused.test.ts"],
  },
  {
    rule: "a key that was used for another request is refused",
    file: "adapters/postgres/outbox.ts",
    find: "if (before.request_hash !== requestHash || before.conversation_id !== conversationId)",
    replace: "if (before.request_hash === conversationId)",
    tests: ["test/integration/outbound/send.test.ts"],
  },
  {
    rule: "what a tenant reads is the tenant's",
    file: "adapters/postgres/outbox.ts",
    find: "where s.id = $1 and s.customer_config_id = $2 order by o.part_index",
    replace: "where s.id = $1 and $2::uuid is not null order by o.part_index",
    tests: ["test/integration/outbound/send.test.ts", "test/integration/tenant-routes.test.ts"],
  },
  {
    rule: "a bad event stops its lane only so many times",
    file: "plugin/pipeline/apply-events.ts",
    find: "if (failures < retry.maxAttempts) {",
    replace: "if (failures < Number.MAX_SAFE_INTEGER) {",
    tests: ["test/integration/engine/poison.test.ts"],
  },
  {
    rule: "what is to be held is never sent again by itself",
    file: DECIDE,
    find: ' || part.onAmbiguous === "hold"',
    replace: "",
    tests: ["test/integration/outbound/policy.test.ts"],
  },
  {
    rule: "what may have arrived is not called failed",
    file: DECIDE,
    find: 'if (part.ambiguous.count === 0) return { ...base, next: { kind: "done", state: "failed" } };',
    replace: 'if (part.ambiguous.count >= 0) return { ...base, next: { kind: "done", state: "failed" } };',
    tests: ["test/unit/pipeline/decide-next.test.ts"],
  },
  {
    rule: "a message's own status, stored and not applied yet, keeps it from being sent again",
    file: "adapters/postgres/outbox-head.ts",
    find: "e.payload ->> 'callbackData' in (",
    replace: "e.payload ->> 'callbackData' is null and e.payload ->> 'callbackData' in (",
    tests: ["test/integration/outbound/isolation.test.ts"],
  },
  {
    rule: "a status tells of the attempt whose token it brings",
    file: "plugin/webhook/parse-status.ts",
    find: "callbackData: asId(status.biz_opaque_callback_data),",
    replace: "callbackData: null,",
    tests: ["test/faults/f03b-duplicates.test.ts"],
  },
  {
    rule: "a second copy is counted when its answer comes last",
    file: "adapters/postgres/settle.ts",
    find: "settlement.messageId !== row.message_id)",
    replace: "settlement.messageId === row.message_id)",
    tests: ["test/integration/outbound/sent-twice.test.ts"],
  },
  {
    rule: "a status of a second copy finds its part",
    file: "adapters/postgres/statuses.ts",
    find: " or duplicate_message_id = any($1)",
    replace: "",
    tests: ["test/integration/outbound/sent-twice.test.ts"],
  },
  {
    rule: "a refusal that a status says again ends nothing",
    file: "adapters/postgres/statuses.ts",
    find: 'if (status.status === "failed" && copy?.state === "rejected") continue;',
    replace: "",
    tests: ["test/integration/outbound/said-twice.test.ts"],
  },
  {
    rule: "that one copy is lost says nothing of the other",
    file: "adapters/postgres/statuses.ts",
    find: "isOfOneCopy ? (state) => state : advance",
    replace: "advance",
    tests: ["test/integration/outbound/sent-twice.test.ts"],
  },
  {
    rule: "an acceptance that a status tells is never forgotten",
    file: "adapters/postgres/told-attempts.ts",
    find: "a set state = 'accepted', message_id = c.message_id,",
    replace: "a set message_id = c.message_id,",
    tests: ["test/integration/outbound/dispatch-machine.test.ts"],
  },
  {
    rule: "the host is told each outcome once",
    file: "adapters/postgres/settle.ts",
    find: "if (!options.isPending(row.state)) {",
    replace: 'if (row.state === "played") {',
    tests: ["test/integration/outbound/told-once.test.ts"],
  },
  {
    rule: "whoever stops, a tick too, gives back what it holds",
    file: "plugin/pipeline/lane-worker.ts",
    find: "return lanes.release(abandoned)",
    replace: "return lanes.renew(abandoned).then(() => undefined)",
    tests: ["test/integration/engine/start-stop.test.ts", "test/integration/engine/tick.test.ts"],
  },
  {
    rule: "nothing new is begun at the end of a tick's time",
    file: "plugin/pipeline/tick.ts",
    find: "startTime(maxMs - drainMs)",
    replace: "startTime(maxMs + 3_000)",
    tests: ["test/unit/pipeline/tick.test.ts"],
  },
  {
    rule: "a load balancer hears of stopping",
    file: "plugin/http/router.ts",
    find: "if (deps.isDraining())",
    replace: "if (false)",
    tests: ["test/integration/engine/start-stop.test.ts"],
  },
  {
    rule: "the upkeep is done by one of all instances",
    file: "adapters/postgres/operations.ts",
    find: "where u.due_at <= clock_timestamp() or u.due_at > excluded.due_at returning 1",
    replace: "returning 1",
    tests: ["test/integration/engine/tick.test.ts"],
  },
  {
    rule: "an upkeep that one instance puts off for longer than another would is done by that other",
    file: "adapters/postgres/operations.ts",
    find: " or u.due_at > excluded.due_at returning 1",
    replace: " returning 1",
    tests: ["test/integration/engine/tick.test.ts"],
  },
  {
    rule: "an alarm is raised by one of all instances",
    file: "adapters/postgres/alarms.ts",
    find: "on conflict do nothing returning raised_at",
    replace: "on conflict (kind, subject) do update set raised_at = now() returning raised_at",
    tests: ["test/integration/engine/alarms.test.ts"],
  },
  {
    rule: "what names a user id that was left does not name the number beside it",
    file: "adapters/postgres/aliases.ts",
    find: "&& hasLeft(person.userId);",
    replace: "&& false;",
    tests: ["test/integration/engine/moved.test.ts"],
  },
  {
    rule: "two who are linked have one stop",
    file: "adapters/postgres/linking.ts",
    find: "  await joinPreferences(tx, db, linked);",
    replace: "",
    tests: ["test/integration/outbound/opt-out.test.ts"],
  },
  {
    rule: "a stop counts also where an earlier version has left it with the younger of two who are linked",
    file: "adapters/postgres/preferences.ts",
    find: "array(select y.id from",
    replace: "array(select 0::bigint from",
    tests: ["test/integration/engine/linked-meanwhile.test.ts"],
  },
  {
    rule: "what takes the place of a refused answer is for the person whom two who were linked have become",
    file: "adapters/postgres/instead.ts",
    find: "coalesce(c.merged_into, c.id) as contact_id",
    replace: "c.id as contact_id",
    tests: ["test/integration/engine/linked-meanwhile.test.ts"],
  },
  {
    rule: "a conversation that a link has just brought is not taken for deleted",
    file: "adapters/postgres/host-tables.ts",
    find: "stored_id !== null && conversation_id === null))",
    replace: "stored_id !== null && conversation_id === null && false))",
    tests: ["test/integration/engine/linked-meanwhile.test.ts"],
  },
  {
    rule: "two who are linked have one window",
    file: "adapters/postgres/outbox-head.ts",
    find: "windowOf(db)",
    replace: '"o.conversation_id"',
    tests: ["test/integration/outbound/window.test.ts"],
  },
  {
    rule: "a template passes what is held for the window",
    file: "adapters/postgres/outbox-head.ts",
    find: "(not o.needs_window or o.state = 'sending' or",
    replace: "(o.state = 'sending' or",
    tests: ["test/integration/outbound/window.test.ts"],
  },
  {
    rule: "the open turn of two who are linked comes after all that the host has seen",
    file: "adapters/postgres/linking.ts",
    find: "set seq = default where id = $1",
    replace: "set seq = default where false and id = $1",
    tests: ["test/integration/engine/linking.test.ts"],
  },
  {
    rule: "metrics are for nobody unless the host lets them in",
    file: "plugin/http/metrics-route.ts",
    find: "!== true)",
    replace: "=== null)",
    tests: ["test/integration/engine/metrics.test.ts"],
  },
  {
    rule: "a turn is not parked for processes that have ended beside it",
    file: "plugin/pipeline/run-turns.ts",
    find: "return attempt - lane.crashes;",
    replace: "return attempt;",
    tests: ["test/integration/engine/turns.test.ts"],
  },
  {
    rule: "a suspect that only waits is not counted when the process ends",
    file: "adapters/postgres/lanes.ts",
    find: "< $5,",
    replace: "< $5 or true,",
    tests: ["test/integration/engine/lanes.test.ts"],
  },
  {
    rule: "a suspect is written down as begun before it is worked",
    file: "plugin/pipeline/lane-worker.ts",
    find: "(await beginSuspect(suspect))",
    replace: "beginSuspect(suspect)",
    tests: ["test/unit/pipeline/lane-worker.test.ts"],
  },
  {
    rule: "what waits for a suspect is given back before the suspect is worked",
    file: "plugin/pipeline/lane-worker.ts",
    find: "await lanes.release(wait, SUSPECT_AGAIN_MS)",
    replace: "void lanes.release(wait, SUSPECT_AGAIN_MS)",
    tests: ["test/unit/pipeline/lane-worker.test.ts"],
  },
  {
    rule: "a process does not claim what it works still, however late its renewal is",
    file: "plugin/pipeline/lane-worker.ts",
    find: "...(isLate ? active : [])",
    replace: "",
    tests: ["test/unit/pipeline/lane-worker.test.ts"],
  },
  {
    rule: "what could not be put back is not claimed meanwhile",
    file: "plugin/pipeline/lane-worker.ts",
    find: "[...stuck, ...(isLate",
    replace: "[...(isLate",
    tests: ["test/unit/pipeline/lane-worker.test.ts"],
  },
  {
    rule: "a lane whose lease ran out is not its own worker's to take",
    file: "adapters/postgres/lanes.ts",
    find: "(lease_token is null or lease_token <> all($6::uuid[]))",
    replace: "($6::uuid[] is not null)",
    tests: ["test/integration/engine/lanes.test.ts"],
  },
  {
    rule: "turns are sealed in the order in which messages join them",
    file: "adapters/postgres/turns.ts",
    find: "as k (lane_key) order by lane_key) l",
    replace: "as k (lane_key)) l",
    tests: ["test/integration/engine/turns.test.ts"],
  },
  ...QUEUE_MUTATIONS,
  ...PACE_MUTATIONS,
  ...HELD_UP_MUTATIONS,
  ...KEPT_MEDIA_MUTATIONS,
  {
    rule: "a webhook about another template of that name changes nothing",
    file: "adapters/postgres/templates.ts",
    find: "t.template_id = $4 or (",
    replace: "true or (",
    tests: ["test/integration/outbound/templates.test.ts"],
  },
  {
    rule: "webhooks about a template count in the order of Meta's clock",
    file: "adapters/postgres/templates.ts",
    find: "t.said_at is null or $6 >= t.said_at",
    replace: "true",
    tests: ["test/integration/outbound/templates.test.ts"],
  },
  {
    rule: "choices can be picked by typing when another part of their answer failed",
    file: "adapters/postgres/turns.ts",
    find: "= any(seen.parts))",
    replace: "= any(seen.parts) and seen.parts[1] = 0)",
    tests: ["test/integration/choices.test.ts"],
  },
  ...FETCHED_MEDIA_MUTATIONS,
  ...OUTBOUND_MEDIA_MUTATIONS,
  ...SECURITY_MUTATIONS,
  ...QA_MUTATIONS,
  ...PAGE_MUTATIONS,
];
