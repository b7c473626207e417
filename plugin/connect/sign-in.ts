/** A tenant's way to Meta and back: by redirect with a one-time state, or by Meta's popup. */
import { createHash } from "node:crypto";
import { connectError } from "../errors.ts";
import type { MetaOauth, Onboarding, SecretBox, SignInAttempt, SignIns } from "../ports.ts";
import type { Onboard } from "./onboard.ts";
import { returnPath } from "./return-path.ts";

export type SignInDeps = {
  readonly appId: string | null;
  /** Absolute; fixed by the configuration and never taken from a request. Null where there is no button. */
  readonly redirectUri: string | null;
  readonly returnPaths: readonly string[];
  readonly signIns: SignIns;
  readonly metaOauth: MetaOauth;
  readonly secretBox: SecretBox;
  readonly onboard: Onboard;
  /** At least 256 random bits, safe in a URL. */
  readonly newToken: () => string;
};

/** Who is at the browser, and in which session of it. */
export type SignedInPerson = {
  readonly customerConfigId: string;
  readonly userId: string | null;
  readonly sessionId: string;
};

/** How a sign-in by redirect ended: where the browser goes, and with what. */
export type FinishedSignIn = {
  readonly returnTo: string;
  readonly outcome: { readonly onboarding: Onboarding } | { readonly error: unknown };
};

export type SignIn = {
  /**
   * Where the browser goes to sign in at Meta.
   * @throws ChannelError LOGIN_NOT_CONFIGURED, RETURN_TO_NOT_ALLOWED.
   */
  begin(person: SignedInPerson, returnTo: string | undefined): Promise<URL>;
  /**
   * What the browser brought back. Everything that goes wrong after the state was recognised is part of the outcome.
   * @throws ChannelError INVALID_STATE: then Meta was not asked for anything.
   */
  finish(person: SignedInPerson, query: URLSearchParams): Promise<FinishedSignIn>;
  /** A code of Meta's popup. @throws ChannelError of what went wrong. */
  finishPopup(
    person: SignedInPerson,
    code: string,
    hints: { readonly wabaId: string | null; readonly phoneNumberId: string | null },
  ): Promise<Onboarding>;
};

/** @see https://www.rfc-editor.org/rfc/rfc9700#section-4.7.1 */
const STATE_LIFE_MS = 10 * 60_000;

export function createSignIn(deps: SignInDeps): SignIn {
  const { signIns, metaOauth, secretBox, onboard, newToken } = deps;

  return {
    async begin(person, wanted) {
      const { appId, redirectUri } = configured();
      const returnTo = returnPath(wanted, deps.returnPaths);
      const state = newToken();
      const pkceVerifier = metaOauth.usesPkce ? newToken() : null;
      const attempt = attemptOf(person, appId, state);
      await signIns.begin(
        {
          ...attempt,
          redirectUri,
          returnTo,
          pkceVerifierEnc: pkceVerifier === null ? null : secretBox.seal(pkceVerifier, verifierContext(attempt)),
        },
        STATE_LIFE_MS,
      );
      return metaOauth.authorizationUrl({ state, redirectUri, pkceVerifier });
    },

    async finish(person, query) {
      const { appId } = configured();
      const [state, ...more] = query.getAll("state");
      const started =
        state === undefined || more.length > 0 ? null : await signIns.take(attemptOf(person, appId, state));
      if (state === undefined || started === null) throw connectError("INVALID_STATE");
      const { returnTo, redirectUri, pkceVerifierEnc } = started;
      try {
        const granted = await metaOauth.redeem({
          redirectUri,
          query,
          state,
          pkceVerifier: pkceVerifierEnc === null ? null : secretBox.open(pkceVerifierEnc, verifierContext(started)),
        });
        const { customerConfigId, userId } = person;
        const hints = { wabaId: null, phoneNumberId: null };
        const onboarding = await onboard.begin({ customerConfigId, userId, flow: "redirect", granted, hints });
        return { returnTo, outcome: { onboarding } };
      } catch (error) {
        return { returnTo, outcome: { error } };
      }
    },

    async finishPopup({ customerConfigId, userId }, code, hints) {
      const granted = await metaOauth.redeemPopupCode(code);
      return onboard.begin({ customerConfigId, userId, flow: "popup", granted, hints });
    },
  };

  function configured(): { readonly appId: string; readonly redirectUri: string } {
    const { appId, redirectUri } = deps;
    if (appId === null || redirectUri === null) throw connectError("LOGIN_NOT_CONFIGURED", { retry: "fix" });
    return { appId, redirectUri };
  }
}

function attemptOf(
  { customerConfigId, userId, sessionId }: SignedInPerson,
  appId: string,
  state: string,
): SignInAttempt {
  return { customerConfigId, userId, appId, stateHash: sha256(state), sessionHash: sha256(sessionId) };
}

function verifierContext({ customerConfigId, stateHash }: SignInAttempt) {
  return { customerConfigId, rowId: stateHash, field: "pkce_verifier" };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
