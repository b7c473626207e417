/** H1, T36, T63, T69, T73, T76: every route under random requests, strings that mean something to a database or a log, and people who may not. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Permission } from "@omniops/whatsapp";
import express from "express";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ERROR_STATUS } from "../../../plugin/errors.ts";
import { ROUTES, type RouteName } from "../../../plugin/http/route-table.ts";
import { allQuiet, quiet, startChannel, TENANT, type TestChannel, until } from "../../support/channel.ts";
import { APP_ID, APP_URL, CALLBACK, CONFIG_ID } from "../../support/connecting.ts";
import { bytesOf, post, request } from "../receiving/deliveries.ts";

let channel: TestChannel;
let server: Server;
let url: string;
let conversationId: string;

beforeAll(async () => {
  channel = await startChannel({
    reply: () => null,
    config: { metaAppId: APP_ID, metaConfigId: CONFIG_ID, appUrl: APP_URL },
    meta: { login: { redirectUris: [CALLBACK], configId: CONFIG_ID } },
    plugin: {
      retry: { maxAttempts: 1, baseMs: 1, maxMs: 1 },
      authenticate: ({ headers }: { headers: Record<string, string | undefined> }) =>
        headers["x-tenant"] === undefined
          ? null
          : {
              customerConfigId: headers["x-tenant"],
              userId: "ada",
              sessionId: "s1",
              permissions: headers["x-permissions"]?.split(",") as Permission[] | undefined,
            },
    },
  });
  channel.meta.person({ name: "Ada", phoneNumber: "447700900123" }).says("hello");
  await allQuiet(channel);
  conversationId = (await channel.rows<{ id: string }>("select id from conversations"))[0]?.id ?? "";
  const app = express();
  app.use("/wa", channel.plugin.router);
  // What is no route of ours is the host's to answer.
  app.use((_request, response) => void response.status(404).end());
  server = createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/wa`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const NO_TENANT = "00000000-0000-4000-8000-00000000000f";
const MAY_ALL = { "x-tenant": TENANT, "x-permissions": "connect,operate" };

describe("a random request", () => {
  /** In every value that somebody sends, and in nothing that we say. */
  const CANARY = "kanarienvogel";
  const scalar = fc.oneof(
    fc.constantFrom(CANARY, `${CANARY}'--`, `<script>${CANARY}</script>`, `\r\nset-cookie: ${CANARY}`),
    fc.string({ unit: "binary", maxLength: 20 }).map((text) => `${CANARY}${text}`),
  );
  const NAMES = ["conversationId", "response", "message", "template", "idempotencyKey", "replyTo", "onWindowClosed"];
  const MORE = [
    "code",
    "waba_id",
    "phone_number_id",
    "phone_number_ids",
    "pins",
    "ids",
    "stage",
    "limit",
    "signed_request",
  ];
  const name = fc.constantFrom(...NAMES, ...MORE, "kind", "text", "__proto__");
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      scalar,
      fc.constantFrom(null, true, 7, -1, 1e99),
      fc.uuid(),
      tie("list"),
      tie("object"),
    ),
    list: fc.array(tie("any"), { maxLength: 3 }),
    object: fc.dictionary(name, tie("any"), { maxKeys: 5 }),
  })).any;
  const body = fc.oneof(
    fc.dictionary(name, value, { maxKeys: 6 }).map((one) => JSON.stringify(one)),
    fc.dictionary(name, value, { maxKeys: 6 }).map((one) => JSON.stringify({ conversationId, response: "hi", ...one })),
    value.map((one) => JSON.stringify(one) ?? ""),
    scalar,
    fc.constantFrom("", "{", "[]", "null", `signed_request=${CANARY}`),
  );
  const query = fc.dictionary(
    fc.constantFrom(
      "state",
      "code",
      "error",
      "error_description",
      "returnTo",
      "hub.mode",
      "hub.challenge",
      "after",
      "stage",
      "limit",
      "from",
      "before",
      "since",
      "q",
      "direction",
    ),
    scalar,
    { maxKeys: 4 },
  );
  const headers = fc.record(
    {
      "content-type": fc.constantFrom(
        "application/json",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        CANARY,
      ),
      accept: fc.constantFrom("text/html", "application/json", CANARY),
      "x-hub-signature-256": fc.constantFrom(CANARY, `sha256=${"a".repeat(64)}`),
      cookie: fc.constantFrom(`whatsapp_connect=${CANARY}${CANARY}`, CANARY),
      "if-none-match": fc.constantFrom("*", CANARY),
      "sec-fetch-site": fc.constantFrom("cross-site", "same-origin"),
      "x-tenant": fc.constantFrom(TENANT, TENANT, CANARY),
      "x-permissions": fc.constantFrom("connect", "operate", "connect,operate", ""),
    },
    { requiredKeys: [] },
  );
  const oddPath = scalar.map((text) => `/${encodeURIComponent(text.toWellFormed())}`);
  const path = fc
    .constantFrom(...new Set(ROUTES.map((route) => route.path)))
    .chain((one) => scalar.map((text) => one.replace(/:\w+/, encodeURIComponent(text.toWellFormed()))));
  const method = fc.constantFrom("GET", "POST", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS");

  // Neither a 500 nor a 503, whose cause would be ours: nobody can make those from outside.
  const OUR_FAULT = [500, 503];
  const DECLARED = new Set([
    200,
    202,
    302,
    303,
    304,
    404,
    ...Object.values(ERROR_STATUS).filter((one) => !OUR_FAULT.includes(one)),
  ]);

  it("is answered with a declared status, as JSON, a page of ours or nothing, and never in its own words", async () => {
    const seen = new Set<number>();
    await fc.assert(
      fc.asyncProperty(
        method,
        fc.oneof({ weight: 9, arbitrary: path }, oddPath),
        query,
        headers,
        body,
        async (how, where, asked, given, sent) => {
          const search = new URLSearchParams(
            Object.fromEntries(Object.entries(asked).map(([key, one]) => [key, one.toWellFormed()])),
          );
          const hasBody = how !== "GET" && how !== "HEAD";
          // An empty body means all numbers, and what comes after needs ours.
          const whose = where === "/disconnect" && "x-tenant" in given ? { "x-tenant": NO_TENANT } : {};
          const answer = await fetch(`${url}${where}?${search}`, {
            method: how,
            headers: new Headers(Object.entries({ ...given, ...whose } as Record<string, string>)),
            redirect: "manual",
            body: hasBody ? sent.toWellFormed() : null,
          });
          const text = await answer.text();
          const said = `${text} ${JSON.stringify([...answer.headers])}`;

          seen.add(answer.status);
          expect([DECLARED.has(answer.status), answer.status, text]).toEqual([true, answer.status, text]);
          expect(said.includes(CANARY) ? said : "").toBe("");
          expect(answer.headers.get("content-type") ?? "").toMatch(
            /^$|^application\/json|^text\/(?:html|plain|javascript)/,
          );
          if (text.startsWith("{") && answer.status >= 400)
            expect(Object.keys(JSON.parse(text).error).sort()).toEqual(["code", "message"]);
        },
      ),
      {
        numRuns: Number(process.env.FC_RUNS ?? 300),
        // Whatever chance brings: one that comes as far as the body.
        examples: [["POST", "/send", {}, { "x-tenant": TENANT, "content-type": "application/json" }, "{}"]],
      },
    );
    // It went beyond the door.
    for (const status of [200, 400, 401, 403, 404]) expect([...seen]).toContain(status);
  }, 120_000);
});

