/** The whole channel for a test: real Postgres, real Express, real HTTP; only Meta is the simulator. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createWhatsAppPlugin,
  type HostEvent,
  type Turn,
  type WhatsAppPlugin,
  type WhatsAppPluginOptions,
} from "@omniops/whatsapp";
import { createSimulator, type Simulator, type SimulatorOptions } from "@omniops/whatsapp/simulator";
import express from "express";
import type { Knex } from "knex";
import { expect } from "vitest";
import { DUMP, INBOX, leaksIn, type Secrets, secretsIn } from "./canaries.ts";
import { afterEveryFile } from "./clear-away.ts";
import { createTestDatabase, type TestDatabase } from "./postgres.ts";

export const TENANT = "00000000-0000-4000-8000-000000000001";
export const APP_SECRET = "test-app-secret";
export const VERIFY_TOKEN = "test-verify-token";
export const ACCESS_TOKEN = "EAAtestAccessToken";
export const NUMBER = {
  phoneNumberId: "301777000333444",
  wabaId: "201555000111222",
  displayPhoneNumber: "15557770100",
  verifiedName: "Test Shop",
};
export const TOKEN_KEYS = `k1:${randomBytes(32).toString("base64")}`;

/** Fails nothing by itself: what a test says about logs, it reads from here. */
export type LogLine = { readonly level: string; readonly fields: object; readonly message: string };

export type TestChannel = {
  readonly plugin: WhatsAppPlugin;
  readonly meta: Simulator;
  readonly database: TestDatabase;
  /** Where the router is mounted. */
  readonly url: string;
  readonly events: HostEvent[];
  readonly logs: LogLine[];
  /** Where its media are; gone when it stops, unless the test has named it. */
  readonly mediaDir: string;
  /** Resolves with what `look` finds; looks again after every change that the channel or Meta makes. */
  until<T>(look: () => Promise<T | null | undefined | false> | T | null | undefined | false, what: string): Promise<T>;
  /** Rows of a query, for assertions on what is in the database. */
  rows<T = Record<string, unknown>>(sql: string, bindings?: readonly unknown[]): Promise<T[]>;
  stop(): Promise<void>;
};

export type TestChannelOptions = {
  readonly reply?: (turn: Turn) => ReturnType<WhatsAppPluginOptions["reply"]>;
  readonly config?: WhatsAppPluginOptions["config"];
  readonly plugin?: Partial<WhatsAppPluginOptions>;
  readonly meta?: Partial<SimulatorOptions>;
  readonly database?: TestDatabase;
  /** Whether to connect the number and start the pipeline. Default true. */
  readonly start?: boolean;
  readonly connect?: boolean;
  /** Whether deliveries are taken before the host's app sees them. Default false. */
  readonly inFront?: boolean;
  /** For a test with more callers at once than come to a connection in time on a busy machine. Default 10. */
  readonly poolMax?: number;
};

const running = new Set<TestChannel>();
afterEveryFile(() => Promise.all([...running].map((channel) => channel.stop())));

