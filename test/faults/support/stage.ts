/** Everything an experiment plays on: a database, a proxy before it, processes that can be killed, and Meta. */
import { setTimeout as pause } from "node:timers/promises";
import { createWhatsAppPlugin, type WhatsAppPlugin } from "@omniops/whatsapp";
import { createSimulator, escapedJson, type Simulator, signatureOf } from "@omniops/whatsapp/simulator";
import knexFactory from "knex";
import pg from "pg";
import { expect } from "vitest";
import { ACCESS_TOKEN, APP_SECRET, NUMBER, quiet, TENANT, TOKEN_KEYS, VERIFY_TOKEN } from "../../support/channel.ts";
import { databaseUrl } from "../../support/databases.ts";
import { createTestDatabase } from "../../support/postgres.ts";
import { type ChaosProxy, startChaosProxy } from "./chaos-proxy.ts";
import { check, type Evidence } from "./checker.ts";
import type { OnFinished } from "./experiment.ts";
import { message } from "./messages.ts";
import type { OwnPostgres } from "./own-postgres.ts";
import type { Random } from "./random.ts";
import type { WorkerOrders } from "./worker.ts";
import { createWorkerProcess, type WorkerProcess } from "./worker-process.ts";

export const LEASE_MS = 2_000;
/** Where many experiments share two cores a status may come later: the checker knows what may be sent again then. */
const RECONCILE_MS = 5_000;

const UNSETTLED = `select lane_key, pending, attempts, lease_token is not null as leased, ready_at - now() as ready_in
  from whatsapp_lanes where pending <> 0 or lease_token is not null limit 5`;

const ALARMS_LEFT = "select 1 from whatsapp_lanes where lane_key = 'notify:alarms' and pending <> 0";

export type Stage = {
  readonly meta: Simulator;
  readonly proxy: ChaosProxy;
  readonly workers: readonly WorkerProcess[];
  readonly rows: Evidence["rows"];
  /** What was answered 200, in order. */
  readonly acknowledged: { readonly person: string; readonly wamid: string }[];
  /** Every status that a webhook was answered with; null where the connection died. */
  readonly answers: (number | null)[];
  /** What was said to a webhook that was not taken. */
  readonly refusals: string[];
  /** How long each 200 took, in milliseconds. */
  readonly took: number[];
  /** A session of somebody else's on the database, past the proxy; the caller ends it. */
  open(): Promise<pg.Client>;
  /** Posts the next message of somebody until it is acknowledged; one in ten is posted again after that. */
  write(person: number): Promise<void>;
  /** Posts a payload to a worker that is up, once. @returns the status; null where the connection died, or none is up. */
  post(payload: object): Promise<number | null>;
  /** Stores a payload as a worker would that does nothing else: for a backlog. */
  store(payload: object): Promise<void>;
  /** Never started: receives, and does what an operator does. */
  readonly plugin: WhatsAppPlugin;
  /** Starts a worker that has ended. */
  start(worker: WorkerProcess): Promise<void>;
  /** As a load balancer: nothing more goes to this worker, and what is under way is answered. */
  drain(worker: WorkerProcess): Promise<void>;
  /** Ends a worker; webhooks go to another one meanwhile, if there is one. */
  end(worker: WorkerProcess, signal: "SIGKILL" | "SIGTERM"): Promise<number | null>;
  /** Kills a worker and starts it again. */
  replace(worker: WorkerProcess): Promise<void>;
  /** Stops a worker as it stands for a while; what it was in the middle of, it finishes afterwards. */
  freeze(worker: WorkerProcess, ms: number): Promise<void>;
  /** Waits until nothing is left to do. */
  settle(timeoutMs?: number): Promise<void>;
  /** Waits until nothing is left to do, then holds everything against the invariants. */
  check(more?: Partial<Evidence>): Promise<void>;
};

export type StageOptions = Pick<
  WorkerOrders,
  "options" | "chatUrl" | "poolMax" | "isNaive" | "listens" | "endsAt" | "fullDisk"
