/** T48: no id chooses another path at Meta: it is digits, or nothing leaves. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createGraphApi } from "../../../adapters/graph-api/graph-api.ts";
import type { HttpTransport } from "../../../adapters/graph-api/http-transport.ts";
import { createMetaAccounts } from "../../../adapters/graph-api/meta-accounts.ts";
import { ACCEPTED, APP_SECRET, BODY, ORIGIN, TOKEN } from "./graph.ts";

const numRuns = Number(process.env.FC_RUNS ?? 200);
const asked: URL[] = [];
const transport: HttpTransport = {
  send: async ({ url }) => {
    asked.push(url);
    const text = JSON.stringify({ ...ACCEPTED, data: [], success: true });
    return { kind: "answer", status: 200, text, retryAfter: null, date: null };
  },
  close() {},
};
const settings = {
  graphUrl: ORIGIN,
  graphVersion: "v25.0",
  appSecret: APP_SECRET,
  appId: "700700700700700",
  transport,
};
const graph = createGraphApi(settings);
const accounts = createMetaAccounts(settings);

const FILE = { mime: "image/png", size: 1 };
async function* none(): AsyncGenerator<Uint8Array> {}

/** Every call that has an id in its path. */
const CALLS: Readonly<Record<string, (id: string) => Promise<unknown>>> = {
  postMessage: (id) => graph.postMessage({ phoneNumberId: id, accessToken: TOKEN, endpoint: "messages", body: BODY }),
  markRead: (id) => graph.markRead({ phoneNumberId: id, accessToken: TOKEN, messageId: "wamid.1", typing: false }),
  phoneNumber: (id) => graph.phoneNumber({ phoneNumberId: id, accessToken: TOKEN }),
  numbersOf: (id) => graph.numbersOf({ wabaId: id, accessToken: TOKEN }),
  templatesOf: (id) => graph.templatesOf({ wabaId: id, accessToken: TOKEN }),
  uploadMedia: (id) => graph.uploadMedia({ phoneNumberId: id, accessToken: TOKEN, ...FILE, bytes: none() }),
  uploadSample: (id) => graph.uploadSample({ appId: id, accessToken: TOKEN, ...FILE, filename: "a.png", from: none }),
  account: (id) => accounts.account({ wabaId: id, accessToken: TOKEN }),
  "numbersOf, connecting": (id) => accounts.numbersOf({ wabaId: id, accessToken: TOKEN }),
  subscribe: (id) => accounts.subscribe({ wabaId: id, accessToken: TOKEN }),
  unsubscribe: (id) => accounts.unsubscribe({ wabaId: id, accessToken: TOKEN }),
  register: (id) => accounts.register({ phoneNumberId: id, accessToken: TOKEN, pin: "123456" }),
  requestSync: (id) => accounts.requestSync({ phoneNumberId: id, accessToken: TOKEN, what: "contacts" }),
  profile: (id) => accounts.profile({ phoneNumberId: id, accessToken: TOKEN }),
};

const part = fc.constantFrom(
  "301777000333444",
  "/",
  "..",
  "%2f",
  "?",
  "#",
  "me",
  "\\",
  "\n",
  "@",
  ":",
  "&",
  "４",
  "%",
  ".",
  " ",
);
const id = fc.oneof(
  fc.array(part, { maxLength: 6 }).map((parts) => parts.join("")),
  fc.string({ unit: "binary", maxLength: 30 }),
  fc.string({ unit: fc.constantFrom(..."0123456789"), maxLength: 24 }),
);

describe("a call to Graph", () => {
  it.each(Object.entries(CALLS))("%s asks for an id of digits and no other", async (_name, call) => {
    await fc.assert(
      fc.asyncProperty(id, async (given) => {
        asked.length = 0;
        const outcome = await (async () => call(given))().then(
          () => "asked",
          (error: { code?: string }) => error.code,
        );
        const isId = /^\d{5,20}$/.test(given);
        if (!isId) expect([outcome, asked.length]).toEqual(["REQUEST_INVALID", 0]);
        for (const url of asked) {
          expect(url.origin).toBe(ORIGIN);
          expect(url.pathname.split("/").slice(0, 3)).toEqual(["", "v25.0", given]);
        }
        if (isId) expect(asked.length).toBeGreaterThan(0);
      }),
      { numRuns },
    );
  });
});
