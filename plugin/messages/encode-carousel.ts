/** Cards side by side → Graph's `interactive` object. */
import type { CarouselCard, CarouselMessage, ProductCarouselMessage } from "../contract.ts";
import { encodeHeaderMedia } from "./encode-interactive.ts";
import { has } from "./has.ts";
import { given, isBlank, type Wire } from "./wire.ts";

/** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-media-carousel-messages */
export function encodeCarousel({ text, cards }: CarouselMessage): Wire {
  return { type: "carousel", body: { text }, action: { cards: cards.map(encodeCard) } };
}

function encodeCard(card: CarouselCard, index: number): Wire {
  return given({
    card_index: index,
    // Meta's page has this type for cards with quick replies as well.
    type: "cta_url",
    header: encodeHeaderMedia(card.header),
    body: isBlank(card.text) ? undefined : { text: card.text },
    action: encodeAction(card),
  });
}

function encodeAction(card: CarouselCard): Wire {
  if (has(card, "buttons"))
    return {
      buttons: card.buttons.map(({ id, title }) => ({ type: "quick_reply", quick_reply: { id, title } })),
    };
  return { name: "cta_url", parameters: { display_text: card.link.label, url: card.link.url } };
}

/** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-product-carousel-messages */
export function encodeProductCarousel({ text, catalogId, productIds }: ProductCarouselMessage): Wire {
  const cards = productIds.map((productId, index) => ({
    card_index: index,
    type: "product",
    action: { product_retailer_id: productId, catalog_id: catalogId },
  }));
  return { type: "carousel", body: { text }, action: { cards } };
}