> & {
  /** Where media are kept. */
  readonly mediaDir?: string;
  /** Default 1. */
  readonly workers?: number;
  /** Whether they are started. Default true. */
  readonly start?: boolean;
  /** Default: a database on the server that all tests share. */
  readonly postgres?: Pick<OwnPostgres, "url" | "createDatabase">;
  readonly leaseMs?: number;
  readonly reconcileMs?: number;
};

export async function startStage(
  random: Random,
  onFinished: OnFinished,
  {
    workers: count = 1,
    start = true,
    postgres,
    leaseMs = LEASE_MS,
    reconcileMs = RECONCILE_MS,
    mediaDir,
    ...orders
  }: StageOptions = {},
): Promise<Stage> {
  const urlOf = await openDatabase(postgres, onFinished);
  const proxy = await startChaosProxy(() => Number(new URL(urlOf()).port));
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
  const config = {
    metaAppSecret: APP_SECRET,
    verifyToken: VERIFY_TOKEN,
    tokenKeys: TOKEN_KEYS,
    graphUrl: meta.url,
    coalesceMs: 0,
    leaseMs,
    reconcileMs,
    mediaDir,
  };
  const plugin = await connectNumber(urlOf(), config, onFinished);

  const throughProxy = new URL(urlOf());
  throughProxy.port = String(proxy.port);
  const workers = Array.from({ length: count }, () =>
    createWorkerProcess({
      databaseUrl: throughProxy.toString(),
      config,
      ...orders,
      options: { pollMs: 250, ...orders.options },
    }),
  );
  onFinished(async () => {
    for (const worker of workers) {
      worker.signal("SIGCONT");
      await worker.end("SIGKILL");
    }
  });
  const up = new Set<WorkerProcess>();
  const underWay = new Map<WorkerProcess, Promise<unknown>>();
  const webhookOf = (worker: WorkerProcess) => `${worker.url}/api/whatsapp/webhook`;
  const pointMeta = () => {
    const [some] = up;
    if (some !== undefined) meta.setWebhookUrl(webhookOf(some));
  };
  const rows = await openRows(urlOf, onFinished);
  const written = new Map<number, number>();

  const stage: Stage = {
    meta,
    proxy,
    workers,
    plugin,
    rows,
    acknowledged: [],
    answers: [],
    refusals: [],
    took: [],
    async open() {
      const client = new pg.Client({ connectionString: urlOf() });
      client.on("error", () => undefined);
      await client.connect();
      return client;
    },
    async post(payload) {
      const body = Buffer.from(escapedJson(payload));
      const headers = { "content-type": "application/json", "x-hub-signature-256": signatureOf(body, APP_SECRET) };
      const candidates = [...up];
      const worker = candidates[Math.floor(random() * candidates.length)];
      const asked = performance.now();
      const asking = worker && fetch(webhookOf(worker), { method: "POST", headers, body }).catch(() => null);
      const reading = asking?.then(async (answer) => ({ answer, said: await answer?.text().catch(() => "") }));
      if (worker && reading) {
        const others = underWay.get(worker);
        underWay.set(worker, Promise.all([others, reading]));
      }
      const { answer, said } = (await reading) ?? { answer: null, said: "" };
      if (answer && answer.status !== 200) stage.refusals.push(`${answer.status} ${said}`);
      stage.answers.push(answer?.status ?? null);
      if (answer?.status === 200) stage.took.push(performance.now() - asked);
      return answer?.status ?? null;
    },
    async store(payload) {
      const rawBody = Buffer.from(escapedJson(payload));
      await plugin.receive({ rawBody, signature: signatureOf(rawBody, APP_SECRET) });
    },
    async write(person) {
      const n = (written.get(person) ?? 0) + 1;
      written.set(person, n);
      const wamid = `wamid.P${person}N${n}`;
      const payload = message({ person, wamid, text: `message ${n} 🙂` });
      while ((await stage.post(payload)) !== 200) await pause(30 + random() * 50);
      stage.acknowledged.push({ person: String(person), wamid });
      if (random() < 0.1) await stage.post(payload);
    },
    async start(worker) {
      await worker.start();
      up.add(worker);
      pointMeta();
    },
    async drain(worker) {
      up.delete(worker);
      pointMeta();
      await underWay.get(worker);
    },
    async end(worker, signal) {
      up.delete(worker);
      pointMeta();
      return worker.end(signal);
    },
    async replace(worker) {
      await stage.end(worker, "SIGKILL");
      await stage.start(worker);
    },
    async freeze(worker, ms) {
      up.delete(worker);
      pointMeta();
      worker.signal("SIGSTOP");
      await pause(ms);
      worker.signal("SIGCONT");
      up.add(worker);
    },
    async settle(timeoutMs = 120_000) {
      try {
        await quiet({ rows: rows as never }, timeoutMs);
        await meta.idle();
        await quiet({ rows: rows as never }, timeoutMs);
      } catch (error) {
        throw new Error(`not settled: ${JSON.stringify(await rows(UNSETTLED))}`, { cause: error });
      }
    },
    async check(more = {}) {
      await stage.settle();
      for (const worker of workers) await worker.end("SIGTERM");
      // The clock waits for nobody: an alarm raised as the last process ended is told by the next one.
      const [first] = workers;
      while (first !== undefined && (await rows(ALARMS_LEFT)).length > 0) {
        await stage.start(first);
        await stage.settle();
        await first.end("SIGTERM");
      }
      const exits = workers.flatMap((worker) => worker.exits);
      const output = workers.map((worker) => worker.output()).join("\n");
      const canaries = [ACCESS_TOKEN, APP_SECRET, VERIFY_TOKEN, TOKEN_KEYS.slice("k1:".length), "447700900", "🙂"];
      const { acknowledged } = stage;
      expect(
        await check({ rows, acknowledged, accepted: meta.accepted, exits, output, canaries, reconcileMs, ...more }),
      ).toEqual({});
    },
  };
  if (start) await Promise.all(workers.map((worker) => stage.start(worker)));
  return stage;
}

