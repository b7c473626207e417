/** Templates of which nobody knows what Meta did, because its answer was lost: Meta is asked what it has. */
import { ChannelError } from "../errors.ts";
import type { Logger, Templates } from "../ports.ts";
import { hasToken, type ReadAccount } from "./read-account.ts";

/** @returns a task that is safe in any number of processes; what cannot be asked now is asked the next time. */
export function createSettleTemplates(deps: {
  readonly templates: Pick<Templates, "unsettled">;
  readonly readAccount: ReadAccount;
  readonly log: Pick<Logger, "info" | "warn">;
}): (signal: AbortSignal) => Promise<void> {
  const { templates, readAccount, log } = deps;
  return async (signal) => {
    for (const account of (await templates.unsettled()).filter(hasToken)) {
      if (signal.aborted) return;
      const { wabaId } = account;
      try {
        log.info({ wabaId, ...(await readAccount(account)) }, "templates whose fate was unknown were read from Meta");
      } catch (error) {
        if (!(error instanceof ChannelError)) throw error;
        log.warn({ wabaId, code: error.code }, "Meta could not be asked what became of a template; trying again");
      }
    }
  };
}
