/** What the channel needs from the world. Each port has one adapter; nothing here knows SQL, HTTP or Meta's spelling. */
import type {
  ChannelEvent,
  Connection,
  ConnectionState,
  Degradation,
  HostEvent,
  MetaError,
  OutboundMessage,
  PartState,
  Person,
  ReceivedEvent,
  Reply,
  SendReceipt,
  SentPart,
  SessionStatus,
  StatusEvent,
  TemplateEvent,
  Turn,
  TurnMessage,
} from "./contract.ts";
import type { Retry } from "./errors.ts";

/** A pino logger fits. Fields first; they hold ids, never text, numbers or tokens. */
export type Logger = {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

/** Where work waits. A lane is one conversation in one stage: leased to one worker at a time, worked in order. */
export type Stage = "in" | "notify" | "out" | "turn";

/** A lane this process may work on until its lease ends. The token is the fence: without it nothing commits. */
export type ClaimedLane = {
  readonly laneKey: string;
  readonly token: string;
  /** Failures in a row of the item at its head, crashes included. */
  readonly attempts: number;
};

export type Lanes = {
  claim(stage: Stage, limit: number): Promise<readonly ClaimedLane[]>;
  /** Makes the leases last again. @returns the lanes that are still ours. */
  renew(lanes: readonly ClaimedLane[]): Promise<readonly ClaimedLane[]>;
  /** Gives lanes back untouched, for another instance to take at once. */
  release(lanes: readonly ClaimedLane[]): Promise<void>;
  /** Gives a lane back to be tried again later; `failed` counts towards the limit of attempts. */
  postpone(lane: ClaimedLane, delayMs: number, failed: boolean): Promise<void>;
};

/** A verified delivery on its way into the inbox. */
export type IncomingDelivery = {
  readonly body: Uint8Array;
  readonly secretIndex: number;
  readonly webhookType: string;
  /** The body as JSON that Postgres can hold: as it is, or mended. Null when quarantined. */
  readonly payload: "verbatim" | { readonly text: string } | null;
  /** Why it is quarantined; null when it is not. */
  readonly error: string | null;
  readonly events: readonly ChannelEvent[];
};

export type RecordedDelivery = {
  readonly webhookId: string;
  readonly events: readonly ReceivedEvent[];
  /** Why only its bytes are kept, be it our reading or Postgres that refused them; null otherwise. */
  readonly error: string | null;
};

/** A stored event, as the apply stage reads it. */
export type StoredEvent = {
  readonly eventId: string;
  readonly laneKey: string;
  readonly contactId: string | null;
  readonly event: ChannelEvent;
  /** When we stored it, on the database's clock. */
  readonly receivedAt: Date;
  /** The same to the microsecond, ISO 8601: two messages of one delivery differ only there. */
  readonly storedAt: string;
  /** It was unknown when it came, and was read again by a later version: what it shows may have a row already. */
  readonly again: boolean;
};

/** What a batch of events does to the database: decided without it, written in one transaction. */
export type Effects = {
  /** Rows for the host's inbox, in the order of the events. */
  readonly shown: readonly ShownMessage[];
  /** What Meta says about a person now. */
  readonly profiles: readonly { readonly contactId: string; readonly person: Person }[];
  readonly windows: readonly OpenedWindow[];
  /** Edits, deletions and reactions: changes of rows that are there already, ours among them. */
  readonly changes: readonly ShownChange[];
  /** Staff has answered: until then the AI is not asked. */
  readonly pauses: readonly { readonly contactId: string; readonly until: Date }[];
  /** A number that somebody else may have next: no longer a name of this person. */
  readonly leftNumbers: readonly {
    readonly contactId: string;
    readonly phoneNumber: string;
    readonly person: Person;
  }[];
  readonly preferences: readonly ContactPreference[];
  readonly templates: readonly TemplateEvent[];
  /** Accounts that Meta has taken from us, with every number in them. */
  readonly closings: readonly AccountClosing[];
  readonly statuses: readonly StatusEvent[];
  /** For the host's `onEvent`, in the order of the events; the conversation is added when written. */
  readonly told: readonly { readonly contactId: string | null; readonly event: ChannelEvent; readonly late: boolean }[];
};

export type AccountClosing = {
  readonly wabaId: string;
  /** What happened and what to do, in one sentence. */
  readonly reason: string;
  /** When it happened: a number that was connected since stays. */
  readonly at: Date;
};

/** A row of the host's inbox. */
export type ShownMessage = {
  readonly contactId: string;
  readonly role: "user" | "assistant";
  readonly content: string;
  readonly mediaType: string | null;
  /** The wamid. */
  readonly externalId: string;
  readonly status: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** ISO 8601: becomes `messages.created_at`. */
  readonly at: string;
  /** Left out where a row has this wamid already: history and echoes may bring what came before. */
  readonly unlessThere: boolean;
  /** Takes the place of the row that stood for it while it could not be read. */
  readonly again: boolean;
  /** What the AI is asked with; null where nobody is woken. */
  readonly wakes: Omit<TurnMessage, "id"> | null;
};

export type OpenedWindow = {
  readonly contactId: string;
  readonly phoneNumber: string | null;
  /** WhatsApp's own time, never later than receipt. */
  readonly at: Date;
  /** They came by an ad: an answer within a day opens the free entry point. */
  readonly byAd: boolean;
};

/** A row that is there already, and what of it is new. */
export type ShownChange = {
  readonly contactId: string;
  /** The wamid of the row. */
  readonly targetId: string;
  /** Null: as before. */
  readonly content: string | null;
  /** Members of `channel_metadata`; one that is null goes. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The same for a turn that the AI has not seen yet; null where nothing of it changes. */
  readonly inTurn: { readonly kind: "edit"; readonly text: string | null } | { readonly kind: "remove" } | null;
};

export type ContactPreference = {
  readonly contactId: string;
  readonly category: string;
  readonly value: "stop" | "resume" | "signup";
  /** By whom we know: Meta, or the person's own word. */
  readonly source: "meta" | "keyword";
  readonly at: Date;
};

/** What became of what was unknown: events that are understood now, and those that still are not, by their type. */
export type ReadAgain = {
  readonly understood: number;
  /** Deliveries (`whatsapp_webhooks.id`) that the database refused, and its SQLSTATE: they stay as they were. */
  readonly failed: readonly { readonly webhookId: string; readonly error: string }[];
  readonly unknown: readonly { readonly type: string; readonly count: number; readonly last: Date }[];
};

export type Inbox = {
  /**
   * Stores deliveries and their events in one commit.
   * @throws ChannelError STORE_UNAVAILABLE when nothing, or perhaps nothing, was stored.
   */
  record(deliveries: readonly IncomingDelivery[]): Promise<readonly RecordedDelivery[]>;
  load(lanes: readonly ClaimedLane[], perLane: number): Promise<readonly StoredEvent[]>;
  /**
   * Effects, completion of the events and release of the lanes, in one transaction.
   * @returns false when a lease was lost: nothing was written.
   */
  apply(lanes: readonly ClaimedLane[], events: readonly StoredEvent[], effects: Effects): Promise<boolean>;
  /** Moves the lane's head aside as a dead letter; the lane goes on. */
  bury(lane: ClaimedLane, eventId: string, error: string): Promise<void>;
  /**
   * Reads again what was unknown when it came: what is understood now takes its place and is queued. Safe to repeat.
   * @param read the body of a delivery → its events; null when it cannot be read.
   */
  readAgain(read: (body: Uint8Array) => readonly ChannelEvent[] | null): Promise<ReadAgain>;
  /** Queues parked statuses whose message has appeared since; ends the wait of those a day old. */
  unpark(): Promise<number>;
};

/** A turn about to be answered: frozen at its first try. */
export type SealedTurn = Omit<Turn, "signal"> & {
  readonly lane: ClaimedLane;
  readonly connectionId: string;
  readonly contactId: string;
  readonly phoneNumberId: string;
  readonly wabaId: string;
  /** Sealed for the connection's row; null when there is none. */
  readonly accessTokenEnc: string | null;
  /** Staff is talking: the turn ends without asking the AI. */
  readonly isPaused: boolean;
  /** What the last answer offered as numbered text, in the order of the numbers. */
  readonly offered: readonly OfferedChoice[];
  /** The hashes of what earlier attempts have queued of a stream, in order. */
  readonly saidBefore: readonly string[];
};

export type OfferedChoice = { readonly id: string; readonly title: string };

/** Whose words a send is, and with what it may ask Meta about its templates. */
export type SendingAccount = {
  readonly customerConfigId: string;
  readonly connectionId: string;
  readonly wabaId: string;
  /** Sealed for the connection's row; null when there is none. */
  readonly accessTokenEnc: string | null;
};

/** A template as far as a send needs it. */
export type KnownTemplate = Pick<
  ListedTemplate,
  "name" | "language" | "status" | "category" | "parameterFormat" | "components"
>;

export type Templates = {
  /** What Meta lists takes the place of everything that was known of the account. */
  replace(account: SendingAccount, listed: readonly ListedTemplate[]): Promise<void>;
  /**
   * A template in all its languages; none when Meta has none of that name.
   * @param maxAgeMs null: however old.
   * @returns null when the account's templates were not read within that time.
   */
  named(account: SendingAccount, name: string, maxAgeMs: number | null): Promise<readonly KnownTemplate[] | null>;
};

/** What a host said in a turn, ready for the outbox. */
export type PlannedSend = {
  readonly parts: readonly PlannedPart[];
  readonly degraded: readonly Degradation[];
  readonly requestHash: string;
  readonly idempotencyKey: string | null;
  readonly onWindowClosed: "fail" | "hold";
  /** What leaves in place of everything else when the window is closed. */
  readonly fallback: FallbackPart | null;
  /** Offered as numbered text, in the order of the numbers. */
  readonly choices: readonly OfferedChoice[];
};

export type PlannedPart = {
  readonly kind: OutboundMessage["kind"];
  readonly endpoint: GraphEndpoint;
  /** The Graph message without recipient and callback data. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** What the host's inbox shows. */
  readonly content: string;
  readonly mediaType: string | null;
  /** False for templates, which may leave at any time. */
  readonly needsWindow: boolean;
  /** Not for people who have opted out. */
  readonly isMarketing: boolean;
};

/** `degraded`: what the receipt says when it goes. */
export type FallbackPart = PlannedPart & { readonly degraded: readonly Degradation[] };

/** The last word of `POST /{phone-number-id}/…`. */
export type GraphEndpoint = "messages" | "marketing_messages";

export type Turns = {
  /** Freezes the oldest turn of each lane and reads it; null for a lane that has none. */
  seal(lanes: readonly ClaimedLane[]): Promise<readonly (SealedTurn | null)[]>;
  /** The answer into the outbox, the turn done, the lane released, in one transaction; false when a lease was lost. */
  finish(
    answers: readonly { readonly turn: SealedTurn; readonly send: PlannedSend | null }[],
  ): Promise<readonly boolean[]>;
  /**
   * One piece of an answer that is still coming into the outbox; the turn goes on.
   * @param index counts the pieces of the turn from 0.
   * @returns false when the lease was lost: nothing was written.
   */
  append(turn: SealedTurn, index: number, piece: PlannedSend): Promise<boolean>;
  bury(turn: SealedTurn, error: string): Promise<void>;
};

/** A part at the head of its lane, with all that the dispatcher must know to send it. */
export type OutgoingPart = {
  readonly lane: ClaimedLane;
  readonly outboxId: string;
  readonly state: PartState;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly endpoint: GraphEndpoint;
  readonly needsWindow: boolean;
  /** A marketing message to somebody who does not want any. */
  readonly isUnwanted: boolean;
  readonly fallback: FallbackPart | null;
  readonly recipient: { readonly phoneNumber: string | null; readonly userId: string | null };
  readonly connection: {
    readonly connectionId: string;
    readonly customerConfigId: string;
    readonly phoneNumberId: string;
    readonly state: ConnectionState;
    /** Sealed for the connection's row; null when there is none. */
    readonly accessTokenEnc: string | null;
  };
  readonly windowOpen: boolean;
  readonly onWindowClosed: "fail" | "hold";
  /** Attempts whose outcome nobody knows, the age of the last one, and whether its status could have arrived. */
  readonly ambiguous: { readonly count: number; readonly ageMs: number; readonly webhooksAlive: boolean };
  /** How often it was certainly not accepted so far. */
  readonly rejections: number;
};

/** How an attempt ended, and with it what becomes of the part and its lane. */
export type Settlement = {
  readonly part: OutgoingPart;
  /** The attempt's row; null when no attempt was made (window closed, reconciled). */
  readonly token: string | null;
  readonly attempt: "accepted" | "rejected" | "ambiguous" | null;
  readonly messageId: string | null;
  /**
   * `done`: the part leaves the lane in `state`. `retry`: it stays and is tried after `delayMs`. `replace`: another message
   * stands in its place from now on, and in that of all parts after it.
   */
  readonly next:
    | { readonly kind: "replace"; readonly by: FallbackPart }
    | { readonly kind: "done"; readonly state: PartState }
    | { readonly kind: "retry"; readonly state: "queued" | "held" | "sending"; readonly delayMs: number };
  readonly error: SentPart["error"];
};

export type SendRequestKey = {
  readonly conversationId: string;
  readonly idempotencyKey: string | null;
  readonly requestHash: string;
};

export type Outbox = {
  /**
   * Stores a send of the host's own.
   * @throws ChannelError CONVERSATION_UNKNOWN, WINDOW_CLOSED, IDEMPOTENCY_CONFLICT.
   */
  enqueue(conversationId: string, send: PlannedSend): Promise<SendReceipt>;
  /**
   * The account that speaks in a conversation.
   * @throws ChannelError CONVERSATION_UNKNOWN, CONNECTION_MISSING.
   */
  accountOf(conversationId: string): Promise<SendingAccount>;
  /**
   * What became of a request that is made again under the same key; null when it is new.
   * @throws ChannelError IDEMPOTENCY_CONFLICT when the key was used for another request.
   */
  before(account: SendingAccount, request: SendRequestKey): Promise<SendReceipt | null>;
  receipt(sendId: string, customerConfigId: string): Promise<SendReceipt | null>;
  head(lanes: readonly ClaimedLane[]): Promise<readonly (OutgoingPart | null)[]>;
  /** Writes that these parts are about to be posted, with their tokens, and commits; false when the lease was lost. */
  begin(parts: readonly { readonly part: OutgoingPart; readonly token: string }[]): Promise<readonly boolean[]>;
  settle(settlements: readonly Settlement[]): Promise<readonly boolean[]>;
};

export type HostEvents = {
  load(
    lanes: readonly ClaimedLane[],
  ): Promise<readonly { readonly lane: ClaimedLane; readonly id: string; readonly event: HostEvent }[]>;
  done(lane: ClaimedLane, id: string): Promise<void>;
  bury(lane: ClaimedLane, id: string, error: string): Promise<void>;
};

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
  /** Who holds these numbers now. */
  holders(phoneNumberIds: readonly string[]): Promise<readonly HeldNumber[]>;
  /** The one who may ask for what the WhatsApp Business app has: true once per connection. */
  claimSync(connectionId: string, what: "contacts" | "history"): Promise<boolean>;
  /** It was not granted: it may be asked for again. */
  unclaimSync(connectionId: string, what: "contacts" | "history"): Promise<void>;
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
   * Closes a number of the tenant's, or all of them, and keeps the tokens until Meta was told.
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

/** A person to be forgotten. */
export type ErasureSubject =
  | { readonly phoneNumber: string; readonly userId?: undefined }
  | { readonly userId: string; readonly phoneNumber?: undefined };

/** How many rows hold something of a person. */
export type ErasureCounts = {
  readonly contacts: number;
  readonly conversations: number;
  /** Rows of the host's inbox. */
  readonly messages: number;
  readonly events: number;
  /** Webhooks whose bytes go. */
  readonly deliveries: number;
  readonly turns: number;
  readonly sends: number;
  readonly hostEvents: number;
};

export type Erasure = {
  /** Whether anybody is known by this name. */
  isKnown(subject: ErasureSubject): Promise<boolean>;
  /** What {@link Erasure.erase} would take away. Changes nothing. */
  count(subject: ErasureSubject, customerConfigId: string | null): Promise<ErasureCounts>;
  /** Everything that is known of a person, in one transaction. Safe to repeat. @param customerConfigId null: of every tenant. */
  erase(subject: ErasureSubject, customerConfigId: string | null): Promise<ErasureCounts>;
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
  readonly isOnBusinessApp?: boolean;
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
  readonly pinEnc: string | null;
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
};

export type OnboardingProgress = {
  /** What the browser said; believed only where the token proves it. */
  readonly hints: { readonly wabaId: string | null; readonly phoneNumberId: string | null };
  readonly token: TokenFacts | null;
  readonly numbers: readonly OfferedNumber[] | null;
  readonly chosen: readonly string[];
  /** Sealed for this row, by phone number id. */
  readonly pins: Readonly<Record<string, string>>;
  readonly takeover: boolean;
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
  /** @returns false when a later one has taken its place: then nothing was written. */
  save(
    onboarding: Pick<Onboarding, "onboardingId" | "state" | "progress" | "error" | "accessTokenEnc">,
    isOver: boolean,
  ): Promise<boolean>;
  /** Forgets the tokens of those that nobody has finished within a day. */
  expire(): Promise<void>;
};

export type Sessions = {
  status(conversationId: string): Promise<SessionStatus | null>;
  /** The tenant of a conversation, so that a route can refuse another's. */
  tenantOf(conversationId: string): Promise<string | null>;
};

/** Everything in the host's Postgres. */
export type DeadLetterStage = "in" | "turn" | "notify";

export type DeadLetterFilter = {
  /** Null: of every tenant. */
  readonly customerConfigId: string | null;
  readonly stage?: DeadLetterStage | undefined;
  readonly conversationId?: string | undefined;
  /** As it is listed. */
  readonly error?: string | undefined;
  /** Came at this time or later, and before that. */
  readonly from?: Date | undefined;
  readonly until?: Date | undefined;
};

export type DeadLetterRow = {
  readonly id: string;
  readonly stage: DeadLetterStage;
  readonly kind: string;
  readonly conversationId: string | null;
  readonly at: string;
  readonly attempts: number | null;
  readonly lastError: string | null;
};

export type DeadLetters = {
  list(
    filter: DeadLetterFilter,
    page: { readonly limit: number; readonly after: { readonly at: string; readonly key: string } | null },
  ): Promise<readonly DeadLetterRow[]>;
  /** The oldest first; all of them are on their lanes when it resolves, or none. */
  redrive(
    filter: DeadLetterFilter,
    which: { readonly ids: readonly string[] | null; readonly limit: number },
  ): Promise<{ readonly redriven: number; readonly left: number }>;
};

/** After how many days something settled is deleted. */
export type Retention = {
  /** The bytes of deliveries. */
  readonly rawDays: number;
  /** Events with the keys by which a redelivery is known, and what the AI was asked. */
  readonly eventDays: number;
  /** Sends with their parts, attempts and idempotency keys. */
  readonly sendDays: number;
  /** Dead letters. */
  readonly deadDays: number;
};

/** How many rows went. `others`: sign-ins, onboardings, and what is left of erasures. */
export type Pruned = Readonly<Record<"webhooks" | "events" | "turns" | "sends" | "hostEvents" | "others", number>>;

/** Deletes what is too old, as much as fits one call; ends soon after the signal aborts. */
export type Prune = (retention: Retention, signal: AbortSignal) => Promise<Pruned>;

export type Store = {
  readonly lanes: Lanes;
  readonly inbox: Inbox;
  readonly turns: Turns;
  readonly outbox: Outbox;
  readonly hostEvents: HostEvents;
  readonly connections: Connections;
  readonly signIns: SignIns;
  readonly onboardings: Onboardings;
  readonly leaving: Leaving;
  readonly templates: Templates;
  readonly sessions: Sessions;
  readonly prune: Prune;
  readonly deadLetters: DeadLetters;
  /** Answers when the database does; its error otherwise. */
  ping(): Promise<void>;
};

/** The outcome of one POST to Graph, as far as it can be known. */
export type PostOutcome =
  | { readonly kind: "accepted"; readonly messageId: string }
  /** Certainly not accepted: Meta said so, or not a byte of it left. */
  | { readonly kind: "rejected"; readonly rejection: Rejection }
  /** The bytes left and no usable answer came. */
  | { readonly kind: "ambiguous"; readonly reason: string };

export type Rejection = {
  readonly meta: MetaError | null;
  readonly retry: Retry;
  /** How long Meta wants us to wait at least; null when it does not say. */
  readonly retryAfterMs: number | null;
  /** Waiting grows as 4^n seconds for this one recipient (131056). */
  readonly perRecipient: boolean;
  readonly message: string;
};

export type GraphApi = {
  postMessage(call: {
    readonly phoneNumberId: string;
    readonly accessToken: string;
    /** `marketing_messages`: the Marketing Messages API, which takes marketing templates only. */
    readonly endpoint: GraphEndpoint;
    readonly body: Readonly<Record<string, unknown>>;
  }): Promise<PostOutcome>;
  /**
   * Marks a message that a person sent, and all before it, as read. With `typing` the person sees for 25 seconds, or
   * until the next message, that an answer is being written; the same call again makes it last. Safe to repeat.
   * @throws ChannelError GRAPH_REJECTED, GRAPH_UNREACHABLE.
   */
  markRead(call: {
    readonly phoneNumberId: string;
    readonly accessToken: string;
    /** The wamid, at most 30 days old. */
    readonly messageId: string;
    readonly typing: boolean;
  }): Promise<void>;
  phoneNumber(call: { readonly phoneNumberId: string; readonly accessToken: string }): Promise<{
    readonly displayPhoneNumber: string;
    readonly verifiedName: string | null;
    readonly qualityRating: string | null;
  }>;
  /** The ids of the numbers in a WhatsApp Business Account. */
  numbersOf(call: { readonly wabaId: string; readonly accessToken: string }): Promise<readonly string[]>;
  /**
   * Every template of a WhatsApp Business Account, in every language and state.
   * @throws ChannelError GRAPH_REJECTED, GRAPH_UNREACHABLE.
   */
  templatesOf(call: { readonly wabaId: string; readonly accessToken: string }): Promise<readonly ListedTemplate[]>;
  close(): void;
};

/** What a code is exchanged for. */
export type GrantedToken = {
  readonly accessToken: string;
  /** Seconds; null: as long as nobody takes it back, or Meta does not say. */
  readonly lifeSeconds: number | null;
};

/**
 * Meta's login. Every method throws ChannelError: LOGIN_NOT_CONFIGURED, ACCESS_DENIED, DIALOG_FAILED,
 * INVALID_REDIRECT_URI, CODE_REFUSED, GRAPH_UNREACHABLE.
 */
export type MetaOauth = {
  /** Whether codes are bound to us by a verifier. */
  readonly usesPkce: boolean;
  /** Where the browser goes. */
  authorizationUrl(request: {
    readonly state: string;
    readonly redirectUri: string;
    readonly pkceVerifier: string | null;
  }): Promise<URL>;
  /** The code in a callback's query → a token. @param redirectUri the same as in the dialog, to the byte. */
  redeem(callback: {
    readonly redirectUri: string;
    readonly query: URLSearchParams;
    readonly state: string;
    readonly pkceVerifier: string | null;
  }): Promise<GrantedToken>;
  /** A code of Meta's popup, within 30 seconds. */
  redeemPopupCode(code: string): Promise<GrantedToken>;
  /** A token → one with about 60 days to live. @param type as {@link TokenFacts}. */
  extend(accessToken: string, type: string | null): Promise<GrantedToken>;
};

/** Meta's accounts, numbers and tokens. Every call throws ChannelError GRAPH_REJECTED or GRAPH_UNREACHABLE. */
export type MetaAccounts = {
  /** What Meta says of a token; asked with the app's own. @see https://developers.facebook.com/docs/graph-api/reference/debug_token */
  inspectToken(accessToken: string): Promise<TokenFacts>;
  /** The accounts in every portfolio that this token sees, its own and its clients'. */
  accountsOf(accessToken: string): Promise<readonly string[]>;
  account(call: { readonly wabaId: string; readonly accessToken: string }): Promise<{ readonly name: string | null }>;
  numbersOf(call: { readonly wabaId: string; readonly accessToken: string }): Promise<readonly AccountNumber[]>;
  /** Sends the account's webhooks to this app. Safe to repeat. */
  subscribe(call: { readonly wabaId: string; readonly accessToken: string }): Promise<void>;
  /** Stops them, for this app only. */
  unsubscribe(call: { readonly wabaId: string; readonly accessToken: string }): Promise<void>;
  /** Makes a number usable with the Cloud API. Never for one that is used in the WhatsApp Business app. */
  register(call: { readonly phoneNumberId: string; readonly accessToken: string; readonly pin: string }): Promise<void>;
  /** Asks for what the WhatsApp Business app has; Meta grants each once, within a day of connecting. */
  requestSync(call: {
    readonly phoneNumberId: string;
    readonly accessToken: string;
    readonly what: "contacts" | "history";
  }): Promise<void>;
  /** What people see of the business: about, address, description, email, websites, vertical. */
  profile(call: {
    readonly phoneNumberId: string;
    readonly accessToken: string;
  }): Promise<Readonly<Record<string, unknown>>>;
};

export type TokenFacts = {
  readonly isValid: boolean;
  readonly appId: string | null;
  /** `SYSTEM_USER` (which a business grants), `USER`, `APP`, … */
  readonly type: string | null;
  /** Whom it was given to: the user id in Meta's callbacks. */
  readonly metaUserId: string | null;
  readonly issuedAt: Date | null;
  /** Null: never. */
  readonly expiresAt: Date | null;
  readonly dataAccessExpiresAt: Date | null;
  readonly scopes: readonly string[];
  /** The accounts for which each scope was granted; null: all of them. */
  readonly granted: readonly { readonly scope: string; readonly ids: readonly string[] | null }[];
};

/** A number as its account lists it. */
export type AccountNumber = {
  readonly phoneNumberId: string;
  /** As Meta shows it, e.g. `+1 555-777-0100`. */
  readonly displayPhoneNumber: string;
  readonly verifiedName: string | null;
  readonly qualityRating: string | null;
  /** `VERIFIED`, `NOT_VERIFIED`, `EXPIRED`. */
  readonly codeVerificationStatus: string | null;
  /** It can send already. */
  readonly isRegistered: boolean;
  /** Also used in the WhatsApp Business app. */
  readonly isOnBusinessApp: boolean;
};

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

/** A template in one language, as Graph lists it. */
export type ListedTemplate = {
  readonly templateId: string;
  readonly name: string;
  readonly language: string;
  /** `APPROVED`, `PENDING`, `REJECTED`, `PAUSED`, `DISABLED`, …: only approved ones can be sent. */
  readonly status: string;
  /** `MARKETING`, `UTILITY`, `AUTHENTICATION`. */
  readonly category: string | null;
  readonly subCategory: string | null;
  /** What it was before Meta changed it. */
  readonly previousCategory: string | null;
  /** What Meta is about to change it to. */
  readonly correctCategory: string | null;
  /** Whether its variables are called by name or by number. */
  readonly parameterFormat: "NAMED" | "POSITIONAL";
  /** In Meta's own spelling: what they mean is read where a template is chosen. */
  readonly components: readonly unknown[];
  /** `GREEN`, `YELLOW`, `RED`, `UNKNOWN`. */
  readonly qualityScore: string | null;
  readonly rejectedReason: string | null;
  /** How long Meta tries to deliver it; null for Meta's default. */
  readonly sendTtlSeconds: number | null;
  readonly libraryTemplateName: string | null;
};

/** Tokens at rest. The row and tenant are inside the ciphertext, so a swapped one does not open. */
export type SecretBox = {
  seal(secret: string, context: SecretContext): string;
  /** @throws ChannelError SECRET_UNREADABLE */
  open(sealed: string, context: SecretContext): string;
};

export type SecretContext = { readonly customerConfigId: string; readonly rowId: string; readonly field: string };

/** Every sealed value of the channel, wherever it stands. */
export type SealedValues = {
  /**
   * The values after a place, in the order of their places; none when there are no more. What was sealed and stored
   * while they are read may be missed: whoever wants all of them goes through twice.
   */
  after(place: SealedPlace | null, limit: number): Promise<readonly SealedValue[]>;
  /** Puts another in its place if it is still the one that was read. @returns whether it was. */
  replace(value: SealedValue, sealed: string): Promise<boolean>;
  /** Key ids of sign-ins that are under way, and how many there are of each: they end within ten minutes. */
  underWay(): Promise<readonly { readonly sealed: string; readonly count: number }[]>;
};

export type SealedPlace = {
  readonly kind: "token" | "pin" | "onboarding-token" | "onboarding-pin";
  /** Of the row that it stands in. */
  readonly id: string;
  /** The number's, where a row has one for each; empty otherwise. */
  readonly member: string;
};

export type SealedValue = { readonly place: SealedPlace; readonly context: SecretContext; readonly sealed: string };

/** The host's side: its AI, and its ear. */
export type Host = {
  readonly reply: (turn: Turn) => Promise<Reply> | Reply;
  readonly onEvent: ((event: HostEvent) => Promise<void> | void) | undefined;
};
