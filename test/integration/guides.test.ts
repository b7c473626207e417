/** The programs that README and guides show, run as they stand: each answers somebody who writes. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http, { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Turn, WhatsAppPlugin, WhatsAppPluginOptions } from "@omniops/whatsapp";
import * as channelPackage from "@omniops/whatsapp";
import * as simulatorPackage from "@omniops/whatsapp/simulator";
import express from "express";
import { afterEach, describe, expect, it } from "vitest";
import { APP_SECRET, NUMBER, startChannel, TENANT, until, VERIFY_TOKEN } from "../support/channel.ts";
import { type CodeBlock, codeBlocksOf, codeBlockUnder } from "../support/code-blocks.ts";
import { spawnNode } from "../support/node-process.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { runCodeBlock } from "../support/run-block.ts";

const ACCESS_TOKEN = "EAAguide";
const KEYS = `k1:${randomBytes(32).toString("base64")}`;
const QUIET = { debug() {}, info() {}, warn() {}, error() {} };

const cleanUps: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function startMeta() {
  const meta = simulatorPackage.createSimulator({
    appSecret: APP_SECRET,
    verifyToken: VERIFY_TOKEN,
    accessToken: ACCESS_TOKEN,
    numbers: [NUMBER],
    statusDelayMs: 1,
  });
  await meta.start();
  cleanUps.push(() => meta.stop());
  // Not in the checkout, where another test looks at what changes.
  const mediaDir = mkdtempSync(join(tmpdir(), "omniops-media-"));
  cleanUps.push(() => rmSync(mediaDir, { recursive: true }));
  const env = {
    META_APP_SECRET: APP_SECRET,
    WHATSAPP_VERIFY_TOKEN: VERIFY_TOKEN,
    WHATSAPP_TOKEN_KEYS: KEYS,
    META_GRAPH_URL: meta.url,
    WHATSAPP_COALESCE_MS: "0",
    WHATSAPP_MEDIA_DIR: mediaDir,
  };
  return { meta, env };
}

/** As the package, but what it makes is known here: stopped in the end, and quiet. */
function watched(): { readonly module: object; readonly made: WhatsAppPlugin[] } {
  const made: WhatsAppPlugin[] = [];
  const createWhatsAppPlugin = (options: WhatsAppPluginOptions) => {
    const plugin = channelPackage.createWhatsAppPlugin({ logger: QUIET, ...options });
    made.push(plugin);
    cleanUps.push(() => plugin.stop());
    return plugin;
  };
  return { module: { ...channelPackage, createWhatsAppPlugin }, made };
}

/** A number of the tenant's, connected by somebody who has the same keys. */
async function connectNumber({ knex }: TestDatabase, env: Readonly<Record<string, string>>): Promise<void> {
  const plugin = channelPackage.createWhatsAppPlugin({
    knex,
    config: channelPackage.whatsappConfigFromEnv(env),
    reply: () => null,
    logger: QUIET,
  });
  await plugin.migrate();
  await knex.raw("insert into customer_configs (id) values (?) on conflict do nothing", [TENANT]);
  const { phoneNumberId, wabaId } = NUMBER;
  await plugin.connect({ customerConfigId: TENANT, accessToken: ACCESS_TOKEN, phoneNumberId, wabaId });
}

