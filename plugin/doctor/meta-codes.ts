/** Meta's codes that stop an account or a number, in our words: what it means and where to mend it. */

export type Meaning = { readonly says: string; readonly fix: string };

const MANAGER = "WhatsApp Manager (business.facebook.com/wa/manage)";
const PAYMENT: Meaning = {
  says: "the account has no valid payment method",
  fix: `In ${MANAGER}, open Payment settings of this account and add a payment method.`,
};
const RECONNECT: Meaning = {
  says: "Meta refuses the access token",
  fix: 'Press "Connect WhatsApp" again for this number.',
};
/** The token may be valid: these are asked about before a number stops. */
const PERMISSION: Meaning = {
  says: "the token lacks a permission for this number or account",
  fix: `In ${MANAGER}, look at what this number and its account may do. Then press "Connect WhatsApp" again and allow everything.`,
};

/**
 * @see https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
 * @see https://developers.facebook.com/docs/whatsapp/cloud-api/health-status
 */
const MEANINGS: Readonly<Record<number, Meaning>> = {
  0: RECONNECT,
  10: PERMISSION,
  190: RECONNECT,
  131005: PERMISSION,
  131042: PAYMENT,
  131044: PAYMENT,
  141006: PAYMENT,
  141010: {
    says: "the business is not verified",
    fix: "In Meta Business settings, Security Centre, start or finish business verification.",
  },
  368: {
    says: "the account is blocked for a violation of Meta's policies",
    fix: `In ${MANAGER}, open Account quality and ask for a review.`,
  },
  130497: {
    says: "the account may not write to people in that country",
    fix: "Read Meta's list of countries for your line of business; nothing can be set here.",
  },
  131031: {
    says: "the account is locked",
    fix: `In ${MANAGER}, open Account quality and ask for a review.`,
  },
  131037: {
    says: "the display name is not approved",
    fix: `In ${MANAGER}, open Phone numbers and have the display name approved.`,
  },
  131045: {
    says: "the number's registration is broken",
    fix: 'Register the number again: press "Connect WhatsApp" again.',
  },
  133010: {
    says: "the number is not registered with the Cloud API",
    fix: 'Register the number: press "Connect WhatsApp" again.',
  },
  133006: {
    says: "the number is not verified",
    fix: `In ${MANAGER}, open Phone numbers and verify the number by SMS or call.`,
  },
  131048: {
    says: "people have blocked or reported this number too often",
    fix: `In ${MANAGER}, look at the number's quality and write to fewer people who did not ask for it.`,
  },
};

/** The message or its recipient: nothing is wrong with the number. */
const OF_ONE_MESSAGE: Readonly<Record<number, Meaning>> = {
  100: {
    says: "Meta did not understand the message",
    fix: "Meta names it in the details of the part's error: under Messages on the integrations page, or in whatsapp_outbox.",
  },
  130429: { says: "too many messages a second", fix: "Nothing: they are tried again more slowly." },
  130472: { says: "the person takes part in an experiment of Meta's", fix: "Nothing: Meta shows them no marketing." },
  131008: {
    says: "a value is missing in the message",
    fix: "Meta names it in the details of the part's error: under Messages on the integrations page, or in whatsapp_outbox.",
  },
  131009: {
    says: "a value in the message is wrong",
    fix: "Meta names it in the details of the part's error: under Messages on the integrations page, or in whatsapp_outbox.",
  },
  131026: {
    says: "the person cannot be reached on WhatsApp",
    fix: "Nothing can be set here: they have no WhatsApp, or an old one.",
  },
  131030: {
    says: "a test number writes only to people on its list",
    fix: "In the Meta app, WhatsApp, API Setup, add the person to the list, or connect a number of your own.",
  },
  131047: {
    says: "the person has not written for 24 hours",
    fix: "Send an approved template instead, or set onWindowClosed.",
  },
  131049: { says: "Meta holds marketing back from this person", fix: "Send less marketing; never try the same again." },
  131050: { says: "the person wants no marketing", fix: "Nothing: they have said so in WhatsApp." },
  131053: { says: "Meta could not use the picture or file", fix: "Check its format and size against Meta's list." },
  131056: { says: "too many messages to one person", fix: "Nothing: they are tried again more slowly." },
  131064: {
    says: "Meta limits this account's templates, because some were filed in a wrong category",
    fix: `In ${MANAGER}, open Message templates and put them into the category that Meta names; then send anew.`,
  },
  132000: {
    says: "the template has another number of variables",
    fix: "Read the templates again, then fill them as listed.",
  },
  132001: {
    says: "the template does not exist in this language, or is not approved",
    fix: `In ${MANAGER}, open Message templates and look at its name, language and state.`,
  },
  132015: { says: "the template is paused", fix: `In ${MANAGER}, open Message templates and improve it.` },
  132069: {
    says: "Meta slows this Flow down, because its endpoint fails too often",
    fix: `In ${MANAGER}, open Flows and see what its endpoint answers; then send anew.`,
  },
  132016: { says: "the template is disabled", fix: `In ${MANAGER}, open Message templates and write a new one.` },
};

export function meaningOf(code: number): (Meaning & { readonly stopsNumber: boolean }) | null {
  const stops = MEANINGS[code] ?? (code >= 200 && code <= 299 ? PERMISSION : undefined);
  if (stops !== undefined) return { ...stops, stopsNumber: true };
  const one = OF_ONE_MESSAGE[code];
  return one === undefined ? null : { ...one, stopsNumber: false };
}

export function isPayment(code: number | null): boolean {
  return code !== null && MEANINGS[code] === PAYMENT;
}

/** Why a token died, by the subcode of 190. @see https://developers.facebook.com/docs/facebook-login/guides/access-tokens/debugging-and-error-handling */
const DEATHS: Readonly<Record<number, string>> = {
  458: "the app was removed from the business",
  459: "Meta wants the person to log in at facebook.com first",
  460: "the person's password was changed",
  463: "it has expired",
  464: "the person's account is not confirmed",
  467: "it was revoked",
  492: "the session behind it has ended",
};

export function whyDead(subcode: number | null | undefined): string | null {
  return DEATHS[subcode ?? -1] ?? null;
}
