/** F5: Postgres goes away under load and comes back. The host lives, webhooks hear 503, and nothing is lost or doubled. */
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createSimulator } from "@omniops/whatsapp/simulator";
import pg from "pg";
import { expect, it, onTestFinished } from "vitest";
import { startEmbeddedPostgres } from "../../../examples/host/embedded-postgres.ts";
import { ACCESS_TOKEN, APP_SECRET, NUMBER, quiet, TOKEN_KEYS, VERIFY_TOKEN } from "../../support/channel.ts";
import { createHostProcess } from "../../support/host-process.ts";

const MESSAGES = 40;

it("goes on by itself after Postgres was stopped and started again under load", { timeout: 90_000 }, async () => {
  const dataDir = join(await mkdtemp(join(tmpdir(), "omniops-outage-")), "data");
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  let postgres = await startEmbeddedPostgres({ dataDir, fsync: false });
  onTestFinished(() => postgres.stop());
  const proxy = await startProxy(() => Number(new URL(postgres.url).port));
  const meta = createSimulator({
    appSecret: APP_SECRET,
    verifyToken: VERIFY_TOKEN,
    accessToken: ACCESS_TOKEN,
    numbers: [NUMBER],
    statusDelayMs: 1,
    webhookConcurrency: 8,
    retryDelayMs: () => 100,
  });
  await meta.start();
  onTestFinished(() => meta.stop());
  const throughProxy = new URL(postgres.url);
  throughProxy.port = String(proxy.port);
  const host = await createHostProcess({
    DATABASE_URL: throughProxy.toString(),
    META_GRAPH_URL: meta.url,
    META_APP_SECRET: APP_SECRET,
    WHATSAPP_VERIFY_TOKEN: VERIFY_TOKEN,
    WHATSAPP_TOKEN_KEYS: TOKEN_KEYS,
    WHATSAPP_ACCESS_TOKEN: ACCESS_TOKEN,
    WHATSAPP_PHONE_NUMBER_ID: NUMBER.phoneNumberId,
    WHATSAPP_BUSINESS_ACCOUNT_ID: NUMBER.wabaId,
    WHATSAPP_LEASE_MS: "5000",
    WHATSAPP_RECONCILE_MS: "1000",
    WHATSAPP_COALESCE_MS: "20",
  });
  onTestFinished(async () => void (await host.end("SIGKILL")));
  meta.setWebhookUrl(`${host.url}/api/whatsapp/webhook`);
  await host.start();

  const people = Array.from({ length: 8 }, (_, n) =>
    meta.person({ name: `P${n}`, phoneNumber: String(447700900100 + n) }),
  );
  for (let n = 0; n < MESSAGES; n++) {
    if (n === 15) await postgres.stop();
    if (n === 30) {
      expect((await fetch(`${host.url}/api/whatsapp/health`)).status).toBe(503);
      postgres = await startEmbeddedPostgres({ dataDir, fsync: false });
    }
    people[n % people.length]?.says(`message ${n}`);
    await pause(30);
  }
  await meta.idle();

  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  const rows = async <T>(sql: string) => (await client.query(sql)).rows as T[];
  try {
    await quiet({ rows: rows as never }, 40_000);
    await meta.idle();
    const stored = await rows<{ content: string }>("select content from messages where role = 'user'");
    expect(stored.map(({ content }) => content).sort()).toEqual(
      Array.from({ length: MESSAGES }, (_, n) => `message ${n}`).sort(),
    );
    const turned = await rows<{ text: string }>(
      "select m ->> 'text' as text from whatsapp_turns t, jsonb_array_elements(t.messages) m where t.state = 1",
    );
    expect(turned.map(({ text }) => text).sort()).toEqual(stored.map(({ content }) => content).sort());
    expect(await rows("select 1 from whatsapp_events where state not in (1, 3)")).toEqual([]);
  } finally {
    await client.end();
  }
  // Every try that Meta made meanwhile was answered; those that were not stored heard so.
  const answers = meta.deliveries.flatMap(({ attempts }) => attempts.map(({ status }) => status));
  expect(answers).toContain(503);
  expect(new Set(answers)).toEqual(new Set([200, 503]));
  expect(host.output()).not.toMatch(/unhandled|uncaught|triggerUncaughtException/i);
  expect(await host.end("SIGTERM")).toBe(0);
});

/** A fixed port in front of a server that comes back on another one. */
async function startProxy(target: () => number): Promise<{ readonly port: number }> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target(), "127.0.0.1");
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port };
}
