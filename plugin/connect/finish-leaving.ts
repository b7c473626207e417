/** After a number has left: Meta is told to send this app no more of its account, then the token goes. */
import { ChannelError, nameOf } from "../errors.ts";
import type { Leaving, LeavingToken, Logger, MetaAccounts, SecretBox } from "../ports.ts";

export type FinishLeavingDeps = {
  readonly leaving: Leaving;
  readonly metaAccounts: MetaAccounts;
  readonly secretBox: SecretBox;
  readonly log: Logger;
};

/** What could not be done is done by a later call, of whichever instance. @param only these connections; null: all that are due. */
export type FinishLeaving = (only: readonly string[] | null) => Promise<void>;

const AT_ONCE = 10;

export function createFinishLeaving({ leaving, metaAccounts, secretBox, log }: FinishLeavingDeps): FinishLeaving {
  return async function finishLeaving(only) {
    for (;;) {
      const claimed = await leaving.claim(AT_ONCE, only);
      await Promise.all(claimed.map(finish));
      if (claimed.length < AT_ONCE) return;
    }
  };

  async function finish(token: LeavingToken): Promise<void> {
    const { connectionId, wabaId, isInUse, isOver } = token;
    try {
      if (!isInUse && !isOver) await unsubscribe(token);
      await leaving.forget(connectionId);
      if (isOver) log.warn({ connectionId, wabaId }, "Meta could not be told for a week that a number has left");
      else log.info({ connectionId, wabaId }, "a number has left");
    } catch (error) {
      log.warn({ connectionId, error: nameOf(error) }, "Meta could not be told that a number has left; trying again");
    }
  }

  async function unsubscribe(token: LeavingToken): Promise<void> {
    const { wabaId } = token;
    try {
      await metaAccounts.unsubscribe({ wabaId, accessToken: open(token) });
    } catch (error) {
      // Then there is nothing to stop any more, or no way to.
      if (!isGone(error)) throw error;
    }
    // Somebody may have connected a number of the account while we were at it, and would hear nothing of it.
    const other = await leaving.tokenOfAccount(wabaId);
    if (other !== null) await metaAccounts.subscribe({ wabaId, accessToken: open(other) });
  }

  function open({ accessTokenEnc, customerConfigId, connectionId }: Omit<LeavingToken, "isInUse" | "isOver">): string {
    return secretBox.open(accessTokenEnc, { customerConfigId, rowId: connectionId, field: "access_token" });
  }
}

/** An account that is gone, or that this token may not see any more: Graph's codes 33, 803, and 100 with subcode 33. */
function isGone(error: unknown): boolean {
  if (!(error instanceof ChannelError) || error.code !== "GRAPH_REJECTED") return false;
  const { code, subcode } = error.meta ?? {};
  return error.retry === "reauth" || code === 33 || code === 803 || (code === 100 && subcode === 33);
}
