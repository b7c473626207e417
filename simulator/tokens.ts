/** Which token may do what, until when, and whether a call proves that it knows the app secret. */
import { timingSafeEqual } from "node:crypto";
import { type GraphAnswer, refuse } from "./graph-error.ts";
import { newAccessToken } from "./ids.ts";
import type { Settings } from "./options.ts";
import { appSecretProofOf } from "./sign.ts";

/** Why a token is dead, as Meta's subcode: 460 password changed, 463 expired, 467 invalid, 458 app removed. */
export type Revocation = { readonly subcode: number };

/** A token that was accepted. */
export type Access = {
  readonly accessToken: string;
  readonly appId: string;
  readonly type: "APP" | "SYSTEM_USER" | "USER";
  /** `APPID|SECRET`, which speaks for the app and sees no account. */
  readonly isApp: boolean;
  /** Given out while the simulator runs, and not by its options. */
  readonly isIssued: boolean;
  readonly wabaIds: Set<string>;
  readonly scopes: Set<string>;
  readonly userId: string;
  readonly userName: string;
  readonly issuedAt: Date;
  /** Null: never. */
  readonly expiresAt: Date | null;
  /** `debug_token` does not list the accounts, which means all of them. */
  readonly omitsTargetIds: boolean;
};

/** What a new token is to be. */
export type NewToken = {
  readonly appId: string;
  readonly type: "SYSTEM_USER" | "USER";
  readonly wabaIds: Iterable<string>;
  readonly scopes: Iterable<string>;
  readonly userId: string;
  readonly userName: string;
  readonly expiresInSeconds: number | null;
  readonly omitsTargetIds: boolean;
};

export type Tokens = {
  /** Who is asking, or Meta's refusal. */
  authorize(call: { readonly accessToken: string | null; readonly proof: string | null }): Access | GraphAnswer;
  /** What is known of any token; null when Meta never gave it out. */
  inspect(accessToken: string): { readonly access: Access; readonly revocation: Revocation | null } | null;
  issue(token: NewToken): Access;
  revoke(accessToken: string, revocation: Revocation): void;
  /** Every token that this user has given this app. */
  revokeUser(user: { readonly appId: string; readonly userId: string }, revocation: Revocation): void;
  /** Every token that sees this account. */
  seeing(wabaId: string): readonly Access[];
  restore(accessToken: string): void;
};

/** The app was removed by whom the token speaks for. */
export const APP_REMOVED: Revocation = { subcode: 458 };
/** The scopes of a business token. */
export const WHATSAPP_SCOPES = ["whatsapp_business_management", "whatsapp_business_messaging"] as const;
/** The user of the tokens that the options name. */
const OPERATOR = { userId: "104000000000001", userName: "Simulated system user" };
const CONFIGURED_AT = new Date(1_767_225_600_000);

type Known = { readonly access: Access; readonly proof: Buffer | null };

export function createTokens({ appId, appSecret, accessToken, numbers, requireAppSecretProof, now }: Settings): Tokens {
  const known = new Map<string, Known>();
  const revoked = new Map<string, Revocation>();
  const appToken = `${appId}|${appSecret}`;
  for (const token of new Set([accessToken, ...numbers.map((number) => number.accessToken ?? accessToken), appToken])) {
    const own = numbers.filter((number) => (number.accessToken ?? accessToken) === token);
    remember({
      ...OPERATOR,
      accessToken: token,
      appId,
      type: token === appToken ? "APP" : "SYSTEM_USER",
      isApp: token === appToken,
      isIssued: false,
      wabaIds: new Set(own.map(({ wabaId }) => wabaId)),
      scopes: new Set(WHATSAPP_SCOPES),
      issuedAt: CONFIGURED_AT,
      expiresAt: null,
      omitsTargetIds: false,
    });
  }

  function remember(access: Access): void {
    known.set(access.accessToken, {
      access,
      // Once per token, not per call: the benchmark should measure the host. Another app's secret is nobody's to know.
      proof: access.appId === appId ? Buffer.from(appSecretProofOf(access.accessToken, appSecret)) : null,
    });
  }

  function revocationOf({ accessToken: token, expiresAt }: Access): Revocation | null {
    const hasExpired = expiresAt !== null && expiresAt.getTime() <= now().getTime();
    return revoked.get(token) ?? (hasExpired ? { subcode: EXPIRED } : null);
  }

  return {
    authorize(call) {
      const found = call.accessToken === null ? undefined : known.get(call.accessToken);
      if (!found) return refuse({ code: 190 });
      const revocation = revocationOf(found.access);
      if (revocation) return refuse({ code: 190, subcode: revocation.subcode, message: messageOf(revocation) });
      if (call.proof === null)
        return requireAppSecretProof && !found.access.isApp && found.proof !== null
          ? refuse(PROOF_MISSING)
          : found.access;
      const isProven = found.proof !== null && isSame(Buffer.from(call.proof), found.proof);
      return isProven ? found.access : refuse(PROOF_WRONG);
    },
    inspect(token) {
      const found = known.get(token);
      return found ? { access: found.access, revocation: revocationOf(found.access) } : null;
    },
    issue({ wabaIds, scopes, expiresInSeconds, ...rest }) {
      const access: Access = {
        ...rest,
        accessToken: newAccessToken(),
        isApp: false,
        isIssued: true,
        wabaIds: new Set(wabaIds),
        scopes: new Set(scopes),
        issuedAt: new Date(now()),
        expiresAt: expiresInSeconds === null ? null : new Date(now().getTime() + expiresInSeconds * 1000),
      };
      remember(access);
      return access;
    },
    revoke(token, revocation) {
      revoked.set(token, revocation);
    },
    revokeUser(user, revocation) {
      for (const [token, { access }] of known)
        if (!access.isApp && access.appId === user.appId && access.userId === user.userId)
          revoked.set(token, revocation);
    },
    seeing: (wabaId) => [...known.values()].map(({ access }) => access).filter(({ wabaIds }) => wabaIds.has(wabaId)),
    restore(token) {
      revoked.delete(token);
    },
  };
}

const EXPIRED = 463;

export function messageOf({ subcode }: Revocation): string {
  const reason = subcode === EXPIRED ? "Session has expired." : "The session has been invalidated.";
  return `Error validating access token: ${reason}`;
}

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
