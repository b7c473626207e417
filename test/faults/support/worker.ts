/** One process of a host: the channel with everything loaded, which begins when it is told what to run on. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import {
  ChannelError,
  createChatApi,
  createWhatsAppPlugin,
  type WhatsAppPlugin,
  type WhatsAppPluginOptions,
} from "@omniops/whatsapp";
import express from "express";
import knexFactory from "knex";
import { createFullableMediaStore } from "./fullable-media-store.ts";
import { naiveFetch } from "./naive-fetch.ts";

export type WorkerOrders = {
  readonly databaseUrl: string;
  readonly config: WhatsAppPluginOptions["config"];
  readonly options?: Pick<
    WhatsAppPluginOptions,
    "retry" | "pollMs" | "replyTimeoutMs" | "onAmbiguous" | "mediaWaitMs" | "mediaTimeouts"
  >;
  /** Has a host that wants to hear of everything. */
  readonly listens?: boolean;
  /** Sends again whatever it heard no answer to. */
  readonly isNaive?: boolean;
  /** Absent: it answers by itself. */
  readonly chatUrl?: string;
  readonly poolMax?: number;
  /** While this file is there, the disk of the media is full at half of whatever is written. */
  readonly fullDisk?: string;
  /** Wamids at which the host's own code ends the process. */
  readonly endsAt?: { readonly turn?: string; readonly event?: string };
};

// However the tests end, nothing of them is left running.
process.on("disconnect", () => process.exit(1));
if (!process.connected) process.exit(1);
process.send?.("loaded");
// In a function: what is kept compiled is a script, which cannot wait at its top.
void work();

async function work(): Promise<void> {
  const [orders] = (await once(process, "message")) as [WorkerOrders];

  const knex = knexFactory({
    client: "pg",
    connection: orders.databaseUrl,
    pool: { min: 0, max: orders.poolMax ?? 5 },
    log: { warn() {}, error() {} },
  });
  const answer: WhatsAppPluginOptions["reply"] =
    orders.chatUrl === undefined
      ? ({ messages }) => `You said: ${messages.map(({ text }) => text).join(", ")}`
      : createChatApi({ url: orders.chatUrl });
  const whatsapp = createWhatsAppPlugin({
    knex,
    config: orders.config,
    reply(turn) {
      if (turn.messages.some(({ externalId }) => externalId === orders.endsAt?.turn)) end();
      return answer(turn);
    },
    ...(orders.listens === true && {
      onEvent(event) {
        if (event.kind === "message" && event.event.messageId === orders.endsAt?.event) end();
      },
    }),
    ...(orders.fullDisk !== undefined && { mediaStore: createFullableMediaStore(orders.fullDisk, orders.config) }),
    ...(orders.isNaive === true && { fetch: naiveFetch }),
    ...orders.options,
  });
  process.on("SIGTERM", async () => {
    server.close();
    server.closeIdleConnections();
    await whatsapp.stop();
    server.closeAllConnections();
    await knex.destroy();
    process.exit(0);
  });
  const server = createServer(express().use("/api/whatsapp", whatsapp.router)).listen(0, "127.0.0.1");
  await once(server, "listening");
  await start(whatsapp);
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

/** As a stack that overflows, or memory that is used up: nothing is told to anybody. */
function end(): never {
  process.kill(process.pid, "SIGKILL");
  throw new Error("It has ended.");
}

/** Whoever watches over a host's processes starts them again while the database is away; here that is the process itself. */
async function start(whatsapp: WhatsAppPlugin): Promise<void> {
  try {
    await whatsapp.start();
  } catch (error) {
    if (!(error instanceof ChannelError) || error.code !== "STORE_UNAVAILABLE") throw error;
    await pause(50);
    await start(whatsapp);
  }
}
