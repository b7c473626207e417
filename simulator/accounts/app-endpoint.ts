/** /{app-id} and its webhook subscription: where webhooks go, and which fields. */
import { type GraphAnswer, refuse, unknownObject } from "../graph-error.ts";
import { type GraphCall, type GraphPlan, paramOf } from "../graph-plan.ts";
import { isWebAddress } from "../handshake.ts";
import { ok, pick, read, SUCCESS } from "../node.ts";
import type { WireChange } from "../wire.ts";
import { refuseCallback } from "./subscribed-apps.ts";
import { WEBHOOK_FIELDS } from "./webhook-fields.ts";

export type AppEndpoint = {
  plan(call: GraphCall): GraphPlan | GraphAnswer;
  /** Whether the app has subscribed to this field. */
  hears(change: WireChange): boolean;
};

const OBJECT = "whatsapp_business_account";
const APP_DEFAULTS = ["category", "link", "name", "id"];

export function createAppEndpoint(deps: {
  readonly appId: string;
  readonly appName: string;
  readonly webhookFields: readonly string[];
  readonly webhookUrl: () => string | null;
  readonly webhookTimeoutMs: number;
  readonly setWebhookUrl: (url: string | null) => void;
}): AppEndpoint {
  const { appId, appName, webhookUrl, setWebhookUrl } = deps;
  let fields = new Set(deps.webhookFields);

  function node(): Record<string, unknown> {
    return {
      id: appId,
      name: appName,
      link: "https://example.test/app",
      category: "Business and Pages",
      namespace: undefined,
      app_domains: undefined,
      app_type: 0,
      company: undefined,
      contact_email: undefined,
      description: undefined,
      icon_url: undefined,
      logo_url: undefined,
      privacy_policy_url: "https://example.test/privacy",
      terms_of_service_url: "https://example.test/terms",
      user_support_url: undefined,
      website_url: undefined,
    };
  }

  function list({ version }: GraphCall): GraphAnswer {
    const url = webhookUrl();
    if (url === null || fields.size === 0) return ok({ data: [] });
    return ok({
      data: [
        {
          object: OBJECT,
          callback_url: url,
          active: true,
          fields: [...fields].map((name) => ({ name, version })),
        },
      ],
    });
  }

  async function subscribe(call: GraphCall): Promise<GraphAnswer> {
    const url = paramOf(call, "callback_url");
    const verifyToken = paramOf(call, "verify_token");
    const asked = fieldsOf(call);
    const unknown = asked.find((field) => !WEBHOOK_FIELDS.includes(field));
    if (paramOf(call, "object") !== OBJECT) return refuse({ code: 100, message: "(#100) Param object is not valid." });
    if (!url || !isWebAddress(url))
      return refuse({ code: 100, message: "(#100) The parameter callback_url is required." });
    if (!verifyToken) return refuse({ code: 100, message: "(#100) The parameter verify_token is required." });
    if (unknown !== undefined)
      return refuse({ code: 100, message: `(#100) Param fields[0] must be one of {…} - got "${unknown}".` });
    const refusal = await refuseCallback(url, verifyToken, deps.webhookTimeoutMs);
    if (refusal) return refusal;
    setWebhookUrl(url);
    fields = new Set(asked);
    return SUCCESS;
  }

  function unsubscribe(call: GraphCall): GraphAnswer {
    const asked = fieldsOf(call);
    for (const field of asked.length > 0 ? asked : fields) fields.delete(field);
    if (fields.size === 0) setWebhookUrl(null);
    return SUCCESS;
  }

  return {
    plan(call) {
      const { method, edge, access } = call;
      if (edge === null && method === "GET") return read("app", () => pick(node(), call, "Application", APP_DEFAULTS));
      if (edge !== "subscriptions") return unknownObject(method, call.objectId);
      if (!access.isApp) return refuse({ code: 15 });
      switch (method) {
        case "GET":
          return read("subscriptions", () => list(call));
        case "POST":
          return read("subscriptions", () => subscribe(call));
        case "DELETE":
          return read("subscriptions", () => unsubscribe(call));
        default:
          return unknownObject(method, call.objectId);
      }
    },
    hears: ({ field }) => fields.has(field),
  };
}

// A list in JSON, or names with commas between them.
function fieldsOf(call: GraphCall): readonly string[] {
  const { fields } = call.body;
  if (Array.isArray(fields)) return fields.map(String);
  return (paramOf(call, "fields") ?? "").split(",").flatMap((field) => field.trim() || []);
}
