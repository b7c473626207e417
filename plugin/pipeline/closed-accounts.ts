/** Which of Meta's words about an account mean that its numbers are lost to us, and what to do about each. Pure. */
import type { AccountEvent } from "../contract.ts";
import type { AccountClosing } from "../ports.ts";

const REASONS: Readonly<Record<string, string>> = {
  PARTNER_REMOVED: "The business has removed this app from its WhatsApp account: connect the number again.",
  PARTNER_APP_UNINSTALLED: "The business has uninstalled this app: connect the number again.",
  ACCOUNT_DELETED: "The WhatsApp Business Account was deleted: connect a number of another account.",
  ACCOUNT_OFFBOARDED: "The number has left the Cloud API: set it up in WhatsApp Manager, then connect it again.",
  DISABLED_UPDATE:
    "Meta has disabled the WhatsApp Business Account: request a review in WhatsApp Manager, then connect it again.",
};

/** @param at when it happened, never later than its receipt. */
export function closingsOf(
  event: AccountEvent,
  at: Date,
  { appId }: { readonly appId: string | null },
): readonly AccountClosing[] {
  const { field, wabaId, partnerAppId } = event;
  if (field !== "account_update" || wabaId === null || event.event === null) return [];
  if (!Object.hasOwn(REASONS, event.event)) return [];
  // The same business may have uninstalled another app of another provider.
  if (event.event === "PARTNER_APP_UNINSTALLED" && partnerAppId !== undefined && partnerAppId !== appId) return [];
  // A date for it, or the end of it, is no loss.
  if (event.event === "DISABLED_UPDATE" && event.reason?.split(", ").includes("DISABLE") !== true) return [];
  return [{ wabaId, reason: REASONS[event.event] as string, at }];
}
