/** The rest of Graph: numbers, accounts, their templates, subscriptions and tokens. */
import { type GraphAnswer, refuse, unknownObject } from "./graph-error.ts";
import type { GraphCall, GraphPlan } from "./graph-plan.ts";
import { ok, page, pick, read } from "./node.ts";
import type { Settings } from "./options.ts";
import type { SimulatedNumber } from "./simulated-number.ts";
import type { TemplateStore } from "./templates.ts";
import type { Tokens } from "./tokens.ts";
import type { WireObject } from "./wire.ts";

export type AccountsEndpoint = {
  plan(call: GraphCall): GraphPlan | GraphAnswer;
  isSubscribed(wabaId: string): boolean;
};

const SCOPES = ["whatsapp_business_management", "whatsapp_business_messaging"];
const PHONE_DEFAULTS = [
  "verified_name",
  "code_verification_status",
  "display_phone_number",
  "quality_rating",
  "platform_type",
  "id",
];
const ACCOUNT_DEFAULTS = ["id", "name", "timezone_id", "message_template_namespace"];

export function createAccountsEndpoint(settings: Settings, tokens: Tokens, templates: TemplateStore): AccountsEndpoint {
  const byPhone = new Map(settings.numbers.map((number) => [number.phoneNumberId, number]));
  const byAccount = new Map(
    settings.numbers.map(({ wabaId }) => [wabaId, settings.numbers.filter((number) => number.wabaId === wabaId)]),
  );
  const subscribed = new Set(
    settings.numbers.filter((number) => number.isSubscribed ?? true).map(({ wabaId }) => wabaId),
  );

  function planPhone(number: SimulatedNumber, call: GraphCall): GraphPlan | GraphAnswer {
    if (call.method !== "GET" || call.edge !== null) return unknownObject(call.method, call.objectId);
    return read("phone-number", () => pick(phoneNode(number), call, "WhatsAppBusinessPhoneNumber", PHONE_DEFAULTS));
  }

  function planAccount(numbers: readonly SimulatedNumber[], call: GraphCall): GraphPlan | GraphAnswer {
    if (call.edge === "subscribed_apps") return planSubscription(call);
    if (call.method !== "GET") return unknownObject(call.method, call.objectId);
    if (call.edge === null) {
      const node = accountNode(call.objectId, numbers);
      return read("account", () => pick(node, call, "WhatsAppBusinessAccount", ACCOUNT_DEFAULTS));
    }
    if (call.edge === "message_templates") return planTemplates(call);
    if (call.edge !== "phone_numbers") return unknownObject(call.method, call.objectId);
    return read("phone_numbers", () => {
      const nodes = numbers.map((number) =>
        pick(phoneNode(number), call, "WhatsAppBusinessPhoneNumber", PHONE_DEFAULTS),
      );
      return nodes.find(({ httpStatus }) => httpStatus !== 200) ?? page(nodes.map(({ body }) => body));
    });
  }

  function planTemplates(call: GraphCall): GraphPlan {
    return read("message_templates", () => {
      const found = templates.page(call.objectId, call.query);
      if ("httpStatus" in found) return found;
      const nodes = found.items.map((node) => pick(node, call, "WhatsAppMessageTemplate", Object.keys(node)));
      const refused = nodes.find(({ httpStatus }) => httpStatus !== 200);
      return refused ?? ok({ data: nodes.map(({ body }) => body), ...(found.paging && { paging: found.paging }) });
    });
  }

  function planSubscription({ method, objectId }: GraphCall): GraphPlan | GraphAnswer {
    switch (method) {
      case "GET":
        return read("subscribed_apps", () => page(subscribed.has(objectId) ? [subscription(settings.appId)] : []));
      case "POST":
        return read("subscribed_apps", () => {
          subscribed.add(objectId);
          return SUCCESS;
        });
      case "DELETE":
        return read("subscribed_apps", () => {
          subscribed.delete(objectId);
          return SUCCESS;
        });
      default:
        return unknownObject(method, objectId);
    }
  }

  function inspectToken({ query }: GraphCall): GraphAnswer {
    const inputToken = query.get("input_token");
    if (inputToken === null) return refuse({ code: 100, message: "(#100) The parameter input_token is required" });
    const found = tokens.inspect(inputToken);
    if (!found) return ok({ data: invalidToken("Invalid OAuth access token", null) });
    const base = { app_id: settings.appId, application: "Simulated app" };
    if (found.revocation)
      return ok({ data: { ...base, ...invalidToken("The session has been invalidated", found.revocation) } });
    if (found.access.isApp) return ok({ data: { ...base, type: "APP", is_valid: true, scopes: [] } });
    const targets = [...found.access.wabaIds];
    return ok({
      data: {
        ...base,
        type: "SYSTEM_USER",
        is_valid: true,
        issued_at: ISSUED_AT,
        expires_at: 0,
        data_access_expires_at: 0,
        scopes: SCOPES,
        granular_scopes: SCOPES.map((scope) => ({ scope, target_ids: targets })),
        user_id: "104000000000001",
      },
    });
  }

  return {
    plan(call) {
      if (call.objectId === "debug_token" && call.method === "GET")
        return read("debug_token", () => inspectToken(call));
      const number = byPhone.get(call.objectId);
      const numbers = byAccount.get(call.objectId);
      const isVisible = call.access.wabaIds.has(number?.wabaId ?? call.objectId);
      if (isVisible && number) return planPhone(number, call);
      if (isVisible && numbers) return planAccount(numbers, call);
      return unknownObject(call.method, call.objectId);
    },
    isSubscribed: (wabaId) => subscribed.has(wabaId),
  };
}

const SUCCESS: GraphAnswer = { httpStatus: 200, body: { success: true } };
const ISSUED_AT = 1_767_225_600;

function phoneNode(number: SimulatedNumber): WireObject {
  return {
    id: number.phoneNumberId,
    display_phone_number: number.displayPhoneNumber,
    verified_name: number.verifiedName,
    quality_rating: "GREEN",
    code_verification_status: "VERIFIED",
    name_status: "APPROVED",
    status: "CONNECTED",
    platform_type: "CLOUD_API",
    account_mode: "LIVE",
    throughput: { level: "STANDARD" },
    is_official_business_account: false,
    is_on_biz_app: false,
    is_pin_enabled: true,
    health_status: { can_send_message: "AVAILABLE", entities: [] },
    webhook_configuration: {},
  };
}

function accountNode(wabaId: string, numbers: readonly SimulatedNumber[]): WireObject {
  return {
    id: wabaId,
    name: numbers[0]?.verifiedName ?? "",
    currency: "GBP",
    country: "GB",
    timezone_id: "58",
    message_template_namespace: "5f1e9c2a_invented_4c1b",
    account_review_status: "APPROVED",
    business_verification_status: "verified",
    ownership_type: "CLIENT_OWNED",
    health_status: { can_send_message: "AVAILABLE", entities: [] },
  };
}

function subscription(appId: string): WireObject {
  return { whatsapp_business_api_data: { id: appId, link: "https://example.test/app", name: "Simulated app" } };
}

function invalidToken(message: string, revocation: { readonly subcode: number } | null): WireObject {
  return {
    is_valid: false,
    scopes: [],
    error: { code: 190, message, ...(revocation !== null && { subcode: revocation.subcode }) },
  };
}
