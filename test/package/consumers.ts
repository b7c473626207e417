/** Two hosts, as somebody writes them who has only the package: one in JavaScript that runs, one in TypeScript. */

/** Prints what was said, in the host's inbox. Its argument is the database. */
export const ROUND_TRIP = `
import { once } from "node:events";
import { createRequire } from "node:module";
import express from "express";
import knexFactory from "knex";
import { createWhatsAppPlugin } from "@omniops/whatsapp";
import { createSimulator } from "@omniops/whatsapp/simulator";

const secrets = { appSecret: "an-app-secret", verifyToken: "a-verify-token", accessToken: "EAApacked" };
const number = { phoneNumberId: "301777000333444", wabaId: "201555000111222", displayPhoneNumber: "15557770100", verifiedName: "Shop" };
const meta = createSimulator({ ...secrets, numbers: [number] });
await meta.start();
const knex = knexFactory({ client: "pg", connection: process.argv[2] });
const whatsapp = createWhatsAppPlugin({
  knex,
  config: {
    metaAppSecret: secrets.appSecret,
    verifyToken: secrets.verifyToken,
    tokenKeys: "k1:" + Buffer.alloc(32, 7).toString("base64"),
    graphUrl: meta.url,
    dialogUrl: meta.url,
    coalesceMs: 0,
  },
  reply: (turn) => "You said: " + turn.messages[0].text,
  logger: { debug() {}, info() {}, warn() {}, error() {} },
});
const migrated = await whatsapp.migrate();
const app = express();
app.use("/api/whatsapp", whatsapp.router);
const server = app.listen(0, "127.0.0.1");
await once(server, "listening");
meta.setWebhookUrl("http://127.0.0.1:" + server.address().port + "/api/whatsapp/webhook");
const [tenant] = await knex("customer_configs").insert({}).returning("id");
await whatsapp.connect({ customerConfigId: tenant.id, accessToken: secrets.accessToken, phoneNumberId: number.phoneNumberId, wabaId: number.wabaId });
await whatsapp.start();
await meta.person({ name: "Ada" }).says("Ping");
await meta.waitFor(() => meta.accepted.length > 0, 15_000);
const said = await knex("messages").orderBy("created_at").pluck("content");
const { version } = createRequire(import.meta.url)("express/package.json");
console.log(JSON.stringify({ express: "Express " + version.split(".")[0], said, migrated }));
await whatsapp.stop();
server.close();
server.closeAllConnections();
await meta.stop();
await knex.destroy();
`;

/** Compiles only; the mistakes in it must be found, so the types are no \`any\`. */
export const CONSUMER = `
import { createServer } from "node:http";
import {
  type AiResponse,
  ChannelError,
  createWhatsAppPlugin,
  type ErrorCode,
  type HostEvent,
  type Turn,
  type WhatsAppPlugin,
  whatsappConfigFromEnv,
} from "@omniops/whatsapp";
import { WhatsAppConnect } from "@omniops/whatsapp/connect-element";
import type { ChannelPlugin } from "@omniops/whatsapp/contract";
import { type MigrationPlan, planMigrations } from "@omniops/whatsapp/migrations";
import { createS3MediaStore } from "@omniops/whatsapp/s3";
import { createSimulator } from "@omniops/whatsapp/simulator";
import { S3Client } from "@aws-sdk/client-s3";
import express from "express";
import knexFactory from "knex";
import { Registry } from "prom-client";

const knex = knexFactory({ client: "pg" });
const whatsapp: WhatsAppPlugin = createWhatsAppPlugin({
  knex,
  config: whatsappConfigFromEnv(process.env),
  authenticate: (request: express.Request) => request.get("x-tenant") ?? null,
  reply: async (turn: Turn): Promise<AiResponse | string> => \`\${turn.messages.length} of \${turn.customerConfigId}\`,
  onEvent(event: HostEvent) {
    if (event.kind === "alarm") console.log(event.alarm.message);
    // @ts-expect-error There is no such kind.
    if (event.kind === "nothing") console.log(event);
  },
  mediaStore: createS3MediaStore({ client: new S3Client({}), bucket: "media" }),
});
const app = express();
app.use("/api/whatsapp", whatsapp.router);
createServer(whatsapp.inFrontOf(app));
whatsapp.collectInto(new Registry());
const channel: ChannelPlugin = whatsapp;
const plan: MigrationPlan = await planMigrations(knex, { direction: "down" });
const receipt = await whatsapp.send({ conversationId: "x", response: plan.sql, idempotencyKey: "y" });
const states: readonly string[] = receipt.parts.map(({ state }) => state);
// @ts-expect-error A conversation has an id.
await channel.send({ response: "x" });
// @ts-expect-error There is no such code.
const code: ErrorCode = "NO_SUCH_CODE";
const isOurs = (error: unknown): error is ChannelError => error instanceof ChannelError && error.code === code;
const meta = createSimulator({ appSecret: "a", verifyToken: "b", accessToken: "c", numbers: [] });
customElements.get("whatsapp-connect") satisfies typeof WhatsAppConnect | CustomElementConstructor | undefined;
export { isOurs, meta, states };
`;
