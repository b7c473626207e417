/** What Meta knows of the accounts and their numbers, as it changes: registered, subscribed, synchronised, overridden. */
import type {
  AccountChanges,
  NumberChanges,
  NumberState,
  SimulatedAccount,
  SimulatedNumber,
} from "./simulated-number.ts";

/** A number with what happened to it. */
export type NumberRecord = {
  /** As described, with every change so far. */
  about: SimulatedNumber;
  isRegistered: boolean;
  pin: string | null;
  readonly onboardedAt: Date;
  readonly synced: string[];
  /** Wrong PINs since the last right one. */
  wrongPins: number;
  /** When it was registered or deregistered, in epoch milliseconds. */
  readonly registrations: number[];
};

export type AccountRecord = {
  about: SimulatedAccount;
  readonly wabaId: string;
  readonly businessId: string;
  readonly numbers: readonly NumberRecord[];
  /** App id → where that app's messages go instead; null when they go where all goes. */
  readonly subscriptions: Map<string, string | null>;
};

export type AccountBook = {
  number(phoneNumberId: string): NumberRecord | undefined;
  account(wabaId: string): AccountRecord | undefined;
  accounts(): readonly AccountRecord[];
  /** The account does not exist any more. */
  remove(wabaId: string): void;
  isSubscribed(wabaId: string): boolean;
  /** Where messages of this number go instead of the app's address; the number's own wish comes first. */
  overrideOf(wabaId: string, phoneNumberId: string): string | null;
  changeNumber(phoneNumberId: string, changes: NumberChanges): void;
  changeAccount(wabaId: string, changes: AccountChanges): void;
  states(): readonly NumberState[];
};

export function createAccountBook({
  appId,
  businessId: defaultBusinessId,
  numbers: described,
  accounts: describedAccounts,
  now,
}: {
  readonly appId: string;
  readonly businessId: string;
  readonly numbers: readonly SimulatedNumber[];
  readonly accounts: readonly SimulatedAccount[];
  readonly now: () => Date;
}): AccountBook {
  const numbers = new Map(described.map((about) => [about.phoneNumberId, numberOf(about, now())]));
  const wabaIds = new Set([...described, ...describedAccounts].map(({ wabaId }) => wabaId));
  const accounts = new Map([...wabaIds].map((wabaId) => [wabaId, accountOf(wabaId)]));

  function accountOf(wabaId: string): AccountRecord {
    const own = [...numbers.values()].filter(({ about }) => about.wabaId === wabaId);
    const about = describedAccounts.find((account) => account.wabaId === wabaId) ?? { wabaId };
    const isSubscribed = about.isSubscribed ?? own.some((number) => number.about.isSubscribed ?? true);
    return {
      about,
      wabaId,
      businessId: about.businessId ?? own[0]?.about.businessId ?? defaultBusinessId,
      numbers: own,
      subscriptions: new Map(isSubscribed ? [[appId, about.overrideCallbackUri ?? null]] : []),
    };
  }

  function numberAt(phoneNumberId: string): NumberRecord {
    const number = numbers.get(phoneNumberId);
    if (!number) throw new Error(`The simulator has no business number ${phoneNumberId}.`);
    return number;
  }

  function changeAccount(wabaId: string, changes: AccountChanges): void {
    const account = accounts.get(wabaId);
    if (!account) throw new Error(`The simulator has no account ${wabaId}.`);
    account.about = { ...account.about, ...changes };
    const { isSubscribed = account.subscriptions.has(appId), overrideCallbackUri } = changes;
    if (!isSubscribed) account.subscriptions.delete(appId);
    else account.subscriptions.set(appId, overrideCallbackUri ?? account.subscriptions.get(appId) ?? null);
    if (isSubscribed && overrideCallbackUri === null) account.subscriptions.set(appId, null);
  }

  return {
    number: (phoneNumberId) => {
      const number = numbers.get(phoneNumberId);
      return number && accounts.has(number.about.wabaId) ? number : undefined;
    },
    account: (wabaId) => accounts.get(wabaId),
    accounts: () => [...accounts.values()],
    remove: (wabaId) => accounts.delete(wabaId),
    isSubscribed: (wabaId) => accounts.get(wabaId)?.subscriptions.has(appId) ?? false,
    overrideOf: (wabaId, phoneNumberId) =>
      numbers.get(phoneNumberId)?.about.overrideCallbackUri ?? accounts.get(wabaId)?.subscriptions.get(appId) ?? null,
    changeNumber(phoneNumberId, changes) {
      const number = numberAt(phoneNumberId);
      const { isRegistered, pin, isSubscribed } = changes;
      number.about = { ...number.about, ...changes };
      if (isRegistered !== undefined) number.isRegistered = isRegistered;
      if (pin !== undefined) number.pin = pin;
      if (isSubscribed !== undefined) changeAccount(number.about.wabaId, { isSubscribed });
    },
    changeAccount,
    states: () =>
      [...numbers.values()].map(({ about, isRegistered, pin, synced }) => ({
        phoneNumberId: about.phoneNumberId,
        wabaId: about.wabaId,
        isRegistered,
        pin,
        isSubscribed: accounts.get(about.wabaId)?.subscriptions.has(appId) ?? false,
        synced: [...synced],
      })),
  };
}

function numberOf(about: SimulatedNumber, now: Date): NumberRecord {
  return {
    about,
    isRegistered: about.isRegistered ?? true,
    pin: about.pin ?? null,
    onboardedAt: new Date(about.onboardedAt ?? now),
    synced: [],
    wrongPins: 0,
    registrations: [],
  };
}
