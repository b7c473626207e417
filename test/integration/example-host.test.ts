/** The example host as whoever runs it meets it: a process, its environment, its routes and the database it leaves. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, get, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createSimulator, type Simulator } from "@omniops/whatsapp/simulator";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../../examples/host/free-port.ts";
import { bundleProgram, ROOT } from "../support/bundled-program.ts";
import { NUMBER, TENANT, until } from "../support/channel.ts";
import { createHostProcess, type HostProcess } from "../support/host-process.ts";
import { runNode } from "../support/node-process.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";

/** As `npm run host` starts it. */
const AS_NPM_DOES = ["--import", "tsx", "examples/host/main.ts"];
const HOST = bundleProgram("examples/host/main.ts");
const BEARER = { authorization: "Bearer demo-key" };
const UUID = expect.stringMatching(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);

const SECRETS = {
  META_APP_SECRET: "test-app-secret",
  WHATSAPP_VERIFY_TOKEN: "test-verify-token",
  WHATSAPP_TOKEN_KEYS: `k1:${randomBytes(32).toString("base64")}`,
};
const CONNECT = {
  WHATSAPP_ACCESS_TOKEN: "EAAtest",
  WHATSAPP_PHONE_NUMBER_ID: NUMBER.phoneNumberId,
  WHATSAPP_BUSINESS_ACCOUNT_ID: NUMBER.wabaId,
};

function simulator(port = 0): Simulator {
  return createSimulator({
    appSecret: SECRETS.META_APP_SECRET,
    verifyToken: SECRETS.WHATSAPP_VERIFY_TOKEN,
    accessToken: CONNECT.WHATSAPP_ACCESS_TOKEN,
    numbers: [NUMBER],
    statusDelayMs: 1,
    port,
  });
}