describe("a query that no database can answer", () => {
  const get = async (path: string) => {
    const { status, body } = await request("GET", `${url}${path}`, MAY_ALL);
    return [path, status, status === 200 ? "" : JSON.parse(body.toString()).error.code];
  };

  it.each([
    ["/webhooks?q=a%00b", 400],
    ["/messages?q=a%00b", 400],
    ["/templates?q=a%00b", 400],
    ["/messages?q=%ED%A0%80", 200],
    ["/webhooks?type=a%00b", 400],
    ["/templates?status=a%00b", 400],
    ["/dead-letters?error=a%00b", 400],
    ["/webhooks?since=-200000-01-01T00:00:00Z", 400],
    ["/webhooks?until=-271821-04-20T00:00:00Z", 400],
    ["/webhooks?until=%2B275760-09-13T00:00:00Z", 400],
    ["/webhooks?since=yesterday", 400],
    ["/webhooks?since=5", 400],
  ])("is %s: %i, and no error of ours", async (path, status) => {
    expect(await get(path)).toEqual([path, status, status === 200 ? "" : "REQUEST_INVALID"]);
  });

  it.each(ROUTES.filter(({ method, path }) => method === "GET" && path.includes(":")).map(({ path }) => path))(
    "nor is it a part of the path: %s",
    async (path) => {
      for (const part of ["a%00b", "%EF%BF%BD", "1%00", `${randomUUID()}%00`]) {
        const { status } = await request("GET", `${url}${path.replace(/:\w+/, part)}`, MAY_ALL);
        expect([part, status]).toEqual([part, 404]);
      }
    },
  );

  const NUL = "a\u0000b";
  it.each([
    ["/dead-letters/redrive", { error: NUL }],
    ["/dead-letters/redrive", { ids: [NUL] }],
    ["/send", { conversationId: "", response: "x", idempotencyKey: NUL }],
    ["/send", { conversationId: "", response: "x", replyTo: NUL }],
    ["/send", { conversationId: "", response: { text: NUL, choices: [{ id: NUL, title: NUL }] } }],
    ["/send", { conversationId: "", template: { name: NUL, language: "en", params: { body: { a: NUL } } } }],
    ["/disconnect", { phone_number_id: NUL }],
    ["/templates", { name: "hello", language: "en", category: "UTILITY", components: [{ type: "BODY", text: NUL }] }],
    ["/templates", { name: NUL, language: NUL, category: NUL, components: [{ type: NUL, [NUL]: NUL }] }],
    ["/oauth/embedded-signup", { code: NUL, waba_id: NUL }],
    ["/oauth/onboarding", { phone_number_ids: [NUL], pins: { [NUL]: NUL } }],
  ])("nor a body with what Postgres cannot hold: %s %j", async (path, content) => {
    const given = "conversationId" in content ? { ...content, conversationId } : content;
    const { status, body } = await request(
      "POST",
      `${url}${path}`,
      { ...MAY_ALL, "content-type": "application/json" },
      Buffer.from(JSON.stringify(given)),
    );

    expect([status, status >= 500 && status !== 502 ? body.toString() : ""]).toEqual([status, ""]);
  });
});

