/** Another host around the same channel: its own app, its own body parsers, mounted where it likes. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import express, { type Express } from "express";
import { onTestFinished } from "vitest";
import type { TestChannel } from "../../support/channel.ts";

/** @returns where the router is mounted, as `url`; gone when the test is. */
export async function mount(
  channel: TestChannel,
  use: (app: Express) => void,
  path = "/api/whatsapp",
): Promise<{ readonly url: string }> {
  const app = express();
  use(app);
  app.use(path, channel.plugin.router);
  const server = createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}` };
}
