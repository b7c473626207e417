/** Whether a refusal of Meta's is the end of a token: some of its codes may be of one asset, while the number goes on. */
import { judgeToken } from "../connect/judge-token.ts";
import type { MetaError } from "../contract.ts";
import { ChannelError } from "../errors.ts";
import type { MetaAccounts } from "../ports.ts";

/** `dead`: only a reconnect helps. `valid`: it is not the token. `unclear`: Meta has not said. */
export type TokenVerdict = "dead" | "valid" | "unclear";

export type VerifyToken = (refused: {
  readonly connectionId: string;
  /** Null where nobody knows it: then the token may be for any. */
  readonly wabaId: string | null;
  readonly accessToken: string;
  readonly meta: MetaError | null;
}) => Promise<TokenVerdict>;

/** Of what Meta refuses though the token is valid, in the words of the receipt. */
export const NOT_THE_TOKEN =
  "Meta refuses this though the token is valid: check in WhatsApp Manager what this number and its account may do.";

/** @see https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes */
function mayBeOfOneAsset(code: number): boolean {
  return code === 10 || code === 131005 || (code >= 200 && code <= 299);
}

/** @param appId null where no token can be inspected: then each such code is the end of it. */
export function createVerifyToken({
  inspectToken,
  appId,
}: {
  readonly inspectToken: MetaAccounts["inspectToken"];
  readonly appId: string | null;
}): VerifyToken {
  /** What is refused together is asked once. */
  const underWay = new Map<string, Promise<TokenVerdict>>();

  async function ask(accessToken: string, wabaId: string | null, ofApp: string): Promise<TokenVerdict> {
    try {
      const accounts = judgeToken(await inspectToken(accessToken), ofApp);
      return accounts === null || wabaId === null || accounts.includes(wabaId) ? "valid" : "dead";
    } catch (error) {
      const isJudged = error instanceof ChannelError && VERDICTS.has(error.code);
      return isJudged ? "dead" : "unclear";
    }
  }

  return ({ connectionId, wabaId, accessToken, meta }) => {
    if (appId === null || !mayBeOfOneAsset(meta?.code ?? 0)) return Promise.resolve("dead");
    const others = underWay.get(connectionId);
    if (others !== undefined) return others;
    const asked = ask(accessToken, wabaId, appId).finally(() => underWay.delete(connectionId));
    underWay.set(connectionId, asked);
    return asked;
  };
}

const VERDICTS: ReadonlySet<string> = new Set(["TOKEN_REFUSED", "SCOPES_MISSING"]);
