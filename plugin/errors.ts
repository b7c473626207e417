/** ChannelError: the one error that leaves the plugin, with a stable code and what to do about it. */
import { SENTENCES } from "../ui/sentences.js";
import type { MetaError } from "./contract.ts";
import type { Rejection } from "./ports.ts";

/** Every code, with the HTTP status our routes answer it with. `docs/errors.md` has a heading for each. */
export const ERROR_STATUS = {
  CONFIG_INVALID: 500,
  SIGNATURE_INVALID: 401,
  RAW_BODY_MISSING: 500,
  BODY_TOO_LARGE: 413,
  BODY_INCOMPLETE: 400,
  ENCODING_UNSUPPORTED: 415,
  HANDSHAKE_REFUSED: 403,
  STORE_UNAVAILABLE: 503,
  MIGRATIONS_PENDING: 503,
  OVERLOADED: 503,
  NOT_AUTHENTICATED: 403,
  NOT_PERMITTED: 403,
  REQUEST_INVALID: 400,
  CONVERSATION_UNKNOWN: 404,
  SEND_UNKNOWN: 404,
  WEBHOOK_UNKNOWN: 404,
  MESSAGE_UNKNOWN: 404,
  WINDOW_CLOSED: 409,
  OPTED_OUT: 409,
  IDEMPOTENCY_CONFLICT: 409,
  RESPONSE_EMPTY: 400,
  MESSAGE_INVALID: 400,
  TEMPLATE_INVALID: 409,
  TEMPLATE_DRAFT_INVALID: 400,
  TEMPLATE_UNKNOWN: 404,
  TEMPLATE_LOCKED: 409,
  CONNECTION_CONFLICT: 409,
  CONNECTION_MISSING: 409,
  NUMBER_UNKNOWN: 404,
  ERASURE_UNKNOWN: 404,
  NUMBER_NOT_IN_WABA: 400,
  LOGIN_NOT_CONFIGURED: 500,
  RETURN_TO_NOT_ALLOWED: 400,
  INVALID_STATE: 403,
  ACCESS_DENIED: 403,
  INVALID_REDIRECT_URI: 500,
  DIALOG_FAILED: 502,
  CODE_REFUSED: 400,
  TOKEN_REFUSED: 403,
  SCOPES_MISSING: 403,
  NO_BUSINESS_ACCOUNTS: 409,
  NO_PHONE_NUMBERS: 409,
  ACCOUNT_NOT_GRANTED: 403,
  PIN_REQUIRED: 409,
  NUMBER_NOT_VERIFIED: 409,
  ONBOARDING_MISSING: 404,
  ONBOARDING_REPLACED: 409,
  MEDIA_STORE_FULL: 507,
  MEDIA_STORE_UNAVAILABLE: 503,
  MEDIA_QUOTA_EXCEEDED: 413,
  MEDIA_TOO_LARGE: 413,
  MEDIA_TYPE_UNSUPPORTED: 415,
  MEDIA_NOT_FOUND: 404,
  MEDIA_PENDING: 404,
  MEDIA_EXPIRED: 404,
  SIGNED_REQUEST_INVALID: 401,
  SECRET_UNREADABLE: 500,
  HOST_TABLE_INCOMPATIBLE: 500,
  CHAT_API_FAILED: 502,
  MEDIA_URL_REFUSED: 400,
  MEDIA_FETCH_FAILED: 502,
  GRAPH_REJECTED: 502,
  GRAPH_AMBIGUOUS: 502,
  GRAPH_UNREACHABLE: 502,
} as const;

/** The stable names of our errors: a caller decides by these, never by the message. */
export type ErrorCode = keyof typeof ERROR_STATUS;

/**
 * What a caller may do about it. `never`: the same request fails again. `backoff`: try again later, the request was not
 * carried out. `after`: the same, not before `retryAfterMs`. `reauth`: the token is dead, reconnect. `template`: only a
 * template may be sent. `fix`: change the configuration or the account first.
 */
