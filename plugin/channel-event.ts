/** Everything that a delivery may hold, as values: Meta's wire shapes end where these begin. */

/**
 * One thing inside a delivery. A closed union on `kind`; what this version does not know is `unsupported` with its raw
 * value, stored and never dropped.
 */
export type ChannelEvent =
  | MessageEvent
  | StatusEvent
  | ReactionEvent
  | EditEvent
  | RevokeEvent
  | EchoEvent
  | ContactChangedEvent
  | TemplateEvent
  | AccountEvent
  | PhoneNumberEvent
  | PreferenceEvent
  | CallEvent
  | FlowEvent
  | HistoryEvent
  | StandbyEvent
  | UnsupportedEvent;

type EventBase = {
  /** Stable identity of this change, the same however Meta batches or spells it. */
  readonly dedupeKey: string;
  /** The WhatsApp Business Account the entry names, or the customer's where the entry names a portfolio. */
  readonly wabaId: string | null;
  /** The business number it is about; null for account and template changes. */
  readonly phoneNumberId: string | null;
  /** Meta's own time of the change; null where Meta gives none. */
  readonly occurredAt: Date | null;
  /** The wire value, unnormalised apart from characters that Postgres cannot hold. */
  readonly raw: unknown;
};

/** Who is on the other side. Either identity may be missing since usernames arrived in 2026, never both. */
export type Person = {
  /** Digits without `+`, as in `wa_id`; null when Meta withholds it. */
  readonly phoneNumber: string | null;
  /** The business-scoped user id (BSUID), e.g. `GB.5512oQx81Zk09`. */
  readonly userId: string | null;
  readonly parentUserId: string | null;
  readonly username: string | null;
  readonly name: string | null;
};

/** Something a person wrote, sent or chose. */
export type MessageEvent = EventBase & {
  readonly kind: "message";
  /** The wamid. */
  readonly messageId: string;
  readonly from: Person;
  /** Meta's message type: `text`, `image`, `interactive`, … */
  readonly type: string;
  /** What the person wrote or chose: text body, caption, button title. Null when there is none. */
  readonly text: string | null;
  /** What came beside or instead of the text; null for a plain text. */
  readonly content: MessageContent | null;
  /** The wamid that this message quotes. */
  readonly replyTo: string | null;
  /** Present where the person passed the message on; `frequently` after more than five hops. */
  readonly forwarded?: "once" | "frequently";
  /** The ad or post that the person came from. Present on the first message after it. */
  readonly referral?: Referral;
  /** The catalogue product that the person asks about. */
  readonly product?: ProductReference;
};

/** What a message holds beside its text. A closed union on `kind`. */
export type MessageContent =
  | MediaContent
  | LocationContent
  | { readonly kind: "contacts"; readonly contacts: readonly SharedContact[] }
  | ChoiceContent
  | FormContent
  | OrderContent
  | {
      readonly kind: "call-permission";
      readonly response: "accept" | "reject";
      /** Null when it does not end, or was refused. */
      readonly expiresAt: Date | null;
      /** Whose doing it is: `automatic` is WhatsApp's own, after a call. Null where Meta does not say. */
      readonly source: "user_action" | "automatic" | null;
    }
  | ReactionContent;

/**
 * A file, as Meta announces it. Where its bytes are is told by a turn's `media` and by the host event of that kind.
 */
export type MediaContent = {
  readonly kind: "media";
  readonly media: "image" | "video" | "audio" | "document" | "sticker";
  /** Meta's media id, to be downloaded within 7 days; null when Meta could not fetch it itself. */
  readonly mediaId: string | null;
  /** Without parameters: `audio/ogg`. */
  readonly mimeType: string | null;
  /** As Meta gives it: base64, or hex in history. */
  readonly sha256: string | null;
  readonly filename: string | null;
  /** A voice note, or a voicemail. */
  readonly voice?: true;
  readonly animated?: true;
  /** Why Meta has no media for us (131052: over 100 MB). */
  readonly error?: MetaError;
};

/** A place that somebody has shared. */
export type LocationContent = {
  readonly kind: "location";
  readonly latitude: number;
  readonly longitude: number;
  readonly name: string | null;
  readonly address: string | null;
  readonly url: string | null;
};

/** One card of the contacts that somebody has shared. */
export type SharedContact = {
  readonly name: string | null;
  /** As the card spells them. `waId` is there when the number is on WhatsApp. */
  readonly phones: readonly { readonly phone: string; readonly waId: string | null; readonly type: string | null }[];
  readonly emails: readonly string[];
  readonly organization: string | null;
  /** The person's own number, given when asked for it (`request_contact_info`). */
  readonly isOwn: boolean;
};

/** One of the options we offered: a reply button, a list row, or a template's quick reply. */
export type ChoiceContent = {
  readonly kind: "choice";
  readonly from: "button" | "list" | "template-button" | "text";
  /** What we gave it when we sent it. */
  readonly id: string;
  readonly title: string;
  readonly description: string | null;
};

