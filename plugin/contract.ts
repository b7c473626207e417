/** What the channel promises the host: four verbs and the values that cross them. */
import type { ChannelEvent, MessageContent, MessageEvent, MetaError, Pricing } from "./channel-event.ts";
import type { MediaBytes, MediaKind, MediaSource, OutboundMessage, TemplateChoice } from "./outbound-message.ts";

export type * from "./channel-event.ts";
export type * from "./outbound-message.ts";

/**
 * A channel: a way for people to reach the host's AI. WhatsApp is one; another package may be another.
 * `describeChannelPlugin` states these promises as tests.
 */
export interface ChannelPlugin {
  /** The same data as `plugin.manifest.json`, which a host may read before loading any code. */
  readonly manifest: PluginManifest;
  /**
   * Binds a business phone number to a tenant of the host.
   * @throws ChannelError when Meta refuses the token, does not know the number, or another tenant holds it.
   */
  connect(request: ConnectRequest): Promise<Connection>;
  /**
   * Verifies, parses and stores one webhook delivery. Resolves only after the commit, so the caller may acknowledge it.
   * @throws ChannelError `SIGNATURE_INVALID` when the bytes are not Meta's, `STORE_UNAVAILABLE` when they could not be stored.
   */
  receive(delivery: WebhookDelivery): Promise<ReceiveResult>;
  /**
   * Sends an answer. Resolves when it is stored in the outbox; what becomes of it arrives as `status` events.
   * @throws ChannelError `CONVERSATION_UNKNOWN`, `RESPONSE_EMPTY`, `MESSAGE_INVALID`, `TEMPLATE_INVALID`, `WINDOW_CLOSED`,
   * `OPTED_OUT`, `IDEMPOTENCY_CONFLICT`, `CONNECTION_MISSING`.
   */
  send(request: SendRequest): Promise<SendReceipt>;
  /**
   * Whether a free-form message may be sent to this conversation now, and until when.
   * @throws ChannelError `CONVERSATION_UNKNOWN`.
   */
  sessionStatus(conversationId: string): Promise<SessionStatus>;
}

/** The host's data sheet of a channel. `plugin.manifest.json` is this value, asserted by a test. */
export type PluginManifest = {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  /** Version of {@link ChannelPlugin} that this channel implements. */
  readonly contract: string;
  readonly entry: string;
  readonly migrations: string;
  readonly capabilities: { readonly inbound: readonly string[]; readonly outbound: readonly string[] };
  readonly routes: readonly ManifestRoute[];
  readonly oauthScopes: readonly string[];
  readonly webhookFields: readonly string[];
  readonly tables: { readonly owned: readonly string[]; readonly extended: readonly string[] };
  /** JSON Schema of the configuration, keyed by environment variable; secrets carry `"secret": true`. */
  readonly config: Readonly<Record<string, unknown>>;
};

/** A route of the channel, relative to where the host mounts it. */
export type ManifestRoute = {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  /** Who may call it: Meta (by signature or verify token), a signed-in tenant, whoever runs the host, or anybody. */
  readonly auth: "meta" | "tenant" | "host" | "public";
};

/** Connects a number with an access token that the operator already has (a system user's). */
export type ConnectRequest = {
  /** The tenant: a `customer_configs.id` (uuid). */
  readonly customerConfigId: string;
  /** A Graph access token with `whatsapp_business_messaging` and `whatsapp_business_management`. */
  readonly accessToken: string;
  /** Meta's phone number id (digits). */
  readonly phoneNumberId: string;
  /** Meta's WhatsApp Business Account id (digits). */
  readonly wabaId: string;
};

/** `reauth_required`: Meta refuses the token, and sends wait until the number is connected again. */
export type ConnectionState = "connected" | "reauth_required" | "disconnected";

/** A business phone number bound to a tenant. Never holds the token. */
export type Connection = {
  readonly connectionId: string;
  readonly customerConfigId: string;
  readonly phoneNumberId: string;
  readonly wabaId: string;
  /** As Meta shows it, e.g. `+1 555-777-0100`. */
  readonly displayPhoneNumber: string;
  readonly verifiedName: string | null;
  readonly qualityRating: string | null;
  readonly state: ConnectionState;
  /** Why it is not connected, or connected and its sends wait, in one sentence; null otherwise. */
  readonly reason: string | null;
};

/** One HTTP POST from Meta: the exact bytes and the `X-Hub-Signature-256` header. */
export type WebhookDelivery = {
  readonly rawBody: Uint8Array;
  readonly signature: string | undefined;
};

