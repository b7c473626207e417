/** What makes messages about products of a catalogue fit to be sent. */
import type {
  CatalogMessage,
  ProductCarouselMessage,
  ProductListMessage,
  ProductMessage,
  TemplateButton,
} from "../contract.ts";
import { id } from "./check-content.ts";
import { body, footer, textHeader } from "./check-interactive.ts";
import { isFields, list, optional, SOME, shape, text } from "./check-value.ts";
import { LIMITS } from "./limits.ts";
import type { Place } from "./problem.ts";
import { oneLine } from "./text-rules.ts";

export const checkProduct = shape<ProductMessage>({
  text: optional(text(LIMITS.interactiveBody)),
  footer,
  catalogId: id,
  productId: id,
});

type Section = Extract<TemplateButton, { readonly kind: "products" }>["sections"][number];

/** The limit of products is of all sections together. */
export const productSections = list(
  LIMITS.productSections,
  shape<Section>({ title: text(LIMITS.sectionTitle, oneLine), productIds: list(SOME, id) }),
  (sections: readonly unknown[], place: Place) => {
    const counts = sections.map((one) => (isFields(one) && Array.isArray(one.productIds) ? one.productIds.length : 0));
    const { max } = LIMITS.products;
    if (counts.reduce((sum, count) => sum + count, 0) > max)
      place.report(`has more products than ${max} altogether`, "Send fewer, or several messages.", max);
  },
);

export const checkProductList = shape<ProductListMessage>({
  text: body,
  header: textHeader,
  footer,
  catalogId: id,
  sections: productSections,
});

export const checkCatalog = shape<CatalogMessage>({ text: body, footer, thumbnailProductId: optional(id) });

export const checkProductCarousel = shape<ProductCarouselMessage>({
  text: body,
  catalogId: id,
  productIds: list(LIMITS.cards, id),
});
