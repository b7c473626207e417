/** `npm run host`: the example host, configured by environment variables, until SIGTERM. */
import { join } from "node:path";
import { ChannelError } from "@omniops/whatsapp";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "./embedded-postgres.ts";
import { startHost } from "./host.ts";
import { DEMO_API_KEY, isLoopback, problemsOf, readSettings } from "./settings.ts";

const settings = readSettings(process.env);
const problems = problemsOf(settings);
if (problems.length > 0) {
  console.error(`The example host is not configured:\n- ${problems.join("\n- ")}`);
  console.error("No Meta account? `npm run demo` starts this host with a simulated one, and a phone in the browser.");
  process.exit(1);
}

let postgres: EmbeddedPostgres | undefined;
try {
  if (settings.databaseUrl === undefined)
    postgres = await startEmbeddedPostgres({ dataDir: join(process.cwd(), ".data", "postgres") });
  const host = await startHost({ ...settings, databaseUrl: settings.databaseUrl ?? postgres?.url ?? "" });
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await host.stop();
    await postgres?.stop();
    process.exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void stop());
  console.log(`Example host at ${host.url}, WhatsApp channel at ${host.url}/api/whatsapp`);
  if (settings.apiKey === DEMO_API_KEY && !isLoopback(settings.host))
    console.error("Other machines reach this host, and everybody knows its HOST_API_KEY: set one of your own.");
} catch (error) {
  await postgres?.stop();
  console.error(sentenceFor(error) ?? error);
  process.exit(1);
}

/** What the user can mend, in a sentence; anything else keeps its stack. */
function sentenceFor(error: unknown): string | undefined {
  const { code, message, cause } = error as { code?: string; message?: string; cause?: unknown };
  switch (code) {
    case "EADDRINUSE":
      return `Port ${settings.port} is taken: stop what listens there, or set PORT to another one (0 takes any free one).`;
    case "EACCES":
    case "EADDRNOTAVAIL":
      return `This process may not listen on ${settings.host}:${settings.port}: set HOST and PORT.`;
    case "ECONNREFUSED":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "ETIMEDOUT":
      return `The database does not answer (${code}): is it running, and are host and port in DATABASE_URL right?`;
    case "28P01":
    case "28000":
      return "The database refuses the user or the password in DATABASE_URL.";
    case "3D000":
      return `DATABASE_URL names a database that does not exist: ${message}.`;
    case "42501":
      return `The user in DATABASE_URL lacks a right: ${message}.`;
    case "STORE_UNAVAILABLE":
      return cause === undefined ? message : (sentenceFor(cause) ?? message);
    default:
      // The embedded Postgres names DATABASE_URL as the way out wherever it cannot serve.
      return error instanceof ChannelError || message?.includes("DATABASE_URL") ? message : undefined;
  }
}
