/** /dialog/oauth: shows the dialog, and takes what the person decides in it. */
import type { AccountBook } from "../accounts/account-book.ts";
import type { GraphAnswer } from "../graph-error.ts";
import type { GraphPlan, OpenCall } from "../graph-plan.ts";
import { read } from "../node.ts";
import { blockedPage, dialogPage, popupResultPage } from "./dialog-page.ts";
import { checkDialog, type DialogRequest } from "./dialog-request.ts";
import type { LoginDesk } from "./login.ts";
import type { LoginSettings } from "./login-options.ts";
import { cancelInfo, sessionInfoOf } from "./session-info.ts";

/** The prefix of a checkbox's name; what follows is the account. */
const CHOSEN = /^waba_(.+)$/;

export function createDialogEndpoint(deps: {
  readonly appId: string;
  readonly appName: string;
  readonly settings: LoginSettings;
  readonly book: AccountBook;
  readonly desk: LoginDesk;
}): (call: OpenCall) => GraphPlan {
  const { appId, appName, settings, book, desk } = deps;

  function run(call: OpenCall): GraphAnswer {
    const checked = checkDialog(call.query, appId, settings.now());
    if (checked.kind === "blocked") return blockedPage(checked);
    const { request } = checked;
    if (checked.kind === "refused" && request.popup) return finishPopup(request, null);
    if (checked.kind === "refused")
      return redirect(desk.redirectFor(request, { error: { code: checked.code, message: checked.message } }));
    return call.method === "POST" ? decide(request, call) : ask(request, call, null);
  }

  function ask(request: DialogRequest, call: OpenCall, problem: string | null): GraphAnswer {
    return dialogPage({
      action: `/${call.version}/dialog/oauth?${call.query}`,
      appName,
      userName: settings.userName(),
      scopes: settings.now().scopes ?? request.scopes,
      accounts: book.accounts(),
      problem,
    });
  }

  function decide(request: DialogRequest, call: OpenCall): GraphAnswer {
    if (call.body.decision !== "continue")
      return request.popup ? finishPopup(request, null) : redirect(desk.redirectFor(request, { cancel: true }));
    const grant = Object.keys(call.body).flatMap((name) => CHOSEN.exec(name)?.[1] ?? []);
    if (!grant.some((wabaId) => book.account(wabaId))) return ask(request, call, "Choose at least one account.");
    return request.popup ? finishPopup(request, grant) : redirect(desk.redirectFor(request, { grant }));
  }

  function finishPopup(request: DialogRequest, grant: readonly string[] | null): GraphAnswer {
    const { origin, callback } = request.popup ?? { origin: "null", callback: "" };
    const result = new URLSearchParams({
      cb: callback,
      ...(grant === null ? { error: "access_denied" } : { code: desk.codeFor(request, grant) }),
    });
    const info = grant === null ? cancelInfo() : sessionInfoOf(book.account(grant[0] ?? ""), request.featureType);
    const messages = [...(request.configId === null ? [] : [JSON.stringify(info)]), result.toString()];
    return popupResultPage(messages, origin);
  }

  return (call) => read("dialog", () => run(call), [call.query.get("client_id") ?? ""]);
}

function redirect(to: URL): GraphAnswer {
  return {
    httpStatus: 303,
    body: "",
    headers: { "Content-Type": "text/html; charset=utf-8", Location: to.href, "Cache-Control": "no-store" },
  };
}