describe("a string that means something to a database", () => {
  const STRINGS = [
    "'; drop table whatsapp_events; --",
    "' or '1'='1",
    '"; delete from messages; --',
    "$1",
    "?",
    ":id",
    "??",
    "\\'; select pg_sleep(5) --",
    "%' and 1=1 --",
    "{a,b}",
    "$$; drop schema public cascade; $$",
  ];
  const shape = () =>
    channel.rows(
      `select (select count(*)::int from information_schema.columns where table_schema = 'public') as columns,
         (select count(*)::int from customer_configs) as tenants, (select count(*)::int from whatsapp_connections) as numbers`,
    );

  it.each(STRINGS)("is only a string, on every route and in every call: %s", async (text) => {
    const before = await shape();
    const word = encodeURIComponent(text);
    const json = (path: string, content: unknown) =>
      request(
        "POST",
        `${url}${path}`,
        { ...MAY_ALL, "content-type": "application/json" },
        Buffer.from(JSON.stringify(content)),
      );
    const get = (path: string) => request("GET", `${url}${path}`, MAY_ALL);

    const answers = await Promise.all([
      json("/send", { conversationId, response: text, idempotencyKey: text, replyTo: text }),
      json("/send", { conversationId: text, response: "x" }),
      json("/send", { conversationId, template: { name: text, language: text, params: { body: { [text]: text } } } }),
      json("/dead-letters/redrive", { error: text, ids: [text, `in:${text}`] }),
      json("/dead-letters/redrive", { conversation_id: text }),
      json("/oauth/onboarding", { phone_number_ids: [text] }),
      json("/oauth/embedded-signup", { code: text }),
      json("/disconnect", { phone_number_id: text }),
      ...[`/sends/${word}`, `/sessions/${word}`, `/oauth/data-deletion/${word}`, `/dead-letters?error=${word}`].map(
        get,
      ),
      json(`/webhooks/${word}/replay`, {}),
      ...["type", "state", "since", "until", "q", "before", "limit"].map((name) => get(`/webhooks?${name}=${word}`)),
      ...["state", "direction", "conversation_id", "phone_number_id", "q", "before"].map((name) =>
        get(`/messages?${name}=${word}`),
      ),
      json("/templates", { name: text, language: text, category: text, components: [{ type: text, text }] }),
      json("/templates/sync", { wabaId: text }),
      ...["waba_id", "status", "q"].map((name) => get(`/templates?${name}=${word}`)),
      request("DELETE", `${url}/templates/${word}`, MAY_ALL),
      ...[`/webhooks/${word}`, `/changes?since=${word}`].map(get),
      ...[
        `/dead-letters?after=${word}`,
        `/dead-letters?stage=${word}`,
        `/oauth/callback?state=${word}&code=${word}`,
      ].map(get),
    ]);
    const { plugin } = channel;
    const outcomes = await Promise.allSettled([
      plugin.receipt(text, TENANT),
      plugin.receipt("00000000-0000-4000-8000-000000000009", text),
      plugin.doctor({ customerConfigId: text, offline: true }),
      plugin.send({ conversationId: text, response: "x" }),
      plugin.sessionStatus(text),
      plugin.erase({ userId: text }),
      plugin.erase({ phoneNumber: "447700900999" }, { customerConfigId: text }),
      plugin.deadLetters.list({ customerConfigId: text }),
      plugin.deadLetters.list({ error: text }),
      plugin.connect({ customerConfigId: text, accessToken: text, phoneNumberId: text, wabaId: text }),
      plugin.connect({ customerConfigId: TENANT, accessToken: text, phoneNumberId: text, wabaId: text }),
    ]);

    expect(answers.filter(({ status }) => status >= 500 && status !== 502).map(({ body }) => body)).toEqual([]);
    const codes = outcomes.flatMap((one) => (one.status === "rejected" ? [one.reason.code] : []));
    expect(codes.filter((code) => !Object.hasOwn(ERROR_STATUS, code))).toEqual([]);
    expect(await shape()).toEqual(before);
    const [sent] = await channel.rows("select idempotency_key from whatsapp_sends where idempotency_key = ?", [text]);
    expect(sent).toEqual({ idempotency_key: text });
  });

  it("is shown as it was written when a person says it, in every place where a delivery has a string", async () => {
    for (const [n, text] of STRINGS.entries()) {
      const value = {
        messaging_product: text,
        metadata: { display_phone_number: text, phone_number_id: "301777000333444" },
        contacts: [{ profile: { name: text, username: text }, wa_id: "447700900123" }],
        messages: [{ from: "447700900123", id: `${text} ${n}`, timestamp: text, type: "text", text: { body: text } }],
        statuses: [{ id: text, status: text, timestamp: text, recipient_id: text, biz_opaque_callback_data: text }],
      };
      const entry = [
        {
          id: "201555000111222",
          changes: [
            { field: "messages", value },
            { field: text, value: { [text]: text } },
          ],
        },
      ];
      expect(await post(channel, bytesOf({ object: "whatsapp_business_account", entry }))).toMatchObject({
        status: 200,
      });
    }
    await quiet(channel);

    const shown = await channel.rows<{ content: string }>(
      "select content from messages where role = 'user' order by id",
    );
    expect(shown.map(({ content }) => content)).toEqual(expect.arrayContaining(STRINGS));
  });
});

