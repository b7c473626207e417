/** What Embedded Signup's popup tells the page that opened it, besides the code. */
import type { AccountRecord } from "../accounts/account-book.ts";
import type { WireObject } from "../wire.ts";

const COEXISTENCE = "whatsapp_business_app_onboarding";

export function sessionInfoOf(account: AccountRecord | undefined, featureType: string): WireObject {
  const [number] = account?.numbers ?? [];
  const base = { business_id: account?.businessId, ad_account_ids: [], page_ids: [], dataset_ids: [] };
  if (featureType === COEXISTENCE || number?.about.isOnBusinessApp)
    return message("FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING", { waba_id: account?.wabaId });
  if (!number) return message("FINISH_ONLY_WABA", { ...base, waba_id: account?.wabaId });
  return message("FINISH", { ...base, phone_number_id: number.about.phoneNumberId, waba_id: account?.wabaId });
}

export function cancelInfo(): WireObject {
  return message("CANCEL", { current_step: "BUSINESS_ACCOUNT_SELECTION" });
}

function message(event: string, data: WireObject): WireObject {
  return { type: "WA_EMBEDDED_SIGNUP", event, version: 3, data };
}
