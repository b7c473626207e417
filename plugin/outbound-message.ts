/** Everything that can be sent, in our shape: one message each, encoded for Meta in one place (`encode-message.ts`). */

/** One WhatsApp message we are going to post. A closed union on `kind`; `raw` is the way to what it does not hold. */
export type OutboundMessage =
  | TextMessage
  | MediaMessage
  | LocationMessage
  | ContactsMessage
  | ReactionMessage
  | ButtonsMessage
  | ListMessage
  | LinkMessage
  | FlowMessage
  | RequestMessage
  | CallMessage
  | ProductMessage
  | ProductListMessage
  | CatalogMessage
  | CarouselMessage
  | ProductCarouselMessage
  | TemplateMessage
  | RawMessage;

/** A text. */
export type TextMessage = {
  readonly kind: "text";
  /** WhatsApp markup, 1 to 4096 characters. */
  readonly text: string;
  /** Let WhatsApp show a preview of the first link. */
  readonly previewUrl: boolean;
};

/** Where the bytes of media are: one of these. */
export type MediaSource =
  | {
      /** Public https. It is fetched and given to Meta; where that fails, Meta fetches it itself. */
      readonly url: string;
      readonly mediaId?: undefined;
    }
  | {
      /** An id of the tenant's own: from `POST /media/upload`, or of a message's media in a turn. Never one of Meta's. */
      readonly mediaId: string;
      readonly url?: undefined;
    };

/** The file itself, at most 100 MB; kept before it is sent, so that no crash loses it. */
export type MediaBytes = {
  readonly bytes: Uint8Array;
  /** What it is, where its bytes do not tell: `text/plain`, `application/msword`. */
  readonly mime: string;
};

/** Meta's kinds of files. Which types and sizes each takes: `docs/media.md`. */
export type MediaKind = "image" | "video" | "audio" | "document" | "sticker";

/** A file, by address, by id, or as bytes. */
export type MediaMessage = (
  | (MediaSource & { readonly bytes?: undefined; readonly mime?: undefined })
  | (MediaBytes & { readonly url?: undefined; readonly mediaId?: undefined })
) & {
  readonly kind: MediaKind;
  /** WhatsApp markup, up to 1024 characters; not for audio and stickers. */
  readonly caption?: string;
  /** Documents only: what the person sees and saves. Without it: the last part of the address, or the name that was kept with the id. */
  readonly filename?: string;
  /** Audio only: shown as a voice note; the file must be ogg/opus in one channel, else it is shown as audio. */
  readonly voice?: boolean;
};

/** A place on the map, in degrees. */
export type LocationMessage = {
  readonly kind: "location";
  readonly latitude: number;
  readonly longitude: number;
  readonly name?: string;
  readonly address?: string;
};

/** One or several contact cards. */
export type ContactsMessage = { readonly kind: "contacts"; readonly contacts: readonly ContactCard[] };

/** A card of the address book. Only the name is required. */
export type ContactCard = {
  readonly name: {
    readonly formatted: string;
    readonly first?: string;
    readonly last?: string;
    readonly middle?: string;
    readonly prefix?: string;
    readonly suffix?: string;
  };
  readonly phones?: readonly { readonly phone: string; readonly type?: string; readonly waId?: string }[];
  readonly emails?: readonly { readonly email: string; readonly type?: string }[];
  readonly urls?: readonly { readonly url: string; readonly type?: string }[];
  readonly addresses?: readonly {
    readonly street?: string;
    readonly city?: string;
    readonly state?: string;
    readonly zip?: string;
    readonly country?: string;
    readonly countryCode?: string;
    readonly type?: string;
  }[];
  readonly organization?: { readonly company?: string; readonly department?: string; readonly title?: string };
  /** `YYYY-MM-DD`. */
  readonly birthday?: string;
};

/** An emoji on a message of the person's. */
export type ReactionMessage = {
  readonly kind: "reaction";
  /** The wamid of a message the person sent, at most 30 days old. */
  readonly targetId: string;
  /** One emoji; null takes the reaction back. */
  readonly emoji: string | null;
};

/** What stands above the body: plain text without markup, or media. */
export type Header = { readonly text: string } | HeaderMedia;
/** A picture, film or document above the body. */
export type HeaderMedia = MediaSource & { readonly media: "image" | "video" | "document"; readonly filename?: string };

type WithBody = {
  /** WhatsApp markup. */
  readonly text: string;
  readonly header?: Header;
  readonly footer?: string;
};

/** A choice of one to three. */
export type ButtonsMessage = WithBody & {
  readonly kind: "buttons";
  readonly buttons: readonly { readonly id: string; readonly title: string }[];
};

/** A choice of one to ten rows behind a button. */
export type ListMessage = Omit<WithBody, "header"> & {
  readonly kind: "list";
  readonly header?: { readonly text: string };
  /** What opens the list. */
  readonly button: string;
  readonly sections: readonly {
    /** Required when there are several. */
    readonly title?: string;
    readonly rows: readonly { readonly id: string; readonly title: string; readonly description?: string }[];
  }[];
};

/** One button that opens a page (`cta_url`). */
export type LinkMessage = WithBody & { readonly kind: "link"; readonly label: string; readonly url: string };

