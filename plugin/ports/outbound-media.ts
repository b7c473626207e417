/** What media that leave need of the world: files behind addresses that hosts give. */
import type { MediaKind } from "../contract.ts";
import type { ByteStream } from "./media.ts";

/** The web, one step at a time: nothing here decides where it may go. */
export type Web = {
  /** Every address that a name has now, IPv4 first. @throws when it has none. */
  resolve(hostname: string): Promise<readonly string[]>;
  /**
   * One GET to exactly this address, under the name of the URL's host; follows nothing, sends no cookie and no token.
   * @throws when no answer comes, also when the signal aborts; the bytes do the same.
   */
  get(request: { readonly url: URL; readonly address: string; readonly signal: AbortSignal }): Promise<WebAnswer>;
};

export type WebAnswer = {
  readonly status: number;
  /** In lower case. */
  readonly header: (name: string) => string | null;
  readonly bytes: ByteStream;
  /** Ends the connection; what was not read is lost. */
  close(): void;
};

/** Room on the disk for a file that is on its way through us. */
export type Spool = {
  /**
   * Takes all of the bytes, or throws what they throw.
   * @throws ChannelError MEDIA_STORE_FULL, MEDIA_STORE_UNAVAILABLE.
   */
  write(bytes: ByteStream): Promise<SpooledFile>;
};

export type SpooledFile = {
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
  /** The first bytes, as many as tell what it is. */
  readonly head: Uint8Array;
  /** May be asked for again. */
  open(): ByteStream;
  /** The room is given back, as it is when the process ends. */
  close(): Promise<void>;
};

/** What Meta has of ours already, and what hosts give us for one conversation. */
export type OutboundMedia = {
  /** Meta's id of these bytes for this number, while it is sure to live; null when they must be uploaded. */
  uploaded(file: Uploadable): Promise<string | null>;
  /** @param lifeMs how long Meta keeps it, less a margin. */
  rememberUpload(file: Uploadable & { readonly metaMediaId: string; readonly lifeMs: number }): Promise<void>;
  /** Meta does not know these ids any more. */
  forgetUploads(phoneNumberId: string, metaMediaIds: readonly string[]): Promise<void>;
  /** The same bytes, given for the same conversation before; null when they are new. */
  findKept(file: KeptFile): Promise<string | null>;
  /**
   * The bytes under `storageKey`, which was reserved for them, belong to the person of this conversation from now on.
   * @throws ChannelError CONVERSATION_UNKNOWN, MEDIA_QUOTA_EXCEEDED, MEDIA_STORE_UNAVAILABLE.
   */
  keepFor(
    file: KeptFile & {
      readonly kind: MediaKind;
      readonly filename: string | null;
      readonly size: number;
      readonly storageKey: string;
    },
    quotaBytes: number,
  ): Promise<string>;
};

export type Uploadable = { readonly phoneNumberId: string; readonly sha256: string; readonly mime: string };

export type KeptFile = {
  readonly customerConfigId: string;
  readonly conversationId: string;
  readonly sha256: string;
  readonly mime: string;
};
