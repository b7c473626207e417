/** A number and an account as Graph's nodes: every field that Meta documents; what is undefined is not told. */
import type { WireObject } from "../wire.ts";
import type { AccountRecord, NumberRecord } from "./account-book.ts";
import { healthOf } from "./health.ts";

export const PHONE_DEFAULTS = [
  "verified_name",
  "code_verification_status",
  "display_phone_number",
  "quality_rating",
  "platform_type",
  "id",
];
export const ACCOUNT_DEFAULTS = ["id", "name", "timezone_id", "message_template_namespace"];

type Around = { readonly appId: string; readonly webhookUrl: string | null };

export function phoneNode(number: NumberRecord, account: AccountRecord, { appId, webhookUrl }: Around): WireObject {
  const { about, isRegistered } = number;
  const ofAccount = account.subscriptions.get(appId) ?? null;
  return {
    id: about.phoneNumberId,
    display_phone_number: about.displayPhoneNumber,
    verified_name: about.verifiedName,
    quality_rating: about.qualityRating ?? "GREEN",
    quality_score: { score: about.qualityRating ?? "GREEN" },
    code_verification_status: (about.isVerified ?? true) ? "VERIFIED" : "NOT_VERIFIED",
    name_status: about.nameStatus ?? "APPROVED",
    new_name_status: "NONE",
    status: about.status ?? (isRegistered ? "CONNECTED" : "PENDING"),
    platform_type: isRegistered ? "CLOUD_API" : "NOT_APPLICABLE",
    host_platform: isRegistered ? "CLOUD_API" : "NOT_APPLICABLE",
    account_mode: "LIVE",
    throughput: { level: isRegistered ? "STANDARD" : "NOT_APPLICABLE" },
    is_official_business_account: false,
    is_preverified_number: false,
    is_on_biz_app: about.isOnBusinessApp ?? false,
    is_pin_enabled: number.pin !== null || (isRegistered && !about.isOnBusinessApp),
    certificate: undefined,
    country_dial_code: /^\+(\d{1,3})\b/.exec(about.displayPhoneNumber)?.[1],
    last_onboarded_time: isRegistered ? number.onboardedAt.toISOString().replace(/\.\d+Z$/, "+0000") : undefined,
    search_visibility: "NON_VISIBLE",
    username: undefined,
    messaging_limit_tier: "TIER_250",
    whatsapp_business_manager_messaging_limit: "TIER_250",
    conversational_automation: undefined,
    health_status: healthOf(account, number, appId),
    webhook_configuration: {
      ...(webhookUrl !== null && { application: webhookUrl }),
      ...(ofAccount !== null && { whatsapp_business_account: ofAccount }),
      ...(about.overrideCallbackUri && { phone_number: about.overrideCallbackUri }),
    },
  };
}

export function accountNode(account: AccountRecord, { appId }: Around): WireObject {
  const { about, wabaId, businessId } = account;
  return {
    id: wabaId,
    name: nameOf(account),
    status: "ACTIVE",
    currency: "GBP",
    country: "GB",
    timezone_id: "58",
    message_template_namespace: "5f1e9c2a_invented_4c1b",
    account_review_status: about.reviewStatus ?? "APPROVED",
    business_verification_status: about.verificationStatus ?? "verified",
    ownership_type: "CLIENT_OWNED",
    owner_business_info: { id: businessId, name: nameOf(account) },
    on_behalf_of_business_info: undefined,
    primary_funding_id: undefined,
    purchase_order_number: undefined,
    primary_business_location: "GB",
    is_enabled_for_insights: false,
    marketing_messages_lite_api_status: "INELIGIBLE",
    disable_marketing_messages_on_cloud_api: false,
    whatsapp_business_manager_messaging_limit: "TIER_250",
    creation_time: 1_767_225_600,
    health_status: healthOf(account, null, appId),
  };
}

export function nameOf({ about, numbers }: AccountRecord): string {
  return about.name ?? numbers[0]?.about.verifiedName ?? "";
}
