/** A number's access token: whether it opens, whose it is, what it may do, and how long. */
import { MEANS } from "../connect/judge-token.ts";
import type { TokenFacts } from "../ports.ts";
import { type DoctorFacts, judge, type NumberFacts, notAsked } from "./facts.ts";
import { ok, problem, type Verdict, warning } from "./finding.ts";
import { whyDead } from "./meta-codes.ts";
import { days, list, span } from "./say.ts";

const RECONNECT = 'Press "Connect WhatsApp" again for this number.';
const SOON_DAYS = 14;
/** Ten days before its end a system user's token is renewed: what has a day less was not. */
const RENEWED_DAYS = 9;

const NEEDED = [
  { means: MEANS.manage, meaning: "look after accounts and numbers", scope: "whatsapp_business_management" },
  { means: MEANS.message, meaning: "send and receive messages", scope: "whatsapp_business_messaging" },
];

export function judgeToken(facts: DoctorFacts, { number, sealed, token, health }: NumberFacts): Verdict {
  if (sealed.state === "missing") return problem("None is stored.", RECONNECT);
  if (sealed.state === "shut")
    return problem(
      sealed.why,
      "Put the key that sealed it back into WHATSAPP_TOKEN_KEYS; if it is lost, connect the number again.",
    );
  const refused = "failed" in health && health.reauth === true ? health : null;
  if (refused !== null || ("known" in token && !token.known.isValid)) {
    const why = whyDead(refused?.subcode);
    return problem(`Meta refuses it${why === null ? "" : `: ${why}`}.`, RECONNECT);
  }
  if ("known" in token) return judgeGrants(token.known, number.wabaId, facts.configuration.settings?.appId ?? null);
  if ("skipped" in token && token.skipped === "configuration" && "known" in health)
    return warning(
      "Meta accepts it. Whose it is and what it may do cannot be asked without META_APP_ID.",
      "Set META_APP_ID (Meta app, Settings, Basic).",
    );
  return judge(token, () => ok("Valid."));
}

function judgeGrants(token: TokenFacts, wabaId: string, appId: string | null): Verdict {
  if (appId !== null && token.appId !== null && token.appId !== appId)
    return problem(
      `It was given to another app (${token.appId}), not to META_APP_ID (${appId}).`,
      `${RECONNECT} Tokens from another app's dashboard do not work here.`,
    );
  const scopes = [...token.scopes, ...token.granted.map(({ scope }) => scope)];
  const missing = NEEDED.filter(({ means }) => !scopes.some((scope) => means.test(scope)));
  if (missing.length > 0)
    return problem(
      `It may not ${list(missing.map(({ meaning }) => meaning))}: ${list(missing.map(({ scope }) => scope))} ${wereOrWas(missing)} not granted.`,
      `${RECONNECT} Leave every box of Meta's dialog ticked. (A system user's token: generate it again with both permissions.)`,
    );
  const elsewhere = token.granted.filter(
    ({ scope, ids }) => NEEDED.some(({ means }) => means.test(scope)) && ids !== null && !ids.includes(wabaId),
  );
  if (elsewhere.length > 0)
    return problem(
      `${list(elsewhere.map(({ scope }) => scope))} ${wereOrWas(elsewhere)} granted for other accounts than ${wabaId}.`,
      `${RECONNECT} Choose this account in Meta's dialog. (A system user: assign the account to it in Business settings.)`,
    );
  return ok("Valid, of this app, with both permissions for this account.");
}

export function judgeExpiry({ at }: DoctorFacts, { sealed, token }: NumberFacts): Verdict {
  if (sealed.state !== "opens") return notAsked("token");
  return judge(token, ({ isValid, type, expiresAt, dataAccessExpiresAt }) => {
    if (!isValid) return notAsked("token");
    const ends = [
      { what: "The token", when: expiresAt },
      { what: "Its access to data", when: dataAccessExpiresAt },
    ].filter((end): end is { readonly what: string; readonly when: Date } => end.when !== null);
    const [first] = ends.toSorted((one, other) => one.when.getTime() - other.when.getTime());
    if (first === undefined) return ok("Never ends.");
    const left = first.when.getTime() - at.getTime();
    if (left <= 0) return problem(`${first.what} ended on ${day(first.when)}.`, RECONNECT);
    if (type === "SYSTEM_USER") {
      const ending = `${first.what} ends in ${span(left)}, on ${day(first.when)}`;
      return days(at, first.when) < RENEWED_DAYS
        ? warning(
            `${ending}, and has not been renewed, which is tried every six hours.`,
            `Look in the log for "a token could not be renewed". ${RECONNECT}`,
          )
        : ok(`${first.what} ends on ${day(first.when)}; it is renewed by itself from ten days before.`);
    }
    if (days(at, first.when) < SOON_DAYS)
      return warning(
        `${first.what} ends in ${span(left)}, on ${day(first.when)}.`,
        `${RECONNECT} A system user's token never ends.`,
      );
    return ok(`${first.what} ends on ${day(first.when)}.`);
  });
}

function wereOrWas({ length }: readonly unknown[]): string {
  return length === 1 ? "was" : "were";
}

function day(when: Date): string {
  return when.toISOString().slice(0, 10);
}
