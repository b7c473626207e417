/** The server under measurement, in a process of its own: `hmac` only checks the signature, the others embed the channel. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { S3Client } from "@aws-sdk/client-s3";
import { createWhatsAppPlugin } from "@omniops/whatsapp";
import { createS3MediaStore } from "@omniops/whatsapp/s3";
import express from "express";
import knexFactory from "knex";
import { APP_SECRET, numberOf, tenantOf, WABA_ID } from "./load.ts";

/** All of ours are in front of the host's app, but `mounted`, which is within it. `files` takes uploads, `returns` sends a file back to whoever has sent it. */
export type ServerMode = "hmac" | "acks" | "mounted" | "silent" | "full" | "files" | "returns";

const [mode, databaseUrl = "", graphUrl = "http://127.0.0.1:1", tenants = "1", media] = process.argv.slice(2) as [
  ServerMode,
  ...string[],
];
const app = express();
let listener: RequestListener = app;

if (mode === "hmac") {
  // What a host would write by hand, on the same route of the same kind of router.
  const router = express.Router();
  app.use("/api/whatsapp", router);
  router.post("/webhook", express.raw({ type: "*/*", limit: "4mb" }), (request, response) => {
    const expected = createHmac("sha256", APP_SECRET)
      .update(request.body as Buffer)
      .digest();
    const given = Buffer.from(String(request.headers["x-hub-signature-256"]).slice(7), "hex");
    const isGood = given.length === expected.length && timingSafeEqual(given, expected);
    response.status(isGood ? 200 : 401).end();
  });
} else {
  const knex = knexFactory({ client: "pg", connection: databaseUrl, pool: { min: 2, max: 10 } });
  const quiet = {
    debug() {},
    info() {},
    warn: (fields: object, message: string) => console.error(message, fields),
    error: (fields: object, message: string) => console.error(message, fields),
  };
  const whatsapp = createWhatsAppPlugin({
    knex,
    config: {
      metaAppSecret: APP_SECRET,
      verifyToken: "bench-verify-token",
      tokenKeys: `k1:${Buffer.alloc(32, 7).toString("base64")}`,
      graphUrl,
      coalesceMs: 0,
      mediaDir: media,
    },
    authenticate: ({ headers }: IncomingMessage) => String(headers["x-tenant"] ?? ""),
    reply(turn) {
      const last = turn.messages.at(-1);
      const mediaId = last?.media?.id;
      if (mode === "returns" && mediaId != null) return { media: [{ kind: "document", mediaId }] };
      return mode === "silent" ? null : `Yes, until **six**. (${last?.externalId} for ${turn.messages.length})`;
    },
    mediaWaitMs: 60_000,
    logger: quiet,
    ...(media?.startsWith("http:") ? { mediaStore: bucketAt(media) } : {}),
    // What is measured is us, not Meta's patience with one person.
    metaLimits: { pair: { intervalMs: 0, burst: 45 }, messagesPerSecond: { standard: Number.POSITIVE_INFINITY } },
  });
  await whatsapp.migrate();
  for (let tenant = 0; tenant < Number(tenants); tenant++) {
    const customerConfigId = tenantOf(tenant);
    await knex.raw("insert into customer_configs (id) values (?) on conflict do nothing", [customerConfigId]);
    await whatsapp.connect({
      customerConfigId,
      accessToken: "EAAbench",
      phoneNumberId: numberOf(tenant),
      wabaId: WABA_ID,
    });
  }
  if (mode !== "acks" && mode !== "mounted" && mode !== "files") await whatsapp.start();
  app.use("/api/whatsapp", whatsapp.router);
  if (mode !== "mounted") listener = whatsapp.inFrontOf(app);
}

const server = createServer(listener).listen(0, "127.0.0.1", () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});

let peak = 0;
let isWatched = false;
const look = () => {
  peak = Math.max(peak, process.memoryUsage.rss());
};

process.on("message", (message) => {
  if (message === "peak") {
    // Not before anybody asks: the other benchmarks measure time.
    if (!isWatched) setInterval(look, 5);
    isWatched = true;
    look();
    process.send?.(peak);
    peak = 0;
  }
  if (message !== "memory") return;
  globalThis.gc?.();
  process.send?.(process.memoryUsage());
});

function bucketAt(endpoint: string) {
  const credentials = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" };
  const client = new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials });
  return createS3MediaStore({ client, bucket: "media" });
}