describe("the example host", () => {
  let database: TestDatabase;
  let meta: Simulator;
  let chatApi: Server;
  let host: HostProcess;
  let readyMs: number;
  /** What was POSTed to CHAT_API_URL. */
  const turns: Turn[] = [];
  beforeAll(async () => {
    database = await createTestDatabase({ empty: true });
    meta = simulator();
    await meta.start();
    chatApi = await startChatApi(turns);
    host = await createHostProcess(HOST, {
      ...SECRETS,
      ...CONNECT,
      DATABASE_URL: database.url,
      META_GRAPH_URL: meta.url,
      CHAT_API_URL: `${urlOf(chatApi)}/turns`,
      WHATSAPP_COALESCE_MS: "0",
    });
    const startedAt = performance.now();
    await host.start();
    readyMs = Math.round(performance.now() - startedAt);
    meta.setWebhookUrl(`${host.url}/api/whatsapp/webhook`);
  });
  afterAll(async () => {
    await host?.end("SIGKILL");
    await meta?.stop();
    chatApi?.close();
  });

  const api = async (path: string, init: RequestInit = { headers: BEARER }) => {
    const answer = await fetch(`${host.url}/api/whatsapp${path}`, init);
    return { status: answer.status, body: (await answer.json()) as ApiBody };
  };
  const messageOf = (text: string) =>
    until(() => database.knex("messages").where({ role: "user", content: text }).first(), `the message ${text}`);

  test("is ready soon on an empty database, and says where", () => {
    console.log(`The example host was ready after ${readyMs} ms.`);

    // 3 s are promised; the machines that run this are shared.
    expect(readyMs).toBeLessThan(20_000);
    expect(host.output()).toContain(`Example host at ${host.url}, WhatsApp channel at ${host.url}/api/whatsapp\n`);
  });

  test("answers Meta's handshake and the load balancer", async () => {
    expect(await meta.verifyWebhook()).toBe(true);
    expect(await api("/health", {})).toMatchObject({ status: 200, body: { status: "ok" } });
  });

  test("POSTs a turn to CHAT_API_URL in the promised shape, and sends its answer to Graph once", async () => {
    const ada = meta.person({ name: "Ada", phoneNumber: "447700900123", userId: "GB.Ada1" });

    const externalId = ada.says("  Is it *open*?\n👩🏽‍🚀 ");
    const answer = await meta.waitFor(() => meta.accepted.find(({ text }) => text.includes("open")));
    await meta.idle();

    expect(turns.filter(({ messages }) => messages[0]?.externalId === externalId)).toEqual([
      {
        turnId: UUID,
        conversationId: UUID,
        customerConfigId: TENANT,
        channel: "whatsapp",
        contact: { name: "Ada", phoneNumber: "447700900123", userId: "GB.Ada1" },
        messages: [
          {
            id: UUID,
            externalId,
            type: "text",
            text: "  Is it *open*?\n👩🏽‍🚀 ",
            content: null,
            media: null,
            replyTo: null,
            timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
          },
        ],
      },
    ]);
    expect(meta.accepted.filter(({ recipient }) => recipient === "447700900123")).toEqual([answer]);
  });

  test("leaves the person's text unchanged, the ids of both sides, what became of the answer, and the webhook processed", async () => {
    const bo = meta.person({ name: "Bo", phoneNumber: "447700900124" });

    const wamid = bo.says(" *Straße* 20 m/s \\ \u2028 ");
    const answer = await meta.waitFor(() => meta.accepted.find(({ recipient }) => recipient === "447700900124"));
    await until(
      () => database.knex("messages").where({ external_id: answer?.wamid, status: "read" }).first(),
      "the answer to be read",
    );
    await until(
      async () => (await database.knex("whatsapp_webhooks").where({ processed: false, error: null })).length === 0,
      "the webhooks to be processed",
    );

    const conversationId = turns.find(({ messages }) => messages[0]?.externalId === wamid)?.conversationId;
    const messages = await database.knex("messages").where({ conversation_id: conversationId }).orderBy("created_at");
    expect(messages).toMatchObject([
      { role: "user", content: " *Straße* 20 m/s \\ \u2028 ", status: "received", external_id: wamid },
      { role: "assistant", status: "read", external_id: answer?.wamid },
    ]);
    expect(await database.knex("conversations").where({ id: conversationId }).first()).toMatchObject({
      channel: "whatsapp",
      customer_config_id: TENANT,
    });
  });

  test("stores and quarantines what is signed and not JSON, and answers 200", async () => {
    meta.deliver(Buffer.from("{ not JSON"));
    const delivery = meta.deliveries.at(-1);
    await meta.waitFor(() => delivery?.attempts.length === 1);

    const row = await database
      .knex("whatsapp_webhooks")
      .where({ body: Buffer.from("{ not JSON") })
      .first();
    expect(delivery?.attempts[0]?.status).toBe(200);
    expect(row).toMatchObject({ processed: false, error: "quarantined: not JSON", payload: null });
  });

  test("takes 204 for silence", async () => {
    const cy = meta.person({ name: "Cy", phoneNumber: "447700900125" });

    cy.says("silence");
    const { conversation_id } = await messageOf("silence");
    await until(
      () => database.knex("whatsapp_turns").where({ conversation_id, state: 1 }).first(),
      "the turn to be finished",
    );

    expect(turns.some(({ conversationId }) => conversationId === conversation_id)).toBe(true);
    expect(await database.knex("whatsapp_outbox").where({ conversation_id })).toEqual([]);
  });

  test("opens the tenant routes to the key, in whichever case the scheme is written, and to nobody else", async () => {
    expect(await api("/status")).toMatchObject({
      status: 200,
      body: { enabled: true, state: "connected", phone_number: NUMBER.displayPhoneNumber },
    });
    expect(await api("/status", { headers: { authorization: "bearer demo-key" } })).toMatchObject({ status: 200 });
    expect(await api("/status", { headers: { authorization: "Bearer wrong" } })).toMatchObject({ status: 403 });
    expect(await api("/status", {})).toMatchObject({ status: 403, body: { error: { code: "NOT_AUTHENTICATED" } } });
  });

  test("sends over HTTP, tells what became of it, and how long the window stays open", async () => {
    const di = meta.person({ name: "Di", phoneNumber: "447700900126" });
    di.says("silence");
    const { conversationId } = await until(
      () => turns.find(({ contact }) => contact.phoneNumber === "447700900126"),
      "Di's turn",
    );

    const sent = await api("/send", {
      method: "POST",
      headers: { ...BEARER, "content-type": "application/json" },
      body: JSON.stringify({ conversationId, response: { text: "**Hello** from the host" } }),
    });
    await meta.waitFor(() => di.transcript().some(({ text, status }) => text.includes("Hello") && status === "read"));
    const receipt = await until(async () => {
      const found = await api(`/sends/${sent.body.sendId}`);
      return found.body.parts?.[0]?.state === "read" ? found : null;
    }, "the receipt to say read");
    const session = await api(`/sessions/${conversationId}`);

    expect(sent).toMatchObject({ status: 202, body: { sendId: UUID, conversationId } });
    expect(receipt).toMatchObject({ status: 200, body: { parts: [{ messageId: expect.stringMatching(/^wamid\./) }] } });
    expect(di.transcript().at(-1)).toMatchObject({ direction: "outbound", text: "*Hello* from the host" });
    expect(session).toMatchObject({ status: 200, body: { state: "open", canSend: true } });
    expect((await api(`/sends/${sent.body.sendId}`, {})).status).toBe(403);
  });

  test("signs a browser in by a cookie when it brings the key", async () => {
    const login = (key: string, to = "") =>
      fetch(`${host.url}/login?key=${key}${to && `&to=${encodeURIComponent(to)}`}`, { redirect: "manual" });
    const leadsTo = async (to: string) => (await login("demo-key", to)).headers.get("location");

    const right = await login("demo-key");
    const cookie = right.headers.get("set-cookie") ?? "";
    const headers = { cookie: `theme=dark; ${cookie.split(";")[0]}` };
    const wrong = await login("wrong");

    expect([right.status, right.headers.get("location")]).toEqual([303, "/"]);
    expect(await leadsTo("/dashboard/integrations")).toBe("/dashboard/integrations");
    for (const elsewhere of ["//evil.example", "/\\evil.example", "https://evil.example"])
      expect(await leadsTo(elsewhere)).toBe("/");
    expect(cookie).toMatch(/HttpOnly/);
    expect(await api("/status", { headers })).toMatchObject({ status: 200 });
    expect(await (await fetch(host.url, { headers })).text()).toContain("Signed in as the demo tenant");
    expect([wrong.status, wrong.headers.get("set-cookie")]).toEqual([403, null]);
    expect((await api("/status", { headers: { cookie: "host_session=invented" } })).status).toBe(403);
  });

  test("offers the login at / to this machine, and keeps the key from whoever comes through a tunnel", async () => {
    const here = await page({});
    const named = await page({ host: "shop.tunnel.example" });
    const forwarded = await page({ "x-forwarded-for": "203.0.113.7" });

    expect(here).toContain('href="/login?key=demo-key"');
    for (const text of [named, forwarded]) {
      expect(text).toContain("Example host");
      expect(text).not.toContain("demo-key");
    }
  });

  /** Not by fetch, which does not let anybody set Host. */
  async function page(headers: Readonly<Record<string, string>>): Promise<string> {
    const [response] = (await once(get(`${host.url}/`, { headers }), "response")) as [IncomingMessage];
    return Buffer.concat(await response.toArray()).toString();
  }

  test("ends with 0 on SIGTERM", async () => {
    expect(await host.end("SIGTERM")).toBe(0);
    expect(host.output()).not.toMatch(/\n\s+at /);
  });
});

