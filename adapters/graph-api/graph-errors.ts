/** Meta's error codes as one table: what each means for the request that met it. */
import type { MetaError } from "../../plugin/contract.ts";
import { isAppRefused, type Retry } from "../../plugin/errors.ts";
import type { PaceScope, Rejection } from "../../plugin/ports.ts";

type Rule = {
  readonly retry: Retry;
  readonly retryAfterMs?: number;
  /** Waits grow as 4^n seconds and concern one recipient only. */
  readonly perRecipient?: true;
  /** Whoever else must go slower: until the wait is over, or at half the pace when there is none. */
  readonly throttles?: PaceScope;
  readonly number?: Rejection["number"];
};

const BACKOFF: Rule = { retry: "backoff" };
const TROUBLE: Rule = { retry: "backoff", number: "trouble" };
const REAUTH: Rule = { retry: "reauth" };
const FIX: Rule = { retry: "fix" };
const BLOCKED: Rule = { retry: "fix", number: "blocked" };
const APP: Rule = { retry: "fix", number: "app" };
const NEVER: Rule = { retry: "never" };
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const after = (retryAfterMs: number, throttles?: PaceScope): Rule => ({
  retry: "after",
  retryAfterMs,
  ...(throttles && { throttles }),
});

/**
 * Only what differs from `never` needs a row; the others are here because a reader will look for them.
 * @see https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
 * @see https://developers.facebook.com/docs/graph-api/guides/error-handling
 */
const RULES: Readonly<Record<number, Rule>> = {
  // Authorization
  0: REAUTH, // cannot authenticate the app user
  10: REAUTH, // permission denied
  101: APP, // bad app key
  102: REAUTH, // session
  104: APP, // appsecret_proof
  190: REAUTH, // access token invalid, expired, revoked
  131005: REAUTH, // access denied
  3: FIX, // capability or permission for the method
  33: BLOCKED, // number deleted or not visible
  // Throttling
  4: after(MINUTE, "app"), // app
  17: after(MINUTE, "account"), // user: the token's, with all numbers of its account
  32: after(MINUTE, "account"), // page
  341: after(MINUTE, "app"), // app, temporary
  613: after(MINUTE, "account"), // custom
  80007: after(MINUTE, "account"), // WhatsApp Business Account
  80008: after(MINUTE, "account"), // management
  130429: { retry: "backoff", throttles: "number" }, // throughput of the number
  // Answers wait too: what is tried meanwhile is refused as well, and tells against the number.
  131048: after(HOUR, "number"), // spam rate limit of the number
  131056: { retry: "backoff", perRecipient: true }, // too many messages to one recipient
  131208: after(MINUTE, "number"), // groups
  133008: after(HOUR), // too many wrong PINs
  133009: after(HOUR), // PINs too fast
  133015: after(5 * MINUTE), // number deleted just now
  133016: after(72 * HOUR), // registrations
  // Meta's trouble
  1: TROUBLE, // unknown error
  2: TROUBLE, // service down
  131000: TROUBLE, // something went wrong
  131016: TROUBLE, // service unavailable
  131057: TROUBLE, // account in maintenance, up to a minute
  133004: TROUBLE, // server temporarily unavailable
  134101: after(10 * MINUTE), // template is syncing
  139103: BACKOFF, // block list
  // Account and configuration
  368: BLOCKED, // blocked for policy violations
  130497: FIX, // country not allowed
  131031: BLOCKED, // account locked
  131037: FIX, // display name not approved
  131042: FIX, // payment: answers within the window need none and leave all the same
  131044: FIX, // payment, calling
  131045: BLOCKED, // certificate
  131063: FIX, // marketing templates disabled on Cloud API
  // To wait for these would hold up the whole conversation for hours, answers to what the person writes too: decision 0047.
  131064: FIX, // templates limited, because some were filed in a wrong category
  132001: FIX, // template missing or not approved
  132015: FIX, // template paused
  132016: FIX, // template disabled
  132068: FIX, // flow blocked
  132069: FIX, // flow throttled: its endpoint fails too often (0047)
  133000: FIX, // deregistration incomplete
  133005: FIX, // PIN wrong
  133006: FIX, // number not verified
  133010: BLOCKED, // number not registered
  134011: FIX, // terms of payments not accepted
  134102: FIX, // template unavailable
  134103: FIX, // Marketing Messages API, account
  // The message or its recipient
  131047: { retry: "template" }, // outside the 24-hour window
  100: NEVER, // invalid parameter
  506: NEVER, // duplicate post
  803: NEVER, // unknown object
  1026: NEVER, // receiver incapable
  130403: NEVER, // we blocked this person
  130472: NEVER, // in a marketing experiment
  131008: NEVER, // parameter missing
  131009: NEVER, // parameter value invalid
  131014: NEVER, // media URL
  131020: NEVER, // group with a single member
  131021: NEVER, // sender is recipient
  131026: NEVER, // undeliverable
  131030: NEVER, // not in the allow-list of a test number
  131041: NEVER, // group unknown
  131049: NEVER, // marketing cap: trying again is penalised, and a day's wait would hold up the whole conversation
  131050: NEVER, // opted out of marketing
  131051: NEVER, // message type
  131052: NEVER, // media download
  131053: NEVER, // media upload
  131055: NEVER, // Marketing Messages API: marketing templates only
  131058: NEVER, // hello_world: public test numbers only
  131059: NEVER, // cursor stale: the list begins again, not this request
  131060: NEVER, // message unavailable, inbound
  131062: NEVER, // user id not supported for this message
  133012: NEVER, // registration, of earlier versions
  135000: NEVER, // bad parameters
  137000: NEVER, // identity key mismatch
  // Templates
  132000: NEVER, // number of parameters
  132005: NEVER, // filled-in text too long
  132007: NEVER, // content policy
  132008: NEVER, // parameter value
  132012: NEVER, // parameter format
  2494100: NEVER, // migration
  132018: NEVER, // parameters, with a diagnosis
  134100: NEVER, // Marketing Messages API: not a marketing template
  192: NEVER, // template management, of no more precise code
};

