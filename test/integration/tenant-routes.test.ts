/** The contract over HTTP: for the tenant that the host names, about what is theirs, and for nobody else. */
import express, { type Express } from "express";
import express4 from "express4";
import supertest from "supertest";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { ACCESS_TOKEN, APP_SECRET, NUMBER, startChannel, TENANT, type TestChannel } from "../support/channel.ts";

const OTHER_TENANT = "00000000-0000-4000-8000-000000000002";
const ABSENT = "99999999-9999-4999-8999-999999999999";
const OTHER_NUMBER = {
  phoneNumberId: "301777000333999",
  wabaId: "201555000111999",
  displayPhoneNumber: "15557770199",
  verifiedName: "Other Shop",
};

let channel: TestChannel;
/** A conversation and a send of each tenant. */
const owned: Record<string, { readonly conversationId: string; readonly sendId: string }> = {};

async function conversationOf(tenant: string): Promise<{ conversationId: string; sendId: string }> {
  const { conversation_id: conversationId } = await channel.until(
    async () =>
      (
        await channel.rows<{ conversation_id: string }>(
          "select conversation_id from whatsapp_contacts where customer_config_id = ? and conversation_id is not null",
          [tenant],
        )
      )[0],
    "the conversation",
  );
  const { sendId } = await channel.plugin.send({ conversationId, response: "hi" });
  return { conversationId, sendId };
}

beforeAll(async () => {
  channel = await startChannel({ reply: () => null, meta: { numbers: [NUMBER, OTHER_NUMBER] } });
  await channel.rows("insert into customer_configs (id) values (?)", [OTHER_TENANT]);
  const { phoneNumberId, wabaId } = OTHER_NUMBER;
  await channel.plugin.connect({ customerConfigId: OTHER_TENANT, accessToken: ACCESS_TOKEN, phoneNumberId, wabaId });
  channel.meta.person({ name: "Ada", phoneNumber: "447700900123" }).says("hello");
  channel.meta.person({ name: "Bob", phoneNumber: "447700900456" }).says("hello", { to: OTHER_NUMBER.phoneNumberId });
  for (const tenant of [TENANT, OTHER_TENANT]) owned[tenant] = await conversationOf(tenant);
  await channel.until(async () => {
    const [row] = await channel.rows<{ waiting: number }>(
      "select count(*)::int as waiting from whatsapp_outbox where state <> 'read'",
    );
    return row?.waiting === 0;
  }, "both sends to be read");
});

/** No answer of any test shows a secret. */
const answers: string[] = [];
afterEach(() => {
  for (const answer of answers.splice(0))
    for (const secret of [ACCESS_TOKEN, APP_SECRET, "v1.k1.", "access_token"]) expect(answer).not.toContain(secret);
});

const HOSTS: readonly (readonly [string, () => Express])[] = [
  ["Express 5", () => express()],
  ["Express 5 after express.json()", () => express().use(express.json())],
  ["Express 4", () => express4() as unknown as Express],
  ["Express 4 after express.json()", () => (express4() as unknown as Express).use(express4.json())],
];

function hosted(make: () => Express = () => express()) {
  const app = make();
  app.use("/channels/wa", channel.plugin.router);
  const agent = supertest(app);
  const remember = (response: supertest.Response) => {
    answers.push(`${JSON.stringify(response.headers)} ${response.text}`);
    return response;
  };
  const as = (tenant: string | null) => ({
    get: (path: string) =>
      agent
        .get(`/channels/wa${path}`)
        .set(tenant === null ? {} : { "x-tenant": tenant })
        .then(remember),
    post: (path: string, body: object | string) =>
      agent
        .post(`/channels/wa${path}`)
        .set(tenant === null ? {} : { "x-tenant": tenant })
        .set("content-type", "application/json")
        .send(body)
        .then(remember),
  });
  return as;
}

const of = (tenant: string) => owned[tenant]!;

describe("without a signed-in tenant", () => {
  it.each<[string, string | null]>([
    ["nobody", null],
    ["an empty id", ""],
    ["an id that is no uuid", "admin' or true --"],
  ])("every tenant route answers 403 and nothing else: %s", async (_who, tenant) => {
    const as = hosted()(tenant);

    for (const answer of [
      await as.get("/status"),
      await as.get(`/sends/${of(TENANT).sendId}`),
      await as.get(`/sessions/${of(TENANT).conversationId}`),
      await as.post("/send", { conversationId: of(TENANT).conversationId, response: "hi" }),
    ]) {
      expect(answer.status).toBe(403);
      expect(answer.body).toEqual({ error: { code: "NOT_AUTHENTICATED", message: "Sign in first." } });
    }
  });

  it("is how a channel starts: a host without `authenticate` has no tenants", async () => {
    const closed = await startChannel({
      database: channel.database,
      start: false,
      connect: false,
      plugin: { authenticate: undefined as never },
    });

    const answer = await supertest(express().use(closed.plugin.router)).get("/status").set("x-tenant", TENANT);

    expect(answer.status).toBe(403);
  });

  it("a host whose `authenticate` fails gets a 500 that says nothing of why", async () => {
    const failing = await startChannel({
      database: channel.database,
      start: false,
      connect: false,
      plugin: { authenticate: () => Promise.reject(new Error("the session store is at 10.0.0.7")) },
    });

    const answer = await supertest(express().use(failing.plugin.router)).get("/status");

    expect(answer.status).toBe(500);
    expect(answer.body).toEqual({ error: { code: "INTERNAL", message: "Internal error." } });
  });
});