/** A filled-in Flow or address form. */
export type FormContent = {
  readonly kind: "form";
  /** `flow`, `address_message`, … */
  readonly name: string;
  /** What the person filled in, keys as the form spells them; null when it is not an object. */
  readonly values: Readonly<Record<string, unknown>> | null;
};

/** A basket from the business's catalogue. `price` is of one piece, in `currency`. */
export type OrderContent = {
  readonly kind: "order";
  readonly catalogId: string | null;
  readonly items: readonly {
    readonly productId: string;
    readonly quantity: number;
    readonly price: number | null;
    readonly currency: string | null;
  }[];
};

/** Only where the host asked that reactions wake its AI. */
export type ReactionContent = {
  readonly kind: "reaction";
  /** The wamid of the message reacted to. */
  readonly targetId: string;
  /** Null when the reaction was taken back. */
  readonly emoji: string | null;
};

/** The ad or post that led somebody here, in Meta's words. */
export type Referral = {
  readonly sourceType: string | null;
  readonly sourceId: string | null;
  readonly sourceUrl: string | null;
  readonly headline: string | null;
  readonly body: string | null;
  readonly clickId: string | null;
};

/** A product of the business's catalogue. */
export type ProductReference = { readonly catalogId: string | null; readonly productId: string };

/** What Meta says of a message that was sent. `played`: a voice note was heard. */
export type MessageStatus = "sent" | "delivered" | "read" | "played" | "failed";

/** What became of a message that was sent. */
export type StatusEvent = EventBase & {
  readonly kind: "status";
  /** The wamid of the message we sent. */
  readonly messageId: string;
  readonly status: MessageStatus;
  readonly recipient: Person;
  /** Our random token, echoed by Meta from `biz_opaque_callback_data`. */
  readonly callbackData: string | null;
  readonly errors: readonly MetaError[];
  /** Present on `sent` and on one of `delivered` and `read`. */
  readonly pricing?: Pricing;
  /** Present before v24, and for free entry points. */
  readonly conversation?: BilledConversation;
};

/**
 * What Meta charges for a message.
 * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/pricing
 */
export type Pricing = {
  readonly billable: boolean | null;
  /** `PMP` (per message), `CBP` before July 2025. */
  readonly model: string | null;
  /** `regular`, `free_customer_service`, `free_entry_point`. */
  readonly type: string | null;
  /** `utility`, `marketing`, `authentication`, `service`, `referral_conversion`, … */
  readonly category: string | null;
};

/** The conversation that a message was charged to, before July 2025. */
export type BilledConversation = {
  readonly id: string | null;
  readonly origin: string | null;
  readonly expiresAt: Date | null;
};

/** A person put an emoji on a message, or took it back. */
export type ReactionEvent = EventBase & {
  readonly kind: "reaction";
  /** The reaction's own wamid. */
  readonly messageId: string;
  readonly from: Person;
  /** The wamid of the message reacted to. */
  readonly targetId: string;
  /** Null when the reaction was taken back. */
  readonly emoji: string | null;
};

/** A person changed a message they had sent. */
export type EditEvent = EventBase & {
  readonly kind: "edit";
  readonly messageId: string;
  readonly from: Person;
  readonly targetId: string;
  readonly type: string;
  readonly text: string | null;
  readonly content: MessageContent | null;
};

/** A person deleted a message they had sent. */
export type RevokeEvent = EventBase & {
  readonly kind: "revoke";
  readonly messageId: string;
  readonly from: Person;
  readonly targetId: string;
};

/** Something the business itself sent elsewhere: staff in the WhatsApp Business app, or another app on the number. */
export type EchoEvent = EventBase & {
  readonly kind: "echo";
  readonly source: "business-app" | "other-app";
  readonly messageId: string;
  readonly to: Person;
  readonly type: string;
  readonly text: string | null;
  readonly content: MessageContent | null;
  /** Present where it changes an earlier message instead of being a new one. */
  readonly change?: EarlierChange;
};

/** What was done to an earlier message, by its wamid. `emoji` is null when a reaction was taken back. */
export type EarlierChange =
  | { readonly kind: "edit" | "revoke"; readonly targetId: string }
  | { readonly kind: "reaction"; readonly targetId: string; readonly emoji: string | null };

/** A person has another number, another id, another device, or another entry in the address book. */
export type ContactChangedEvent = EventBase & {
  readonly kind: "contact-changed";
  readonly change: "phone-number" | "user-id" | "identity" | "address-book";
  /** Who they were before; what is not known is null. */
  readonly before: Person;
  /** Who they are now; equal to `before` where nothing of it changed. */
  readonly person: Person;
  /** The address book's entry is gone. */
  readonly removed?: true;
};

