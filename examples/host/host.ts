/** A small chat platform that embeds the channel, as a real one would: its knex, its Express app, its AI. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  createChatApi,
  createWhatsAppPlugin,
  type HostEvent,
  type Logger,
  type MetaLimitsGiven,
  type WhatsAppPlugin,
  whatsappConfigFromEnv,
} from "@omniops/whatsapp";
import express, { type Request } from "express";
import knexFactory, { type Knex } from "knex";
import { answerLikeABot } from "./bot.ts";
import { connectDemoTenant, createDemoTenant } from "./demo-tenant.ts";
import { createHomePage } from "./home-page.ts";
import { createIntegrationsPage } from "./integrations-page.ts";
import type { HostSettings } from "./settings.ts";
import { createSignIn } from "./sign-in.ts";

export type RunningHost = {
  readonly url: string;
  readonly whatsapp: WhatsAppPlugin;
  readonly knex: Knex;
  stop(): Promise<void>;
};

export type HostHooks = {
  readonly onEvent?: (event: HostEvent) => void;
  readonly logger?: Logger;
  readonly metaLimits?: MetaLimitsGiven;
};

/** When it rejects, nothing of it is left running. */
export async function startHost(
  settings: HostSettings & { readonly databaseUrl: string },
  hooks: HostHooks = {},
): Promise<RunningHost> {
  const knex = knexFactory({
    client: "pg",
    connection: settings.databaseUrl,
    pool: { min: 0, max: 10 },
    // Knex prints what it also throws.
    log: { warn() {}, error() {} },
  });
  const signIn = createSignIn(settings.apiKey);
  const whatsapp = createWhatsAppPlugin({
    knex,
    config: whatsappConfigFromEnv(settings.env),
    authenticate: signIn.authenticate,
    reply: settings.chatApiUrl === undefined ? answerLikeABot : createChatApi({ url: settings.chatApiUrl }),
    ...hooks,
  });

  const app = express();
  app.disable("x-powered-by");
  app.use("/api/whatsapp", whatsapp.router);
  app.get("/login", signIn.login);
  const isSignedIn = (request: Request) => signIn.authenticate(request) !== null;
  app.get("/dashboard/integrations", createIntegrationsPage({ isSignedIn }));
  app.get("/", createHomePage({ apiKey: settings.apiKey, isSignedIn }));

  // Node would let somebody take a minute over a head, and five over all of it.
  const server = createServer(
    { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 1_000 },
    app,
  );
  const connecting = connectDemoTenant(whatsapp, settings.connect, hooks.logger);
  const stop = async () => {
    server.close();
    server.closeIdleConnections();
    // Closing the channel's connections ends a call to Graph that is still waiting.
    await Promise.all([connecting.stop(), whatsapp.stop()]);
    server.closeAllConnections();
    await knex.destroy();
  };
  try {
    await whatsapp.migrate();
    await createDemoTenant(knex);
    await whatsapp.start();
    await connecting.start();
    server.listen(settings.port, settings.host);
    await once(server, "listening");
  } catch (error) {
    await stop();
    throw error;
  }
  const { address, port } = server.address() as AddressInfo;
  return { url: `http://${address.includes(":") ? `[${address}]` : address}:${port}`, whatsapp, knex, stop };
}
