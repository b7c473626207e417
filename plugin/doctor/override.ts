/** Where messages of a number go when not to the app's own address. */
import type { AccountSubscription, NumberHealth } from "../ports.ts";

export type Override = { readonly of: "number" | "account"; readonly url: string };

/** An address at the number goes before one at the account, and that before the app's. Null arguments: nobody knows. Pure. */
export function overrideOf(
  appId: string | null,
  atNumber: NumberHealth["callbacks"] | null,
  subscriptions: readonly AccountSubscription[] | null,
): Override | null {
  if (atNumber?.number != null) return { of: "number", url: atNumber.number };
  // Of several apps, only our own's address is ours to judge.
  const mine =
    subscriptions?.find((one) => one.appId === appId) ??
    (appId === null && subscriptions?.length === 1 ? subscriptions[0] : undefined);
  const url = atNumber?.account ?? mine?.overrideUrl ?? null;
  return url === null ? null : { of: "account", url };
}
