/** What Meta does and says when a business gives an account to the app, and when it takes it away. */
import { APP_REMOVED, type Tokens } from "../tokens.ts";
import type { WebhookSender } from "../webhook-sender.ts";
import type { WireObject } from "../wire.ts";
import type { AccountBook, AccountRecord } from "./account-book.ts";

/** Told by `account_update` when an account is lost. */
export type LeavingEvent =
  | "PARTNER_REMOVED"
  | "PARTNER_APP_UNINSTALLED"
  | "ACCOUNT_DELETED"
  | "ACCOUNT_OFFBOARDED"
  | "DISABLED_UPDATE";

/** How an account leaves, and what Meta says of it. */
export type LeavingOptions = {
  /** Default `PARTNER_REMOVED`. */
  readonly event?: LeavingEvent;
  /** `disconnection_info`, e.g. `{ reason: "PRIMARY_INACTIVITY", initiated_by: "SYSTEM" }`. */
  readonly disconnectionInfo?: WireObject;
};

/** A business gives its account to the app, or takes it away. */
export type AccountUpdates = {
  /** The business shares the account with the app, as at the end of Embedded Signup: `PARTNER_ADDED`. */
  addPartner(wabaId: string): void;
  /**
   * The business takes the account away: Meta says so with `account_update`, and ends what it ends. `PARTNER_REMOVED` (the
   * default) takes the account from every token of the app, `PARTNER_APP_UNINSTALLED` ends the tokens that signing in
   * gave, `ACCOUNT_DELETED` removes the account itself; the others change nothing else.
   */
  removePartner(wabaId: string, options?: LeavingOptions): void;
  /** Meta rates the number anew (`GREEN`, `YELLOW`, `RED`) and says so: `FLAGGED` when it is `RED`, else `UNFLAGGED`. */
  changeQuality(phoneNumberId: string, rating: string): void;
};

export function createAccountUpdates(deps: {
  readonly appId: string;
  readonly now: () => Date;
  readonly book: AccountBook;
  readonly tokens: Tokens;
  readonly sender: WebhookSender;
}): AccountUpdates {
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

  function accountAt(wabaId: string): AccountRecord {
    const account = book.account(wabaId);
    if (!account) throw new Error(`The simulator has no account ${wabaId}.`);
    return account;
  }

  function tell({ wabaId, businessId }: AccountRecord, event: string, more: WireObject = {}): void {
    const isOfPartner = event.startsWith("PARTNER_");
    const info = { waba_id: wabaId, owner_business_id: businessId };
    void sender.send({
      kind: "account",
      lane: wabaId,
      wamids: [],
      content: [
        {
          wabaId,
          field: "account_update",
          // Meta speaks of partners to the portfolio, and of everything else to the account.
          entry: { id: isOfPartner ? businessId : wabaId, time: Math.floor(now().getTime() / 1000) },
          isForApp: true,
          value: {
            event,
            ...(isOfPartner && {
              waba_info: event === "PARTNER_APP_UNINSTALLED" ? { ...info, partner_app_id: appId } : info,
            }),
            ...more,
          },
        },
      ],
    });
  }

  return {
    changeQuality(phoneNumberId, rating) {
      book.changeNumber(phoneNumberId, { qualityRating: rating });
      const about = book.number(phoneNumberId)?.about;
      if (!about) return;
      const { wabaId } = about;
      const limit = "TIER_250";
      void sender.send({
        kind: "account",
        lane: wabaId,
        wamids: [],
        content: [
          {
            wabaId,
            field: "phone_number_quality_update",
            entry: { id: wabaId, time: Math.floor(now().getTime() / 1000) },
            value: {
              display_phone_number: about.displayPhoneNumber.replace(/\D/g, ""),
              event: rating === "RED" ? "FLAGGED" : "UNFLAGGED",
              current_limit: limit,
              max_daily_conversations_per_business: limit,
            },
          },
        ],
      });
    },
    addPartner: (wabaId) => tell(accountAt(wabaId), "PARTNER_ADDED"),
    removePartner(wabaId, { event = "PARTNER_REMOVED", disconnectionInfo } = {}) {
      const account = accountAt(wabaId);
      cutOff(wabaId, event);
      tell(account, event, {
        ...(event === "DISABLED_UPDATE" && { ban_info: { waba_ban_state: "DISABLE" } }),
        ...(disconnectionInfo && { disconnection_info: disconnectionInfo }),
      });
    },
  };
}