/** @returns where it is, now. */
async function openDatabase(postgres: StageOptions["postgres"], onFinished: OnFinished): Promise<() => string> {
  if (postgres !== undefined) {
    const name = await postgres.createDatabase();
    return () => databaseUrl(postgres.url, name);
  }
  const database = await createTestDatabase();
  onFinished(() => database.drop());
  return () => database.url;
}

/** As an operator does it, once. */
async function connectNumber(
  url: string,
  config: WorkerOrders["config"],
  onFinished: OnFinished,
): Promise<WhatsAppPlugin> {
  const knex = knexFactory({
    client: "pg",
    connection: url,
    pool: { min: 0, max: 2 },
    log: { warn: silent, error: silent },
  });
  onFinished(() => knex.destroy());
  const logger = { debug: silent, info: silent, warn: silent, error: silent };
  const plugin = createWhatsAppPlugin({ knex, config, logger, reply: () => null });
  await knex.raw("insert into customer_configs (id) values (?)", [TENANT]);
  await plugin.connect({
    customerConfigId: TENANT,
    accessToken: ACCESS_TOKEN,
    phoneNumberId: NUMBER.phoneNumberId,
    wabaId: NUMBER.wabaId,
  });
  return plugin;
}

const silent = () => undefined;

/** Past the proxy. The server may be another one by now. */
async function openRows(urlOf: () => string, onFinished: OnFinished): Promise<Evidence["rows"]> {
  const pools = new Map<string, pg.Pool>();
  onFinished(() => Promise.all([...pools.values()].map((pool) => pool.end())));
  return async <T>(sql: string, bindings: readonly unknown[] = []) => {
    const url = urlOf();
    const pool = pools.get(url) ?? new pg.Pool({ connectionString: url, max: 2 }).on("error", () => undefined);
    pools.set(url, pool);
    return (await pool.query(sql, bindings as unknown[])).rows as T[];
  };
}
