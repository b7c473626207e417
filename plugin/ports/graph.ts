/** Meta's Graph API and its login, as far as the channel uses them. */
import type { MetaError } from "../contract.ts";
import type { Retry } from "../errors.ts";
import type { ByteStream } from "./media.ts";
import type { GraphEndpoint } from "./outbox.ts";
import type { PaceScope } from "./pace.ts";
import type { ListedTemplate, TemplateDraft } from "./templates.ts";

/** The outcome of one POST to Graph, as far as it can be known. */
export type PostOutcome = (
  | { readonly kind: "accepted"; readonly messageId: string }
  /** Certainly not accepted: Meta said so, or not a byte of it left. */
  | { readonly kind: "rejected"; readonly rejection: Rejection }
  /** The bytes left and no usable answer came. */
  | { readonly kind: "ambiguous"; readonly reason: string }
) & {
  /** Budgets that are nearly spent, as the answer's headers say. */
  readonly spent?: readonly SpentBudget[];
};

export type SpentBudget = { readonly scope: "app" | "account"; readonly forMs: number };

export type Rejection = {
  readonly meta: MetaError | null;
  readonly retry: Retry;
  /** How long Meta wants us to wait at least; null when it does not say. */
  readonly retryAfterMs: number | null;
  /** Waiting grows as 4^n seconds for this one recipient (131056). */
  readonly perRecipient: boolean;
  /** Whoever else must go slower now. */
  readonly throttles?: PaceScope;
  /**
   * It says something of the whole number: `blocked` until it is put right, `trouble` when it comes in a row, `app` of every number
   * until the app secret is right.
   */
  readonly number?: "blocked" | "trouble" | "app";
  readonly message: string;
};

export type GraphApi = {
  postMessage(call: {
    readonly phoneNumberId: string;
    readonly accessToken: string;
    /** `marketing_messages`: the Marketing Messages API, which takes marketing templates only. */
    readonly endpoint: GraphEndpoint;
    readonly body: Readonly<Record<string, unknown>>;
  }): Promise<PostOutcome>;
  /**
   * Marks a message that a person sent, and all before it, as read. With `typing` the person sees for 25 seconds, or
   * until the next message, that an answer is being written; the same call again makes it last. Safe to repeat.
   * @throws ChannelError GRAPH_REJECTED, GRAPH_UNREACHABLE.
   */
  markRead(call: {
    readonly phoneNumberId: string;
    readonly accessToken: string;
    /** The wamid, at most 30 days old. */
    readonly messageId: string;
    readonly typing: boolean;
  }): Promise<void>;
  /**
   * Gives Meta a file, streamed. Safe to repeat: the copies are different ids.
   * @param size exactly how many bytes come.
   * @returns Meta's id of it: for this number only, for 30 days.
   * @throws ChannelError GRAPH_REJECTED, GRAPH_UNREACHABLE, and what the bytes throw.
   * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media
   */
  uploadMedia(call: {
    readonly phoneNumberId: string;
    readonly accessToken: string;
    readonly mime: string;
    readonly size: number;
    readonly bytes: ByteStream;
  }): Promise<string>;
  /**
   * Gives Meta the sample of a template's header, and goes on where it was interrupted.
   * @param from the bytes from this one on; asked again after an interruption.
   * @returns the handle for `example.header_handle`, to be kept as it is.
   * @throws ChannelError GRAPH_REJECTED, GRAPH_UNREACHABLE, and what the bytes throw.
   * @see https://developers.facebook.com/docs/graph-api/guides/upload
   */
  uploadSample(call: {
    readonly appId: string;
    readonly accessToken: string;
    readonly filename: string;
    readonly mime: string;
    readonly size: number;
    readonly from: (offset: number) => ByteStream;
  }): Promise<string>;
  phoneNumber(call: { readonly phoneNumberId: string; readonly accessToken: string }): Promise<{
    readonly displayPhoneNumber: string;
    readonly verifiedName: string | null;
    readonly qualityRating: string | null;
    /** `STANDARD`, `HIGH`, `NOT_APPLICABLE`. @see https://developers.facebook.com/docs/whatsapp/cloud-api/overview#throughput */
    readonly throughputLevel: string | null;
    /** Also used in the WhatsApp Business app; null where Meta does not say. */
    readonly isOnBusinessApp: boolean | null;
  }>;
  /** The ids of the numbers in a WhatsApp Business Account. */
  numbersOf(call: { readonly wabaId: string; readonly accessToken: string }): Promise<readonly string[]>;
  /**
   * Every template of a WhatsApp Business Account, in every language and state.
   * @throws ChannelError GRAPH_REJECTED, GRAPH_UNREACHABLE.
   */
  templatesOf(call: { readonly wabaId: string; readonly accessToken: string }): Promise<readonly ListedTemplate[]>;
  /**
   * Gives Meta a template to review.
   * @throws ChannelError GRAPH_REJECTED with Meta's own words in `meta`, GRAPH_UNREACHABLE when nothing has left, GRAPH_AMBIGUOUS when it may be done.
   * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-management
   */
  createTemplate(call: {
    readonly wabaId: string;
    readonly accessToken: string;
    readonly draft: TemplateDraft;
  }): Promise<{ readonly templateId: string; readonly status: string; readonly category: string }>;
  /** All components take the place of those before; Meta reviews it again. @throws as {@link GraphApi.createTemplate}. */
  editTemplate(call: {
    readonly templateId: string;
    readonly accessToken: string;
    readonly components: readonly unknown[];
    readonly category: string | null;
  }): Promise<void>;
  /** In one language. @throws as {@link GraphApi.createTemplate}. */
  deleteTemplate(call: {
    readonly wabaId: string;
    readonly accessToken: string;
    readonly templateId: string;
    readonly name: string;
  }): Promise<void>;
  close(): void;
};