export type Retry = "never" | "backoff" | "after" | "reauth" | "template" | "fix";

/** One thing that is wrong with a message or template. */
export type Problem = {
  /** The failing field, in our shape: `buttons[3].title`; empty for the message as a whole. */
  readonly path: string;
  /** What is wrong with it, to be read after the path. Never quotes the value. */
  readonly problem: string;
  /** The limit that it passed, in the unit of the field or of `problem`; null where there is none. */
  readonly limit: number | null;
  /** What to do. */
  readonly fix: string;
};

/** What a {@link ChannelError} knows beside its code and its sentence. */
export type ChannelErrorOptions = {
  readonly retry?: Retry;
  readonly retryAfterMs?: number;
  readonly meta?: MetaError;
  readonly problems?: readonly Problem[];
  readonly cause?: unknown;
};

/** `message` says what to do and never holds a secret, a phone number or message text. */
export class ChannelError extends Error {
  override readonly name = "ChannelError";
  readonly code: ErrorCode;
  readonly retry: Retry;
  readonly retryAfterMs: number | undefined;
  readonly meta: MetaError | undefined;
  /** Of a message or template that does not fit: each thing that is wrong, with its place. */
  readonly problems: readonly Problem[] | undefined;

  constructor(code: ErrorCode, message: string, options: ChannelErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retry = options.retry ?? "never";
    this.retryAfterMs = options.retryAfterMs;
    this.meta = options.meta;
    this.problems = options.problems;
  }
}

/**
 * Meta does not take our proof of the app secret, or not the app itself: a token that has worked is not to blame, nor is the request, and
 * nothing is carried out for any number until the configuration is right. With code 100 only the sentence tells.
 * @see https://developers.facebook.com/docs/graph-api/guides/secure-requests
 */
export function isAppRefused(meta: MetaError | null | undefined): boolean {
  return meta?.code === 101 || meta?.code === 104 || (meta?.code === 100 && /appsecret_proof/.test(meta.details ?? ""));
}

/** Nothing could be stored or read as this version does it. */
export function migrationsPending(missing: readonly string[]): ChannelError {
  return new ChannelError(
    "MIGRATIONS_PENDING",
    `The database is behind this version (${missing.join(", ")}): run \`npx whatsapp-channel migrate\`, or call migrate() before start().`,
    { retry: "fix" },
  );
}

/** The cause of a GRAPH_UNREACHABLE of which not a byte left: it says nothing of what was to be done. */
export class NothingLeft extends Error {
  override readonly name = "NothingLeft";
}

/** The cause of a GRAPH_REJECTED: what Meta's answer says of the number, its account and the app. */
export class RefusedByMeta extends Error {
  override readonly name = "RefusedByMeta";
  readonly rejection: Rejection;

  constructor(rejection: Rejection) {
    super(rejection.message);
    this.rejection = rejection;
  }
}

/** Said before a file is taken in, and again when it is counted. */
export function quotaExceeded(quotaBytes: number): ChannelError {
  return new ChannelError(
    "MEDIA_QUOTA_EXCEEDED",
    `This tenant's media would take more than ${quotaBytes} bytes: raise mediaQuotaBytes, or keep media for fewer days (retention.mediaDays).`,
    { retry: "fix" },
  );
}

/** The codes whose sentence the Connect button's page shows as well. */
type ConnectCode = Extract<ErrorCode, Uppercase<keyof typeof SENTENCES>>;

/** An error of connecting, in the words that the person at the button reads. */
export function connectError(code: ConnectCode, options: ChannelErrorOptions = {}): ChannelError {
  return new ChannelError(code, SENTENCES[code.toLowerCase() as Lowercase<ConnectCode>], options);
}

/** A class or code, never a message: those of a database or a host may quote what people wrote. */
export function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const code = (error as { code?: unknown }).code;
  return typeof code === "string" ? `${error.name} ${code}` : error.name;
}
