/** Puts together what Meta knows of accounts and numbers: what is asked of it, who hears of it, and how it is lost. */
import type { GraphAnswer } from "../graph-error.ts";
import type { GraphCall, GraphPlan } from "../graph-plan.ts";
import type { Settings } from "../options.ts";
import type { TemplateManagement } from "../template-management.ts";
import type { TemplateStore } from "../templates.ts";
import type { Tokens } from "../tokens.ts";
import type { WebhookSender } from "../webhook-sender.ts";
import type { WireChange } from "../wire.ts";
import type { AccountBook } from "./account-book.ts";
import { type AccountUpdates, createAccountUpdates } from "./account-updates.ts";
import { createAccountsEndpoint } from "./accounts-endpoint.ts";
import { createAppEndpoint } from "./app-endpoint.ts";
import { createPhoneEndpoint } from "./phone-endpoint.ts";
import { createUserEndpoint } from "./user-endpoint.ts";

export type Accounts = AccountUpdates & {
  plan(call: GraphCall): GraphPlan | GraphAnswer;
  /** Whether the app has asked to hear of it. */
  isWanted(change: WireChange): boolean;
  /** Where it goes instead of the app's address; null when it goes there. */
  overrideOf(change: WireChange): string | null;
};

export function createAccounts(deps: {
  readonly settings: Settings;
  readonly book: AccountBook;
  readonly tokens: Tokens;
  readonly templates: TemplateStore;
  readonly management: TemplateManagement;
  readonly sender: WebhookSender;
}): Accounts {
  const { book, sender } = deps;
  const around = { ...deps.settings, ...deps, webhookUrl: sender.url, setWebhookUrl: sender.setUrl };
  const apps = createAppEndpoint(around);
  const phones = createPhoneEndpoint(around);
  const users = createUserEndpoint(around);

  // Messages go to the address of their number or account, where it has one; everything else to the app's.
  function overrideOf({ wabaId, field, value }: WireChange): string | null {
    if (field !== "messages") return null;
    const { phone_number_id: phoneNumberId } = value.metadata as { readonly phone_number_id: string };
    return book.overrideOf(wabaId, phoneNumberId);
  }

  return {
    plan: createAccountsEndpoint({ ...around, apps, phones, users }),
    isWanted: (change) =>
      (change.isForApp || book.isSubscribed(change.wabaId)) && (apps.hears(change) || overrideOf(change) !== null),
    overrideOf,
    ...createAccountUpdates(around),
  };
}
