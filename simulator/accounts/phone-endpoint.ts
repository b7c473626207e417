/** /{phone-number-id} and what hangs on it, apart from messages: registration, PIN, profile, what coexistence shares. */
import { isObject } from "../accepts.ts";
import type { GraphEndpoint } from "../faults.ts";
import { type GraphAnswer, refuse, unknownObject } from "../graph-error.ts";
import { type GraphCall, type GraphPlan, paramOf } from "../graph-plan.ts";
import { ok, pick, read, SUCCESS } from "../node.ts";
import type { WebhookSender } from "../webhook-sender.ts";
import type { AccountRecord, NumberRecord } from "./account-book.ts";
import { synchronise } from "./business-app.ts";
import { PHONE_DEFAULTS, phoneNode } from "./nodes.ts";
import { deregister, register, setPin } from "./registration.ts";
import { refuseOverride } from "./subscribed-apps.ts";

export type PhoneEndpoint = {
  plan(number: NumberRecord, account: AccountRecord, call: GraphCall): GraphPlan | GraphAnswer;
};

const PROFILE_FIELDS = ["about", "address", "description", "email", "profile_picture_url", "websites", "vertical"];
const NO_PRODUCT = { code: 100, message: "(#100) The parameter messaging_product is required." };

export function createPhoneEndpoint(deps: {
  readonly appId: string;
  readonly webhookUrl: () => string | null;
  readonly webhookTimeoutMs: number;
  readonly now: () => Date;
  readonly sender: WebhookSender;
}): PhoneEndpoint {
  const { appId, webhookUrl, now, sender } = deps;

  async function change(number: NumberRecord, call: GraphCall): Promise<GraphAnswer> {
    const pin = paramOf(call, "pin");
    const configuration = call.body.webhook_configuration;
    if (pin !== null) return setPin(number, pin);
    if (!isObject(configuration)) return refuse({ code: 100, message: "(#100) The parameter pin is required." });
    const uri = typeof configuration.override_callback_uri === "string" ? configuration.override_callback_uri : "";
    const verifyToken = typeof configuration.verify_token === "string" ? configuration.verify_token : null;
    const refusal = uri === "" ? null : await refuseOverride(uri, verifyToken, deps.webhookTimeoutMs);
    if (refusal) return refusal;
    number.about = { ...number.about, overrideCallbackUri: uri || null };
    return SUCCESS;
  }

  function profileOf({ about }: NumberRecord, call: GraphCall): GraphAnswer {
    const node = {
      ...Object.fromEntries(PROFILE_FIELDS.map((field) => [field, undefined])),
      ...about.profile,
      messaging_product: "whatsapp",
    };
    const picked = pick(node, call, "WhatsAppBusinessProfile", ["messaging_product"]);
    if (picked.httpStatus !== 200) return picked;
    const { id: _, ...fields } = picked.body as Record<string, unknown>;
    return ok({ data: [{ ...fields, messaging_product: "whatsapp" }] });
  }

  function changeProfile(number: NumberRecord, { body }: GraphCall): GraphAnswer {
    const { messaging_product: product, appsecret_proof: _, ...fields } = body;
    if (product !== "whatsapp") return refuse(NO_PRODUCT);
    number.about = { ...number.about, profile: { ...number.about.profile, ...fields } };
    return SUCCESS;
  }

  return {
    plan(number, account, call) {
      const { phoneNumberId } = number.about;
      const planned = (endpoint: GraphEndpoint, run: () => GraphAnswer | Promise<GraphAnswer>) =>
        read(endpoint, run, [phoneNumberId]);
      switch (`${call.method} ${call.edge ?? ""}`) {
        case "GET ":
          return planned("phone-number", () => {
            const node = phoneNode(number, account, { appId, webhookUrl: webhookUrl() });
            return pick(node, call, "WhatsAppBusinessPhoneNumber", PHONE_DEFAULTS);
          });
        case "POST ":
          return planned("phone-settings", () => change(number, call));
        case "POST register":
          return planned("register", () =>
            paramOf(call, "messaging_product") === "whatsapp"
              ? register(number, paramOf(call, "pin"), now())
              : refuse(NO_PRODUCT),
          );
        case "POST deregister":
          return planned("deregister", () => deregister(number, now()));
        case "POST smb_app_data":
          return planned("smb_app_data", () =>
            paramOf(call, "messaging_product") === "whatsapp"
              ? synchronise(number, account, { syncType: paramOf(call, "sync_type"), now: now(), sender })
              : refuse(NO_PRODUCT),
          );
        case "GET whatsapp_business_profile":
          return planned("profile", () => profileOf(number, call));
        case "POST whatsapp_business_profile":
          return planned("profile", () => changeProfile(number, call));
        default:
          return unknownObject(call.method, phoneNumberId);
      }
    },
  };
}
