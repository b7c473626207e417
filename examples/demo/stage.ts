/** Everything the demo runs on, in this one process: a temporary Postgres, the simulated Meta and the example host. */
import { randomBytes } from "node:crypto";
import type { HostEvent } from "@omniops/whatsapp";
import {
  createSimulator,
  type Person,
  type PersonOptions,
  type SimulatedNumber,
  type Simulator,
} from "@omniops/whatsapp/simulator";
import { startEmbeddedPostgres } from "../host/embedded-postgres.ts";
import { freePort } from "../host/free-port.ts";
import { type RunningHost, startHost } from "../host/host.ts";
import { DEMO_TENANT, readSettings } from "../host/settings.ts";
import { NEW_NUMBER, YOU } from "./cast.ts";
import { sampleFile } from "./sample-files.ts";

/** Fixed and public, so that a request signed by hand works in every run. For nothing but development. */
export const APP_SECRET = "demo-app-secret";
export const VERIFY_TOKEN = "demo-verify-token";
export const API_KEY = "demo-key";
const ACCESS_TOKEN = "demo-access-token";
const APP_ID = "700700700700700";
const CONFIG_ID = "800800800800800";
const SIXTY_DAYS = 60 * 24 * 60 * 60;

export type Stage = {
  readonly meta: Simulator;
  readonly host: RunningHost;
  readonly databaseUrl: string;
  readonly you: Person;
  /** What the host hears of, from now on. */
  readonly onHostEvent: (listener: (event: HostEvent) => void) => void;
  /** Leaves no process, no folder and no open socket. */
  stop(): Promise<void>;
};

export type StageOptions = {
  readonly numbers: readonly SimulatedNumber[];
  readonly people: readonly PersonOptions[];
  /** Taken when it is free. 0 takes any. */
  readonly preferredPort: number;
  /** Told after each step, in words. */
  readonly onStep: (step: string) => void;
  /** Ends the setting up between two steps. */
  readonly signal: AbortSignal;
};

/** The host talks of its outcomes in JSON lines; here the conversations speak for themselves. */
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

export async function setStage(options: StageOptions): Promise<Stage> {
  const { numbers, people, onStep, signal } = options;
  const listeners = new Set<(event: HostEvent) => void>();
  const onEvent = (event: HostEvent) => {
    for (const listener of listeners) listener(event);
  };
  const undo: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const postgres = await startEmbeddedPostgres({ fsync: false });
    undo.push(postgres.stop);
    onStep("A Postgres of its own, in a temporary folder");
    signal.throwIfAborted();

    const meta = createSimulator({
      appId: APP_ID,
      appName: "The demo",
      appSecret: APP_SECRET,
      verifyToken: VERIFY_TOKEN,
      accessToken: ACCESS_TOKEN,
      numbers: [...numbers, NEW_NUMBER],
      // So that moving the phone's clock on by 60 days shows what happens then.
      login: { configId: CONFIG_ID, expiresInSeconds: SIXTY_DAYS },
      fetchLink: sampleFile,
    });
    await meta.start();
    undo.push(meta.stop);
    const you = meta.person(YOU);
    for (const person of people) meta.person(person);

    const host = await startOnFreePort({ ...options, onEvent, databaseUrl: postgres.url, graphUrl: meta.url });
    undo.push(host.stop);
    onStep(`The example host at ${host.url}, its tables migrated`);
    signal.throwIfAborted();

    const accessToken = meta.issueToken({ wabaIds: [...new Set(numbers.map(({ wabaId }) => wabaId))] });
    for (const { phoneNumberId, wabaId } of numbers)
      await host.whatsapp.connect({ customerConfigId: DEMO_TENANT, accessToken, phoneNumberId, wabaId });
    // They are read when one is sent; whoever opens the page's view of them first finds them too.
    await host.whatsapp.templates.sync({ customerConfigId: DEMO_TENANT });
    onStep(`${numbers.length} business numbers connected for the demo tenant`);

    meta.setWebhookUrl(`${host.url}/api/whatsapp/webhook`);
    if (!(await meta.verifyWebhook())) throw new Error("The host did not answer Meta's handshake.");
    onStep("Meta's handshake answered");
    return {
      meta,
      host,
      databaseUrl: postgres.url,
      you,
      stop,
      onHostEvent: (listener) => void listeners.add(listener),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The user's own variables are not read: the demo must not reach a real database, a real AI or the real Meta. */
async function startOnFreePort({
  preferredPort,
  onEvent,
  databaseUrl,
  graphUrl,
}: {
  readonly preferredPort: number;
  readonly onEvent: (event: HostEvent) => void;
  readonly databaseUrl: string;
  readonly graphUrl: string;
}): Promise<RunningHost> {
  const env = {
    META_APP_ID: APP_ID,
    META_CONFIG_ID: CONFIG_ID,
    META_APP_SECRET: APP_SECRET,
    WHATSAPP_VERIFY_TOKEN: VERIFY_TOKEN,
    WHATSAPP_TOKEN_KEYS: `demo:${randomBytes(32).toString("base64")}`,
    META_GRAPH_URL: graphUrl,
    META_DIALOG_URL: graphUrl,
    // No waiting for more: the recordings come one after the other, and what shares a delivery shares a turn anyway.
    WHATSAPP_COALESCE_MS: "0",
    HOST_API_KEY: API_KEY,
  };
  const start = (port: number) =>
    startHost(
      { ...readSettings({ ...env, PORT: String(port) }), databaseUrl },
      // The recordings let one person say in seconds what took days: nobody waits for the pace of WhatsApp here.
      { onEvent, logger: SILENT, metaLimits: { pair: { intervalMs: 0, burst: 45 } } },
    );
  if (preferredPort === 0) return start(await freePort());
  return start(preferredPort).catch(async (error: { readonly code?: string }) => {
    if (error.code !== "EADDRINUSE") throw error;
    return start(await freePort());
  });
}