async function listen(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(handle).listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanUps.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const chatPipeline = { answer: async ({ messages }: Turn) => `**${messages.map(({ text }) => text).join(" ")}**` };

describe("README, Embed it", () => {
  it("answers a message, and sends what the host wants to say", async () => {
    const { meta, env } = await startMeta();
    const database = await createTestDatabase({ empty: true });
    const app = express();
    const published: string[] = [];
    const { module, made } = watched();
    await runCodeBlock(codeBlockUnder("README.md", "## Embed it"), {
      modules: { "@omniops/whatsapp": module },
      names: {
        knex: database.knex,
        app,
        chatPipeline,
        process: { env },
        sessionOf: () => null,
        bus: { publish: ({ kind }: { kind: string }) => void published.push(kind) },
      },
    });
    await connectNumber(database, env);
    meta.setWebhookUrl(`${await listen(app)}/api/whatsapp/webhook`);

    meta.person({ name: "Ada" }).says("Is it open today?");
    await meta.waitFor(() => meta.accepted.length > 0);
    await until(() => published.includes("message"), "onEvent to hear of it");

    expect(meta.accepted.map(({ text }) => text)).toEqual(["*Is it open today?*"]);

    const { id: conversationId } = await database.knex("conversations").first("id");
    const sending = codeBlocksOf("README.md").find(({ text }) => text.includes("whatsapp.sessionStatus("));
    await runCodeBlock(sending as CodeBlock, {
      modules: {},
      names: { whatsapp: made[0], conversationId, aiResponse: { text: "**Hi**" } },
    });
    await meta.waitFor(() => meta.accepted.length === 4);
    expect(meta.accepted.slice(1).map(({ type }) => type)).toEqual(["text", "template", "location"]);
  });
});

describe("the guide to Express", () => {
  it("has a whole server that answers a message, and ends at SIGTERM", { timeout: 60_000 }, async () => {
    const { meta, env } = await startMeta();
    const database = await createTestDatabase({ empty: true });
    mkdirSync(".data", { recursive: true });
    const folder = mkdtempSync(join(".data", "guide-"));
    cleanUps.push(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "server.ts");
    writeFileSync(file, codeBlockUnder("docs/guides/express.md", "## The whole server").text);
    // Until it listens, nobody else can take this port from under it: it is asked for anew if that fails.
    const url = await listen(() => {});
    await cleanUps.pop()?.();
    const child = spawnNode(["--import", "tsx", file], {
      env: { PATH: process.env.PATH ?? "", ...env, DATABASE_URL: database.url, PORT: new URL(url).port },
    });
    cleanUps.push(() => child.kill("SIGKILL"));
    let printed = "";
    child.stderr.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
    });
    await until(
      async () => {
        if (child.exitCode !== null) throw new Error(printed);
        return fetch(`${url}/api/whatsapp/health`).then(
          ({ ok }) => ok,
          () => false,
        );
      },
      "the server to be there",
      30_000,
    );
    await connectNumber(database, env);
    meta.setWebhookUrl(`${url}/api/whatsapp/webhook`);

    meta.person({ name: "Ada" }).says("hello");
    await meta.waitFor(() => meta.accepted.length > 0);
    const ended = once(child, "exit");
    child.kill("SIGTERM");

    expect(meta.accepted.map(({ text }) => text)).toEqual(["You said: hello"]);
    expect(await ended).toEqual([0, null]);
  });

  it("shows how a host's own test drives it", async () => {
    const database = await createTestDatabase({ empty: true });
    const printed: unknown[] = [];
    await runCodeBlock(codeBlockUnder("docs/guides/express.md", "## In your own tests"), {
      modules: {
        "node:events": { once },
        "node:http": http,
        "@omniops/whatsapp": watched().module,
        "@omniops/whatsapp/simulator": simulatorPackage,
        express: { default: express },
      },
      names: { knex: database.knex, console: { log: (line: unknown) => printed.push(line) } },
    });

    expect(printed).toEqual([["When do you open?", "We open at nine."]]);
  });
});

