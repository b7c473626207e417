/** What Meta does and says when a business takes an account away from the app. */
import { APP_REMOVED, type Tokens } from "../tokens.ts";
import type { WebhookSender } from "../webhook-sender.ts";
import type { WireObject } from "../wire.ts";
import type { AccountBook } from "./account-book.ts";

/** Told by `account_update` when an account is lost. */
export type LeavingEvent =
  | "PARTNER_REMOVED"
  | "PARTNER_APP_UNINSTALLED"
  | "ACCOUNT_DELETED"
  | "ACCOUNT_OFFBOARDED"
  | "DISABLED_UPDATE";

export type LeavingOptions = {
  /** Default `PARTNER_REMOVED`. */
  readonly event?: LeavingEvent;
  /** `disconnection_info`, e.g. `{ reason: "PRIMARY_INACTIVITY", initiated_by: "SYSTEM" }`. */
  readonly disconnectionInfo?: WireObject;
};

export type RemovePartner = (wabaId: string, options?: LeavingOptions) => void;

export function createRemovePartner(deps: {
  readonly appId: string;
  readonly now: () => Date;
  readonly book: AccountBook;
  readonly tokens: Tokens;
  readonly sender: WebhookSender;
}): RemovePartner {
  const { appId, now, book, tokens, sender } = deps;

  function cutOff(wabaId: string, event: LeavingEvent): void {
    if (event === "ACCOUNT_OFFBOARDED" || event === "DISABLED_UPDATE") return;
    book.account(wabaId)?.subscriptions.delete(appId);
    for (const access of tokens.seeing(wabaId)) {
      if (access.appId !== appId && event !== "ACCOUNT_DELETED") continue;
      // The app is gone from the business: its token dies. Otherwise it lives and sees one account less.
      if (event === "PARTNER_APP_UNINSTALLED" && access.isIssued) tokens.revoke(access.accessToken, APP_REMOVED);
      else access.wabaIds.delete(wabaId);
    }
    if (event === "ACCOUNT_DELETED") book.remove(wabaId);
  }

  return (wabaId, { event = "PARTNER_REMOVED", disconnectionInfo } = {}) => {
    const account = book.account(wabaId);
    if (!account) throw new Error(`The simulator has no account ${wabaId}.`);
    const isOfPartner = event.startsWith("PARTNER_");
    cutOff(wabaId, event);
    void sender.send({
      kind: "account",
      lane: wabaId,
      wamids: [],
      content: [
        {
          wabaId,
          field: "account_update",
          // Meta speaks of partners to the portfolio, and of everything else to the account.
          entry: { id: isOfPartner ? account.businessId : wabaId, time: Math.floor(now().getTime() / 1000) },
          isForApp: true,
          value: {
            event,
            ...(isOfPartner && {
              waba_info: {
                waba_id: wabaId,
                owner_business_id: account.businessId,
                ...(event === "PARTNER_APP_UNINSTALLED" && { partner_app_id: appId }),
              },
            }),
            ...(event === "DISABLED_UPDATE" && { ban_info: { waba_ban_state: "DISABLE" } }),
            ...(disconnectionInfo && { disconnection_info: disconnectionInfo }),
          },
        },
      ],
    });
  };
}
