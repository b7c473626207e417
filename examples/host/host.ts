/** A small chat platform that embeds the channel, as a real one would: its knex, its Express app, its AI. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  ChannelError,
  createChatApi,
  createWhatsAppPlugin,
  type HostEvent,
  type Logger,
  type WhatsAppPlugin,
  whatsappConfigFromEnv,
} from "@omniops/whatsapp";
import express from "express";
import knexFactory, { type Knex } from "knex";
import { answerLikeABot } from "./bot.ts";
import { createHomePage } from "./home-page.ts";
import { DEMO_TENANT, type HostSettings } from "./settings.ts";
import { createSignIn } from "./sign-in.ts";

export type RunningHost = {
  readonly url: string;
  readonly whatsapp: WhatsAppPlugin;
  readonly knex: Knex;
  stop(): Promise<void>;
};

export type HostHooks = { readonly onEvent?: (event: HostEvent) => void; readonly logger?: Logger };

export async function startHost(settings: HostSettings, hooks: HostHooks = {}): Promise<RunningHost> {
  const knex = knexFactory({ client: "pg", connection: settings.databaseUrl, pool: { min: 0, max: 10 } });
  const signIn = createSignIn(settings.apiKey);
  const whatsapp = createWhatsAppPlugin({
    knex,
    config: whatsappConfigFromEnv(settings.env),
    authenticate: signIn.authenticate,
    reply: settings.chatApiUrl === undefined ? answerLikeABot : createChatApi({ url: settings.chatApiUrl }),
    ...hooks,
  });
  await whatsapp.migrate();
  await createDemoTenant(knex);

  const app = express();
  app.disable("x-powered-by");
  app.use("/api/whatsapp", whatsapp.router);
  app.get("/login", signIn.login);
  app.get(
    "/",
    createHomePage({ apiKey: settings.apiKey, isSignedIn: (request) => signIn.authenticate(request) !== null }),
  );

  const server = createServer(app);
  await whatsapp.start();
  const connecting = connectDemoTenant(whatsapp, settings, hooks.logger);
  await connecting.firstTry;
  server.listen(settings.port, settings.host);
  await once(server, "listening");
  const { address, port } = server.address() as AddressInfo;

  return {
    url: `http://${address.includes(":") ? `[${address}]` : address}:${port}`,
    whatsapp,
    knex,
    async stop() {
      connecting.stop();
      server.close();
      server.closeIdleConnections();
      await whatsapp.stop();
      server.closeAllConnections();
      await knex.destroy();
    },
  };
}

async function createDemoTenant(knex: Knex): Promise<void> {
  await knex.raw(
    "insert into customer_configs (id) select ?::uuid where not exists (select 1 from customer_configs where id = ?::uuid)",
    [DEMO_TENANT, DEMO_TENANT],
  );
}

const RETRY_MS = 2_000;

/** Graph may be away when the host starts: it is asked again. What no retry can mend is said once. */
function connectDemoTenant(whatsapp: WhatsAppPlugin, { connect }: HostSettings, logger: Logger | undefined) {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const attempt = async (): Promise<void> => {
    if (connect === undefined || stopped) return;
    try {
      await whatsapp.connect({ customerConfigId: DEMO_TENANT, ...connect });
    } catch (error) {
      const known = error instanceof ChannelError ? error : null;
      const again = known?.retry === "backoff" || known?.retry === "after";
      const say = logger?.error.bind(logger) ?? ((_fields: object, message: string) => console.error(message));
      say(
        { code: known?.code ?? "INTERNAL" },
        `The demo tenant is not connected: ${known?.message ?? "unexpected error"}${again ? " Trying again." : ""}`,
      );
      if (again) timer = setTimeout(() => void attempt(), RETRY_MS);
    }
  };
  const firstTry = Promise.race([attempt(), new Promise<void>((resolve) => setTimeout(resolve, 1_500).unref())]);
  return {
    firstTry,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
