/** The Cloud API's ceilings for what is sent, one row each, with Meta's page as the source. */

export type Limit = {
  /** The least that Meta accepts. */
  readonly min?: number;
  /** The most that Meta accepts. */
  readonly max: number;
  /** Above this Meta's own pages contradict each other: sent, and warned of. */
  readonly advised?: number;
  /**
   * What is counted. Meta says "characters" and does not define them; UTF-16 units are never fewer than code points or
   * graphemes, so counting them is the safe reading.
   */
  readonly unit: "utf16" | "items" | "bytes" | "minutes" | "degrees";
  readonly field: string;
};

// Meta writes MB and KB; a thousand is the safe reading.
const KB = 1_000;
const MB = 1_000 * KB;

export const LIMITS = {
  // Text and media
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/text-messages */
  textBody: { min: 1, max: 4096, unit: "utf16", field: "text.body" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/image-messages */
  caption: { max: 1024, unit: "utf16", field: "image.caption, video.caption, document.caption" },
  /**
   * JPEG and PNG only.
   * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/image-messages
   */
  imageFile: { max: 5 * MB, unit: "bytes", field: "image" },
  /**
   * MP4 and 3GPP only.
   * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/video-messages
   */
  videoFile: { max: 16 * MB, unit: "bytes", field: "video" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/audio-messages */
  audioFile: { max: 16 * MB, unit: "bytes", field: "audio" },
  /**
   * Ogg with Opus only. A larger voice note is shown with a download sign in place of the play sign.
   * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/audio-messages
   */
  voiceFile: { max: 16 * MB, advised: 512 * KB, unit: "bytes", field: "audio.voice" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/document-messages */
  documentFile: { max: 100 * MB, unit: "bytes", field: "document" },
  /**
   * WebP only.
   * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/sticker-messages
   */
  stickerFile: { max: 100 * KB, unit: "bytes", field: "sticker" },
  /**
   * WebP only.
   * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/sticker-messages
   */
  animatedStickerFile: { max: 500 * KB, unit: "bytes", field: "sticker" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/location-messages */
  latitude: { min: -90, max: 90, unit: "degrees", field: "location.latitude" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/location-messages */
  longitude: { min: -180, max: 180, unit: "degrees", field: "location.longitude" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/contacts-messages */
  contacts: { min: 1, max: 257, unit: "items", field: "contacts" },
  // What interactive messages share
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages */
  interactiveBody: { min: 1, max: 1024, unit: "utf16", field: "interactive.body.text" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages */
  headerText: { min: 1, max: 60, unit: "utf16", field: "interactive.header.text" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages */
  footer: { max: 60, unit: "utf16", field: "interactive.footer.text" },
  // Reply buttons
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages */
  buttons: { min: 1, max: 3, unit: "items", field: "interactive.action.buttons" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages */
  buttonTitle: { min: 1, max: 20, unit: "utf16", field: "reply.title" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages */
  buttonId: { min: 1, max: 256, unit: "utf16", field: "reply.id" },
  // List
  /**
   * Older pages say 1024, current ones 4096: 4096 is the limit, more than 1024 is warned of.
   * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-list-messages
   */
  listBody: { min: 1, max: 4096, advised: 1024, unit: "utf16", field: "interactive.body.text" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-list-messages */
  listButton: { min: 1, max: 20, unit: "utf16", field: "action.button" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-list-messages */
  listSections: { min: 1, max: 10, unit: "items", field: "action.sections" },
  /**
   * Of all sections together.
   * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-list-messages
   */
  listRows: { min: 1, max: 10, unit: "items", field: "action.sections[].rows" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-list-messages */
  sectionTitle: { min: 1, max: 24, unit: "utf16", field: "sections[].title" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-list-messages */
  rowId: { min: 1, max: 200, unit: "utf16", field: "rows[].id" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-list-messages */
  rowTitle: { min: 1, max: 24, unit: "utf16", field: "rows[].title" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-list-messages */
  rowDescription: { max: 72, unit: "utf16", field: "rows[].description" },
  // One button: link, Flow, call
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-cta-url-messages */
  linkLabel: { min: 1, max: 20, unit: "utf16", field: "parameters.display_text" },
  /**
   * Sources give 20 and 30: 30 is the limit, more than 20 is warned of.
   * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/flows/guides/sendingaflow
   */
  flowLabel: { min: 1, max: 30, advised: 20, unit: "utf16", field: "parameters.flow_cta" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/calling/call-button-messages-deep-links */
  callLabel: { min: 1, max: 20, unit: "utf16", field: "parameters.display_text" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/calling/call-button-messages-deep-links */
  callTtl: { min: 1, max: 43_200, unit: "minutes", field: "parameters.ttl_minutes" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/calling/call-button-messages-deep-links */
  callPayload: { min: 1, max: 512, unit: "utf16", field: "parameters.payload" },
  // Products
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/catalogs/sell-products-and-services/share-products */
  productSections: { min: 1, max: 10, unit: "items", field: "action.sections" },
  /**
   * Of all sections together.
   * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/catalogs/sell-products-and-services/share-products
   */
  products: { min: 1, max: 30, unit: "items", field: "action.sections[].product_items" },
  // Carousel
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-media-carousel-messages */
  cards: { min: 2, max: 10, unit: "items", field: "action.cards" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-media-carousel-messages */
  cardBody: { max: 160, unit: "utf16", field: "cards[].body.text" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-media-carousel-messages */
  cardBodyLineBreaks: { max: 2, unit: "items", field: "cards[].body.text" },
  /**
   * The page names no most; three is what reply buttons have everywhere else.
   * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-media-carousel-messages
   */
  cardButtons: { min: 1, max: 3, unit: "items", field: "cards[].action.buttons" },
  /**
   * The page has said 20 and says 256: 256 is the limit, more than 20 is warned of.
   * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-media-carousel-messages
   */
  cardButtonId: { min: 1, max: 256, advised: 20, unit: "utf16", field: "quick_reply.id" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-media-carousel-messages */
  cardButtonTitle: { min: 1, max: 20, unit: "utf16", field: "quick_reply.title" },
  // Templates, as they are sent
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-management */
  templateName: { min: 1, max: 512, unit: "utf16", field: "template.name" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components */
  templateHeader: { min: 1, max: 60, unit: "utf16", field: "header, filled in" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components */
  templateHeaderValues: { min: 1, max: 1, unit: "items", field: "header.parameters" },
  /**
   * Older pages let a template that is only a body have 32768; beyond 1024 Meta may answer 132005.
   * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components
   */
  templateBody: { min: 1, max: 1024, unit: "utf16", field: "body, filled in" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/marketing-templates/limited-time-offer-templates */
  templateOfferBody: { min: 1, max: 600, unit: "utf16", field: "body of a limited-time offer, filled in" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/marketing-templates/media-card-carousel-templates */
  templateCardBody: { min: 1, max: 160, unit: "utf16", field: "body of a card, filled in" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/marketing-templates/media-card-carousel-templates */
  templateCards: { min: 2, max: 10, unit: "items", field: "carousel.cards" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components */
  templateButtons: { min: 1, max: 10, unit: "items", field: "components[type=button]" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components */
  quickReplyPayload: { min: 1, max: 256, unit: "utf16", field: "parameters[].payload" },
  /**
   * Pages say 128, 256 and 512: the least of them holds.
   * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/marketing-templates/media-card-carousel-templates
   */
  cardQuickReplyPayload: { min: 1, max: 128, unit: "utf16", field: "cards[].parameters[].payload" },
  /**
   * The limit of the whole address.
   * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components
   */
  urlSuffix: { min: 1, max: 2000, unit: "utf16", field: "parameters[].text" },
  /**
   * 20 since December 2025, while the pages of components still say 15: 20 is the limit, more than 15 is warned of.
   * @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/marketing-templates/coupon-templates
   */
  couponCode: { min: 1, max: 20, advised: 15, unit: "utf16", field: "parameters[].coupon_code" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/authentication-templates/authentication-templates */
  oneTimeCode: { min: 1, max: 15, unit: "utf16", field: "parameters[].text" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components */
  templateSpaces: { max: 4, unit: "items", field: "spaces in a row in parameters[].text" },
  // Templates, as they are written
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components */
  templateFooter: { min: 1, max: 60, unit: "utf16", field: "components[type=FOOTER].text" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components */
  templateButtonText: { min: 1, max: 25, unit: "utf16", field: "buttons[].text" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components */
  templateUrl: { min: 1, max: 2000, unit: "utf16", field: "buttons[].url" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components */
  templateUrlButtons: { max: 2, unit: "items", field: "buttons[type=URL]" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/authentication-templates/authentication-templates */
  templateCodeMinutes: { min: 1, max: 90, unit: "minutes", field: "components[type=FOOTER].code_expiration_minutes" },
  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components */
  templatePhone: { min: 1, max: 20, unit: "utf16", field: "buttons[].phone_number" },
  // Ours
  /** Meta names none. Far above any message, far below what would burden the outbox. */
  rawJson: { min: 1, max: 64 * 1024, unit: "bytes", field: "a raw message, and JSON that is passed on as it is" },
} as const satisfies Record<string, Limit>;