/** A template was decided on, paused, rated, changed, or moved to another category. */
export type TemplateEvent = EventBase & {
  readonly kind: "template";
  readonly change: "status" | "quality" | "components" | "category" | "category-detection";
  readonly templateId: string | null;
  readonly name: string | null;
  /** With an underscore: `en_US`. */
  readonly language: string | null;
  /** `APPROVED`, `REJECTED`, `PAUSED`, …, upper case; null for other changes. */
  readonly status: string | null;
  /** `GREEN`, `YELLOW`, `RED`, `UNKNOWN`. */
  readonly quality: string | null;
  /** The category that holds, or will: see `impending`. */
  readonly category: string | null;
  readonly reason: string | null;
  /** A category change that comes within a day and has not happened yet. */
  readonly impending?: true;
};

/** A change of the account, its capabilities, its partners or its payment. */
export type AccountEvent = EventBase & {
  readonly kind: "account";
  /** Meta's webhook field, e.g. `account_update`. */
  readonly field: string;
  /** What happened, in Meta's word: `PARTNER_REMOVED`, `APPROVED`, … */
  readonly event: string | null;
  readonly reason: string | null;
  /** The Meta app that was installed or uninstalled, where Meta names it. */
  readonly partnerAppId?: string;
  /** Digits, where it is about one number and names it. */
  readonly displayPhoneNumber?: string;
};

/** A change of a number: its quality, its name, its settings. */
export type PhoneNumberEvent = EventBase & {
  readonly kind: "phone-number";
  /** Meta's webhook field, e.g. `phone_number_quality_update`. */
  readonly field: string;
  /** Digits; these changes name the number and not its id. */
  readonly displayPhoneNumber: string | null;
  readonly event: string | null;
  readonly reason: string | null;
};

/** What a person allows, or no longer allows, to be sent to them. */
export type PreferenceEvent = EventBase & {
  readonly kind: "preference";
  readonly person: Person;
  /** `marketing_messages`. */
  readonly category: string;
  readonly value: "stop" | "resume" | "signup";
};

/** A call on WhatsApp began, went on or ended. The channel answers none. */
export type CallEvent = EventBase & {
  readonly kind: "call";
  readonly callId: string;
  readonly person: Person | null;
  /** `connect`, `terminate`, or a status in lower case: `ringing`, `accepted`, `rejected`. */
  readonly event: string;
  readonly direction: "inbound" | "outbound" | null;
  /** Whole seconds, at the end of a call. */
  readonly durationSeconds: number | null;
};

/** A Flow of the account changed its status, or its endpoint fails. */
export type FlowEvent = EventBase & {
  readonly kind: "flow";
  readonly flowId: string | null;
  readonly event: string;
  readonly status: string | null;
};

/** Messages from before the number was connected (coexistence): one event per thread and chunk. */
export type HistoryEvent = EventBase & {
  readonly kind: "history";
  /** Null where the event tells of the sync itself. */
  readonly person: Person | null;
  readonly messages: readonly HistoryMessage[];
  /** 0 to 100; 100 when all has come. */
  readonly progress: number | null;
  /** Why there is none (2593109: the business turned it off). */
  readonly errors: readonly MetaError[];
};

/** One message from before the number was connected. */
export type HistoryMessage = {
  readonly messageId: string;
  readonly direction: "inbound" | "outbound";
  readonly type: string;
  readonly text: string | null;
  readonly content: MessageContent | null;
  readonly occurredAt: Date | null;
  /** `READ`, `DELIVERED`, …, as the app knew it. */
  readonly status: string | null;
  /** Present where it changes an earlier message instead of being one of its own. */
  readonly change?: EarlierChange;
};

/** What is said while another handler (Meta Business Agent) holds the conversation, and when it passes it on. */
export type StandbyEvent = EventBase & {
  readonly kind: "standby";
  readonly what: "message" | "echo" | "status" | "handover";
  readonly messageId: string | null;
  readonly person: Person | null;
  readonly type: string | null;
  readonly text: string | null;
  readonly content: MessageContent | null;
  /** Present where it changes an earlier message instead of being a new one. */
  readonly change?: EarlierChange;
  /** Who holds the conversation now, for a handover. */
  readonly owner?: string;
};

/** What this version does not know: stored, and read again after an upgrade (`replay-unknown`). */
export type UnsupportedEvent = EventBase & {
  readonly kind: "unsupported";
  /** Meta's webhook field. */
  readonly field: string;
  /** What it was inside that field (`message:poll`, `status:deleted`), or null when the whole change is unknown. */
  readonly type: string | null;
  readonly from: Person | null;
  /** The wamid, where it is a message. */
  readonly messageId: string | null;
};

/** An error as Meta words it, in webhooks and in Graph answers. */
export type MetaError = {
  readonly code: number;
  readonly subcode: number | null;
  readonly title: string | null;
  readonly details: string | null;
  readonly fbtraceId: string | null;
};
