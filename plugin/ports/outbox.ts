/** What goes out: turns answered, sends planned, parts on their way, and how each attempt ended. */
import type {
  ConnectionState,
  Degradation,
  HostEvent,
  OnAmbiguous,
  OutboundMessage,
  PartState,
  SendReceipt,
  SentPart,
  SessionStatus,
  Turn,
} from "../contract.ts";
import type { MediaState, StoredTurnMessage } from "./inbound-media.ts";
import type { ClaimedLane } from "./lanes.ts";
import type { ThroughputLevel } from "./pace.ts";
import type { SendingAccount } from "./templates.ts";

/** A turn about to be answered: frozen at its first try. */
export type SealedTurn = Omit<Turn, "signal" | "messages"> & {
  readonly messages: readonly StoredTurnMessage[];
  /** What has become of the media in them. */
  readonly media: readonly MediaState[];
  readonly lane: ClaimedLane;
  readonly connectionId: string;
  readonly contactId: string;
  readonly phoneNumberId: string;
  readonly wabaId: string;
  /** Sealed for the connection's row; null when there is none. */
  readonly accessTokenEnc: string | null;
  /** Staff is talking: the turn ends without asking the AI. */
  readonly isPaused: boolean;
  /** For each message, what the last answer that the person had when they wrote it offered, as far as it arrived, in the order of the numbers. */
  readonly offered: readonly (readonly OfferedChoice[])[];
  /** The hashes of what earlier attempts have queued of a stream, in order. */
  readonly saidBefore: readonly string[];
};

/** What a person may pick by typing. */
export type OfferedChoice = {
  readonly id: string;
  readonly title: string;
  /** From 1. */
  readonly number: number;
  /** Whether the person sees the number. */
  readonly isNumbered: boolean;
  /** Of its send, which shows it. */
  readonly part: number;
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
  /** In the order of the numbers. */
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
  readonly onAmbiguous: OnAmbiguous;
};

/** `degraded`: what the receipt says when it goes. */
export type FallbackPart = PlannedPart & { readonly degraded: readonly Degradation[] };

/** The last word of `POST /{phone-number-id}/…`. */
export type GraphEndpoint = "messages" | "marketing_messages";

export type Turns = {
  /** Freezes the oldest turn of each lane and reads it; null for a lane that has none, or whose turn waits for its media. */
  seal(lanes: readonly ClaimedLane[]): Promise<readonly (SealedTurn | null)[]>;
  /** How long the turns of these lanes still wait for their media, in milliseconds. */
  waits(lanes: readonly ClaimedLane[]): Promise<ReadonlyMap<ClaimedLane, number>>;
  /** The answer into the outbox, its handoff on its way to the host, the turn done, the lane released, in one transaction; false when a lease was lost. */
  finish(answers: readonly FinishedTurn[]): Promise<readonly boolean[]>;
  /**
   * One piece of an answer that is still coming into the outbox; the turn goes on.
   * @param index counts the pieces of the turn from 0.
   * @returns false when the lease was lost: nothing was written.
   */
  append(turn: SealedTurn, index: number, piece: PlannedSend): Promise<boolean>;
  /** To be tried again later, without this try being counted: what failed was the database. */
  putOff(turn: SealedTurn, delayMs: number): Promise<void>;
  bury(turn: SealedTurn, error: string): Promise<void>;
};

/** How a turn ends. */
export type FinishedTurn = {
  readonly turn: SealedTurn;
  /** Null where nothing is to be said, or all of it has been. */
  readonly send: PlannedSend | null;
  /** The AI asks for a person: the host is told. */
  readonly handoff?: boolean;
};

