/** The controls of docs/threats.md, each with a way to break it and the tests that must notice. */
import type { Mutation } from "./mutations.ts";

const SECURITY = "test/integration/security/";
const READS = "plugin/http/unproven-reads.ts";
const RAW_BODY = "plugin/http/raw-body.ts";
const TWO_TENANTS = [`${SECURITY}two-tenants.test.ts`];
const FLOOD = [`${SECURITY}flood.test.ts`];

export const SECURITY_MUTATIONS: readonly Mutation[] = [
  {
    rule: "T12: bodies of strangers share one measure of memory",
    file: READS,
    find: "while (held > maxHeldBytes) giveUpLargest();",
    replace: "if (held < 0) giveUpLargest();",
    tests: ["test/unit/webhook/unproven-reads.test.ts"],
  },
  {
    rule: "T19: what is written to a number that has left is not kept",
    file: "adapters/postgres/record.ts",
    find: "?.isComingBack === false",
    replace: "?.isComingBack === null",
    tests: ["test/integration/engine/unrouted.test.ts"],
  },
  {
    rule: "T20: who gets a number gets nothing that was written to the one before",
    file: "adapters/postgres/connections.ts",
    find: "last !== undefined && last.customerConfigId !== wanted.customerConfigId",
    replace: "last !== undefined && last.customerConfigId === wanted.phoneNumberId",
    tests: ["test/integration/engine/unrouted.test.ts"],
  },
  {
    rule: "T32: a yes to one takeover is none to the next",
    file: "plugin/connect/onboard.ts",
    find: "(takeover === true ? others : [])",
    replace: "(takeover === true || draft.progress.takeovers.length > 0 ? others : [])",
    tests: ["test/integration/connecting/onboarding.test.ts"],
  },
  {
    rule: "T12: and they are read in turn",
    file: READS,
    find: "if (inLine.length > LONG_LINE) setTimeout(pump, 1);",
    replace: "if (inLine.length > LONG_LINE) while (inLine.length > 0) inLine.shift()?.();",
    tests: ["test/unit/webhook/unproven-reads.test.ts"],
  },
  {
    rule: "T12: and the process stays small by it",
    file: READS,
    find: "const MAX_HELD_BYTES = 16 * 1024 * 1024;",
    replace: "const MAX_HELD_BYTES = 1024 * 1024 * 1024;",
    tests: FLOOD,
  },
  {
    rule: "T12: signed deliveries that wait are counted by their bytes",
    file: "plugin/receive.ts",
    find: " || store.weight + rawBody.byteLength > MAX_WAITING_BYTES",
    replace: "",
    tests: ["test/unit/pipeline/receive-overload.test.ts"],
  },
  {
    rule: "T13: packed bodies are refused",
    file: RAW_BODY,
    find: 'encoding.toLowerCase() !== "identity"',
    replace: 'encoding.toLowerCase() === "br"',
    tests: FLOOD,
  },
  {
    rule: "T14: a body has ten seconds",
    file: RAW_BODY,
    find: "const BODY_DEADLINE_MS = 10_000;",
    replace: "const BODY_DEADLINE_MS = 60_000;",
    tests: FLOOD,
  },
  {
    rule: "T8: an app's secret is its own",
    file: "plugin/webhook/verify-signature.ts",
    find: 'timingSafeEqual(createHmac("sha256", secret).update(bytes).digest(), claimed),',
    replace: "secret.length > 0 && claimed.length === 32,",
    tests: [`${SECURITY}ingress.test.ts`],
  },
  {
    rule: "T7: what is late is looked for in the inbox before it is shown",
    file: "plugin/pipeline/plan-effects.ts",
    find: "unlessThere: common.unlessThere || late,",
    replace: "unlessThere: common.unlessThere,",
    tests: [`${SECURITY}ingress.test.ts`],
  },
  {
    rule: "T59: a conversation on a route is the tenant's",
    file: "plugin/http/tenant-routes.ts",
    find: "if ((await store.sessions.tenantOf(conversationId)) !== customerConfigId)",
    replace: 'if ((await store.sessions.tenantOf(conversationId)) === "")',
    tests: TWO_TENANTS,
  },
  {
    rule: "T59: dead letters are the tenant's",
    file: "adapters/postgres/dead-letters.ts",
    find: "($1::uuid is null or customer_config_id = $1)",
    replace: "($1::uuid is null or customer_config_id is not null)",
    tests: TWO_TENANTS,
  },
  {
    rule: "T21: webhooks that go elsewhere are an alarm",
    file: "plugin/connect/look-at-numbers.ts",
    find: "(override !== null && !isSameUrl(override.url, webhookUrl)),",
    replace: "override?.url === appId,",
    tests: ["test/unit/connect/look-at-numbers.test.ts"],
  },
  {
    rule: "T73: a redrive leaves a line in the log",
    file: "plugin/dead-letters.ts",
    find: "by, ...sayable(filter),",
    replace: "...sayable(filter),",
    tests: ["test/integration/engine/dead-letters.test.ts"],
  },
  {
    rule: "T66: a key is one send",
    file: "adapters/postgres/outbox.ts",
    find: "= $1 and idempotency_key = $2`",
    replace: "= $1 and idempotency_key = $2 || 'x'`",
    tests: [`${SECURITY}sends.test.ts`],
  },
  {
    rule: "T67: callback data are random words",
    file: "plugin/create-whatsapp-plugin.ts",
    find: 'newToken: () => randomBytes(18).toString("base64url"),',
    replace: 'newToken: () => "conversation " + randomBytes(9).toString("base64url"),',
    tests: [`${SECURITY}sends.test.ts`],
  },
  {
    rule: "T73: dead letters are for who may operate",
    file: "plugin/http/router.ts",
    find: "redrive: toOperate(deadLetters.redrive),",
    replace: "redrive: asTenant(deadLetters.redrive),",
    tests: [`${SECURITY}routes.test.ts`],
  },
  {
    rule: "T75: names are shown without what turns the text",
    file: "plugin/webhook/display-name.ts",
    find: 'name.replaceAll(UNSEEN, "")',
    replace: "name",
    tests: ["test/unit/webhook/display-name.test.ts"],
  },
  {
    rule: "T12: whoever is still sending is answered before the connection closes",
    file: "plugin/http/error-response.ts",
    find: "lingering >= MAX_LINGERING",
    replace: "lingering >= 0",
    tests: ["test/unit/http/error-response.test.ts", "test/integration/security/flood.test.ts"],
  },
  {
    rule: "T12: nothing more is read of what is refused",
    file: "plugin/http/error-response.ts",
    find: "request.pause();",
    replace: "request.resume();",
    tests: ["test/unit/http/error-response.test.ts"],
  },
  {
    rule: "T76: somebody else's error is told to nobody",
    file: "plugin/http/error-response.ts",
    find: 'message: known?.message ?? "Internal error."',
    replace: "message: known?.message ?? String(error)",
    tests: ["test/unit/http/error-response.test.ts"],
  },
];
