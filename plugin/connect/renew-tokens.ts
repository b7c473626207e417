/** Tokens near their end: renewed where Meta allows it, and said to the host before sends would find out. */
import { ChannelError } from "../errors.ts";
import type { AgeingToken, Connections, Logger, MetaAccounts, MetaOauth, SecretBox } from "../ports.ts";

export type RenewDeps = {
  readonly connections: Connections;
  readonly metaOauth: Pick<MetaOauth, "extend">;
  readonly metaAccounts: Pick<MetaAccounts, "inspectToken">;
  readonly secretBox: SecretBox;
  readonly log: Logger;
};

/** There are days left, so Meta is not asked more often. */
const AGAIN_MS = 6 * 3_600_000;

/** @returns how many were looked at: none when nothing is due. Safe in any number of processes. */
export function createRenewTokens(deps: RenewDeps): () => Promise<number> {
  const { connections, metaOauth, metaAccounts, secretBox, log } = deps;

  return async function renewTokens(): Promise<number> {
    const ageing = await connections.ageingTokens(AGAIN_MS);
    for (const token of ageing) await lookAfter(token);
    return ageing.length;
  };

  async function lookAfter(ageing: AgeingToken): Promise<void> {
    const { connectionId, accessTokenEnc, type, isExpired } = ageing;
    if (isExpired) {
      await connections.requireReauth({
        connectionId,
        accessTokenEnc,
        reason: "The access token has expired: reconnect the number.",
      });
      log.warn({ connectionId }, "a token has expired; its number must be reconnected");
      return;
    }
    // A person's token cannot be renewed without them: it lasts until its end.
    if (type !== "SYSTEM_USER") return;
    try {
      await renew(ageing);
      log.info({ connectionId }, "token renewed");
    } catch (error) {
      const code = error instanceof ChannelError ? error.code : "INTERNAL";
      log.warn({ connectionId, code }, "a token could not be renewed; trying again in 6 hours");
    }
  }

  async function renew({ connectionId, customerConfigId, accessTokenEnc, type }: AgeingToken): Promise<void> {
    const context = { customerConfigId, rowId: connectionId, field: "access_token" };
    const { accessToken } = await metaOauth.extend(secretBox.open(accessTokenEnc, context), type);
    const token = await metaAccounts.inspectToken(accessToken);
    if (!token.isValid) throw new ChannelError("TOKEN_REFUSED", "Meta has renewed a token that it does not accept.");
    const sealed = secretBox.seal(accessToken, context);
    await connections.renewToken({ connectionId, before: accessTokenEnc, accessTokenEnc: sealed, token });
  }
}