/** What was stored of a delivery. */
export type ReceiveResult = {
  /** The row in `whatsapp_webhooks`. */
  readonly webhookId: string;
  readonly events: readonly ReceivedEvent[];
};

/** What became of one change in a delivery. */
export type ReceivedEvent = {
  readonly kind: ChannelEvent["kind"];
  /**
   * `accepted`: stored and queued. `duplicate`: this change was stored before. `ignored`: stored for the record, with
   * nothing to do now (no connection holds that number, or not all that came before it was connected is queued yet).
   */
  readonly outcome: "accepted" | "duplicate" | "ignored";
  /** The lane that keeps its order; null when ignored. */
  readonly lane: string | null;
  readonly eventId: string | null;
};

/** What the host's AI is asked to answer: every message that arrived since the last turn, in order. */
export type Turn = {
  /** Idempotency key: a turn that is tried again has the same id and the same messages. */
  readonly turnId: string;
  readonly conversationId: string;
  readonly customerConfigId: string;
  readonly channel: "whatsapp";
  readonly contact: {
    readonly name: string | null;
    readonly phoneNumber: string | null;
    readonly userId: string | null;
  };
  readonly messages: readonly TurnMessage[];
  /** 1 on the first try. One whose answer the database did not take is not counted. */
  readonly attempt: number;
  /** Aborted when the answer can no longer be used: the time for it is over, or the process stops. The turn then runs again. */
  readonly signal: AbortSignal;
};

/** One message that the turn is about, as the host's inbox has it. */
export type TurnMessage = {
  /** The row in the host's `messages`. */
  readonly id: string;
  /** The wamid. */
  readonly externalId: string;
  /** Meta's message type; `reaction` and `unsupported` only where the host asked to be woken by them. */
  readonly type: string;
  readonly text: string | null;
  /** What came beside or instead of the text: a choice, a place, a contact card, an order, a filled-in form. */
  readonly content: MessageContent | null;
  /** The media in `content`, if it is one. */
  readonly media: ReceivedMedia | null;
  readonly replyTo: string | null;
  /** Older than the service window when it reached the inbox; only where the host asked for such. */
  readonly late?: true;
  /** When the person sent it, ISO 8601, never later than its receipt. */
  readonly timestamp: string;
};

/** A picture, voice note, video, document or sticker that somebody has sent. */
export type ReceivedMedia = {
  readonly kind: MediaKind;
  /** Of its bytes once they are there, where they show it; before that as WhatsApp says. */
  readonly mimeType: string | null;
  /** As the sender has named it: never a path. */
  readonly filename: string | null;
  readonly voice: boolean;
  /** Ours; null when Meta has no file for it, or not any more. */
  readonly id: string | null;
  /** `pending`: the bytes are still coming, and a host event of kind `media` follows. `expired`: they never will. */
  readonly state: "pending" | "stored" | "expired";
  /** Bytes; null unless stored. */
  readonly size: number | null;
  /** Path of the route that serves it to the tenant; null without an id. */
  readonly url: string | null;
  /**
   * The bytes, to be read once and to the end. Only in the process: not in what is sent to a chat API.
   * @throws ChannelError MEDIA_PENDING, MEDIA_EXPIRED, MEDIA_STORE_UNAVAILABLE.
   */
  open(): Promise<AsyncIterable<Uint8Array>>;
};

/**
 * The one shape the host's AI answers in, in TypeScript and over HTTP alike. Every member is optional; what WhatsApp
 * cannot show as it is becomes the nearest thing that it can, and `degraded` says so.
 */
export type AiResponse = {
  /** Markdown. */
  readonly text?: string;
  readonly choices?: readonly AiChoice[];
  readonly cards?: readonly AiCard[];
  readonly media?: readonly AiMedia[];
  /** A place, in degrees: latitude -90 to 90, longitude -180 to 180. */
  readonly location?: {
    readonly latitude: number;
    readonly longitude: number;
    readonly name?: string;
    readonly address?: string;
  };
  /** An approved template, instead of everything else. */
  readonly template?: TemplateChoice;
  /** A reaction to a message of the person's; without `messageId` to the last one of the turn. */
  readonly reaction?: { readonly emoji: string | null; readonly messageId?: string };
  /** Quote the last message of the turn. */
  readonly replyTo?: boolean;
  /**
   * A person takes over: told to `onEvent` as `handoff`, once per turn. Nothing is paused by it. Only in what answers a turn: `send` refuses it.
   */
  readonly handoff?: boolean;
};

