/** Without the host's tables every message would end as a dead letter: then nothing is started, and what comes waits. */
import { ChannelError } from "../errors.ts";
import type { HostTrouble, Logger } from "../ports.ts";

/**
 * What may keep some rows from us is only said: nobody can tell without a row.
 * @returns what throws ChannelError HOST_TABLE_INCOMPATIBLE with each fix, STORE_UNAVAILABLE.
 */
export function createRequireHostTables(
  troubles: () => Promise<readonly HostTrouble[]>,
  log: Pick<Logger, "warn">,
): () => Promise<void> {
  return async () => {
    const found = await troubles();
    for (const { seen, fix } of found.filter(({ isCertain }) => !isCertain))
      log.warn({ seen, fix }, "host tables: look");
    const certain = found.filter(({ isCertain }) => isCertain);
    if (certain.length === 0) return;
    const lines = certain.map(({ seen, fix }) => `- ${seen} Fix: ${fix}`);
    const message = `WhatsApp could not write to the host's tables, so nothing was started:\n${lines.join("\n")}`;
    throw new ChannelError("HOST_TABLE_INCOMPATIBLE", message, { retry: "fix" });
  };
}
