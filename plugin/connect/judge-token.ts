/** What Meta says of a token → the accounts that it may be used for, or why it may not be used at all. */
import { connectError } from "../errors.ts";
import type { TokenFacts } from "../ports.ts";

/** By what they allow: Meta has renamed permissions before. @see https://developers.facebook.com/docs/permissions */
export const MEANS = {
  manage: /^whatsapp_.*manage(?:ment)?$/,
  message: /^whatsapp_.*messag(?:ing|es?)$/,
};

/**
 * @returns the accounts for which both permissions were granted; null: all that the token sees.
 * @throws ChannelError TOKEN_REFUSED, SCOPES_MISSING.
 */
export function judgeToken(facts: TokenFacts, appId: string): readonly string[] | null {
  if (!facts.isValid) throw connectError("TOKEN_REFUSED");
  if (facts.appId !== appId) throw connectError("TOKEN_REFUSED");
  const scopes = [...facts.scopes, ...facts.granted.map(({ scope }) => scope)];
  if (!Object.values(MEANS).every((means) => scopes.some((scope) => means.test(scope))))
    throw connectError("SCOPES_MISSING");
  const manage = grantedFor(facts, MEANS.manage);
  const message = grantedFor(facts, MEANS.message);
  if (manage === null || message === null) return manage ?? message;
  return manage.filter((id) => message.includes(id));
}

/** Null: all. */
function grantedFor({ granted }: TokenFacts, means: RegExp): readonly string[] | null {
  const about = granted.filter(({ scope }) => means.test(scope));
  if (about.length === 0 || about.some(({ ids }) => ids === null)) return null;
  return about.flatMap(({ ids }) => ids ?? []);
}
