/** Lets the tokens of an account die and live again; a token that is given out meanwhile lives. */
import type { Simulator } from "../simulator.ts";
import type { Tokens } from "../tokens.ts";

export type TokenSwitch = {
  /** With this subcode from now on; null: they live again. Without an account nothing happens. */
  set(wabaId: string | undefined, subcode: number | null): void;
  /** The subcode that every token of the account dies of; null while one of them lives. */
  subcodeOf(wabaId: string | undefined): number | null;
  /** All of them live again. */
  clear(): void;
};

export function createTokenSwitch({
  meta,
  tokens,
  appId,
}: {
  readonly meta: Simulator;
  readonly tokens: Tokens;
  readonly appId: string;
}): TokenSwitch {
  const dead = new Map<string, number>();

  function tokensOf(wabaId: string | undefined): readonly string[] {
    const seeing = wabaId === undefined ? [] : tokens.seeing(wabaId);
    return seeing.filter((access) => access.appId === appId).map(({ accessToken }) => accessToken);
  }

  function restore(accessToken: string): void {
    if (dead.delete(accessToken)) meta.restoreToken(accessToken);
  }

  return {
    set(wabaId, subcode) {
      for (const accessToken of tokensOf(wabaId)) {
        restore(accessToken);
        // What has died by itself is not ours to bring back.
        if (subcode === null || tokens.inspect(accessToken)?.revocation !== null) continue;
        dead.set(accessToken, subcode);
        meta.revokeToken({ accessToken, subcode });
      }
    },
    subcodeOf(wabaId) {
      const own = tokensOf(wabaId);
      const isAlive = own.some((accessToken) => tokens.inspect(accessToken)?.revocation === null);
      return isAlive ? null : (own.map((accessToken) => dead.get(accessToken)).find(Boolean) ?? null);
    },
    clear() {
      for (const accessToken of [...dead.keys()]) restore(accessToken);
    },
  };
}
