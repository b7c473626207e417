/** Everything an experiment plays on: a Postgres that can crash, a proxy before it, hosts that can be killed, and Meta. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createSimulator, escapedJson, type Simulator, signatureOf } from "@omniops/whatsapp/simulator";
import pg from "pg";
import { expect } from "vitest";
import { startEmbeddedPostgres } from "../../../examples/host/embedded-postgres.ts";
import { ACCESS_TOKEN, APP_SECRET, NUMBER, quiet, TOKEN_KEYS, VERIFY_TOKEN } from "../../support/channel.ts";
import { createHostProcess, type HostProcess } from "../../support/host-process.ts";
import { type ChaosProxy, startChaosProxy } from "./chaos-proxy.ts";
import { check, type Evidence } from "./checker.ts";
import type { OnFinished } from "./experiment.ts";
import type { Random } from "./random.ts";

export const LEASE_MS = 2_000;

export type Stage = {
  readonly meta: Simulator;
  readonly proxy: ChaosProxy;
  readonly hosts: readonly HostProcess[];
  readonly rows: Evidence["rows"];
  /** What was answered 200, in order. */
  readonly acknowledged: { readonly person: string; readonly wamid: string }[];
  /** Every status that a webhook was answered with; null where the connection died. */
  readonly answers: (number | null)[];
  /** Posts the next message of somebody until it is acknowledged; one in ten is posted again after that. */
  write(person: number): Promise<void>;
  /** Kills a host and starts it again; webhooks go to another one meanwhile, if there is one. */
  replace(host: HostProcess): Promise<void>;
  /** Stops a host as it stands for a while; what it was in the middle of, it finishes afterwards. */
  freeze(host: HostProcess, ms: number): Promise<void>;
  /** Waits until nothing is left to do, then holds everything against the invariants. */
  check(more?: Partial<Evidence>): Promise<void>;
};

export async function startStage(random: Random, onFinished: OnFinished, { hosts: count = 1 } = {}): Promise<Stage> {
  const dataDir = join(await mkdtemp(join(tmpdir(), "omniops-faults-")), "data");
  onFinished(() => rm(dataDir, { recursive: true, force: true }));
  const postgres = await startEmbeddedPostgres({ dataDir });
  onFinished(() => postgres.stop());
  const proxy = await startChaosProxy(() => Number(new URL(postgres.url).port));
  onFinished(() => proxy.close());
  const meta = createSimulator({
    appSecret: APP_SECRET,
    verifyToken: VERIFY_TOKEN,
    accessToken: ACCESS_TOKEN,
    numbers: [NUMBER],
    enforceWindow: false,
    webhookConcurrency: 8,
    statusDelayMs: 5,
    retryDelayMs: () => 100,
  });
  await meta.start();
  onFinished(() => meta.stop());
  const throughProxy = new URL(postgres.url);
  throughProxy.port = String(proxy.port);
  const hosts = await Promise.all(
    Array.from({ length: count }, () =>
      createHostProcess({
        DATABASE_URL: throughProxy.toString(),
        META_GRAPH_URL: meta.url,
        META_APP_SECRET: APP_SECRET,
        WHATSAPP_VERIFY_TOKEN: VERIFY_TOKEN,
        WHATSAPP_TOKEN_KEYS: TOKEN_KEYS,
        WHATSAPP_ACCESS_TOKEN: ACCESS_TOKEN,
        WHATSAPP_PHONE_NUMBER_ID: NUMBER.phoneNumberId,
        WHATSAPP_BUSINESS_ACCOUNT_ID: NUMBER.wabaId,
        WHATSAPP_LEASE_MS: String(LEASE_MS),
        WHATSAPP_RECONCILE_MS: "5000",
        WHATSAPP_COALESCE_MS: "0",
      }),
    ),
  );
  onFinished(async () => {
    for (const host of hosts) {
      host.signal("SIGCONT");
      await host.end("SIGKILL");
    }
  });
  const up = new Set<HostProcess>();
  const webhookOf = (host: HostProcess) => `${host.url}/api/whatsapp/webhook`;
  const start = async (host: HostProcess) => {
    await host.start();
    up.add(host);
    meta.setWebhookUrl(webhookOf(host));
  };
  for (const host of hosts) await start(host);

  const rows: Evidence["rows"] = async <T>(sql: string, bindings: readonly unknown[] = []) => {
    const client = new pg.Client({ connectionString: postgres.url });
    client.on("error", () => undefined);
    await client.connect();
    try {
      return (await client.query(sql, bindings as unknown[])).rows as T[];
    } finally {
      await client.end();
    }
  };
  const written = new Map<number, number>();
  const exits: (number | null)[] = [];

  const stage: Stage = {
    meta,
    proxy,
    hosts,
    rows,
    acknowledged: [],
    answers: [],
    async write(person) {
      const n = (written.get(person) ?? 0) + 1;
      written.set(person, n);
      const wamid = `wamid.P${person}N${n}`;
      const body = Buffer.from(escapedJson(message(person, wamid, `message ${n}`)));
      const headers = { "content-type": "application/json", "x-hub-signature-256": signatureOf(body, APP_SECRET) };
      const post = async () => {
        const candidates = [...up];
        const host = candidates[Math.floor(random() * candidates.length)];
        const answer = host && (await fetch(webhookOf(host), { method: "POST", headers, body }).catch(() => null));
        await answer?.arrayBuffer().catch(() => undefined);
        stage.answers.push(answer?.status ?? null);
        return answer?.status;
      };
      while ((await post()) !== 200) await pause(30 + random() * 50);
      stage.acknowledged.push({ person: String(person), wamid });
      if (random() < 0.1) await post();
    },
    async replace(host) {
      up.delete(host);
      const [other] = up;
      if (other !== undefined) meta.setWebhookUrl(webhookOf(other));
      await host.end("SIGKILL");
      await start(host);
    },
    async freeze(host, ms) {
      up.delete(host);
      const [other] = up;
      if (other !== undefined) meta.setWebhookUrl(webhookOf(other));
      host.signal("SIGSTOP");
      await pause(ms);
      host.signal("SIGCONT");
      up.add(host);
    },
    async check(more = {}) {
      await quiet({ rows: rows as never }, 30_000);
      await meta.idle();
      await quiet({ rows: rows as never }, 30_000);
      for (const host of hosts) exits.push(await host.end("SIGTERM"));
      const output = hosts.map((host) => host.output()).join("\n");
      const canaries = [ACCESS_TOKEN, APP_SECRET, VERIFY_TOKEN, TOKEN_KEYS.slice("k1:".length)];
      const { acknowledged } = stage;
      expect(await check({ rows, acknowledged, accepted: meta.accepted, exits, output, canaries, ...more })).toEqual(
        {},
      );
    },
  };
  return stage;
}

function message(person: number, wamid: string, text: string): object {
  const phone = String(447700900000 + person);
  const value = {
    messaging_product: "whatsapp",
    metadata: { display_phone_number: NUMBER.displayPhoneNumber, phone_number_id: NUMBER.phoneNumberId },
    contacts: [{ profile: { name: `Person ${person}` }, wa_id: phone }],
    messages: [
      {
        from: phone,
        id: wamid,
        timestamp: String(Math.floor(Date.now() / 1000)),
        type: "text",
        text: { body: text },
      },
    ],
  };
  return {
    object: "whatsapp_business_account",
    entry: [{ id: NUMBER.wabaId, changes: [{ field: "messages", value }] }],
  };
}