test("starts while Graph is away, and connects once it is back", async () => {
  const database = await createTestDatabase({ empty: true });
  const port = await freePort();
  const host = await createHostProcess(HOST, {
    ...SECRETS,
    ...CONNECT,
    DATABASE_URL: database.url,
    META_GRAPH_URL: `http://127.0.0.1:${port}`,
  });
  const meta = simulator(port);
  try {
    await host.start();
    const state = async () => {
      const answer = await fetch(`${host.url}/api/whatsapp/status`, { headers: BEARER });
      return ((await answer.json()) as { readonly state: string }).state;
    };
    expect(await state()).toBe("disconnected");
    expect(host.output()).toMatch(/^The demo tenant is not connected: .* Trying again\.$/m);

    await meta.start();
    await until(async () => (await state()) === "connected", "the number to be connected");

    expect(await host.end("SIGTERM")).toBe(0);
  } finally {
    await host.end("SIGKILL");
    await meta.stop();
  }
});

describe("a start that cannot succeed", { timeout: 90_000 }, () => {
  test("names everything that is wrong or missing with its fix, and starts nothing", async () => {
    const run = await start(
      {
        PORT: "http",
        DATABASE_URL: "mysql://u:s3cret@127.0.0.1/x",
        CHAT_API_URL: "chat.example",
        WHATSAPP_ACCESS_TOKEN: "EAAs3cret",
        WHATSAPP_TOKEN_KEYS: "k1:c2hvcnQ=",
      },
      AS_NPM_DOES,
    );

    expect(run).toMatchObject({ code: 1, out: "" });
    const [title, ...problems] = run.err.trim().split("\n");
    expect(title).toBe("The example host is not configured:");
    expect(problems.pop()).toContain("`npm run demo`");
    expect(problems.map((line) => /[A-Z_]{4,}/.exec(line)?.[0]).sort()).toEqual([
      "CHAT_API_URL",
      "DATABASE_URL",
      "META_APP_SECRET",
      "PORT",
      "WHATSAPP_PHONE_NUMBER_ID",
      "WHATSAPP_TOKEN_KEYS",
      "WHATSAPP_VERIFY_TOKEN",
    ]);
    expect(run.err).not.toMatch(/s3cret|c2hvcnQ|\n\s+at /);
  });

  test("says in one line that the port is taken", async () => {
    const database = await createTestDatabase({ empty: true });
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;

    const run = await start({ ...SECRETS, DATABASE_URL: database.url, PORT: String(port) });
    other.close();

    expect(run.code).toBe(1);
    expect(run.err).toMatch(new RegExp(`^Port ${port} is taken: .*PORT.*\\n$`));
  });

  test("says in one line that the database does not answer, without its password", async () => {
    const run = await start({ ...SECRETS, DATABASE_URL: `postgres://u:s3cret@127.0.0.1:${await freePort()}/x` });

    expect(run).toMatchObject({ code: 1, out: "" });
    expect(run.err).toMatch(/^The database does not answer \(ECONNREFUSED\): .*DATABASE_URL.*\n$/);
  });

  test("says in one line that the password is wrong", async () => {
    const url = new URL((await createTestDatabase({ empty: true })).url);
    url.password = "wr0ng";

    const run = await start({ ...SECRETS, DATABASE_URL: url.toString() });

    expect(run).toMatchObject({ code: 1, out: "" });
    expect(run.err).toMatch(/^The database refuses the user or the password in DATABASE_URL\.\n$/);
  });
});

function start(env: Readonly<Record<string, string>>, host = [HOST]) {
  const { PATH = "", HOME = "" } = process.env;
  return runNode(host, {
    cwd: ROOT,
    env: { PATH, HOME, PORT: "0", ...env },
    timeout: 60_000,
  });
}

type ApiBody = { readonly sendId?: string; readonly parts?: readonly { readonly state: string }[] };

type Turn = {
  readonly conversationId: string;
  readonly contact: { readonly phoneNumber: string };
  readonly messages: readonly { readonly externalId: string; readonly text: string }[];
};

/** A chat pipeline that knows silence, and otherwise repeats. */
async function startChatApi(turns: Turn[]): Promise<Server> {
  const server = createServer(async (request, response) => {
    const turn = JSON.parse(Buffer.concat(await request.toArray()).toString()) as Turn;
    turns.push(turn);
    const said = turn.messages.at(-1)?.text;
    if (said === "silence") response.writeHead(204).end();
    else
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ text: `You said ${said}` }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
