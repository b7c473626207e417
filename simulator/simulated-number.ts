/** A business phone number that exists in the simulated Meta. */
export type SimulatedNumber = {
  readonly phoneNumberId: string;
  readonly wabaId: string;
  /** As Meta shows it, e.g. `+1 555-777-0100`. Webhooks carry its digits only. */
  readonly displayPhoneNumber: string;
  readonly verifiedName: string;
  /** The token that may use this number, when it is another than the simulator's `accessToken`. */
  readonly accessToken?: string;
  /** Whether the app is already subscribed to the account's webhooks. Default true. */
  readonly isSubscribed?: boolean;
};
