/** A host that does what hosts do on a bad day. It must survive us: run with --unhandled-rejections=strict. */
import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { createWhatsAppPlugin, type WhatsAppPluginOptions } from "@omniops/whatsapp";
import { signatureOf } from "@omniops/whatsapp/simulator";
import knexFactory from "knex";

const SECRET = "test-app-secret";
const [mode, url, phoneNumberId] = process.argv.slice(2);
const knex = knexFactory({ client: "pg", connection: url ?? "", pool: { min: 0, max: 5 } });
let calls = 0;

/** Every way in which a function can fail, one after the other. */
function misbehave(): never | Promise<never> {
  const ways = [
    () => {
      throw new Error("synchronously");
    },
    () => Promise.reject(new Error("asynchronously")),
    () => pause(5).then(() => Promise.reject(new Error("later"))),
    () => {
      throw null;
    },
    () => Promise.reject("a string"),
    () => Promise.reject(Object.freeze(Object.create(null))),
  ];
  return ways[calls++ % ways.length]?.() as never;
}

const quiet = () => undefined;
const angry = () => {
  calls++;
  throw new Error("the disk of the log is full");
};
const hosts: Record<string, Partial<WhatsAppPluginOptions>> = {
  reply: { reply: misbehave },
  listener: { reply: quiet, onEvent: misbehave },
  never: { reply: () => new Promise(() => calls++), onEvent: () => new Promise(() => calls++) },
  logger: {
    reply: () => Promise.reject(new Error("no")),
    logger: { debug: angry, info: angry, warn: angry, error: angry },
  },
  knex: { reply: () => pause(50).then(() => `hello ${calls++}`) },
};

const plugin = createWhatsAppPlugin({
  knex,
  config: {
    metaAppSecret: SECRET,
    verifyToken: "test-verify-token",
    tokenKeys: `k1:${randomBytes(32).toString("base64")}`,
    graphUrl: "http://127.0.0.1:9",
    coalesceMs: 0,
    leaseMs: 1_000,
  },
  reply: quiet,
  logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
  pollMs: 50,
  retry: { maxAttempts: 7, baseMs: 10, maxMs: 20 },
  ...hosts[mode ?? ""],
});
await plugin.start();
for (let n = 0; n < 5; n++) await deliver(n);
await pause(mode === "knex" ? 30 : 1_000);
// A slow machine has not come to them by then: each way of failing, and what never settles of everybody who wrote.
const enough = { reply: 11, listener: 11, never: 10 }[mode ?? ""] ?? 0;
for (const from = performance.now(); calls < enough && performance.now() - from < 15_000; ) await pause(50);
if (mode === "knex") {
  await knex.destroy();
  await pause(500);
}
const refused =
  mode === "knex"
    ? await deliver(99).then(
        () => "stored",
        (error: { code: string }) => error.code,
      )
    : null;
const started = performance.now();
await plugin.stop();
const stopMs = Math.round(performance.now() - started);
await knex.destroy();
process.stdout.write(`${JSON.stringify({ survived: mode, calls, refused, stopMs })}\n`);
// What never settles is the host's own; nothing of ours may keep the process.

async function deliver(n: number): Promise<void> {
  const phone = String(447700900000 + n);
  const value = {
    metadata: { phone_number_id: phoneNumberId },
    contacts: [{ wa_id: phone, profile: { name: "Somebody" } }],
    messages: [
      {
        from: phone,
        id: `wamid.${mode}.${n}`,
        timestamp: `${Math.floor(Date.now() / 1000)}`,
        type: "text",
        text: { body: "hi" },
      },
    ],
  };
  const rawBody = Buffer.from(JSON.stringify({ entry: [{ id: "1", changes: [{ field: "messages", value }] }] }));
  await plugin.receive({ rawBody, signature: signatureOf(rawBody, SECRET) });
}
