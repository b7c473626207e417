/** What Graph shows of app, accounts and numbers, for the doctor: reads only. */
import { ChannelError } from "../../plugin/errors.ts";
import type { AppSubscription, MessagingHealth, MetaHealth, NumberHealth } from "../../plugin/ports.ts";
import { createGraphCall, digits, type GraphOptions } from "./graph-call.ts";
import { listAll } from "./list-all.ts";
import { createMetaAccounts } from "./meta-accounts.ts";
import { type Json, readText } from "./read-answer.ts";
import { LOOK_UP_REFUSED, requireAnswer } from "./require-answer.ts";

/** One unknown field fails the whole call, so what only newer versions of Graph have is asked for by itself. */
const NUMBER_FIELDS =
  "id,display_phone_number,verified_name,quality_rating,code_verification_status,name_status,status,platform_type,account_mode,is_on_biz_app";
const NUMBER_HEALTH_FIELDS = "health_status,webhook_configuration";
const LIMIT_FIELD = "whatsapp_business_manager_messaging_limit";

/** @param appId null where only tokens are connected that somebody already has: then the app itself cannot ask. */
export function createMetaHealth({ appId, ...options }: GraphOptions & { readonly appId: string | null }): MetaHealth {
  const call = createGraphCall(options);
  const accounts = createMetaAccounts({ appId, ...options });

  async function get(accessToken: string, path: string, query: Readonly<Record<string, string>> = {}): Promise<Json> {
    return requireAnswer(await call({ path, accessToken, query }), LOOK_UP_REFUSED);
  }

  function app(): { readonly id: string; readonly token: string } {
    if (appId === null)
      throw new ChannelError(
        "LOGIN_NOT_CONFIGURED",
        "Set META_APP_ID: without it Meta cannot be asked about the app.",
        {
          retry: "fix",
        },
      );
    return { id: appId, token: `${appId}|${options.appSecret}` };
  }

  return {
    inspectToken: accounts.inspectToken,

    async clock() {
      const outcome = await options.transport.send({
        method: "GET",
        url: new URL("/", options.graphUrl),
        headers: { accept: "application/json" },
        body: null,
      });
      if (outcome.kind !== "answer")
        throw new ChannelError("GRAPH_UNREACHABLE", `It cannot be reached (${outcome.reason}).`, { retry: "backoff" });
      const at = new Date(outcome.date ?? "");
      return Number.isNaN(at.getTime()) ? null : at;
    },

    async app() {
      const { id, token } = app();
      const { name } = await get(token, id, { fields: "id,name" });
      return { name: readText(name) };
    },

    async appSubscription() {
      const { id, token } = app();
      const { data } = await get(token, `${id}/subscriptions`);
      const found = objects(data).find(({ object }) => object === "whatsapp_business_account");
      return found === undefined ? null : readSubscription(found);
    },

    async accountSubscriptions({ wabaId, accessToken }) {
      const path = `${digits(wabaId)}/subscribed_apps`;
      const apps = await listAll((cursor) => get(accessToken, path, { ...cursor }));
      return apps.map((one) => ({
        appId: readText(objectOf(one.whatsapp_business_api_data).id),
        overrideUrl: readText(one.override_callback_uri),
      }));
    },

    async number({ phoneNumberId, accessToken }) {
      const path = digits(phoneNumberId);
      const maybe = (fields: string) => get(accessToken, path, { fields }).catch((): Json => ({}));
      const [number, health, limit] = await Promise.all([
        get(accessToken, path, { fields: NUMBER_FIELDS }),
        maybe(NUMBER_HEALTH_FIELDS),
        maybe(LIMIT_FIELD),
      ]);
      return {
        displayPhoneNumber: readText(number.display_phone_number) ?? phoneNumberId,
        verifiedName: readText(number.verified_name),
        qualityRating: readText(number.quality_rating),
        codeVerificationStatus: readText(number.code_verification_status),
        nameStatus: readText(number.name_status),
        status: readText(number.status),
        platformType: readText(number.platform_type),
        accountMode: readText(number.account_mode),
        isOnBusinessApp: number.is_on_biz_app === true,
        messagingLimit: readText(limit[LIMIT_FIELD]),
        callbacks: readCallbacks(health),
        canSend: readHealth(health.health_status),
      };
    },

    async callbacks({ phoneNumberId, accessToken }) {
      return readCallbacks(await get(accessToken, digits(phoneNumberId), { fields: "id,webhook_configuration" }));
    },

    async account({ wabaId, accessToken }) {
      const fields = "id,name,account_review_status,health_status";
      const account = await get(accessToken, digits(wabaId), { fields });
      return {
        name: readText(account.name),
        reviewStatus: readText(account.account_review_status),
        canSend: readHealth(account.health_status),
      };
    },
  };
}

/** A field is listed by its name, or as an object that has it. */
function readSubscription(found: Json): AppSubscription {
  const fields = Array.isArray(found.fields) ? found.fields : [];
  return {
    callbackUrl: readText(found.callback_url),
    isActive: found.active !== false,
    fields: fields.map((field) => readText(field) ?? readText(objectOf(field).name)).filter((name) => name !== null),
  };
}

function readCallbacks({ webhook_configuration }: Json): NumberHealth["callbacks"] {
  const callbacks = objectOf(webhook_configuration);
  return {
    app: readText(callbacks.application),
    account: readText(callbacks.whatsapp_business_account),
    number: readText(callbacks.phone_number),
  };
}

function readHealth(value: unknown): MessagingHealth | null {
  const { can_send_message: state, entities } = objectOf(value);
  if (typeof state !== "string") return null;
  return {
    state,
    entities: objects(entities).map((entity) => ({
      type: readText(entity.entity_type) ?? "",
      state: readText(entity.can_send_message) ?? "",
      errors: objects(entity.errors).map((error) => ({
        code: typeof error.error_code === "number" ? error.error_code : null,
        description: readText(error.error_description),
        solution: readText(error.possible_solution),
      })),
      notes: (Array.isArray(entity.additional_info) ? entity.additional_info : []).filter(
        (note) => typeof note === "string",
      ),
    })),
  };
}

function objects(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "object" && one !== null) : [];
}

function objectOf(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}
