/** Everything in Graph that is not a message: which object a call is about, and whether its token may see it. */
import { type GraphAnswer, refuse, unknownObject } from "../graph-error.ts";
import type { GraphCall, GraphPlan } from "../graph-plan.ts";
import { nextOf, ok, pageOf, pick, read } from "../node.ts";
import type { TemplateManagement } from "../template-management.ts";
import type { TemplateStore } from "../templates.ts";
import type { Tokens } from "../tokens.ts";
import type { AccountBook, AccountRecord } from "./account-book.ts";
import type { AppEndpoint } from "./app-endpoint.ts";
import { inspectToken } from "./inspect-token.ts";
import { ACCOUNT_DEFAULTS, accountNode, PHONE_DEFAULTS, phoneNode } from "./nodes.ts";
import type { PhoneEndpoint } from "./phone-endpoint.ts";
import { planSubscribedApps } from "./subscribed-apps.ts";
import type { UserEndpoint } from "./user-endpoint.ts";

export type AccountsEndpoint = (call: GraphCall) => GraphPlan | GraphAnswer;

export function createAccountsEndpoint(deps: {
  readonly appId: string;
  readonly appName: string;
  readonly webhookUrl: () => string | null;
  readonly webhookTimeoutMs: number;
  readonly book: AccountBook;
  readonly tokens: Tokens;
  readonly templates: TemplateStore;
  readonly management: TemplateManagement;
  readonly phones: PhoneEndpoint;
  readonly users: UserEndpoint;
  readonly apps: AppEndpoint;
}): AccountsEndpoint {
  const { appId, appName, webhookUrl, book, tokens, templates, management, phones, users, apps } = deps;

  function planAccount(account: AccountRecord, call: GraphCall): GraphPlan | GraphAnswer {
    const around = { appId, webhookUrl: webhookUrl() };
    const planned = (endpoint: Parameters<typeof read>[0], run: () => GraphAnswer) =>
      read(endpoint, run, [account.wabaId]);
    if (call.edge === "subscribed_apps") return planSubscribedApps(account, call, deps);
    if (call.edge === "message_templates" && call.method !== "GET") return management.planAccount(account.wabaId, call);
    if (call.method !== "GET") return unknownObject(call.method, call.objectId);
    switch (call.edge) {
      case null:
        return planned("account", () =>
          pick(accountNode(account, around), call, "WhatsAppBusinessAccount", ACCOUNT_DEFAULTS),
        );
      case "phone_numbers":
        return planned("phone_numbers", () =>
          pageOf(
            account.numbers.map((number) => phoneNode(number, account, around)),
            call,
            "WhatsAppBusinessPhoneNumber",
            PHONE_DEFAULTS,
          ),
        );
      case "message_templates":
        return planned("message_templates", () => listTemplates(call));
      default:
        return unknownObject(call.method, call.objectId);
    }
  }

  function listTemplates(call: GraphCall): GraphAnswer {
    const found = templates.page(call.objectId, call.query);
    if ("httpStatus" in found) return found;
    const nodes = found.items.map((node) => pick(node, call, "WhatsAppMessageTemplate", Object.keys(node)));
    const refused = nodes.find(({ httpStatus }) => httpStatus !== 200);
    const { cursors, isLast } = found;
    const paging = cursors && { cursors, ...(!isLast && { next: nextOf(call, cursors.after) }) };
    return refused ?? ok({ data: nodes.map(({ body }) => body), ...(paging && { paging }) });
  }

  return (call) => {
    if (call.objectId === "debug_token" && call.method === "GET")
      return read("debug_token", () => inspectToken(call, { tokens, appId, appName }));
    if (call.objectId === "app" || call.objectId === call.access.appId) return apps.plan(call);
    const template = management.planTemplate(call);
    if (template) return template;
    const number = book.number(call.objectId);
    const account = book.account(number?.about.wabaId ?? call.objectId);
    if (!account) return users.plan(call);
    if (!call.access.wabaIds.has(account.wabaId)) return unknownObject(call.method, call.objectId);
    if (!call.access.scopes.has("whatsapp_business_management")) return refuse({ code: 200 });
    return number ? phones.plan(number, account, call) : planAccount(account, call);
  };
}
