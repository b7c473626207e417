/** The peer under measurement, as its README says, behind a plain Node server: `server.js <postgres|memory> <graphUrl> [databaseUrl]`. */
import { createServer } from "node:http";
import { createMemoryState } from "@chat-adapter/state-memory";
import { createPostgresState } from "@chat-adapter/state-pg";
import { createWhatsAppAdapter } from "@chat-adapter/whatsapp";
import { Chat } from "chat";

const [state, graphUrl, databaseUrl] = process.argv.slice(2);
const quiet = { debug() {}, info() {}, warn: console.error, error: console.error, child: () => quiet };

const bot = new Chat({
  userName: "bench",
  logger: quiet,
  // What comes while its conversation is being answered: by default the peer drops it.
  concurrency: { strategy: "queue", maxQueueSize: 10_000 },
  adapters: {
    whatsapp: createWhatsAppAdapter({
      accessToken: "EAAbench",
      appSecret: "bench-app-secret",
      verifyToken: "bench-verify-token",
      phoneNumberId: "301777000333444",
      apiUrl: graphUrl,
      logger: quiet,
    }),
  },
  state: state === "memory" ? createMemoryState() : createPostgresState({ url: databaseUrl, logger: quiet }),
});
bot.onDirectMessage(async (thread, message, _channel, context) => {
  await thread.post({ markdown: `Yes, until **six**. (${message.id} for ${1 + (context?.skipped.length ?? 0)})` });
});
await bot.initialize();

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const answer = await bot.webhooks.whatsapp(
    new Request(`http://127.0.0.1${request.url}`, {
      method: "POST",
      headers: request.headers,
      body: Buffer.concat(chunks),
    }),
    { waitUntil: (work) => void work.catch(console.error) },
  );
  response.statusCode = answer.status;
  response.end(await answer.text());
}).listen(0, "127.0.0.1", () => process.send?.({ port: server.address().port }));
