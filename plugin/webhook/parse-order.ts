/** A cart that the person sent: products of a catalogue, by the business's own ids, and what they wrote beside it. */
import type { Said } from "./said.ts";
import { asId, asNumber, asText, objectsIn, type Wire } from "./wire.ts";

export function parseOrder(order: Wire | null): Said | null {
  if (order === null) return null;
  const items = objectsIn(order.product_items).flatMap((item) => {
    const productId = asText(item.product_retailer_id);
    if (productId === null) return [];
    return {
      productId,
      quantity: asNumber(item.quantity) ?? 1,
      price: asNumber(item.item_price),
      currency: asText(item.currency),
    };
  });
  return { text: asText(order.text), content: { kind: "order", catalogId: asId(order.catalog_id), items } };
}