describe.each(HOSTS)("a tenant on %s", (_name, make) => {
  it("sees its own number, and only that", async () => {
    const answer = await hosted(make)(TENANT).get("/status");

    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({ "cache-control": "no-store", "x-content-type-options": "nosniff" });
    expect(answer.body).toEqual({
      enabled: true,
      phone_number: NUMBER.displayPhoneNumber,
      state: "connected",
      reason: null,
      numbers: [
        {
          phone_number_id: NUMBER.phoneNumberId,
          phone_number: NUMBER.displayPhoneNumber,
          verified_name: NUMBER.verifiedName,
          quality_rating: "GREEN",
          state: "connected",
          reason: null,
        },
      ],
    });
  });

  it("sends, and reads what became of it", async () => {
    const as = hosted(make)(TENANT);

    const sent = await as.post("/send", { conversationId: of(TENANT).conversationId, response: { text: "**hi**" } });
    expect(sent.status).toBe(202);
    expect(sent.body).toEqual({
      sendId: expect.any(String),
      conversationId: of(TENANT).conversationId,
      parts: [{ index: 0, kind: "text", state: "queued", messageId: null, error: null }],
      degraded: [],
    });

    const receipt = await channel.until(async () => {
      const answer = await as.get(`/sends/${sent.body.sendId}`);
      return answer.body.parts?.[0].state === "read" && answer;
    }, "the send to be read");
    expect(receipt.body.parts[0].messageId).toMatch(/^wamid\./);
  });

  it("sees whether it may send", async () => {
    const answer = await hosted(make)(TENANT).get(`/sessions/${of(TENANT).conversationId}`);

    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ state: "open", canSend: true, templateRequired: false });
    expect(Date.parse(answer.body.expiresAt)).toBeGreaterThan(0);
    expect(answer.body.secondsRemaining).toBeGreaterThan(86_000);
  });

  it("is told what is wrong with a body, by its path", async () => {
    const { conversationId } = of(TENANT);
    const cases: readonly (readonly [object | string, string])[] = [
      [{}, "conversationId"],
      [{ conversationId: "1", response: "hi" }, "conversationId"],
      [{ conversationId }, "response"],
      [{ conversationId, response: 7 }, "response"],
      [{ conversationId, response: { text: 7 } }, "response.text"],
      [{ conversationId, response: { choices: [{ id: "1" }] } }, "response.choices.0.title"],
      [{ conversationId, response: { media: [{ kind: "gif", url: "x" }] } }, "response.media.0.kind"],
      [{ conversationId, response: { txt: "hi" } }, "response"],
      [{ conversationId, response: { text: "hi", handoff: true } }, "response.handoff"],
      [{ conversationId, response: "hi", idempotencyKey: "" }, "idempotencyKey"],
      [{ conversationId, response: "hi", onWindowClosed: "now" }, "onWindowClosed"],
      [{ conversationId, response: "hi", customerConfigId: OTHER_TENANT }, "body"],
      ["[]", "body"],
    ];

    for (const [body, path] of cases) {
      const answer = await hosted(make)(TENANT).post("/send", body);
      expect([body, answer.status, answer.body.error?.code]).toEqual([body, 400, "REQUEST_INVALID"]);
      expect(answer.body.error.message.split(": ")[0]).toBe(path);
    }
  });

  it("is refused an empty response with a 400, and a key used for another request with a 409", async () => {
    const as = hosted(make)(TENANT);
    const { conversationId } = of(TENANT);
    const idempotencyKey = `key of ${_name}`;

    expect((await as.post("/send", { conversationId, response: "" })).body.error.code).toBe("RESPONSE_EMPTY");
    expect((await as.post("/send", { conversationId, response: "one", idempotencyKey })).status).toBe(202);
    const conflict = await as.post("/send", { conversationId, response: "two", idempotencyKey });
    expect([conflict.status, conflict.body.error.code]).toEqual([409, "IDEMPOTENCY_CONFLICT"]);
  });
});

