/** What a simulator offers to tests, demos and benchmarks. */
import type { AccountUpdates } from "./accounts/account-updates.ts";
import type { AccountChanges, NumberChanges, NumberState } from "./accounts/simulated-number.ts";
import type { Clock } from "./clock.ts";
import type { Conversation, TranscriptEntry } from "./conversations.ts";
import type { Faults } from "./faults.ts";
import type { AppUsage } from "./graph-server.ts";
import type { InboundOptions } from "./inbound.ts";
import type { AcceptedMessage, Refusal } from "./ledgers.ts";
import type { KeptMedia, MediaDownload } from "./media.ts";
import type { UploadedMedia } from "./media-uploads.ts";
import type { SimulatedFile } from "./options.ts";
import type { PersonOptions } from "./people.ts";
import type { Callbacks } from "./sign-in/callbacks.ts";
import type { IssueTokenOptions, Login } from "./sign-in/login.ts";
import type { Templates } from "./templates.ts";
import type { Delivery } from "./webhook-sender.ts";
import type { WireObject } from "./wire.ts";

/** A picture, voice note, video, document or sticker on its way to the business. */
export type SentMedia = SimulatedFile & {
  readonly kind: "image" | "video" | "audio" | "document" | "sticker";
  readonly caption?: string;
  readonly filename?: string;
  readonly voice?: boolean;
  readonly animated?: boolean;
};

/** Somebody on WhatsApp. */
export type Person = {
  readonly name: string;
  /** Digits; null when Meta knows the person by user id only. */
  readonly phoneNumber: string | null;
  readonly userId: string | null;
  readonly username: string | null;
  /** Writes a text to the business; returns its wamid at once, the webhook follows. */
  says(text: string, options?: InboundOptions): string;
  /**
   * Sends any message of Meta's shape, e.g. `{ type: "image", image: { id, mime_type } }`; returns its wamid.
   * `INBOUND_MESSAGES` has one of every type.
   */
  sends(message: WireObject, options?: InboundOptions): string;
  /** Sends a file, which Meta keeps for 7 days; returns its wamid. */
  sendsMedia(media: SentMedia, options?: InboundOptions): string;
  /**
   * Presses the button or chooses the row with this title, in the newest message that has one; returns the reply's wamid.
   * `replyTo`: in that message and no other. Throws when there is nothing to press by that title.
   */
  press(title: string, options?: InboundOptions): string;
  /**
   * Writes a text or a caption anew; returns the wamid of that. Meta tells it only to numbers that are also on the WhatsApp
   * Business app, to others it is a message of a type that is not supported.
   */
  edits(wamid: string, text: string, options?: InboundOptions): string;
  /** Deletes a message for everyone; told as `edits` is. */
  deletes(wamid: string, options?: InboundOptions): string;
  /** Puts an emoji on a message, or takes it back with null. */
  reacts(emoji: string | null, wamid: string, options?: InboundOptions): string;
  /**
   * Plays a voice message of the business: the first time tells `played`, after `read`, also of somebody who sends no read
   * receipts. Throws for what is no voice message, or has not come to this person.
   */
  plays(wamid: string): void;
  /**
   * Switches the business's offers and announcements off: `user_preferences`, and marketing templates fail with 131050.
   * `to`: the business number, by default the first.
   */
  stopsMarketing(to?: string): void;
  /** Switches them on again. */
  resumesMarketing(to?: string): void;
  /** The chat as this person reads it, oldest first. `to`: the business number, by default the first. */
  transcript(to?: string): readonly TranscriptEntry[];
};

/** One message of a batch: a text, or a message of Meta's shape. */
export type BatchedMessage = InboundOptions & { readonly from: Person } & (
    | { readonly text: string }
    | { readonly message: WireObject }
  );

