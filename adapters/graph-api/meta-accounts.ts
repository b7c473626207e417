/** Accounts, numbers and tokens at Graph: what connecting, leaving and looking after a number need. */
import { ChannelError } from "../../plugin/errors.ts";
import type { AccountNumber, MetaAccounts, TokenFacts } from "../../plugin/ports.ts";
import { createGraphCall, digits, type GraphOptions } from "./graph-call.ts";
import { listAll } from "./list-all.ts";
import { type Json, readText, readThroughput } from "./read-answer.ts";
import { CHANGE_REFUSED, LOOK_UP_REFUSED, requireAnswer } from "./require-answer.ts";

/** One unknown field fails the whole call, so these are the documented ones that we read and no more. */
const NUMBER_FIELDS =
  "id,display_phone_number,verified_name,quality_rating,code_verification_status,status,platform_type,is_on_biz_app,throughput";
const PROFILE_FIELDS = "about,address,description,email,profile_picture_url,websites,vertical";

/** @param appId null where only tokens are connected that somebody already has: then no token can be inspected. */
export function createMetaAccounts({
  appId,
  ...options
}: GraphOptions & { readonly appId: string | null }): MetaAccounts {
  const call = createGraphCall(options);

  async function get(accessToken: string, path: string, query: Readonly<Record<string, string>> = {}): Promise<Json> {
    return requireAnswer(await call({ path, accessToken, query }), LOOK_UP_REFUSED);
  }
  async function post(accessToken: string, path: string, body: Json): Promise<void> {
    requireAnswer(await call({ path, accessToken, body }), CHANGE_REFUSED);
  }
  const list = (accessToken: string, path: string, fields: string) =>
    listAll((cursor) => get(accessToken, path, { fields, limit: "100", ...cursor }));

  return {
    async inspectToken(accessToken) {
      if (appId === null)
        throw new ChannelError("LOGIN_NOT_CONFIGURED", "Set META_APP_ID: without it no token can be checked.", {
          retry: "fix",
        });
      const answer = await get(`${appId}|${options.appSecret}`, "debug_token", { input_token: accessToken });
      return readTokenFacts((answer.data ?? {}) as Json);
    },

    async accountsOf(accessToken) {
      const businesses = (await list(accessToken, "me/businesses", "id")).map(({ id }) => readText(id));
      const edges = ["owned_whatsapp_business_accounts", "client_whatsapp_business_accounts"];
      const paths = businesses
        .filter((id) => id !== null)
        .flatMap((id) => edges.map((edge) => `${digits(id)}/${edge}`));
      const found = await Promise.all(paths.map((path) => list(accessToken, path, "id")));
      const ids = found.flat().map(({ id }) => readText(id));
      return [...new Set(ids.filter((id) => id !== null))];
    },

    async account({ wabaId, accessToken }) {
      const { name } = await get(accessToken, digits(wabaId), { fields: "id,name" });
      return { name: readText(name) };
    },

    async numbersOf({ wabaId, accessToken }) {
      const numbers = await list(accessToken, `${digits(wabaId)}/phone_numbers`, NUMBER_FIELDS);
      return numbers.map(readNumber).filter((number) => number !== null);
    },

    subscribe: ({ wabaId, accessToken }) => post(accessToken, `${digits(wabaId)}/subscribed_apps`, {}),

    async unsubscribe({ wabaId, accessToken }) {
      const path = `${digits(wabaId)}/subscribed_apps`;
      requireAnswer(await call({ method: "DELETE", path, accessToken }), CHANGE_REFUSED);
    },

    register: ({ phoneNumberId, accessToken, pin }) =>
      post(accessToken, `${digits(phoneNumberId)}/register`, { messaging_product: "whatsapp", pin }),

    requestSync: ({ phoneNumberId, accessToken, what }) =>
      post(accessToken, `${digits(phoneNumberId)}/smb_app_data`, {
        messaging_product: "whatsapp",
        sync_type: what === "contacts" ? "smb_app_state_sync" : "history",
      }),

    async profile({ phoneNumberId, accessToken }) {
      const path = `${digits(phoneNumberId)}/whatsapp_business_profile`;
      const { data } = await get(accessToken, path, { fields: PROFILE_FIELDS });
      const { messaging_product: _, ...profile } = (Array.isArray(data) ? (data[0] ?? {}) : {}) as Json;
      return profile;
    },
  };
}

function readTokenFacts(data: Json): TokenFacts {
  const granular = Array.isArray(data.granular_scopes) ? (data.granular_scopes as readonly Json[]) : [];
  return {
    isValid: data.is_valid === true,
    appId: readText(data.app_id),
    type: readText(data.type)?.toUpperCase() ?? null,
    metaUserId: readText(data.user_id),
    issuedAt: readTime(data.issued_at),
    expiresAt: readTime(data.expires_at),
    dataAccessExpiresAt: readTime(data.data_access_expires_at),
    scopes: texts(data.scopes),
    granted: granular.flatMap(({ scope, target_ids: ids }) =>
      typeof scope === "string" ? [{ scope, ids: ids === undefined ? null : texts(ids) }] : [],
    ),
  };
}

/** Seconds since 1970; 0 is Meta's word for never. */
function readTime(value: unknown): Date | null {
  return typeof value === "number" && value > 0 ? new Date(value * 1_000) : null;
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

function readNumber(item: Json): AccountNumber | null {
  const phoneNumberId = readText(item.id);
  if (phoneNumberId === null) return null;
  return {
    phoneNumberId,
    displayPhoneNumber: readText(item.display_phone_number) ?? phoneNumberId,
    verifiedName: readText(item.verified_name),
    qualityRating: readText(item.quality_rating),
    codeVerificationStatus: readText(item.code_verification_status),
    isRegistered: item.status === "CONNECTED" && item.platform_type === "CLOUD_API",
    isOnBusinessApp: item.is_on_biz_app === true,
    throughputLevel: readThroughput(item.throughput),
  };
}