/**
 * Something to choose: `id` comes back in the answer, `title` is what the person reads. Up to three become buttons,
 * up to ten a list, more numbers.
 */
export type AiChoice = { readonly id: string; readonly title: string; readonly description?: string };
/** A product, an offer, an article: text with a picture, a link or choices. Markdown in `text`. */
export type AiCard = {
  readonly title: string;
  readonly text?: string;
  readonly imageUrl?: string;
  readonly url?: string;
  readonly urlLabel?: string;
  readonly choices?: readonly AiChoice[];
};
/** A picture, film, sound, document or sticker of the answer, by address, by id, or as bytes. */
export type AiMedia = (
  | (MediaSource & { readonly bytes?: undefined; readonly mime?: undefined })
  | (MediaBytes & { readonly url?: undefined; readonly mediaId?: undefined })
) & {
  readonly kind: MediaKind;
  readonly caption?: string;
  /** Audio only: a voice note. */
  readonly voice?: boolean;
  readonly filename?: string;
};

/** What a host may return: an answer, plain Markdown, a stream of Markdown, or nothing (silence). */
export type Reply = AiResponse | string | AsyncIterable<string> | null | undefined;

/** Something the AI said that WhatsApp shows in another form. Nothing is changed silently. */
export type Degradation = {
  /** Index of the part it concerns; null when it concerns the whole answer. */
  readonly part: number | null;
  /** Where in the response: `text`, `choices`, `cards[1].imageUrl`, … */
  readonly what: string;
  /** What it was: `table`, `image`, `choices`, … */
  readonly from: string;
  /** What it became: `monospace text`, `link`, `numbered text`, `2 messages`, … */
  readonly to: string;
};

/** What an AI response becomes: the messages in order, and what had to change. */
export type Transformed = {
  readonly messages: readonly OutboundMessage[];
  readonly degraded: readonly Degradation[];
  /** What may be chosen, in the order shown: "2" or the title, typed, picks one as well as a button does. */
  readonly choices?: readonly Pick<AiChoice, "id" | "title">[];
};

/** What to send, to whom, and what to do when that is not possible now. A member by another name is refused: REQUEST_INVALID. */
export type SendRequest = {
  /** A `conversations.id` (uuid) of a WhatsApp conversation. */
  readonly conversationId: string;
  /** What to send: an AI response, which is transformed; one message exactly as given; or a template. One of the three. */
  readonly response?: AiResponse | string;
  readonly message?: OutboundMessage;
  readonly template?: TemplateChoice;
  /** The same key sends once; the same key with another response is refused. At most 255 characters. */
  readonly idempotencyKey?: string;
  /** The wamid to quote. */
  readonly replyTo?: string;
  /**
   * What to do when the 24-hour window is closed, now or when it is about to leave: refuse (default), keep it until the
   * person writes again, or send this template in its place.
   */
  readonly onWindowClosed?: OnWindowClosed;
  /** Instead of what the plugin's option `onAmbiguous` says for this class of messages. */
  readonly onAmbiguous?: OnAmbiguous;
};

/**
 * `fail` refuses, `hold` waits until the person writes again, a template is sent in place of the message. What is sent to
 * somebody leaves in order; only templates, which need no window, leave past what waits for it.
 */
export type OnWindowClosed =
  | "fail"
  | "hold"
  | { readonly template: string; readonly language: string; readonly params?: TemplateChoice["params"] };

/**
 * What becomes of a message when the answer of Meta was lost and its statuses do not come either, so that nobody knows
 * whether it arrived. `resend`: once more, and only while other webhooks of the number show that silence means something;
 * it may then arrive twice. `hold`: never again by itself; it ends `unknown`, for a person to decide.
 */
export type OnAmbiguous = "resend" | "hold";

/** `session`: everything that is no template. `template`: one that is neither of the other two, or that could not be looked up. */
export type MessageClass = "session" | "template" | "marketing" | "authentication";

/** What becomes of a message whose answer was lost, by class of messages. */
export type AmbiguityPolicy = Readonly<Record<MessageClass, OnAmbiguous>>;

/** What was stored of a send, and what has become of each of its parts so far. */
export type SendReceipt = {
  readonly sendId: string;
  readonly conversationId: string;
  readonly parts: readonly SentPart[];
  readonly degraded: readonly Degradation[];
};

/**
 * The life of a part. `unknown`: the socket broke after the bytes had left and no status arrived; it is never sent again
 * by itself. `held`: waits for the window to open. `expired`: the window closed before it could leave.
 */