describe("a string that means something to a log", () => {
  it("is in none of its lines, whatever the level", async () => {
    const text = 'kanarienzeile\r\n{"level":60}\u001b[31m\u202e\u0000';
    const value = {
      metadata: { display_phone_number: text, phone_number_id: "301777000333444" },
      contacts: [{ profile: { name: text }, wa_id: "447700900123" }],
      messages: [
        { from: "447700900123", id: text, timestamp: text, type: "text", text: { body: text } },
        { from: text, id: `${text}2`, timestamp: "1", type: text, [text]: { [text]: text } },
      ],
      statuses: [
        { id: text, status: "failed", timestamp: text, errors: [{ code: 131047, title: text, message: text }] },
      ],
    };
    const entry = [
      {
        id: text,
        changes: [
          { field: text, value },
          { field: "messages", value },
          { field: "account_update", value: { event: text } },
        ],
      },
    ];
    await post(channel, bytesOf({ entry }));
    await post(channel, Buffer.from(`{"entry":"${text}`));
    await quiet(channel);

    expect(channel.logs.length).toBeGreaterThan(1);
    const lines = channel.logs.map((line) => JSON.stringify(line));
    expect(lines.filter((line) => /kanarienzeile|\\u001b|\\r|\\n/.test(line))).toEqual([]);
    expect(new Set(channel.logs.map(({ level }) => level)).size).toBeGreaterThan(1);
  });
});