/** One button that opens a Flow. */
export type FlowMessage = WithBody & {
  readonly kind: "flow";
  readonly flow: { readonly id: string } | { readonly name: string };
  readonly label: string;
  readonly token?: string;
  readonly mode?: "draft" | "published";
} & (
    | {
        readonly action?: "navigate";
        readonly screen?: string;
        readonly data?: Readonly<Record<string, unknown>>;
      }
    | { readonly action: "data_exchange" }
  );

/** Asks for the person's location, their contact details, or permission to call. */
export type RequestMessage = {
  readonly kind: "location-request" | "contact-info-request" | "call-permission-request";
  readonly text: string;
};

/** One button that calls the business on WhatsApp. */
export type CallMessage = {
  readonly kind: "call";
  readonly text: string;
  readonly label?: string;
  /** How long the button works, in minutes. @see https://developers.facebook.com/documentation/business-messaging/whatsapp/calling/call-button-messages-deep-links */
  readonly ttlMinutes?: number;
  readonly payload?: string;
};

/** One product of the catalogue. */
export type ProductMessage = {
  readonly kind: "product";
  readonly text?: string;
  readonly footer?: string;
  readonly catalogId: string;
  readonly productId: string;
};

/** Up to 30 products of the catalogue, in sections. */
export type ProductListMessage = {
  readonly kind: "product-list";
  readonly text: string;
  readonly header: { readonly text: string };
  readonly footer?: string;
  readonly catalogId: string;
  readonly sections: readonly { readonly title: string; readonly productIds: readonly string[] }[];
};

/** A button that opens the whole catalogue. */
export type CatalogMessage = {
  readonly kind: "catalog";
  readonly text: string;
  readonly footer?: string;
  /** The product whose picture is shown. */
  readonly thumbnailProductId?: string;
};

/** Two to ten cards side by side, all with the same kind and number of buttons. */
export type CarouselMessage = {
  readonly kind: "carousel";
  readonly text: string;
  readonly cards: readonly CarouselCard[];
};

/** One card of a carousel: a picture or film, a text, and a link or buttons. */
export type CarouselCard = {
  readonly header: MediaSource & { readonly media: "image" | "video" };
  readonly text?: string;
} & (
  | { readonly link: { readonly label: string; readonly url: string } }
  | { readonly buttons: readonly { readonly id: string; readonly title: string }[] }
);

/** Two to ten products of the catalogue, side by side. */
export type ProductCarouselMessage = {
  readonly kind: "product-carousel";
  readonly text: string;
  readonly catalogId: string;
  readonly productIds: readonly string[];
};

/** An approved template: the only thing that may be sent outside the 24-hour window. */
export type TemplateMessage = TemplateChoice & {
  readonly kind: "template";
  /** `marketing`: by the Marketing Messages API, for marketing templates only. Default `messages`. */
  readonly endpoint?: "messages" | "marketing";
};

/** A template by name, and what fills it. */
export type TemplateChoice = {
  readonly name: string;
  /** Exactly as approved: `en` is not `en_US`. */
  readonly language: string;
  readonly params?: TemplateParams;
};

/** A text, or one of the two values that WhatsApp writes in the reader's own format. */
export type TemplateValue =
  | string
  /** `amount1000`: the amount times 1000, so 9.90 is 9900. `code`: ISO 4217. `fallback`: where it cannot be formatted. */
  | { readonly currency: { readonly fallback: string; readonly code: string; readonly amount1000: number } }
  | { readonly dateTime: { readonly fallback: string } };

/** Positional (`{{1}}`, `{{2}}`, in order) or by name (`{{first_name}}`). */
export type TemplateValues = readonly TemplateValue[] | Readonly<Record<string, TemplateValue>>;

/** What fills a template; checked against the approved one before anything is stored. */
export type TemplateParams = {
  readonly body?: TemplateValues;
  readonly header?:
    | { readonly text: TemplateValues }
    | HeaderMedia
    | { readonly location: Omit<LocationMessage, "kind"> }
    | { readonly product: Pick<ProductMessage, "catalogId" | "productId"> };
  readonly buttons?: readonly TemplateButton[];
  /** In the order in which the template was made; as many as it has. */
  readonly cards?: readonly Pick<TemplateParams, "body" | "header" | "buttons">[];
  readonly limitedTimeOffer?: { readonly expiresAt: Date | string };
  /** A one-time code: fills the body and its button. */
  readonly code?: string;
};

/** `index` counts all buttons of the template from 0. */
export type TemplateButton = { readonly index: number } & (
  | { readonly kind: "quick-reply"; readonly payload: string }
  | { readonly kind: "url"; readonly suffix: string }
  | { readonly kind: "copy-code"; readonly code: string }
  | { readonly kind: "flow"; readonly token?: string; readonly data?: Readonly<Record<string, unknown>> }
  | { readonly kind: "catalog"; readonly thumbnailProductId?: string }
  | {
      readonly kind: "products";
      readonly thumbnailProductId: string;
      readonly sections: readonly { readonly title: string; readonly productIds: readonly string[] }[];
    }
  | { readonly kind: "order-details"; readonly orderDetails: Readonly<Record<string, unknown>> }
  | { readonly kind: "call"; readonly ttlMinutes?: number; readonly payload?: string }
);

/** A Graph message of a type that this version has no shape for. Checked for size only. */
export type RawMessage = {
  readonly kind: "raw";
  /** Graph's `type`. */
  readonly type: string;
  /** Everything beside `type`: `{ "order_status": { … } }`. Recipient and callback data are ours to add. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** What the host's inbox shows. */
  readonly content: string;
};