/** A part at the head of its lane, with all that the dispatcher must know to send it. */
export type OutgoingPart = {
  readonly lane: ClaimedLane;
  readonly outboxId: string;
  readonly sendId: string;
  readonly conversationId: string;
  /** Its place in the send, from 0. */
  readonly index: number;
  readonly kind: OutboundMessage["kind"];
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
    readonly wabaId: string;
    readonly state: ConnectionState;
    /** Sealed for the connection's row; null when there is none. */
    readonly accessTokenEnc: string | null;
    readonly throughput: ThroughputLevel;
    /** Pauses in a row of the whole number, 0 when it sends, and how much of the last one is left. */
    readonly pause: { readonly strikes: number; readonly leftMs: number };
  };
  readonly windowOpen: boolean;
  readonly onWindowClosed: "fail" | "hold";
  readonly onAmbiguous: OnAmbiguous;
  /** Attempts whose outcome nobody knows, the age of the last one, and whether its status could have arrived. */
  readonly ambiguous: { readonly count: number; readonly ageMs: number; readonly webhooksAlive: boolean };
  /** How often it was certainly not accepted so far, by a word about itself. */
  readonly rejections: number;
  /** How often for another reason, which is not counted against it: the network, its number, a limit. */
  readonly excused: number;
};

/** A part that is about to be posted. */
export type NewAttempt = {
  readonly part: OutgoingPart;
  readonly token: string;
  /** Meta's ids of the files that go with it. */
  readonly mediaIds?: readonly string[];
};

/** How an attempt ended, and with it what becomes of the part and its lane. */
export type Settlement = {
  readonly part: OutgoingPart;
  /** The attempt's row; null when no attempt was made (window closed, reconciled). */
  readonly token: string | null;
  readonly attempt: "accepted" | "rejected" | "ambiguous" | null;
  /** It was rejected for a reason that says nothing of the message. */
  readonly isExcused?: true;
  /** No attempt was made, and yet it counts as one that was rejected: its file did not get to Meta. */
  readonly isTry?: true;
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

/** What a part becomes when its media cannot leave as they were asked for. */
export type RewrittenPart = Pick<PlannedPart, "kind" | "payload" | "content" | "mediaType"> & {
  readonly degraded: readonly Omit<Degradation, "part">[];
};

/** A part of which Meta has turned out to have taken both attempts. */
export type SentTwice = { readonly outboxId: string; readonly sendId: string; readonly part: number };

/** A part of which a status has said just now that it failed, which is said of each once. */
export type Undelivered = {
  readonly outboxId: string;
  readonly sendId: string;
  readonly part: number;
  readonly conversationId: string;
  readonly messageId: string | null;
  /** Meta's number; null where the status gave none. */
  readonly code: number | null;
};

export type SendRequestKey = {
  readonly conversationId: string;
  readonly idempotencyKey: string | null;
  readonly requestHash: string;
};

export type Outbox = {
  /**
   * Stores a send of the host's own; one that is made again under its key is what it was, also where nothing can be sent any more.
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
  before(request: SendRequestKey): Promise<SendReceipt | null>;
  receipt(sendId: string, customerConfigId: string): Promise<SendReceipt | null>;
  head(lanes: readonly ClaimedLane[]): Promise<readonly (OutgoingPart | null)[]>;
  /** Writes that these parts are about to be posted, with their tokens, and commits; false when the lease was lost. */
  begin(parts: readonly NewAttempt[]): Promise<readonly boolean[]>;
  /** Another message stands in the part's place from now on, and the receipt says so; false when the lease was lost. */
  rewrite(part: OutgoingPart, by: RewrittenPart): Promise<boolean>;
  settle(settlements: readonly Settlement[]): Promise<readonly boolean[]>;
};

export type HostEvents = {
  load(
    lanes: readonly ClaimedLane[],
  ): Promise<readonly { readonly lane: ClaimedLane; readonly id: string; readonly event: HostEvent }[]>;
  done(lane: ClaimedLane, id: string): Promise<void>;
  bury(lane: ClaimedLane, id: string, error: string): Promise<void>;
};

export type Sessions = {
  status(conversationId: string): Promise<SessionStatus | null>;
  /**
   * The tenant of a conversation, so that a route can refuse another's. Of one that the host has deleted, and whose person has another by
   * now, what was sent in it still tells: a send that is repeated has its receipt.
   */
  tenantOf(conversationId: string): Promise<string | null>;
};
