/** A template's name, language and parameters → Graph's `template` object. */
import type { TemplateButton, TemplateChoice, TemplateParams, TemplateValue, TemplateValues } from "../contract.ts";
import { encodeHeaderMedia, encodeProducts } from "./encode-interactive.ts";
import { encodePlace } from "./encode-place.ts";
import { has } from "./has.ts";
import { given, type Wire } from "./wire.ts";

type Parts = Pick<TemplateParams, "header" | "body" | "buttons">;

/** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/overview */
export function encodeTemplate({ name, language, params = {} }: TemplateChoice): Wire {
  const { code, cards, limitedTimeOffer: offer } = params;
  const components = [
    ...encodeParts(code === undefined ? params : { ...params, ...partsOfCode(code) }),
    ...(offer === undefined ? [] : [encodeOffer(offer)]),
    ...(cards === undefined ? [] : [{ type: "carousel", cards: cards.map(encodeCard) }]),
  ];
  return { name, language: { code: language }, ...(components.length === 0 ? {} : { components }) };
}

function encodeParts({ header, body, buttons = [] }: Parts): readonly Wire[] {
  const values = body === undefined ? [] : encodeValues(body);
  return [
    ...(header === undefined ? [] : [{ type: "header", parameters: encodeHeader(header) }]),
    ...(values.length === 0 ? [] : [{ type: "body", parameters: values }]),
    ...buttons.map(encodeButton),
  ];
}

/** A one-time code goes into the body and into the button that copies or fills it in. */
function partsOfCode(code: string): Parts {
  return { body: [code], buttons: [{ kind: "url", index: 0, suffix: code }] };
}

function encodeCard(card: NonNullable<TemplateParams["cards"]>[number], index: number): Wire {
  return { card_index: index, components: encodeParts(card) };
}

function encodeOffer({ expiresAt }: NonNullable<TemplateParams["limitedTimeOffer"]>): Wire {
  const offer = { expiration_time_ms: new Date(expiresAt).getTime() };
  return { type: "limited_time_offer", parameters: [{ type: "limited_time_offer", limited_time_offer: offer }] };
}

function encodeHeader(header: NonNullable<TemplateParams["header"]>): readonly Wire[] {
  if (has(header, "text")) return encodeValues(header.text);
  if (has(header, "location")) return [{ type: "location", location: encodePlace(header.location) }];
  if (has(header, "product")) {
    const { catalogId, productId } = header.product;
    return [{ type: "product", product: { catalog_id: catalogId, product_retailer_id: productId } }];
  }
  return [encodeHeaderMedia(header)];
}

function encodeValues(values: TemplateValues): readonly Wire[] {
  if (isList(values)) return values.map(encodeValue);
  return Object.entries(values).map(([name, value]) => ({ ...encodeValue(value), parameter_name: name }));
}

/** `Array.isArray` does not narrow readonly arrays. */
function isList(values: TemplateValues): values is readonly TemplateValue[] {
  return Array.isArray(values);
}

function encodeValue(value: TemplateValue): Wire {
  if (typeof value === "string") return { type: "text", text: value };
  if (has(value, "dateTime")) return { type: "date_time", date_time: { fallback_value: value.dateTime.fallback } };
  const { fallback, code, amount1000 } = value.currency;
  return { type: "currency", currency: { fallback_value: fallback, code, amount_1000: amount1000 } };
}

function encodeButton(button: TemplateButton): Wire {
  const [subType, parameters] = parametersOf(button);
  return {
    type: "button",
    sub_type: subType,
    index: String(button.index),
    ...(parameters.length === 0 ? {} : { parameters }),
  };
}

/** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components#buttons */
function parametersOf(button: TemplateButton): readonly [subType: string, parameters: readonly Wire[]] {
  switch (button.kind) {
    case "quick-reply":
      return ["quick_reply", [{ type: "payload", payload: button.payload }]];
    case "url":
      return ["url", [{ type: "text", text: button.suffix }]];
    case "copy-code":
      return ["copy_code", [{ type: "coupon_code", coupon_code: button.code }]];
    case "flow":
      return ["flow", action({ flow_token: button.token, flow_action_data: button.data })];
    case "catalog":
      return ["catalog", action({ thumbnail_product_retailer_id: button.thumbnailProductId })];
    case "products": {
      const { thumbnailProductId, sections } = button;
      const products = encodeProducts(sections);
      return ["mpm", action({ thumbnail_product_retailer_id: thumbnailProductId, sections: products })];
    }
    case "order-details":
      return ["order_details", action({ order_details: button.orderDetails })];
    case "call":
      return ["voice_call", encodeCall(button)];
  }
}

function encodeCall({ ttlMinutes, payload }: Extract<TemplateButton, { readonly kind: "call" }>): readonly Wire[] {
  return [
    ...(ttlMinutes === undefined ? [] : [{ type: "ttl_minutes", ttl_minutes: ttlMinutes }]),
    ...(payload === undefined ? [] : [{ type: "payload", payload }]),
  ];
}

function action(members: Readonly<Record<string, unknown>>): readonly Wire[] {
  const filled = given(members);
  return Object.keys(filled).length === 0 ? [] : [{ type: "action", action: filled }];
}
