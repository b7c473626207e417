/** The business phone numbers and accounts that exist in the simulated Meta, as a test describes them. */

/** A business phone number. */
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
  /** The portfolio that owns the account. Default: one for all. */
  readonly businessId?: string;
  /** Registered with the Cloud API. Default true; false: `PENDING`, `NOT_APPLICABLE`, and no message leaves (133010). */
  readonly isRegistered?: boolean;
  /** The two-step PIN that is already set. Default none. */
  readonly pin?: string | null;
  /** Used with the WhatsApp Business app at the same time (coexistence). Default false. */
  readonly isOnBusinessApp?: boolean;
  /** For coexistence: whether the person lets their history be read. Default true. */
  readonly sharesHistory?: boolean;
  /** For coexistence: when it came to the Cloud API; it can be synchronised for 24 hours. Default: now. */
  readonly onboardedAt?: Date;
  /** `code_verification_status`. Default true. */
  readonly isVerified?: boolean;
  /** Default `APPROVED`. */
  readonly nameStatus?: string;
  /** Default `GREEN`. */
  readonly qualityRating?: string;
  /** Default `CONNECTED`, or `PENDING` when it is not registered. No message leaves from a number of another status. */
  readonly status?: string;
  /** `BLOCKED`: no message leaves. */
  readonly health?: SimulatedHealth;
  /** `webhook_configuration.phone_number`: messages of this number go there. */
  readonly overrideCallbackUri?: string | null;
  /** What `whatsapp_business_profile` tells, in Meta's spelling. */
  readonly profile?: Readonly<Record<string, unknown>>;
};

/** What may be said of an account: needed for one without numbers, or one that is not in order. */
export type SimulatedAccount = {
  readonly wabaId: string;
  /** Default: the name of its first number. */
  readonly name?: string;
  readonly businessId?: string;
  /** The portfolio it is shared with: it lists it as `client_whatsapp_business_accounts`. */
  readonly partnerBusinessId?: string | null;
  /** Whether the app is already subscribed. Default: as its numbers say, and false without numbers. */
  readonly isSubscribed?: boolean;
  /** `account_review_status`. Default `APPROVED`. */
  readonly reviewStatus?: string;
  /** `business_verification_status`. Default `verified`. */
  readonly verificationStatus?: string;
  readonly health?: SimulatedHealth;
  /** What `subscribed_apps` tells: messages of this account go there. */
  readonly overrideCallbackUri?: string | null;
};

/** One entity's part of `health_status`; the whole is as bad as its worst entity. */
export type SimulatedHealth = {
  readonly canSendMessage: "AVAILABLE" | "LIMITED" | "BLOCKED";
  readonly errors?: readonly {
    readonly error_code: number;
    readonly error_description: string;
    readonly possible_solution?: string;
  }[];
  readonly additionalInfo?: readonly string[];
};

/** Where a number stands, for tests to look at. */
export type NumberState = {
  readonly phoneNumberId: string;
  readonly wabaId: string;
  readonly isRegistered: boolean;
  readonly pin: string | null;
  /** Whether the app is subscribed to its account. */
  readonly isSubscribed: boolean;
  /** The `sync_type`s asked for, in order. */
  readonly synced: readonly string[];
};

/** What may change while the simulator runs. */
export type NumberChanges = Partial<Omit<SimulatedNumber, "phoneNumberId" | "wabaId" | "accessToken" | "businessId">>;
/** The same of an account. */
export type AccountChanges = Partial<Omit<SimulatedAccount, "wabaId" | "businessId">>;
