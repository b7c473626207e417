/** Which token may do what, and whether a call proves that it knows the app secret. */
import { timingSafeEqual } from "node:crypto";
import { type GraphAnswer, refuse } from "./graph-error.ts";
import type { Settings } from "./options.ts";
import { appSecretProofOf } from "./sign.ts";

/** Why a token is dead, as Meta's subcode: 460 password changed, 463 expired, 467 invalid, 458 app removed. */
export type Revocation = { readonly subcode: number };

/** A token that was accepted. */
export type Access = {
  readonly accessToken: string;
  /** `APPID|SECRET`, which speaks for the app and sees no account. */
  readonly isApp: boolean;
  readonly wabaIds: ReadonlySet<string>;
};

export type Tokens = {
  /** Who is asking, or Meta's refusal. */
  authorize(call: { readonly accessToken: string | null; readonly proof: string | null }): Access | GraphAnswer;
  /** What is known of any token; null when Meta never gave it out. */
  inspect(accessToken: string): { readonly access: Access; readonly revocation: Revocation | null } | null;
  revoke(accessToken: string, revocation: Revocation): void;
  restore(accessToken: string): void;
};

type Known = { readonly access: Access; readonly proof: Buffer };

export function createTokens({ appId, appSecret, accessToken, numbers, requireAppSecretProof }: Settings): Tokens {
  const known = new Map<string, Known>();
  const revoked = new Map<string, Revocation>();
  const appToken = `${appId}|${appSecret}`;
  for (const token of new Set([accessToken, ...numbers.map((number) => number.accessToken ?? accessToken), appToken])) {
    const own = numbers.filter((number) => (number.accessToken ?? accessToken) === token);
    known.set(token, {
      access: { accessToken: token, isApp: token === appToken, wabaIds: new Set(own.map(({ wabaId }) => wabaId)) },
      // Once per token, not per call: the benchmark should measure the host.
      proof: Buffer.from(appSecretProofOf(token, appSecret)),
    });
  }

  return {
    authorize(call) {
      const found = call.accessToken === null ? undefined : known.get(call.accessToken);
      if (call.accessToken === null || !found) return refuse({ code: 190 });
      const revocation = revoked.get(call.accessToken);
      if (revocation) return refuse({ code: 190, subcode: revocation.subcode, message: REVOKED });
      if (call.proof === null)
        return requireAppSecretProof && !found.access.isApp ? refuse(PROOF_MISSING) : found.access;
      return isSame(Buffer.from(call.proof), found.proof) ? found.access : refuse(PROOF_WRONG);
    },
    inspect(token) {
      const found = known.get(token);
      return found ? { access: found.access, revocation: revoked.get(token) ?? null } : null;
    },
    revoke(token, revocation) {
      revoked.set(token, revocation);
    },
    restore(token) {
      revoked.delete(token);
    },
  };
}

const REVOKED = "Error validating access token: The session has been invalidated.";
const PROOF_MISSING = {
  code: 100,
  type: "GraphMethodException",
  message: "API calls from the server require an appsecret_proof argument",
};
const PROOF_WRONG = {
  code: 100,
  type: "GraphMethodException",
  message: "Invalid appsecret_proof provided in the API argument",
};

function isSame(given: Buffer, expected: Buffer): boolean {
  return given.length === expected.length && timingSafeEqual(given, expected);
}
