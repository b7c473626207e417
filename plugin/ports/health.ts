/** What the doctor asks: Meta, our own address, and the database. */
import type { ConnectionState, PartState } from "../contract.ts";
import type { AccountNumber, MetaAccounts } from "./graph.ts";

/** What Meta shows of app, accounts and numbers, for the doctor: reads only. Every call throws ChannelError GRAPH_REJECTED or GRAPH_UNREACHABLE. */
export type MetaHealth = {
  inspectToken: MetaAccounts["inspectToken"];
  /** Meta's clock, to the second; null when its answer does not tell. Needs no token. */
  clock(): Promise<Date | null>;
  /** The app by its own token: proves that id and secret belong together. */
  app(): Promise<{ readonly name: string | null }>;
  /** Where the app's WhatsApp webhooks go; null when none are set up. */
  appSubscription(): Promise<AppSubscription | null>;
  /** The apps that an account sends its webhooks to. */
  accountSubscriptions(call: {
    readonly wabaId: string;
    readonly accessToken: string;
  }): Promise<readonly AccountSubscription[]>;
  number(call: { readonly phoneNumberId: string; readonly accessToken: string }): Promise<NumberHealth>;
  /** Of {@link number}, only where its messages go. */
  callbacks(call: { readonly phoneNumberId: string; readonly accessToken: string }): Promise<NumberHealth["callbacks"]>;
  account(call: { readonly wabaId: string; readonly accessToken: string }): Promise<AccountHealth>;
};

export type AppSubscription = {
  readonly callbackUrl: string | null;
  readonly isActive: boolean;
  readonly fields: readonly string[];
};

export type AccountSubscription = {
  readonly appId: string | null;
  /** Where this account's messages go instead of the app's callback URL; null when nowhere else. */
  readonly overrideUrl: string | null;
};

export type NumberHealth = Pick<
  AccountNumber,
  "displayPhoneNumber" | "verifiedName" | "qualityRating" | "codeVerificationStatus" | "isOnBusinessApp"
> & {
  /** `CONNECTED`, `PENDING`, `DISCONNECTED`, `FLAGGED`, `RESTRICTED`, `BANNED`, … */
  readonly status: string | null;
  /** `CLOUD_API`, `ON_PREMISE`, `NOT_APPLICABLE`. */
  readonly platformType: string | null;
  /** `APPROVED`, `AVAILABLE_WITHOUT_REVIEW`, `DECLINED`, `EXPIRED`, `PENDING_REVIEW`, `NONE`. */
  readonly nameStatus: string | null;
  /** `LIVE`, `SANDBOX`. */
  readonly accountMode: string | null;
  /** `TIER_250`, …: how many people a day the business may write to first; null when Meta does not tell. */
  readonly messagingLimit: string | null;
  /** What messages of this number are sent to, by the level that says so, where one does. */
  readonly callbacks: { readonly app: string | null; readonly account: string | null; readonly number: string | null };
  readonly canSend: MessagingHealth | null;
};

export type AccountHealth = {
  readonly name: string | null;
  /** `APPROVED`, `PENDING`, `REJECTED`. */
  readonly reviewStatus: string | null;
  readonly canSend: MessagingHealth | null;
};

/** @see https://developers.facebook.com/docs/whatsapp/cloud-api/health-status */
export type MessagingHealth = {
  /** `AVAILABLE`, `LIMITED`, `BLOCKED`. */
  readonly state: string;
  readonly entities: readonly {
    /** `PHONE_NUMBER`, `WABA`, `BUSINESS`, `APP`. */
    readonly type: string;
    readonly state: string;
    readonly errors: readonly {
      readonly code: number | null;
      readonly description: string | null;
      readonly solution: string | null;
    }[];
    /** Why it is limited, in Meta's words. */
    readonly notes: readonly string[];
  }[];
};

/** Asks our own webhook what Meta would ask it. */
export type CallWebhook = (call: {
  readonly url: string;
  readonly verifyToken: string;
  readonly challenge: string;
}) => Promise<WebhookAnswer>;

export type WebhookAnswer =
  | { readonly kind: "answered"; readonly status: number; readonly echoed: boolean }
  | { readonly kind: "unreachable"; readonly reason: string };

/** What the database tells the doctor: reads only, each bounded in time and rows. */
export type Examination = {
  /** The database's clock. */
  clock(): Promise<Date>;
  /** Numbers that are not disconnected, eldest first, and how many more there are. */
  numbers(
    customerConfigId: string | null,
  ): Promise<{ readonly numbers: readonly ExaminedNumber[]; readonly more: number }>;
  arrivals(numbers: readonly ExaminedNumber[]): Promise<Arrivals>;
  /** Deliveries for numbers that nobody has connected. @param wabaIds of these accounts only; null: of all. */
  unrouted(wabaIds: readonly string[] | null): Promise<readonly Unrouted[]>;
  sends(numbers: readonly ExaminedNumber[]): Promise<readonly NumberSends[]>;
  templates(numbers: readonly ExaminedNumber[]): Promise<readonly AccountTemplates[]>;
  /** @param numbers whose dead letters count; null: everybody's. */
  work(numbers: readonly ExaminedNumber[] | null): Promise<Work>;
};

export type ExaminedNumber = {
  readonly connectionId: string;
  readonly customerConfigId: string;
  readonly phoneNumberId: string;
  readonly wabaId: string;
  readonly displayPhoneNumber: string;
  readonly verifiedName: string | null;
  readonly state: ConnectionState;
  readonly reason: string | null;
  /** Sealed for the connection's row; null when there is none. */
  readonly accessTokenEnc: string | null;
  readonly templatesSyncedAt: Date | null;
};

export type Arrivals = {
  /** The last delivery of all; null when there never was one. */
  readonly last: { readonly at: Date; readonly secretIndex: number } | null;
  /** At most 10,001. */
  readonly lastDay: number;
  readonly quarantinedLastDay: number;
  /** Among the last 50,000 events. */
  readonly numbers: readonly {
    readonly phoneNumberId: string;
    readonly lastAt: Date;
    readonly lastMessageAt: Date | null;
    readonly lastDay: number;
  }[];
};

export type Unrouted = { readonly phoneNumberId: string | null; readonly count: number; readonly lastAt: Date };

export type NumberSends = {
  readonly connectionId: string;
  /** Queued, held, or under way. */
  readonly waiting: number;
  /** The newest part that has left or failed, among the last 20,000. */
  readonly last: { readonly at: Date; readonly state: PartState } | null;
  readonly lastFailure: {
    readonly at: Date;
    /** Ours. */
    readonly code: string | null;
    readonly metaCode: number | null;
  } | null;
};

export type AccountTemplates = { readonly wabaId: string; readonly counts: Readonly<Record<string, number>> };

export type Work = {
  readonly deadLetters: { readonly events: number; readonly turns: number; readonly hostEvents: number };
  /** How long the longest-waiting work has been ready without anybody taking it; null when none waits. */
  readonly waitingMs: number | null;
};