/** What a code without a row of its own belongs to. */
const FAMILIES: readonly { readonly from: number; readonly to: number; readonly rule: Rule }[] = [
  { from: 200, to: 299, rule: REAUTH }, // permission missing
  { from: 131201, to: 131215, rule: NEVER }, // groups
  { from: 138000, to: 138018, rule: NEVER }, // calling
  { from: 139000, to: 139004, rule: NEVER }, // flows
  { from: 139100, to: 139102, rule: NEVER }, // block list
  { from: 147001, to: 147005, rule: NEVER }, // usernames
  { from: 2388001, to: 2388299, rule: NEVER }, // template management and migration
  { from: 2593107, to: 2593109, rule: NEVER }, // history of a number that is shared with the app
];

/** @param retryAfterMs what Meta asks for in this answer; the table's own wait is never shortened by it. */
export function toRejection(error: MetaError, isTransient: boolean, retryAfterMs: number | null): Rejection {
  const rule = ruleFor(error, isTransient);
  const waits = [retryAfterMs, rule.retryAfterMs ?? null].filter((wait) => wait !== null);
  return {
    meta: error,
    retry: rule.retry,
    retryAfterMs: waits.length === 0 ? null : Math.max(...waits),
    perRecipient: rule.perRecipient ?? false,
    ...(rule.throttles !== undefined && { throttles: rule.throttles }),
    ...(rule.number !== undefined && { number: rule.number }),
    message: rule === APP ? APP_REFUSED : SENTENCES[rule.retry],
  };
}

/** A number that is gone or not visible comes as an invalid parameter with this subcode. */
const NOT_VISIBLE = 33;

function ruleFor(meta: MetaError, isTransient: boolean): Rule {
  const { code, subcode } = meta;
  if (isAppRefused(meta)) return APP;
  if (code === 100 && subcode === NOT_VISIBLE) return BLOCKED;
  const known = RULES[code] ?? FAMILIES.find(({ from, to }) => code >= from && code <= to)?.rule ?? NEVER;
  // Meta's own word that the same request may pass later; it cannot revive a token, open a window or lift a block.
  const mayPass = known.retry === "never" || (known.retry === "fix" && known.number === undefined);
  return isTransient && mayPass ? BACKOFF : known;
}

const APP_REFUSED =
  "Meta does not take this app's secret for this token: the first of META_APP_SECRET must be what the Meta app shows (Settings, Basic), and the token must be of that app.";

/** Ours, because Meta's sentences may quote the recipient's number. */
const SENTENCES: Readonly<Record<Retry, string>> = {
  never: "Meta refused the message.",
  backoff: "Meta is busy or throttles this recipient or number.",
  after: "Meta throttles this number, account or app.",
  reauth: "Meta refuses the access token: reconnect the number.",
  template: "The 24-hour window is closed: only a template may be sent.",
  fix: "Meta refuses sends of this account or template until it is put right in WhatsApp Manager.",
};