export async function startChannel(options: TestChannelOptions = {}): Promise<TestChannel> {
  const database = options.database ?? (await createTestDatabase());
  const meta = createSimulator({
    appSecret: APP_SECRET,
    verifyToken: VERIFY_TOKEN,
    accessToken: ACCESS_TOKEN,
    numbers: [NUMBER],
    statusDelayMs: 1,
    ...options.meta,
  });
  await meta.start();
  const events: HostEvent[] = [];
  const logs: LogLine[] = [];
  const log = (level: string) => (fields: object, message: string) => void logs.push({ level, fields, message });
  const ownMediaDir = join(tmpdir(), `omniops-media-${randomBytes(8).toString("hex")}`);
  const plugin = createWhatsAppPlugin({
    knex: await poolOf(database, options.poolMax),
    config: {
      metaAppSecret: APP_SECRET,
      verifyToken: VERIFY_TOKEN,
      tokenKeys: TOKEN_KEYS,
      graphUrl: meta.url,
      dialogUrl: meta.url,
      mediaDir: ownMediaDir,
      coalesceMs: 0,
      leaseMs: 2_000,
      reconcileMs: 500,
      ...options.config,
    },
    authenticate: (request: { headers: Record<string, string | undefined> }) => request.headers["x-tenant"] ?? null,
    reply: options.reply ?? ((turn) => `You said: ${turn.messages.map(({ text }) => text).join(" / ")}`),
    onEvent: (event) => void events.push(event),
    logger: { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") },
    pollMs: 100,
    upkeepMs: 300,
    // A test that wants to hear them says so: what they say beside what others test is noise.
    alarms: false,
    retry: { maxAttempts: 3, baseMs: 20, maxMs: 200 },
    ...options.plugin,
  });
  const app = express();
  app.use("/api/whatsapp", plugin.router);
  const server = createServer(options.inFront === true ? plugin.inFrontOf(app) : app).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/whatsapp`;
  meta.setWebhookUrl(`${url}/webhook`);
  await database.knex.raw("insert into customer_configs (id) values (?) on conflict do nothing", [TENANT]);
  if (options.connect !== false)
    await plugin.connect({
      customerConfigId: TENANT,
      accessToken: ACCESS_TOKEN,
      phoneNumberId: NUMBER.phoneNumberId,
      wabaId: NUMBER.wabaId,
    });
  if (options.start !== false) await plugin.start();

  const channel: TestChannel = {
    plugin,
    meta,
    database,
    url,
    events,
    logs,
    mediaDir: String(options.config?.mediaDir ?? ownMediaDir),
    until,
    async rows<T>(sql: string, bindings: readonly unknown[] = []) {
      return (await database.knex.raw(sql, bindings as never)).rows as T[];
    },
    async stop() {
      if (!running.delete(channel)) return;
      await plugin.stop();
      await closed(server);
      await meta.stop();
      await rm(ownMediaDir, { recursive: true, force: true });
      // One that is shared is somebody else's to look through and to drop.
      const dump = options.database === undefined ? await dumpOf(channel) : "";
      const inbox = dump === "" ? [] : (await channel.rows<{ text: string }>(INBOX)).map(({ text }) => text);
      if (options.database === undefined) await database.drop();
      expect(secretsIn(dump, SECRETS), "secrets in the database").toEqual([]);
      expect(leaksIn(JSON.stringify(logs), SECRETS, meta, inbox), "secrets and people in the log").toEqual([]);
    },
  };
  running.add(channel);
  return channel;
}

/** `TEST_POOL_MAX=1 npm test`: the channel never needs a second connection while it holds one. The test itself has its own. */
/** A test that lets the channel wait for somebody's lock, and wants something else done meanwhile, needs a second connection. */
export const hasOneConnection = process.env.TEST_POOL_MAX === "1";

async function poolOf(database: TestDatabase, poolMax: number | undefined): Promise<Knex> {
  const max = Number(process.env.TEST_POOL_MAX ?? poolMax ?? 0);
  if (max === 0) return database.knex;
  const knex = database.connect({ min: 0, max });
  // All are open before anybody is in a hurry: on a busy machine that takes longer than the channel waits for one.
  await Promise.all(Array.from({ length: max }, () => knex.raw("select pg_sleep(0.2)")));
  return knex;
}

/** Whatever the tests configure. */
const SECRETS: Secrets = {
  "the app secret": APP_SECRET,
  "the verify token": VERIFY_TOKEN,
  "the configured access token": ACCESS_TOKEN,
  "the token key": TOKEN_KEYS.slice("k1:".length),
};

/** Empty where a test has taken the database away itself. */
async function dumpOf({ rows }: Pick<TestChannel, "rows">): Promise<string> {
  try {
    return (await rows<{ dump: string }>(DUMP))[0]?.dump ?? "";
  } catch (error) {
    if (/does not exist|Unable to acquire|terminated|aborted/i.test(String(error))) return "";
    throw error;
  }
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  if (server.listening) await once(server, "close");
}

/** The database has no event to await, so it is asked every few milliseconds; the deadline names what never came. */
export async function until<T>(
  look: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  what: string,
  timeoutMs = 10_000,
): Promise<T> {
  const startedAt = Date.now();
  for (;;) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found as T;
    const waited = Date.now() - startedAt;
    if (waited > timeoutMs) expect.fail(`waited ${timeoutMs} ms for ${what}`);
    // Looking costs what is waited for its processor: a tenth late is soon enough.
    await new Promise((resolve) => setTimeout(resolve, Math.min(10 + waited / 10, 250)));
  }
}

/** Meta has told all, and all is done: also what Meta tells of the answers that were sent meanwhile. */
export async function allQuiet(channel: Pick<TestChannel, "rows" | "meta">): Promise<void> {
  for (let round = 0; round < 2; round++) {
    await channel.meta.idle();
    await quiet(channel);
  }
}

/** Nobody listens there: Meta tries again, and later. */
const NOWHERE = "http://127.0.0.1:9/webhook";

/** Meta tells nothing until the test has seen what must come before it, however long that takes; then all of it. */
export function keepWebhooksBack(channel: Pick<TestChannel, "meta" | "url">): () => void {
  channel.meta.setWebhookUrl(NOWHERE);
  return () => channel.meta.setWebhookUrl(`${channel.url}/webhook`);
}

/** Nothing is waiting in any lane, and every delivery is applied. Files of recorded messages, which no Meta has, may wait for the next hour. */
export async function quiet(channel: Pick<TestChannel, "rows">, timeoutMs?: number): Promise<void> {
  await until(
    async () => {
      const [row] = await channel.rows<{ busy: string }>(
        `select (select count(*) from whatsapp_lanes where (pending <> 0 or lease_token is not null)
              and not (stage = 'media' and ready_at > now() + interval '10 minutes'))
            + (select count(*) from whatsapp_webhooks where not processed and error is null) as busy`,
      );
      return row?.busy === "0";
    },
    "the lanes to be empty",
    timeoutMs,
  );
}