describe("the guide to Next.js", () => {
  const PAGE = "docs/guides/nextjs.md";

  /** The channel of the guide, with a database and a connected number. */
  async function startGuide() {
    const { meta, env } = await startMeta();
    const database = await createTestDatabase();
    const { module, made } = watched();
    const process_ = {
      env: { ...env, DATABASE_URL: database.url, NEXT_RUNTIME: "nodejs", CRON_SECRET: "s3cret", PORT: "0" },
    };
    const sessions = {
      of: async ({ headers }: IncomingMessage) =>
        headers.cookie === "session=ada" ? { id: "s", userId: "ada", customerConfigId: TENANT, isAdmin: true } : null,
    };
    const lib = await runCodeBlock(codeBlockUnder(PAGE, "## The channel"), {
      modules: { "@omniops/whatsapp": module, knex: { default: () => database.knex } },
      names: { process: process_, sessions, chatPipeline, globalThis: {} },
    });
    await connectNumber(database, env);
    return { meta, database, module, made, lib, process_ };
  }

  async function answers(meta: simulatorPackage.Simulator, url: string): Promise<void> {
    meta.setWebhookUrl(`${url}/api/whatsapp/webhook`);
    meta.person({ name: "Ada" }).says("hello");
    await meta.waitFor(() => meta.accepted.length > 0);
    expect(meta.accepted.map(({ text }) => text)).toEqual(["*hello*"]);
  }

  const handshake = `/api/whatsapp/webhook?hub.mode=subscribe&hub.challenge=4711&hub.verify_token=`;

  async function takesMetasRequestsOnly(url: string): Promise<void> {
    expect(await (await fetch(`${url}${handshake}${VERIFY_TOKEN}`)).text()).toBe("4711");
    expect((await fetch(`${url}${handshake}another`)).status).toBe(403);
    const forged = { method: "POST", body: "{}", headers: { "x-hub-signature-256": `sha256=${"0".repeat(64)}` } };
    expect((await fetch(`${url}/api/whatsapp/webhook`, forged)).status).toBe(401);
  }

  it("has one file in pages/api that serves every route, with Next's helpers on request and response", async () => {
    const { meta, lib, made, process_ } = await startGuide();
    const instrumentation = codeBlockUnder(PAGE, "It is started with the server, and stopped with it:");
    const ended: unknown[] = [];
    let onSigterm: (() => Promise<void>) | undefined;
    const { register } = await runCodeBlock(instrumentation, {
      modules: { "@/lib/whatsapp": lib },
      names: {
        process: {
          ...process_,
          once(_: string, listener: () => Promise<void>) {
            onSigterm = listener;
          },
          exit: (code: number) => ended.push(code),
        },
      },
    });
    await (register as () => Promise<void>)();
    const page = await runCodeBlock(codeBlockUnder(PAGE, "## One file in `pages/api`"), {
      modules: { express: { default: express }, "@/lib/whatsapp": lib },
    });
    const handler = page.default as (request: IncomingMessage, response: ServerResponse) => void;
    const url = await listen((request, response) => handler(...asNextHandsOver(request, response)));
    const ask = (path: string, cookie = "") => fetch(`${url}/api/whatsapp${path}`, { headers: { cookie } });

    expect(page.config).toEqual({ api: { bodyParser: false, externalResolver: true } });
    await answers(meta, url);
    expect(made).toHaveLength(1);
    expect((await ask("/status")).status).toBe(403);
    expect(await (await ask("/status", "session=ada")).json()).toMatchObject({ enabled: true });
    expect((await ask("/ui/whatsapp-connect.js")).headers.get("content-type")).toContain("javascript");
    expect(await (await fetch(`${url}${handshake}${VERIFY_TOKEN}`)).text()).toBe("4711");
    const form = new FormData();
    form.set("kind", "document");
    form.set("file", new Blob(["%PDF-1.7\n"]), "offer.pdf");
    const uploaded = await fetch(`${url}/api/whatsapp/media/upload`, {
      method: "POST",
      body: form,
      headers: { cookie: "session=ada" },
    });
    expect(uploaded.status).toBe(201);
    await onSigterm?.();
    expect([(await ask("/health")).status, ended]).toEqual([503, [0]]);
  });

  it("has a custom server that answers, and leaves every other path to Next", async () => {
    const { meta, lib, process_ } = await startGuide();
    const servers: http.Server[] = [];
    const listening = (handle: http.RequestListener) => {
      const server = createServer(handle);
      servers.push(server);
      cleanUps.push(() => {
        server.close();
        server.closeAllConnections();
      });
      return server;
    };
    const pages = {
      prepare: async () => {},
      getRequestHandler: () => async (_: unknown, response: ServerResponse) => void response.end("a page of Next"),
    };
    let onSigterm: (() => Promise<void>) | undefined;
    await runCodeBlock(codeBlockUnder(PAGE, "## A custom server"), {
      modules: {
        "node:http": { createServer: listening },
        express: { default: express },
        next: { default: () => pages },
        "@/lib/whatsapp": lib,
      },
      names: {
        process: {
          ...process_,
          once(_: string, listener: () => Promise<void>) {
            onSigterm = listener;
          },
        },
      },
    });
    const [server] = servers as [http.Server];
    if (!server.listening) await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

    await answers(meta, url);
    expect(await (await fetch(`${url}/about`)).text()).toBe("a page of Next");
    await onSigterm?.();
    expect(server.listening).toBe(false);
  });

  it("has a route handler for Meta's two requests", async () => {
    const { meta, lib, process_ } = await startGuide();
    const route = await runCodeBlock(codeBlockUnder(PAGE, "## A route handler"), {
      modules: { "@omniops/whatsapp": channelPackage, "@/lib/whatsapp": lib },
      names: { process: process_ },
    });
    const url = await listen(asRoute(route));

    await takesMetasRequestsOnly(url);
    await (lib.channel as () => WhatsAppPlugin)().start();
    await answers(meta, url);
  });

  /** A route of the guide to serverless hosts, and what it has put off until its response has left. */
  async function serverlessRoute(heading: string, lib: object, process_: object) {
    const put = { off: [] as (() => Promise<unknown>)[] };
    const after = (work: () => Promise<unknown>) => void put.off.push(work);
    const route = await runCodeBlock(codeBlockUnder("docs/guides/serverless.md", heading), {
      modules: { "next/server": { after }, "@omniops/whatsapp": channelPackage, "@/lib/whatsapp": lib },
      names: { process: process_ },
    });
    return { route, put };
  }

  it("has a webhook's route for a host that is only alive while it is called: the answer leaves after the response", async () => {
    const { meta, lib, process_ } = await startGuide();
    const { route, put } = await serverlessRoute("## In Next.js", lib, process_);
    const url = await listen(asRoute(route));

    await takesMetasRequestsOnly(url);
    meta.setWebhookUrl(`${url}/api/whatsapp/webhook`);
    meta.person({ name: "Ada" }).says("hello");
    await meta.idle();
    expect([put.off.length, meta.accepted.length]).toEqual([1, 0]);
    await put.off[0]?.();

    expect(meta.accepted.map(({ text }) => text)).toEqual(["*hello*"]);
    expect(route.maxDuration).toBeGreaterThan(25);
  });

  it("has a cron for such a host, which nobody else may call", async () => {
    const { meta, lib, process_ } = await startGuide();
    const { route } = await serverlessRoute("## In Next.js", lib, process_);
    const { route: cron, put } = await serverlessRoute("For the platform's cron, once a minute:", lib, process_);
    const url = await listen(asRoute(route));
    const asked = (authorization: string) =>
      (cron.GET as (request: Request) => Response)(new Request(url, { headers: { authorization } })).status;

    meta.setWebhookUrl(`${url}/api/whatsapp/webhook`);
    meta.person({ name: "Ada" }).says("hello");
    await meta.idle();
    expect([asked("Bearer another"), put.off.length]).toEqual([401, 0]);
    expect(asked("Bearer s3cret")).toBe(202);
    await put.off[0]?.();

    expect(meta.accepted.map(({ text }) => text)).toEqual(["*hello*"]);
  });
});

