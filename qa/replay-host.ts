/** A host for a replay and nothing else: a router, Meta's stand-in, and tables in a schema of their own that go when it stops. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createWhatsAppPlugin, type WhatsAppPluginOptions } from "@omniops/whatsapp";
import { createSimulator, type SimulatedTemplate, type Simulator } from "@omniops/whatsapp/simulator";
import type { Knex } from "knex";
import type { Fixture, Manifest, RecordedNumber } from "./fixtures.ts";
import { readPayload } from "./payload.ts";
import { openReplaySchema } from "./replay-schema.ts";
import { unlessAborted } from "./unless-aborted.ts";

/** A channel of its own for a replay, with Meta offline and a schema that is gone afterwards. */
export type ReplayHost = {
  readonly meta: Simulator;
  /** What `reply` has thrown, try by try: a turn without an answer looks like silence. */
  readonly failures: readonly Error[];
  /** Resolves when everything that was delivered is applied, answered and sent. */
  settled(): Promise<void>;
  /** Leaves nothing behind, in the database or on the disk. */
  stop(): Promise<void>;
};

/** Where its schema is made, who answers, and which numbers there must be. */
export type ReplayHostOptions = {
  /** Of a role that may create a schema, with six connections. No other schema is touched but what a killed replay has left. */
  readonly knex: Knex;
  /** The host's AI. */
  readonly reply: WhatsAppPluginOptions["reply"];
  /** They say which numbers there must be. */
  readonly fixtures: readonly Fixture[];
  readonly manifest: Manifest | null;
  /** The host's own options that decide what is answered, as its product has them. */
  readonly plugin?: Pick<
    WhatsAppPluginOptions,
    "wakeOn" | "pauseAfterStaffMs" | "onAmbiguous" | "mediaWaitMs" | "mediaMaxBytes" | "replyTimeoutMs"
  >;
};

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const TENANT = "00000000-0000-4000-8000-000000000001";
/** What is to be tried again later than this is not waited for. */
const SOON = "2 seconds";
const LOOK_AGAIN_MS = 250;

/** Starts a channel for a replay, with every number of the fixtures connected. */
export async function startReplayHost(options: ReplayHostOptions): Promise<ReplayHost> {
  const { knex, reply, fixtures, manifest } = options;
  const { default: express } = await import("express");
  const numbers = numbersOf(fixtures, manifest);
  const secrets = { appSecret: secret(), verifyToken: secret(), accessToken: secret() };
  const failures: Error[] = [];
  const stopping = new AbortController();
  const undo: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const meta = createSimulator({
      ...secrets,
      numbers: numbers.map((number) => ({ ...number, verifiedName: "Recorded number" })),
      statusDelayMs: 1,
    });
    await meta.start();
    undo.push(meta.stop);
    for (const { wabaId, ...template } of manifest?.templates ?? [])
      meta.templates.add(template as SimulatedTemplate, String(wabaId));
    const own = await openReplaySchema(knex);
    undo.push(own.drop);
    const schema = own.name;
    const plugin = createWhatsAppPlugin({
      ...options.plugin,
      knex,
      schema,
      hostSchema: schema,
      config: {
        metaAppSecret: secrets.appSecret,
        verifyToken: secrets.verifyToken,
        tokenKeys: `replay:${randomBytes(32).toString("base64")}`,
        graphUrl: meta.url,
        dialogUrl: meta.url,
        mediaDir: own.folder,
        coalesceMs: 0,
      },
      // One that thinks for long would be waited for, by a host that stops.
      reply: async (...asked) => {
        try {
          return await unlessAborted(Promise.resolve(reply(...asked)), stopping.signal);
        } catch (error) {
          if (!stopping.signal.aborted) failures.push(error instanceof Error ? error : new Error(String(error)));
          throw error;
        }
      },
      logger: SILENT,
      alarms: false,
      pollMs: 100,
      // A recording lets somebody say in seconds what took days.
      metaLimits: { pair: { intervalMs: 0, burst: 45 } },
    });
    await plugin.migrate();
    await knex.raw("insert into ??.customer_configs (id) values (?)", [schema, TENANT]);
    for (const { phoneNumberId, wabaId } of numbers)
      await plugin.connect({ customerConfigId: TENANT, accessToken: secrets.accessToken, phoneNumberId, wabaId });
    await plugin.start();
    undo.push(plugin.stop, async () => stopping.abort(new Error("The replay has ended.")));
    const server = createServer(express().use("/", plugin.router)).listen(0, "127.0.0.1");
    await once(server, "listening");
    undo.push(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    meta.setWebhookUrl(`http://127.0.0.1:${(server.address() as AddressInfo).port}/webhook`);
    return { meta, failures, stop, settled: () => settle(knex, schema, meta) };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The database tells nobody when its work is done, so it is asked. */
async function settle(knex: Knex, schema: string, meta: Simulator): Promise<void> {
  for (;;) {
    await untilDelivered(meta);
    const { rows } = await knex.raw(
      `select 1 from ??.whatsapp_lanes where pending <> 0 and stage <> 'notify'
         and (lease_token is not null or ready_at < now() + interval '${SOON}')
       union all select 1 from ??.whatsapp_webhooks where not processed and error is null limit 1`,
      [schema, schema],
    );
    if (rows.length === 0) return;
    await sleep(10);
  }
}

/** Or refused, and refused again: Meta goes on trying for days, and nobody waits for that. */
async function untilDelivered(meta: Simulator): Promise<void> {
  const isRefused = (status: number | null) => status !== null && status >= 400 && status < 500;
  for (;;) {
    const isIdle = await Promise.race([meta.idle().then(() => true), sleep(LOOK_AGAIN_MS, false)]);
    const pending = meta.deliveries.filter(({ outcome }) => outcome === "pending");
    const areRefused = pending.every(({ attempts: [first, second] }) =>
      [first, second].every((one) => one !== undefined && isRefused(one.status)),
    );
    if (isIdle || (pending.length > 0 && areRefused)) return;
  }
}

/** A recording names those that were connected; of other fixtures it is whatever they speak of. */
function numbersOf(fixtures: readonly Fixture[], manifest: Manifest | null): readonly RecordedNumber[] {
  const named = manifest?.numbers ?? [];
  const found = named.length > 0 ? named : fixtures.flatMap(({ bytes }) => readPayload(bytes).numbers);
  const known = [...new Map(found.map((number) => [number.phoneNumberId, number])).values()];
  // The account of Meta's own test button: nobody can connect that.
  const connectable = known.filter(({ wabaId }) => wabaId !== "0");
  if (connectable.length === 0)
    throw new Error("No business number is named in these fixtures: there is nothing to answer.");
  return connectable;
}

function secret(): string {
  return randomBytes(24).toString("hex");
}