/** Meta, offline. */
export type Simulator = {
  /** Listens; again, where it does already. Resolves to `url`. @throws after `stop`, or where the port is taken. */
  start(): Promise<string>;
  /** Stops for good: closes every connection, clears every timer, refuses whoever still waits and whoever comes to wait. */
  stop(): Promise<void>;
  /** The base URL of Graph and of the dialog, for `META_GRAPH_URL` and `META_DIALOG_URL`. Throws before `start`. */
  readonly url: string;
  /** The page with a phone, for a browser on this machine. Throws before `start`. */
  readonly phoneUrl: string;
  /** The same, with a chat of this person's open. `to`: the business number, by default the first. */
  phoneUrlOf(person: Person, to?: string): string;

  /** Where webhooks go from now on, retries included. `null`: nowhere. */
  setWebhookUrl(url: string | null): void;
  /** Performs Meta's GET handshake; whether the challenge came back. */
  verifyWebhook(): Promise<boolean>;

  person(options: PersonOptions): Person;
  /** Several messages in one delivery, one change each; returns their wamids. */
  batch(messages: readonly BatchedMessage[]): readonly string[];
  /**
   * Somebody of the business writes to a person in the WhatsApp Business app: `smb_message_echoes`. Throws for a number that
   * is not on the app (`isOnBusinessApp`). `from`: the business number, by default the first. Returns the wamid.
   */
  staffWrites(to: Person, text: string, options?: { readonly from?: string }): string;
  /** Signs and posts any payload; bytes go out unchanged. */
  deliver(payload: WireObject | Uint8Array): void;

  /** A file that Meta has, for messages that `sends`, `batch` or `deliver` make. `to`: the business number, by default the first. */
  keepMedia(file: SimulatedFile, to?: string): KeptMedia;
  /** Requests for the bytes of media, in order. */
  readonly downloads: readonly MediaDownload[];

  /** Files that the business has uploaded, in order; Meta keeps each for 30 days. */
  readonly uploads: readonly UploadedMedia[];
  /** Meta knows this uploaded file no more. */
  forgetUpload(id: string): void;

  readonly templates: Templates;

  /** Signing in, without a browser. */
  readonly login: Login;
  /** A token as the sign-in gives it, without signing in. Default: this app's, all accounts. */
  issueToken(options?: IssueTokenOptions): string;
  /** Where each number stands. */
  numbers(): readonly NumberState[];
  changeNumber(phoneNumberId: string, changes: NumberChanges): void;
  changeAccount(wabaId: string, changes: AccountChanges): void;

  /** The clock of everything that Meta dates, ends or limits. */
  readonly clock: Clock;
  readonly faults: Faults;
  /** From now on the token is refused with 190 and this subcode (default 460). Default: the simulator's own token. */
  revokeToken(options?: { readonly accessToken?: string; readonly subcode?: number }): void;
  restoreToken(accessToken?: string): void;
  /** What `X-App-Usage` says. */
  setAppUsage(usage: AppUsage): void;

  /** Every message that Meta took, in order. */
  readonly accepted: readonly AcceptedMessage[];
  /** The latest calls that Meta refused, in order; 1,000 at most. */
  readonly refusals: readonly Refusal[];
  /** Every delivery and its tries, in order of queueing. */
  readonly deliveries: readonly Delivery[];
  /** Calls per path without version, e.g. `POST /301777000333444/messages`. */
  readonly requests: Readonly<Record<string, number>>;
  conversations(): readonly Conversation[];
  /** Calls the listener on every message that Meta takes; returns how to stop that. */
  onAccepted(listener: (message: AcceptedMessage) => void): () => void;
  /** Forgets what the ledgers hold; conversations and windows stay. */
  clearLedgers(): void;

  /** Resolves when every delivery so far was answered 200, dropped or given up, and no status is still to come. */
  idle(): Promise<void>;
  /** Resolves to the predicate's first truthy value, looking again whenever something changed. Default 5000 ms. */
  waitFor<T>(predicate: () => T, timeoutMs?: number): Promise<T>;
} & AccountUpdates &
  Callbacks;
