/** Numbers bound to tenants: coming, going, and their tokens. */
import type { Connection, ConnectionState } from "../contract.ts";
import type { AccountNumber, TokenFacts } from "./graph.ts";

export type Connections = {
  /** Inserts or renews the active connection of a number; CONNECTION_CONFLICT when another tenant holds it. */
  save(connection: NewConnection): Promise<Connection>;
  ofTenant(customerConfigId: string): Promise<readonly Connection[]>;
  /** Marks the number as needing a new token. @returns the connection the first time, so the host is told once; then null. */
  requireReauth(refused: {
    readonly connectionId: string;
    /** The token that Meta refused: one that was renewed meanwhile is not to blame. */
    readonly accessTokenEnc: string;
    readonly reason: string;
  }): Promise<Connection | null>;
  /** Nothing leaves from the number for a while. @returns false when somebody else has paused or resumed it since `strikes`. */
  pause(pause: {
    readonly connectionId: string;
    readonly strikes: number;
    readonly forMs: number;
    readonly reason: string;
  }): Promise<boolean>;
  /** The pause is over: true for the one who may send a message to see; for the others it lasts `forMs` more. */
  takeProbe(probe: { readonly connectionId: string; readonly forMs: number }): Promise<boolean>;
  /** Everything leaves again. @returns whether it was paused. */
  resume(connectionId: string): Promise<boolean>;
  /** Who holds these numbers now. */
  holders(phoneNumberIds: readonly string[]): Promise<readonly HeldNumber[]>;
  /** Whether Meta has granted what the WhatsApp Business app has, since the number was connected. */
  hasSynced(connectionId: string, what: "contacts" | "history"): Promise<boolean>;
  /** Meta has granted it: it is not asked for again. */
  rememberSync(connectionId: string, what: "contacts" | "history"): Promise<void>;
  /** Numbers not looked at for a day, or of which Meta has told a change since, or for an hour while their webhooks go elsewhere; the same one to nobody else for that long. */
  staleNumbers(): Promise<readonly StaleNumber[]>;
  /** What Meta shows of it now. */
  saveLook(
    connectionId: string,
    seen: Pick<NewConnection, "verifiedName" | "qualityRating"> & {
      readonly throughputLevel: string | null;
      readonly isOnBusinessApp: boolean | null;
    },
  ): Promise<void>;
  /** Whether Meta sends the number's webhooks to somebody else. */
  saveWebhooksElsewhere(connectionId: string, isElsewhere: boolean): Promise<void>;
  saveProfile(connectionId: string, profile: Readonly<Record<string, unknown>>): Promise<void>;
  /** Tokens that must be renewed or have expired; the same one to nobody else for the next `claimMs`. */
  ageingTokens(claimMs: number): Promise<readonly AgeingToken[]>;
  /** Puts a renewed token in the place of the one it was made from. @returns false when that one is no longer there. */
  renewToken(renewed: {
    readonly connectionId: string;
    readonly before: string;
    readonly accessTokenEnc: string;
    readonly token: TokenFacts;
  }): Promise<boolean>;
};

/** Numbers that leave: because their customer, Meta or the person who connected them says so. */
export type Leaving = {
  /**
   * Closes a number of the tenant's, or all of them, and keeps the tokens until Meta was told. What is still being connected
   * goes on with a number that stays, and otherwise ends too.
   * @returns the connections closed by this call, none when they were closed before; null when the tenant never had that number.
   */
  disconnect(wish: {
    readonly customerConfigId: string;
    readonly phoneNumberId: string | null;
    readonly reason: string;
  }): Promise<readonly Connection[] | null>;
  /**
   * Tokens with which Meta must still be told. Each is its caller's for half a minute at least.
   * @param only of these connections; null: whoever is due.
   */
  claim(limit: number, only: readonly string[] | null): Promise<readonly LeavingToken[]>;
  /** Meta was told, or cannot be told any more. */
  forget(connectionId: string): Promise<void>;
  /** The token of a number of this account that is connected; null when there is none. */
  tokenOfAccount(wabaId: string): Promise<Omit<LeavingToken, "isInUse" | "isOver"> | null>;
  /** The person takes back what they gave before `at`: their tokens go, and their numbers need a new one. */
  deauthorize(revoked: {
    readonly metaUserId: string;
    readonly at: Date;
    readonly reason: string;
  }): Promise<readonly Connection[]>;
  /** The same, and everything else that is known of this Meta user goes too; `code` will tell that it is done. */
  forgetMetaUser(revoked: {
    readonly metaUserId: string;
    readonly at: Date;
    readonly reason: string;
    readonly code: string;
  }): Promise<readonly Connection[]>;
  finishErasure(code: string): Promise<void>;
  /** When it was done; null while it is not, undefined when nobody has this code. */
  erasure(code: string): Promise<{ readonly completedAt: Date | null } | undefined>;
};

/** The token of a number that has left. */
export type LeavingToken = {
  readonly connectionId: string;
  readonly customerConfigId: string;
  readonly wabaId: string;
  /** Sealed for the connection's row. */
  readonly accessTokenEnc: string;
  /** Somebody else has a number of the account connected: its webhooks must go on. */
  readonly isInUse: boolean;
  /** Meta could not be told for a week. */
  readonly isOver: boolean;
};

