/** Signing in without a browser: what the person decides becomes a code, an error or a token. */
import type { AccountBook } from "../accounts/account-book.ts";
import type { NewToken, Tokens } from "../tokens.ts";
import { WHATSAPP_SCOPES } from "../tokens.ts";
import type { Codes } from "./codes.ts";
import { checkDialog, type DialogRequest } from "./dialog-request.ts";
import type { LoginOptions, LoginSettings } from "./login-options.ts";

/** What the person does in the dialog. */
export type LoginDecision =
  /** Continue, with these accounts or with all. */
  | { readonly grant?: readonly string[] }
  | { readonly cancel: true }
  /** Meta gives up, and says so with `error_code` and `error_message`. */
  | { readonly error: { readonly code: number; readonly message: string } };

/** Meta's dialog, without a browser. */
export type Login = {
  /** From now on; what is not named stays. */
  set(options: LoginOptions): void;
  /** Where the browser is sent when the person decides. Throws where Meta shows an error page and sends it nowhere. */
  decide(authorizationUrl: string | URL, decision?: LoginDecision): URL;
  /** A code as Embedded Signup's popup gives it; with a `redirectUri`, as a redirect carries it. Default: all accounts. */
  code(options?: {
    readonly wabaIds?: readonly string[];
    readonly appId?: string;
    readonly redirectUri?: string | null;
  }): string;
};

/** What kind of token it is, and what it covers. */
export type IssueTokenOptions = {
  /** Another app's token: valid, and not for this one. */
  readonly appId?: string;
  readonly wabaIds?: readonly string[];
  readonly scopes?: readonly string[];
  readonly kind?: "system-user" | "user";
  /** Null: never. */
  readonly expiresInSeconds?: number | null;
  readonly userId?: string;
  /** `debug_token` names no accounts, which means all of them. */
  readonly omitTargetIds?: boolean;
};

/** The inside of {@link Login}. */
export type LoginDesk = {
  readonly api: Login;
  /** Where the browser goes next. */
  redirectFor(request: DialogRequest, decision: LoginDecision): URL;
  codeFor(request: DialogRequest, wabaIds: readonly string[]): string;
  issueToken(options?: IssueTokenOptions): string;
};

const POPUP_CODE_MS = 30_000;
const REDIRECT_CODE_MS = 600_000;
const SHORT_USER_TOKEN_SECONDS = 5_400;

export function createLogin(deps: {
  readonly appId: string;
  readonly settings: LoginSettings;
  readonly book: AccountBook;
  readonly codes: Codes;
  readonly tokens: Tokens;
}): LoginDesk {
  const { appId, settings, book, codes, tokens } = deps;

  function accountsFor(wabaIds: readonly string[] | undefined): readonly string[] {
    const known = book.accounts().map(({ wabaId }) => wabaId);
    const unknown = wabaIds?.find((wabaId) => !known.includes(wabaId));
    if (unknown !== undefined) throw new Error(`The simulator has no account ${unknown}.`);
    return wabaIds ?? known;
  }

  function newToken(about: {
    readonly appId: string;
    readonly kind: "system-user" | "user";
    readonly wabaIds: readonly string[];
    readonly scopes: readonly string[];
  }): NewToken {
    const { expiresInSeconds } = settings.now();
    const usual = about.kind === "user" ? SHORT_USER_TOKEN_SECONDS : null;
    return {
      appId: about.appId,
      type: about.kind === "user" ? "USER" : "SYSTEM_USER",
      wabaIds: about.wabaIds,
      scopes: about.scopes,
      userId: settings.userId(),
      userName: settings.userName(),
      expiresInSeconds: expiresInSeconds === undefined ? usual : expiresInSeconds,
      omitsTargetIds: false,
    };
  }

  function codeFor(request: DialogRequest, wabaIds: readonly string[]): string {
    const { tokenKind, scopes, codeLifeMs, supportsPkce } = settings.now();
    return codes.issue({
      redirectUri: request.redirectUri,
      challenge: (supportsPkce ?? true) ? request.challenge : null,
      lifeMs: codeLifeMs ?? (request.redirectUri === null ? POPUP_CODE_MS : REDIRECT_CODE_MS),
      token: newToken({
        appId: request.appId,
        kind: tokenKind ?? (request.configId === null ? "user" : "system-user"),
        wabaIds,
        scopes: scopes ?? request.scopes,
      }),
    });
  }

  function redirectFor(request: DialogRequest, decision: LoginDecision): URL {
    if (request.redirectUri === null)
      throw new Error("The SDK's popup redirects nowhere: take its code from meta.login.code().");
    const url = new URL(request.redirectUri);
    for (const [name, value] of Object.entries(resultOf(request, decision))) url.searchParams.set(name, value);
    if (request.state !== null) url.searchParams.set("state", request.state);
    if (url.searchParams.has("code")) url.hash = "_=_";
    return url;
  }

  function resultOf(request: DialogRequest, decision: LoginDecision): Readonly<Record<string, string>> {
    if ("cancel" in decision) return CANCELLED;
    if ("error" in decision) return { error_code: String(decision.error.code), error_message: decision.error.message };
    const code = codeFor(request, accountsFor(decision.grant));
    const granted = settings.now().scopes ?? request.scopes;
    return { code, ...(request.showsGrantedScopes && { granted_scopes: granted.join(","), denied_scopes: "" }) };
  }

  return {
    api: {
      set: settings.set,
      decide(authorizationUrl, decision = {}) {
        const checked = checkDialog(new URL(authorizationUrl).searchParams, appId, settings.now());
        if (checked.kind === "blocked") throw new Error(`${checked.title}: ${checked.message}`);
        if (checked.kind === "ask") return redirectFor(checked.request, decision);
        return redirectFor(checked.request, { error: { code: checked.code, message: checked.message } });
      },
      code({ wabaIds, appId: forApp = appId, redirectUri = null } = {}) {
        const request = { ...EMBEDDED_SIGNUP, appId: forApp, redirectUri };
        return codeFor(request, accountsFor(wabaIds));
      },
    },
    redirectFor,
    codeFor,
    issueToken(options = {}) {
      const kind = options.kind ?? "system-user";
      const token = newToken({
        appId: options.appId ?? appId,
        kind,
        wabaIds: accountsFor(options.wabaIds),
        scopes: options.scopes ?? WHATSAPP_SCOPES,
      });
      return tokens.issue({
        ...token,
        ...(options.expiresInSeconds !== undefined && { expiresInSeconds: options.expiresInSeconds }),
        userId: options.userId ?? token.userId,
        omitsTargetIds: options.omitTargetIds ?? false,
      }).accessToken;
    },
  };
}

const CANCELLED = {
  error: "access_denied",
  error_code: "200",
  error_description: "Permissions error",
  error_reason: "user_denied",
};

const EMBEDDED_SIGNUP = {
  state: null,
  configId: "embedded-signup",
  scopes: WHATSAPP_SCOPES,
  featureType: "",
  challenge: null,
  showsGrantedScopes: false,
  popup: null,
};
