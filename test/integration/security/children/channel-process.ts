/** The channel in a process of its own, whose memory can be watched from outside. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createWhatsAppPlugin } from "@omniops/whatsapp";
import express from "express";
import knexFactory from "knex";

const [url = "", config = "{}"] = process.argv.slice(2);
const knex = knexFactory({ client: "pg", connection: url, pool: { min: 2, max: 5 } });
const quiet = () => undefined;
const plugin = createWhatsAppPlugin({
  knex,
  config: JSON.parse(config),
  reply: () => null,
  logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
});
const app = express();
app.use("/api/whatsapp", plugin.router);
// The guidance of docs/operating.md, and looked at more often.
const server = createServer({ headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 500 }, app);
let peak = 0;
setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
}, 5).unref();

process.on("message", () => {
  process.send?.({ peak, now: process.memoryUsage.rss() });
  peak = 0;
});
process.on("disconnect", () => process.exit(0));
server.listen(0, "127.0.0.1", 1_024, () => process.send?.({ port: (server.address() as AddressInfo).port }));