export type NewConnection = Omit<Connection, "connectionId" | "state" | "reason"> & {
  /** Seals the token for the row that it will stand in. */
  readonly seal: (connectionId: string) => string;
  /** What Meta says of the token, where somebody has asked. */
  readonly token?: TokenFacts;
  /** Seals the PIN that it was registered with; without it what is known of it stays. */
  readonly sealPin?: ((connectionId: string) => string) | undefined;
  readonly isOnBusinessApp?: boolean | null;
  /** As {@link AccountNumber}. */
  readonly throughputLevel?: string | null;
  /** Whether the host hears of it: who calls `connect` has the answer. */
  readonly isAnnounced?: boolean;
  /** Somebody has confirmed that a tenant who holds the number loses it. */
  readonly takeover?: boolean;
};

/** Who holds a number now. */
export type HeldNumber = {
  readonly phoneNumberId: string;
  readonly connectionId: string;
  readonly customerConfigId: string;
  readonly state: ConnectionState;
};

/** A number of which Meta must be asked again what it may do. */
export type StaleNumber = {
  readonly connectionId: string;
  readonly customerConfigId: string;
  readonly phoneNumberId: string;
  readonly wabaId: string;
  /** Sealed for the connection's row. */
  readonly accessTokenEnc: string;
};

/** A token whose time has come to be looked after. */
export type AgeingToken = {
  readonly connectionId: string;
  readonly customerConfigId: string;
  readonly accessTokenEnc: string;
  /** As {@link TokenFacts}. */
  readonly type: string | null;
  readonly isExpired: boolean;
};

/** A browser on its way to Meta and back. */
export type SignInAttempt = {
  /** SHA-256 of the state in its address. */
  readonly stateHash: string;
  readonly customerConfigId: string;
  readonly userId: string | null;
  readonly sessionHash: string;
  readonly appId: string;
};

export type StartedSignIn = SignInAttempt & {
  readonly redirectUri: string;
  readonly returnTo: string;
  /** Sealed for the state's hash. */
  readonly pkceVerifierEnc: string | null;
};

export type SignIns = {
  /** @param lifeMs how long its state may be used. */
  begin(started: StartedSignIn, lifeMs: number): Promise<void>;
  /** The one use of a state, by exactly whom it was made for. @returns null for everybody else and ever after. */
  take(attempt: SignInAttempt): Promise<StartedSignIn | null>;
};

export type OnboardingState = "running" | "choice" | "pin" | "takeover" | "failed" | "done";

/** What became of a code, as it is stored. */
export type Onboarding = {
  readonly onboardingId: string;
  readonly customerConfigId: string;
  readonly userId: string | null;
  readonly flow: "redirect" | "popup";
  readonly state: OnboardingState;
  /** Sealed for this row; null once it is over. */
  readonly accessTokenEnc: string | null;
  readonly progress: OnboardingProgress;
  readonly error: { readonly code: string; readonly message: string } | null;
  /** Whoever works on it: another one with each write, so that one who took too long finds that it is somebody else's. */
  readonly claim: string;
};

export type OnboardingProgress = {
  /** What the browser said; believed only where the token proves it. */
  readonly hints: { readonly wabaId: string | null; readonly phoneNumberId: string | null };
  readonly token: TokenFacts | null;
  readonly numbers: readonly OfferedNumber[] | null;
  readonly chosen: readonly string[];
  /** Sealed for this row, by phone number id. */
  readonly pins: Readonly<Record<string, string>>;
  /** Phone number ids that may be taken from another tenant: somebody has said so of each. */
  readonly takeovers: readonly string[];
  readonly steps: readonly OnboardingStep[];
};

/** A number that the token was granted. */
export type OfferedNumber = AccountNumber & { readonly wabaId: string; readonly wabaName: string | null };

export type StepName =
  | "exchange"
  | "inspect"
  | "accounts"
  | "choice"
  | "subscribe"
  | "register"
  | "connect"
  | "templates"
  | "profile"
  | "sync";

export type OnboardingStep = {
  readonly step: StepName;
  readonly phoneNumberId: string | null;
  readonly state: "done" | "skipped" | "failed";
  readonly error: { readonly code: string; readonly message: string } | null;
};

/** A PIN with the row that it is sealed for. */
export type KnownPin = { readonly customerConfigId: string; readonly rowId: string; readonly pinEnc: string };

export type Onboardings = {
  /** Stores a token that was just granted, for us to go on with. What the tenant had begun before is over: its token goes. */
  begin(begun: {
    readonly customerConfigId: string;
    readonly userId: string | null;
    readonly flow: Onboarding["flow"];
    readonly progress: OnboardingProgress;
    readonly seal: (onboardingId: string) => string;
    readonly busyMs: number;
  }): Promise<Onboarding>;
  /** The tenant's last one, of the last day. */
  current(customerConfigId: string): Promise<Onboarding | null>;
  /** The same to work on, for `busyMs`; null while somebody else does. */
  claim(onboardingId: string, busyMs: number): Promise<Onboarding | null>;
  /**
   * @param busyMs how long it is its writer's from now on; 0: nobody works on it any more.
   * @returns the claim for the next write; null when a later one, or somebody else, has taken its place: then nothing was written.
   */
  save(
    onboarding: Pick<Onboarding, "onboardingId" | "state" | "progress" | "error" | "accessTokenEnc" | "claim">,
    busyMs: number,
  ): Promise<string | null>;
  /** The PIN that a number was last registered with here: an onboarding's of the last day, else a connection's, whoever had it. */
  knownPin(customerConfigId: string, phoneNumberId: string): Promise<KnownPin | null>;
  /** Forgets the tokens and PINs of those that nobody has finished within a day. */
  expire(): Promise<void>;
};
