/** A host that only constructs, ticks once, or starts and stops, and then has nothing more to do: it must end by itself. */
import { randomBytes } from "node:crypto";
import { createWhatsAppPlugin } from "@omniops/whatsapp";
import knexFactory from "knex";

const [mode, url] = process.argv.slice(2);
const before = snapshot();
const knex = knexFactory({ client: "pg", connection: url ?? "", pool: { min: 0, max: 2 } });
const plugin = createWhatsAppPlugin({
  knex,
  config: {
    metaAppSecret: "test-app-secret",
    verifyToken: "test-verify-token",
    tokenKeys: `k1:${randomBytes(32).toString("base64")}`,
  },
  reply: () => "hello",
  onEvent: () => undefined,
});
const constructed = snapshot();
if (mode === "tick") {
  await plugin.tick();
  await knex.destroy();
}
if (mode === "start") {
  await plugin.start();
  await plugin.stop();
  await knex.destroy();
}
process.stdout.write(`${JSON.stringify({ before, constructed })}\n`);

function snapshot() {
  return {
    // The pipes of standard output belong to whoever started us.
    resources: process
      .getActiveResourcesInfo()
      .filter((name) => !/^(PipeWrap|TTYWrap|FSReqPromise|FSReqCallback)$/.test(name)),
    listeners: ["SIGTERM", "SIGINT", "uncaughtException", "unhandledRejection", "beforeExit", "warning"].map((event) =>
      process.listenerCount(event),
    ),
  };
}
