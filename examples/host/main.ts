/** `npm run host`: the example host, configured by environment variables, until SIGTERM. */
import { join } from "node:path";
import { ChannelError } from "@omniops/whatsapp";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "./embedded-postgres.ts";
import { startHost } from "./host.ts";
import { readSettings } from "./settings.ts";

let postgres: EmbeddedPostgres | undefined;
try {
  const { env } = process;
  if (!env.DATABASE_URL) postgres = await startEmbeddedPostgres({ dataDir: join(process.cwd(), ".data", "postgres") });
  const host = await startHost(readSettings(env, env.DATABASE_URL || (postgres?.url ?? "")));
  console.log(`Example host at ${host.url}, WhatsApp channel at ${host.url}/api/whatsapp`);
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await host.stop();
    await postgres?.stop();
    process.exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void stop());
} catch (error) {
  await postgres?.stop();
  // A mistake in the environment is the user's to mend: its sentence is enough.
  const expected =
    error instanceof ChannelError ||
    (error as { code?: unknown }).code === "EADDRINUSE" ||
    (error instanceof Error && /^(?:PORT|Set) /.test(error.message));
  console.error(expected ? (error as Error).message : error);
  process.exit(1);
}
