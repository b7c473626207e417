/** Puts the sign-in together: the dialog, the SDK, codes, their exchange, and the callbacks about who signed in. */
import type { AccountBook } from "../accounts/account-book.ts";
import type { GraphPlan, OpenCall } from "../graph-plan.ts";
import type { Settings } from "../options.ts";
import type { Tokens } from "../tokens.ts";
import { type Callbacks, createCallbacks } from "./callbacks.ts";
import { createCodes } from "./codes.ts";
import { createDialogEndpoint } from "./dialog-endpoint.ts";
import { createExchange } from "./exchange.ts";
import { createLogin, type IssueTokenOptions, type Login } from "./login.ts";
import { createLoginSettings } from "./login-options.ts";
import { planSdk } from "./sdk-endpoint.ts";

export type SignIn = Callbacks & {
  /** Null: this is none of the requests that need no token. */
  plan(call: OpenCall): GraphPlan | null;
  readonly login: Login;
  issueToken(options?: IssueTokenOptions): string;
};

export function createSignIn(deps: {
  readonly settings: Settings;
  readonly book: AccountBook;
  readonly tokens: Tokens;
}): SignIn {
  const { login: initial, ...settings } = deps.settings;
  const login = createLoginSettings(initial);
  const around = { ...settings, ...deps, settings: login, codes: createCodes(settings.now) };
  const desk = createLogin(around);
  const exchange = createExchange(around);
  const dialog = createDialogEndpoint({ ...around, desk });

  return {
    plan(call) {
      const isAsked = call.method === "GET" || call.method === "POST";
      if (!isAsked || call.item !== null) return null;
      if (call.edge === "sdk.js") return planSdk(call);
      if (call.objectId === "dialog" && call.edge === "oauth") return dialog(call);
      return call.objectId === "oauth" && call.edge === "access_token" ? exchange(call) : null;
    },
    login: desk.api,
    issueToken: desk.issueToken,
    ...createCallbacks({ ...around, userId: login.userId }),
  };
}
