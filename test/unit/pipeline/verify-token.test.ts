/** A refusal that may be of one asset only: Meta is asked whether the token is dead before the whole number stops. */
import { expect, it } from "vitest";
import { ChannelError } from "../../../plugin/errors.ts";
import { createVerifyToken } from "../../../plugin/pipeline/verify-token.ts";
import type { TokenFacts } from "../../../plugin/ports.ts";

const APP = "1";
const MESSAGE = "whatsapp_business_messaging";
const MANAGE = "whatsapp_business_management";
const FACTS = {
  isValid: true,
  appId: APP,
  scopes: [MESSAGE, MANAGE],
  granted: [MESSAGE, MANAGE].map((scope) => ({ scope, ids: ["201"] })),
} as unknown as TokenFacts;

const refusedBy = (code: number, of: object = {}) => ({
  connectionId: "c",
  wabaId: "201",
  accessToken: "token",
  meta: { code, subcode: null, title: null, details: null, fbtraceId: null },
  ...of,
});

function setUp(facts: TokenFacts | Error, appId: string | null = APP) {
  const asked: string[] = [];
  const inspectToken = async (token: string) => {
    asked.push(token);
    if (facts instanceof Error) throw facts;
    return facts;
  };
  return { verify: createVerifyToken({ inspectToken, appId }), asked };
}

it.each([10, 200, 250, 299, 131005])("%i says nothing of the token when Meta calls it valid", async (code) => {
  expect(await setUp(FACTS).verify(refusedBy(code))).toBe("valid");
});

it.each<[string, Partial<TokenFacts>]>([
  ["is not valid", { isValid: false }],
  ["is another app's", { appId: "2" }],
  ["may not message any more", { scopes: [MANAGE], granted: [] }],
  ["is for other accounts by now", { granted: [{ scope: MESSAGE, ids: ["202"] }] }],
])("a token that %s is dead", async (_what, facts) => {
  expect(await setUp({ ...FACTS, ...facts }).verify(refusedBy(10))).toBe("dead");
});

it("a token whose accounts are not named, or whose account nobody knows here, may be used for all", async () => {
  const forAll = { ...FACTS, granted: [{ scope: MESSAGE, ids: null }] };
  expect(await setUp(forAll).verify(refusedBy(10))).toBe("valid");
  expect(await setUp(FACTS).verify(refusedBy(10, { wabaId: null }))).toBe("valid");
});

it.each([0, 102, 190])("%i is the end of a token, and nobody is asked", async (code) => {
  const { verify, asked } = setUp(FACTS);
  expect(await verify(refusedBy(code))).toBe("dead");
  expect(asked).toEqual([]);
});

it("without an app's id nobody can be asked, and the token counts as dead", async () => {
  const { verify, asked } = setUp(FACTS, null);
  expect(await verify(refusedBy(10))).toBe("dead");
  expect(asked).toEqual([]);
});

it("is unclear while Meta does not answer", async () => {
  const away = new ChannelError("GRAPH_UNREACHABLE", "away", { retry: "backoff" });
  expect(await setUp(away).verify(refusedBy(10))).toBe("unclear");
});

it("is asked once for all that are refused together", async () => {
  const { verify, asked } = setUp(FACTS);
  const verdicts = await Promise.all([1, 2, 3].map(() => verify(refusedBy(10))));
  expect(verdicts).toEqual(["valid", "valid", "valid"]);
  expect(asked).toHaveLength(1);
  await verify(refusedBy(10));
  expect(asked).toHaveLength(2);
});