describe("a send that is repeated in a conversation that the host has deleted since", () => {
  it("has its receipt, also when the person has written in another; nothing new is sent there, and nobody else hears of it", async () => {
    const cleo = channel.meta.person({ name: "Cleo", phoneNumber: "447700900789" });
    const conversation = async (isNew: (id: string) => boolean) =>
      channel.until(async () => {
        const [row] = await channel.rows<{ id: string | null }>(
          "select conversation_id as id from whatsapp_contacts where phone_number = '447700900789'",
        );
        return typeof row?.id === "string" && isNew(row.id) && row.id;
      }, "the conversation");
    cleo.says("hello");
    const conversationId = await conversation(() => true);
    const request = { conversationId, response: "hi", idempotencyKey: "of a deleted conversation" };
    const as = hosted();
    const sent = await as(TENANT).post("/send", request);
    await channel.until(
      async () => (await as(TENANT).get(`/sends/${sent.body.sendId}`)).body.parts[0].state === "read",
      "it to be read",
    );
    await channel.rows("delete from messages where conversation_id = ?", [conversationId]);
    await channel.rows("delete from conversations where id = ?", [conversationId]);
    cleo.says("are you there?");
    await conversation((id) => id !== conversationId);

    const again = await as(TENANT).post("/send", request);
    const more = await as(TENANT).post("/send", { ...request, idempotencyKey: "another" });
    const foreign = await as(OTHER_TENANT).post("/send", request);

    expect([again.status, again.body.sendId]).toEqual([202, sent.body.sendId]);
    const absent = await as(OTHER_TENANT).post("/send", { ...request, conversationId: ABSENT });
    expect([absent.status, absent.body.error.code]).toEqual([404, "CONVERSATION_UNKNOWN"]);
    for (const answer of [more, foreign, await as(TENANT).get(`/sessions/${conversationId}`)])
      expect([answer.status, answer.body]).toEqual([404, absent.body]);
  });
});

describe("what belongs to another tenant", () => {
  it("answers exactly like what does not exist", async () => {
    const as = hosted()(OTHER_TENANT);
    const foreign = of(TENANT);
    const pairs = [
      [await as.get(`/sends/${foreign.sendId}`), await as.get(`/sends/${ABSENT}`)],
      [await as.get("/sends/not-a-uuid"), await as.get(`/sends/${ABSENT}`)],
      [await as.get(`/sessions/${foreign.conversationId}`), await as.get(`/sessions/${ABSENT}`)],
      [await as.get("/sessions/not-a-uuid"), await as.get(`/sessions/${ABSENT}`)],
      [
        await as.post("/send", { conversationId: foreign.conversationId, response: "not theirs" }),
        await as.post("/send", { conversationId: ABSENT, response: "hi" }),
      ],
    ] as const;

    for (const [theirs, nobodys] of pairs) {
      expect(theirs.status).toBe(404);
      expect(theirs.body).toEqual(nobodys.body);
      const { date: _date, ...headers } = theirs.headers;
      expect(nobodys.headers).toMatchObject(headers);
    }
    expect(channel.meta.accepted.filter(({ text }) => text === "not theirs")).toEqual([]);
  });

  it("cannot be named by anything in the request", async () => {
    const as = hosted()(OTHER_TENANT);

    const status = await as.get(`/status?customerConfigId=${TENANT}&tenant=${TENANT}`);

    expect(status.body.numbers.map((number: { phone_number_id: string }) => number.phone_number_id)).toEqual([
      OTHER_NUMBER.phoneNumberId,
    ]);
  });

  it("shares no idempotency keys with it", async () => {
    const idempotencyKey = "both tenants use it";
    const send = (tenant: string) =>
      hosted()(tenant).post("/send", { conversationId: of(tenant).conversationId, response: tenant, idempotencyKey });

    expect((await send(TENANT)).status).toBe(202);
    expect((await send(OTHER_TENANT)).status).toBe(202);
  });
});

describe("an id in another spelling", () => {
  it("is the same id: capital letters, and versions that no standard knows", async () => {
    const as = hosted()(TENANT.toUpperCase());
    const odd = "11111111-1111-1111-1111-111111111111";
    await channel.rows("insert into conversations (id) values (?)", [odd]);
    await channel.rows("update whatsapp_contacts set conversation_id = ? where conversation_id = ?", [
      odd,
      of(TENANT).conversationId,
    ]);

    const session = await as.get(`/sessions/${odd.toUpperCase()}`);
    const empty = await as.post("/send", { conversationId: odd, response: "" });
    await channel.rows("update whatsapp_contacts set conversation_id = ? where conversation_id = ?", [
      of(TENANT).conversationId,
      odd,
    ]);

    expect(session.status).toBe(200);
    expect(empty.body.error.code).toBe("RESPONSE_EMPTY");
  });
});

describe("a number that needs a new token, or has none", () => {
  it("says so in the status", async () => {
    const reason = "Meta refuses the access token: reconnect the number.";
    await channel.rows(
      "update whatsapp_connections set state = 'reauth_required', reason = ? where customer_config_id = ?",
      [reason, OTHER_TENANT],
    );
    expect((await hosted()(OTHER_TENANT).get("/status")).body).toMatchObject({
      enabled: true,
      state: "reauth_required",
      reason,
    });

    await channel.rows("update whatsapp_connections set state = 'disconnected' where customer_config_id = ?", [
      OTHER_TENANT,
    ]);
    for (const tenant of [OTHER_TENANT, ABSENT])
      expect((await hosted()(tenant).get("/status")).body).toEqual({
        enabled: false,
        phone_number: null,
        state: "disconnected",
        reason: null,
        numbers: [],
      });
  });
});
