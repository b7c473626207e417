/** The one tenant of the example host: made when missing, and connected with the token of the environment. */
import { setTimeout as after } from "node:timers/promises";
import { ChannelError, type Logger, type WhatsAppPlugin } from "@omniops/whatsapp";
import type { Knex } from "knex";
import { DEMO_TENANT, type HostSettings } from "./settings.ts";

export async function createDemoTenant(knex: Knex): Promise<void> {
  await knex.raw(
    "insert into customer_configs (id) select ?::uuid where not exists (select 1 from customer_configs where id = ?::uuid)",
    [DEMO_TENANT, DEMO_TENANT],
  );
}

const RETRY_MS = 2_000;
/** Graph answers within this, or the host starts without waiting any longer. */
const FIRST_TRY_MS = 1_500;

/** Graph may be away when the host starts: it is asked again. What no retry can mend is said once. */
export function connectDemoTenant(
  whatsapp: WhatsAppPlugin,
  connect: HostSettings["connect"],
  logger: Logger | undefined,
) {
  const stopped = new AbortController();
  let running: Promise<void> = Promise.resolve();

  async function keepTrying(wanted: NonNullable<HostSettings["connect"]>): Promise<void> {
    while (!stopped.signal.aborted && !(await attempt(wanted)))
      await after(RETRY_MS, undefined, { signal: stopped.signal }).catch(() => undefined);
  }

  /** @returns whether it is over, one way or the other. */
  async function attempt(wanted: NonNullable<HostSettings["connect"]>): Promise<boolean> {
    try {
      await whatsapp.connect({ customerConfigId: DEMO_TENANT, ...wanted });
      return true;
    } catch (error) {
      const known = error instanceof ChannelError ? error : undefined;
      const isTransient = known?.retry === "backoff" || known?.retry === "after";
      const sentence = `The demo tenant is not connected: ${known?.message ?? "unexpected error"}${isTransient ? " Trying again." : ""}`;
      if (logger === undefined) console.error(sentence);
      else logger.error({ code: known?.code ?? "INTERNAL" }, sentence);
      return !isTransient;
    }
  }

  return {
    async start(): Promise<void> {
      if (connect === undefined) return;
      running = keepTrying(connect);
      await Promise.race([running, after(FIRST_TRY_MS, undefined, { ref: false })]);
    },
    /** Resolves when nothing of it touches the database any more. */
    async stop(): Promise<void> {
      stopped.abort();
      await running;
    },
  };
}
