/** Media that people send: what is to be fetched from Meta, and what becomes of it. */
import type { ConnectionState, MediaKind, ReceivedMedia, TurnMessage } from "../contract.ts";
import type { ClaimedLane } from "./lanes.ts";
import type { ByteStream } from "./media.ts";

/** A file that a message has with Meta. */
export type WantedMedia = {
  readonly metaMediaId: string;
  readonly kind: MediaKind;
  readonly mime: string | null;
  /** As Meta gives it: base64 or hex. */
  readonly sha256: string | null;
  readonly filename: string | null;
  readonly voice: boolean;
  /** From then on Meta no longer has it. */
  readonly fetchUntil: Date;
};

/** A message in a stored turn; what has become of its media is looked up when the host is asked. */
export type StoredTurnMessage = Omit<TurnMessage, "media"> & {
  /** When we had it, on the database's clock, ISO 8601 to the microsecond. A turn of an earlier version does not say. */
  readonly receivedAt?: string;
  readonly media:
    | (Pick<ReceivedMedia, "kind" | "mimeType" | "filename" | "voice"> & { readonly id: string | null })
    | null;
};

/** The head of a media lane. */
export type PendingMedia = {
  readonly lane: ClaimedLane;
  readonly id: string;
  readonly customerConfigId: string;
  readonly kind: MediaKind;
  readonly metaMediaId: string;
  /** As the webhook gives it: base64 or hex. */
  readonly sha256: string | null;
  readonly saidMime: string | null;
  /** How often its bytes were not what was announced. */
  readonly attempts: number;
  readonly lastError: string | null;
  readonly contactId: string;
  /** Meta no longer has it. */
  readonly isTooOld: boolean;
  readonly connection: {
    readonly connectionId: string;
    readonly phoneNumberId: string;
    /** `disconnected` also where another tenant has the number by now. */
    readonly state: ConnectionState;
    /** Sealed for the connection's row; null when there is none. */
    readonly accessTokenEnc: string | null;
    /** Errors of the last hour on requests for media of this number, and when that hour is over. */
    readonly errors: { readonly count: number; readonly endsInMs: number };
  };
};

export type StoredBytes = {
  readonly storageKey: string;
  readonly mime: string;
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
};

/** What has become of media in a turn. */
export type MediaState = {
  readonly id: string;
  readonly state: ReceivedMedia["state"];
  readonly mime: string | null;
  readonly size: number | null;
  readonly storageKey: string | null;
  readonly reason: string | null;
};

export type InboundMedia = {
  /** @returns those that still wait for their bytes. */
  load(lanes: readonly ClaimedLane[]): Promise<readonly PendingMedia[]>;
  /**
   * Its bytes are in the store: the row has them, its turn goes on, or the host is told, in one transaction.
   * @returns false when it is not wanted any more, or the lease was lost: the bytes are nobody's.
   * @throws ChannelError MEDIA_QUOTA_EXCEEDED, MEDIA_STORE_UNAVAILABLE, STORE_UNAVAILABLE.
   */
  store(media: PendingMedia, bytes: StoredBytes, quotaBytes: number): Promise<boolean>;
  /** Its bytes will never come. @param reason in one sentence. */
  expire(media: PendingMedia, reason: string): Promise<boolean>;
  /** Nobody waits for it: the lane goes. */
  drop(lane: ClaimedLane): Promise<void>;
  /** It is tried again after `delayMs`. `isWrong`: its bytes were not what was announced. */
  postpone(media: PendingMedia, delayMs: number, error: string, isWrong: boolean): Promise<void>;
  /** It will not come soon: a turn that waits for it is asked without it. @returns whether one did. */
  letTurnGo(media: PendingMedia): Promise<boolean>;
  /** Meta has answered a request for media of this number with an error. */
  countError(connectionId: string): Promise<void>;
  /** What has become of these. */
  states(ids: readonly string[]): Promise<readonly MediaState[]>;
};

/** Where Meta says that the bytes are. */
export type FoundMedia = {
  readonly url: string;
  /** Bytes; null when Meta does not say. */
  readonly size: number | null;
  readonly sha256: string | null;
};

export type MediaLookup = (call: {
  readonly mediaId: string;
  readonly phoneNumberId: string;
  readonly accessToken: string;
}) => Promise<FoundMedia>;

/** One GET that follows nothing. */
export type Download = (request: {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}) => Promise<DownloadAnswer>;

export type DownloadAnswer = {
  readonly status: number;
  readonly location: string | null;
  /** As the header says; null without one. */
  readonly length: number | null;
  /** Throws when they are cut off. */
  readonly bytes: ByteStream;
  /** Wants no more of it. */
  cancel(): void;
};