describe("the guide to the AI SDK", () => {
  type Part = { readonly type: string; readonly text?: string; readonly error?: unknown };

  /** `reply` of the guide, over a model that says these parts, one list for each time that it is asked. */
  async function replyOver(...says: readonly (readonly Part[])[]) {
    let asked = 0;
    let reply: WhatsAppPluginOptions["reply"] | undefined;
    // As the SDK's: it never throws, and its text stream ends at an error as if all had been said.
    const streamText = () => {
      const parts = says[Math.min(asked++, says.length - 1)] ?? [];
      return { fullStream: ReadableStream.from(parts), textStream: ReadableStream.from([]) };
    };
    await runCodeBlock(codeBlockUnder("docs/guides/ai-sdk-stream.md", "# With the AI SDK"), {
      modules: {
        ai: { streamText },
        "@omniops/whatsapp": {
          createWhatsAppPlugin(options: WhatsAppPluginOptions) {
            reply = options.reply;
          },
        },
      },
      names: { options: {} },
    });
    if (reply === undefined) throw new Error("the guide makes no plugin");
    return { reply, times: () => asked };
  }

  const words = (text: string): Part[] => text.split(/(?<= )/).map((word) => ({ type: "text-delta", text: word }));
  const FIRST = `The first paragraph. ${"It is long enough to be sent on its own. ".repeat(8).trim()}\n\n`;
  const LAST = "And the last.";
  const broken: Part = { type: "error", error: new Error("the model went away") };

  it("sends what a model says, and asks again when it breaks off, without saying anything twice", async () => {
    const whole = [{ type: "start" }, ...words(FIRST + LAST), { type: "finish" }];
    const { reply, times } = await replyOver([broken], [...words(FIRST), ...words("And "), broken], whole);
    const channel = await startChannel({ reply });

    channel.meta.person({ name: "Ada" }).says("hello");
    await channel.meta.waitFor(() => channel.meta.accepted.length === 2);

    expect(channel.meta.accepted.map(({ text }) => text)).toEqual([FIRST.trim(), LAST]);
    expect(times()).toBe(3);
    await channel.stop();
  });
});

/** What Next puts on the request and the response of a file in `pages/api`. */
function asNextHandsOver(request: IncomingMessage, response: ServerResponse): [IncomingMessage, ServerResponse] {
  const { pathname, searchParams } = new URL(request.url ?? "", "http://localhost");
  const path = pathname.replace("/api/whatsapp/", "").split("/");
  Object.assign(request, { query: { ...Object.fromEntries(searchParams), path }, cookies: {}, body: undefined });
  const refuse = () => {
    throw new Error("Next's own helper was called");
  };
  Object.assign(response, { status: refuse, send: refuse, json: refuse, redirect: refuse });
  return [request, response];
}

/** A route handler's functions behind a server of Node's. */
function asRoute(route: Readonly<Record<string, unknown>>) {
  return async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const handle = route[request.method ?? ""] as (request: Request) => Promise<Response> | Response;
    const answer = await handle(
      new Request(new URL(request.url ?? "", "http://localhost"), {
        method: request.method ?? "GET",
        headers: Object.entries(request.headers).map(([name, value]): [string, string] => [name, String(value)]),
        ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
      }),
    );
    response.statusCode = answer.status;
    response.end(Buffer.from(await answer.arrayBuffer()));
  };
}