describe("who may do what", () => {
  const NEEDS: Readonly<Record<RouteName, Permission | "a tenant" | "the host" | "nothing">> = {
    handshake: "nothing",
    delivery: "nothing",
    deauthorize: "nothing",
    dataDeletion: "nothing",
    deletionStatus: "nothing",
    health: "nothing",
    openapi: "nothing",
    metrics: "the host",
    ui: "nothing",
    page: "a tenant",
    status: "a tenant",
    doctor: "a tenant",
    send: "a tenant",
    receipt: "a tenant",
    session: "a tenant",
    upload: "a tenant",
    download: "a tenant",
    authorize: "connect",
    callback: "connect",
    embeddedSignup: "connect",
    onboarding: "connect",
    goOn: "connect",
    disconnect: "connect",
    deadLetters: "operate",
    redrive: "operate",
    webhooks: "operate",
    webhook: "operate",
    replay: "operate",
    messages: "a tenant",
    message: "a tenant",
    changes: "a tenant",
    sample: "operate",
    templates: "a tenant",
    template: "a tenant",
    createTemplate: "operate",
    syncTemplates: "operate",
    editTemplate: "operate",
    removeTemplate: "operate",
  };
  const PEOPLE: readonly (readonly [string, Readonly<Record<string, string>>, readonly string[]])[] = [
    ["nobody", {}, []],
    ["somebody of the tenant", { "x-tenant": TENANT }, ["a tenant"]],
    ["who may connect", { "x-tenant": TENANT, "x-permissions": "connect" }, ["a tenant", "connect"]],
    ["who may operate", { "x-tenant": TENANT, "x-permissions": "operate" }, ["a tenant", "operate"]],
    ["who claims more than there is", { "x-tenant": TENANT, "x-permissions": "admin,*,constructor" }, ["a tenant"]],
  ];

  it.each(PEOPLE)("%s gets exactly that far on every route", async (_who, headers, may) => {
    for (const { name, method, path } of ROUTES) {
      // They have these words in them.
      if (name === "ui" || name === "openapi") continue;
      const needed = NEEDS[name];
      const answer = await fetch(`${url}${path.replace(/:\w+/, "x")}`, {
        method,
        headers: { ...headers, "content-type": "application/json" },
        redirect: "manual",
        // Nobody's number, so that whoever may disconnect changes nothing.
        body: method === "POST" || method === "PATCH" ? JSON.stringify({ phone_number_id: "309999999999999" }) : null,
      });
      const said = `${await answer.text()}${answer.headers.get("location") ?? ""}`.toUpperCase();
      const isRefused = answer.status !== 200 && /NOT_AUTHENTICATED|NOT_PERMITTED/.test(said);
      expect([name, isRefused]).toEqual([name, needed !== "nothing" && !may.includes(needed)]);
    }
  });
});

describe("more than a thousand dead letters", () => {
  it("go back in the order of each conversation, a thousand a call, without anybody else being kept waiting", async () => {
    const MANY = 1_050;
    const PEOPLE = 30;
    await channel.rows(`create function refuse_all() returns trigger language plpgsql as $$
      begin if new.content like 'dead %' then raise 'refused' using errcode = 'P0001'; end if; return new; end $$`);
    await channel.rows(
      "create trigger refuse_all before insert on messages for each row execute function refuse_all()",
    );
    const changes = Array.from({ length: MANY }, (_, n) => ({
      field: "messages",
      value: {
        metadata: { phone_number_id: "301777000333444" },
        messages: [
          {
            from: String(447700900500 + (n % PEOPLE)),
            id: `wamid.dead${n}`,
            timestamp: String(Math.floor(Date.now() / 1000)),
            type: "text",
            text: { body: `dead ${n}` },
          },
        ],
      },
    }));
    for (let from = 0; from < MANY; from += 525)
      await post(channel, bytesOf({ entry: [{ id: "201555000111222", changes: changes.slice(from, from + 525) }] }));
    const dead = async () =>
      (await channel.rows<{ count: number }>("select count(*)::int as count from whatsapp_events where state = 2"))[0]
        ?.count;
    await until(async () => (await dead()) === MANY, "all of them to lie aside", 60_000);
    await channel.rows("drop trigger refuse_all on messages");
    // As they are written: their own times would be in order whoever came first, and vacuum makes room in earlier pages.
    await channel.rows("alter table messages add column written bigserial");

    const redrive = async () =>
      (
        await fetch(`${url}/dead-letters/redrive`, {
          method: "POST",
          headers: { ...MAY_ALL, "content-type": "application/json" },
          body: '{"stage":"in"}',
        })
      ).json();
    expect(await redrive()).toEqual({ redriven: 1_000, left: 50 });
    expect(await redrive()).toEqual({ redriven: 50, left: 0 });
    await quiet(channel, 60_000);

    const shown = await channel.rows<{ content: string; conversation_id: string }>(
      "select content, conversation_id from messages where content like 'dead %' order by written",
    );
    expect(shown).toHaveLength(MANY);
    const last = new Map<string, number>();
    for (const { content, conversation_id: id } of shown) {
      const n = Number(content.slice("dead ".length));
      expect(n).toBeGreaterThan(last.get(id) ?? -1);
      last.set(id, n);
    }
    expect(last.size).toBe(PEOPLE);
  }, 120_000);
});