/** What a code is exchanged for. */
export type GrantedToken = {
  readonly accessToken: string;
  /** Seconds; null: as long as nobody takes it back, or Meta does not say. */
  readonly lifeSeconds: number | null;
};

/**
 * Meta's login. Every method throws ChannelError: LOGIN_NOT_CONFIGURED, ACCESS_DENIED, DIALOG_FAILED,
 * INVALID_REDIRECT_URI, CODE_REFUSED, GRAPH_UNREACHABLE.
 */
export type MetaOauth = {
  /** Whether codes are bound to us by a verifier. */
  readonly usesPkce: boolean;
  /** Where the browser goes. */
  authorizationUrl(request: {
    readonly state: string;
    readonly redirectUri: string;
    readonly pkceVerifier: string | null;
  }): Promise<URL>;
  /** The code in a callback's query → a token. @param redirectUri the same as in the dialog, to the byte. */
  redeem(callback: {
    readonly redirectUri: string;
    readonly query: URLSearchParams;
    readonly state: string;
    readonly pkceVerifier: string | null;
  }): Promise<GrantedToken>;
  /** A code of Meta's popup, within 30 seconds. */
  redeemPopupCode(code: string): Promise<GrantedToken>;
  /** A token → one with about 60 days to live. @param type as {@link TokenFacts}. */
  extend(accessToken: string, type: string | null): Promise<GrantedToken>;
};

/** Meta's accounts, numbers and tokens. Every call throws ChannelError GRAPH_REJECTED or GRAPH_UNREACHABLE. */
export type MetaAccounts = {
  /** What Meta says of a token; asked with the app's own. @see https://developers.facebook.com/docs/graph-api/reference/debug_token */
  inspectToken(accessToken: string): Promise<TokenFacts>;
  /** The accounts in every portfolio that this token sees, its own and its clients'. */
  accountsOf(accessToken: string): Promise<readonly string[]>;
  account(call: { readonly wabaId: string; readonly accessToken: string }): Promise<{ readonly name: string | null }>;
  numbersOf(call: { readonly wabaId: string; readonly accessToken: string }): Promise<readonly AccountNumber[]>;
  /** Sends the account's webhooks to this app. Safe to repeat. */
  subscribe(call: { readonly wabaId: string; readonly accessToken: string }): Promise<void>;
  /** Stops them, for this app only. */
  unsubscribe(call: { readonly wabaId: string; readonly accessToken: string }): Promise<void>;
  /** Makes a number usable with the Cloud API. Never for one that is used in the WhatsApp Business app. */
  register(call: { readonly phoneNumberId: string; readonly accessToken: string; readonly pin: string }): Promise<void>;
  /** Asks for what the WhatsApp Business app has; Meta grants each once, within a day of connecting. */
  requestSync(call: {
    readonly phoneNumberId: string;
    readonly accessToken: string;
    readonly what: "contacts" | "history";
  }): Promise<void>;
  /** What people see of the business: about, address, description, email, websites, vertical. */
  profile(call: {
    readonly phoneNumberId: string;
    readonly accessToken: string;
  }): Promise<Readonly<Record<string, unknown>>>;
};

export type TokenFacts = {
  readonly isValid: boolean;
  readonly appId: string | null;
  /** `SYSTEM_USER` (which a business grants), `USER`, `APP`, … */
  readonly type: string | null;
  /** Whom it was given to: the user id in Meta's callbacks. */
  readonly metaUserId: string | null;
  readonly issuedAt: Date | null;
  /** Null: never. */
  readonly expiresAt: Date | null;
  readonly dataAccessExpiresAt: Date | null;
  readonly scopes: readonly string[];
  /** The accounts for which each scope was granted; null: all of them. */
  readonly granted: readonly { readonly scope: string; readonly ids: readonly string[] | null }[];
};

/** A number as its account lists it. */
export type AccountNumber = {
  readonly phoneNumberId: string;
  /** As Meta shows it, e.g. `+1 555-777-0100`. */
  readonly displayPhoneNumber: string;
  readonly verifiedName: string | null;
  readonly qualityRating: string | null;
  /** `VERIFIED`, `NOT_VERIFIED`, `EXPIRED`. */
  readonly codeVerificationStatus: string | null;
  /** It can send already. */
  readonly isRegistered: boolean;
  /** Also used in the WhatsApp Business app. */
  readonly isOnBusinessApp: boolean;
  /** `STANDARD`, `HIGH`, `NOT_APPLICABLE`; null when Meta does not say. */
  readonly throughputLevel?: string | null;
};
