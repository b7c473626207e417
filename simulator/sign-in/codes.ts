/** Authorization codes: given out once, redeemed once, and not for long. */
import { createHash } from "node:crypto";
import { type GraphAnswer, refuse } from "../graph-error.ts";
import { newCode } from "../ids.ts";
import type { NewToken } from "../tokens.ts";
import type { Challenge } from "./dialog-request.ts";

/** What a code stands for. */
export type Grant = {
  /** Null: given to a popup's opener, and redeemed without one. */
  readonly redirectUri: string | null;
  readonly challenge: Challenge | null;
  readonly lifeMs: number;
  readonly token: NewToken;
};

export type Codes = {
  issue(grant: Grant): string;
  /** The token that it stands for, or Meta's refusal. A refused code may be tried again. */
  redeem(attempt: {
    readonly code: string;
    readonly appId: string;
    readonly redirectUri: string | null;
    readonly verifier: string | null;
  }): { readonly token: NewToken } | GraphAnswer;
};

export function createCodes(now: () => Date): Codes {
  const issued = new Map<string, Grant & { readonly expiresAt: number; isUsed: boolean }>();
  return {
    issue(grant) {
      const code = newCode();
      issued.set(code, { ...grant, expiresAt: now().getTime() + grant.lifeMs, isUsed: false });
      return code;
    },
    redeem({ code, appId, redirectUri, verifier }) {
      const grant = issued.get(code);
      if (!grant) return refuse({ code: 100, message: "Invalid verification code format." });
      if (grant.token.appId !== appId)
        return refuse({
          code: 100,
          message: "Error validating verification code. The code was issued to another app.",
        });
      if (grant.isUsed) return refuse({ code: 100, subcode: 36009, message: "This authorization code has been used." });
      if (grant.expiresAt <= now().getTime())
        return refuse({ code: 100, subcode: 36007, message: "This authorization code has expired." });
      if (grant.redirectUri !== redirectUri)
        return refuse({
          code: 100,
          subcode: 36008,
          message:
            "Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the OAuth dialog request",
        });
      if (grant.challenge && !answers(grant.challenge, verifier))
        return refuse({ code: 100, message: "Invalid code_verifier: it does not match the code_challenge." });
      grant.isUsed = true;
      return { token: grant.token };
    },
  };
}

function answers({ value, isHashed }: Challenge, verifier: string | null): boolean {
  if (verifier === null) return false;
  return value === (isHashed ? createHash("sha256").update(verifier).digest("base64url") : verifier);
}