export type PartState =
  | "queued"
  | "held"
  | "sending"
  | "accepted"
  | "sent"
  | "delivered"
  | "read"
  | "played"
  | "failed"
  | "expired"
  | "unknown";

/** One WhatsApp message of a send, with where it stands. */
export type SentPart = {
  /** From 0, in the order in which they leave; `part` of a status event. */
  readonly index: number;
  readonly kind: OutboundMessage["kind"];
  readonly state: PartState;
  /** The wamid, once Meta has accepted it. */
  readonly messageId: string | null;
  /** The wamid of a second copy, where a resend turned out to have been one too many. */
  readonly duplicateMessageId?: string;
  readonly error: { readonly code: string; readonly message: string; readonly meta: MetaError | null } | null;
};

/**
 * The service window of a conversation: 24 hours from the person's last message.
 * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
 */
export type SessionStatus = {
  readonly state: "open" | "closed";
  readonly expiresAt: Date | null;
  /** Whole seconds, 0 when closed. */
  readonly secondsRemaining: number;
  readonly freeEntryPointExpiresAt: Date | null;
  /** Only an approved template may be sent now. */
  readonly templateRequired: boolean;
  readonly canSend: boolean;
  readonly reason: string;
};

/**
 * What the host hears of, at least once and in order per conversation. Meta brings things in no order: of a message that was deleted before
 * it came the deletion is all that is told, one that was written anew has the `text` that stands (`raw` is as it came), and an edit is not
 * told after a newer one.
 */
export type HostEvent =
  | {
      readonly kind: "message";
      readonly conversationId: string;
      readonly customerConfigId: string;
      readonly event: MessageEvent;
      readonly late: boolean;
    }
  | {
      readonly kind: "status";
      readonly conversationId: string;
      readonly customerConfigId: string;
      readonly sendId: string;
      readonly part: number;
      readonly messageId: string | null;
      readonly state: PartState;
      /** Why it failed, as the receipt has it: for Meta's reasons or for ours. */
      readonly error: SentPart["error"];
      /** What Meta charges for it, as far as it has said so. */
      readonly pricing: Pricing | null;
    }
  | OtherEvent
  /** The AI has asked for a person in its answer to this turn. */
  | {
      readonly kind: "handoff";
      readonly conversationId: string;
      readonly customerConfigId: string;
      readonly turnId: string;
    }
  /** The bytes of media have come, or never will, and no turn that is still to be answered shows it. */
  | {
      readonly kind: "media";
      readonly conversationId: string;
      readonly customerConfigId: string;
      /** The wamid, and the row in the host's `messages`. */
      readonly externalId: string;
      readonly messageId: string | null;
      readonly media: Omit<ReceivedMedia, "open"> & {
        /** Why it is `expired`, in one sentence; null otherwise. */
        readonly reason: string | null;
      };
    }
  | { readonly kind: "connection"; readonly connection: Connection }
  | { readonly kind: "alarm"; readonly alarm: Alarm };

/** What may go wrong with the work as a whole; docs/operating.md has each with its limit. */
export type AlarmKind =
  | "lag"
  | "failing"
  | "long-transaction"
  | "dead-rows"
  | "webhooks-silent"
  | "webhooks-elsewhere"
  | "unknown-sends"
  | "sent-twice"
  | "dead-letters"
  | "media-store"
  | "retention"
  | "quarantined";

/** Something for whoever runs the host. Raised once when a limit is crossed, cleared once when it is over. */
export type Alarm = {
  readonly kind: AlarmKind;
  readonly state: "raised" | "cleared";
  /** The stage for `lag`, `failing` and `dead-letters`, the `connectionId` for `webhooks-silent` and `webhooks-elsewhere`, otherwise empty. */
  readonly subject: string;
  /** When it was raised, ISO 8601. */
  readonly since: string;
  /** What was seen, and the limit that it crossed, in `unit`. */
  readonly value: number;
  readonly limit: number;
  readonly unit: "seconds" | "count";
  /** What is wrong and what to do, or that it is over. */
  readonly message: string;
};

/** Every other channel event, under its own kind. */
type OtherEvent =
  Exclude<ChannelEvent, { readonly kind: "message" | "status" }> extends infer Event
    ? Event extends ChannelEvent
      ? {
          readonly kind: Event["kind"];
          /** Null where it concerns no conversation, or none that exists. */
          readonly conversationId: string | null;
          /** Null where it concerns a number or an account that more than one tenant has had, or none. */
          readonly customerConfigId: string | null;
          readonly event: Event;
        }
      : never
    : never;
