/** What Meta checks in each type of interactive message. */
import {
  type Accepts,
  areDifferent,
  isLine,
  isList,
  isMedia,
  isNothing,
  isObject,
  isOneOf,
  isText,
  isUrl,
  isWhole,
  objectsOf,
} from "./accepts.ts";
import type { GraphErrorSpec } from "./graph-error.ts";
import type { MessageRule } from "./message-rules.ts";
import type { WireObject } from "./wire.ts";

const PAGES = "https://developers.facebook.com/documentation/business-messaging/whatsapp";
const BUTTONS = `${PAGES}/messages/interactive-reply-buttons-messages`;
const LIST = `${PAGES}/messages/interactive-list-messages`;
const LINK = `${PAGES}/messages/interactive-cta-url-messages`;
const FLOW = `${PAGES}/flows/guides/sendingaflow`;
const LOCATION = `${PAGES}/messages/location-request-messages`;
const ADDRESS = `${PAGES}/messages/address-messages`;
const CONTACT = `${PAGES}/business-scoped-user-ids`;
const CALLING = `${PAGES}/calling/call-button-messages-deep-links`;
const PERMISSION = `${PAGES}/calling/user-call-permissions`;
const PRODUCTS = `${PAGES}/catalogs/sell-products-and-services/share-products`;
const CAROUSEL = `${PAGES}/messages/interactive-media-carousel-messages`;
const PAYMENTS = `${PAGES}/payments/overview`;
const OBSERVED = "wording that developers report from the live API";

/** By `interactive.type`; a type that is not here does not exist. */
export const INTERACTIVE_RULES: Readonly<Record<string, readonly MessageRule[]>> = {
  button: [
    ...frame(BUTTONS, { body: 1024, header: ["text", "image", "video", "document"] }),
    must("action.buttons", isList(1, 3), OBSERVED, {
      code: 131009,
      details: "Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3",
    }),
    must("action.buttons[].type", isOneOf("reply"), BUTTONS),
    must("action.buttons[].reply.id", isText(1, 256), BUTTONS),
    must("action.buttons[].reply.title", isLine(1, 20), OBSERVED, {
      code: 131009,
      details: "Button title length invalid. Min length: 1, Max length: 20",
    }),
    may("action.buttons", haveOwn("id"), OBSERVED, {
      code: 131009,
      details: "Duplicated button reply id: every button of a message has its own",
    }),
    may("action.buttons", haveOwn("title"), BUTTONS),
  ],
  list: [
    ...frame(LIST, { body: 4096, header: ["text"] }),
    must("action.button", isLine(1, 20), LIST),
    must("action.sections", isList(1, 10), LIST),
    may("action.sections[].title", isLine(1, 24), LIST),
    may("action.sections", haveTitles, LIST, {
      code: 131009,
      details: "Section title is required when there is more than one section",
    }),
    must("action.sections[].rows", isList(1, Number.POSITIVE_INFINITY), LIST),
    may("action.sections", haveInAll("rows", 10), OBSERVED, {
      code: 131009,
      details: "Total row count exceed max allowed count: 10",
    }),
    must("action.sections[].rows[].id", isText(1, 200), LIST),
    must("action.sections[].rows[].title", isLine(1, 24), LIST),
    may("action.sections[].rows[].description", isText(0, 72), LIST),
    may("action.sections", haveRowsOfTheirOwn, LIST, { code: 131009, details: "Duplicated row id" }),
  ],
  cta_url: [
    ...frame(LINK, { body: 1024, header: ["text", "image", "video", "document"] }),
    must("action.name", isOneOf("cta_url"), LINK),
    must("action.parameters.display_text", isLine(1, 20), LINK),
    must("action.parameters.url", isUrl, LINK),
  ],
  flow: [
    ...frame(FLOW, { body: 1024, header: ["text", "image", "video", "document"] }),
    must("action.name", isOneOf("flow"), FLOW),
    must("action.parameters.flow_message_version", isOneOf("3"), FLOW),
    must("action.parameters.flow_cta", isLine(1, 30), FLOW),
    must("action.parameters", hasOneFlow, FLOW),
    may("action.parameters.flow_action", isOneOf("navigate", "data_exchange"), FLOW),
    may("action.parameters.mode", isOneOf("draft", "published"), FLOW),
    may("action.parameters.flow_action_payload.data", isFilled, FLOW),
  ],
  location_request_message: request("send_location", LOCATION),
  address_message: [...request("address_message", ADDRESS), must("action.parameters.country", isText(2, 2), ADDRESS)],
  request_contact_info: request("request_contact_info", CONTACT),
  call_permission_request: [
    must("action.name", isOneOf("call_permission_request"), PERMISSION),
    may("body.text", isText(1, 1024), PERMISSION),
  ],
  voice_call: [
    ...request("voice_call", CALLING),
    may("action.parameters.display_text", isLine(1, 20), CALLING),
    may("action.parameters.ttl_minutes", isWhole(1, 43_200), CALLING),
    may("action.parameters.payload", isText(1, 512), CALLING),
  ],
  product: [
    may("header", isNothing, PRODUCTS),
    may("body.text", isText(1, 1024), PRODUCTS),
    may("footer.text", isText(1, 60), PRODUCTS),
    must("action.catalog_id", isText(1, 256), PRODUCTS),
    must("action.product_retailer_id", isText(1, 256), PRODUCTS),
  ],
  product_list: [
    must("header", isHeader("text"), PRODUCTS),
    ...frame(PRODUCTS, { body: 1024, header: ["text"] }),
    must("action.catalog_id", isText(1, 256), PRODUCTS),
    must("action.sections", isList(1, 10), PRODUCTS),
    must("action.sections[].title", isLine(1, 24), PRODUCTS),
    must("action.sections[].product_items", isList(1, 30), PRODUCTS),
    must("action.sections[].product_items[].product_retailer_id", isText(1, 256), PRODUCTS),
    may("action.sections", haveInAll("product_items", 30), PRODUCTS),
  ],
  catalog_message: [
    ...request("catalog_message", PRODUCTS),
    may("action.parameters.thumbnail_product_retailer_id", isText(1, 256), PRODUCTS),
  ],
  carousel: [
    must("body.text", isText(1, 1024), CAROUSEL),
    may("header", isNothing, CAROUSEL),
    may("footer", isNothing, CAROUSEL),
    must("action.cards", isList(2, 10), CAROUSEL),
    must("action.cards[].card_index", isWhole(0, 9), CAROUSEL),
    must("action.cards[].action", isObject, CAROUSEL),
    must("action.cards[]", isCard, CAROUSEL),
    may("action.cards", areAlike, CAROUSEL),
  ],
  // Payments exist; what is in them is not checked.
  order_details: [must("body.text", isText(1, 1024), PAYMENTS)],
  order_status: [must("body.text", isText(1, 1024), PAYMENTS)],
};

function must(at: string, accepts: Accepts, source: string, refusal?: GraphErrorSpec): MessageRule {
  return { ...may(at, accepts, source, refusal), isRequired: true };
}

function may(at: string, accepts: Accepts, source: string, refusal?: GraphErrorSpec): MessageRule {
  return { at: `interactive.${at}`, accepts, source, ...(refusal !== undefined && { refusal }) };
}

function frame(
  source: string,
  { body, header }: { readonly body: number; readonly header: readonly string[] },
): readonly MessageRule[] {
  return [
    may("header", isHeader(...header), source),
    must("body.text", isText(1, body), source),
    may("footer.text", isText(1, 60), source),
  ];
}

function request(name: string, source: string): readonly MessageRule[] {
  return [must("body.text", isText(1, 1024), source), must("action.name", isOneOf(name), source)];
}

function isHeader(...types: readonly string[]): Accepts {
  return (header) => {
    if (!isObject(header) || !types.includes(String(header.type))) return false;
    return header.type === "text" ? isLine(1, 60)(header.text) : isMedia(header[String(header.type)]);
  };
}

function haveOwn(member: "id" | "title"): Accepts {
  return (buttons) => areDifferent(objectsOf(buttons).map(({ reply }) => isObject(reply) && reply[member]));
}

function haveTitles(sections: unknown): boolean {
  const all = objectsOf(sections);
  return all.length < 2 || all.every(({ title }) => title !== undefined);
}

function haveInAll(member: string, most: number): Accepts {
  return (sections) => objectsOf(sections).flatMap((section) => objectsOf(section[member])).length <= most;
}

function haveRowsOfTheirOwn(sections: unknown): boolean {
  return areDifferent(objectsOf(sections).flatMap(({ rows }) => objectsOf(rows).map(({ id }) => id)));
}

function hasOneFlow(parameters: unknown): boolean {
  return isObject(parameters) && (parameters.flow_id === undefined) !== (parameters.flow_name === undefined);
}

function isFilled(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length > 0;
}

function isCard(card: unknown): boolean {
  if (!isObject(card) || !isObject(card.action)) return false;
  const { action, header, body, type } = card;
  if (type === "product") return isText(1, 256)(action.catalog_id) && isText(1, 256)(action.product_retailer_id);
  const text = isObject(body) ? body.text : undefined;
  const hasText = text === undefined || (isText(1, 160)(text) && String(text).split("\n").length <= 3);
  return isHeader("image", "video")(header) && hasText && (isLinkAction(action) || isReplyAction(action));
}

function isLinkAction({ name, parameters }: WireObject): boolean {
  return name === "cta_url" && isObject(parameters) && isLine(1, 20)(parameters.display_text) && isUrl(parameters.url);
}

function isReplyAction({ buttons }: WireObject): boolean {
  const replies = objectsOf(buttons).map((button) => button.quick_reply);
  return (
    isList(1, 3)(buttons) &&
    replies.every((reply) => isObject(reply) && isText(1, 256)(reply.id) && isLine(1, 20)(reply.title))
  );
}

/** One kind and number of buttons on all cards, and one catalogue behind all products. */
function areAlike(cards: unknown): boolean {
  const kinds = objectsOf(cards).map(({ type, action }) => {
    const { buttons, catalog_id: catalogId } = isObject(action) ? action : {};
    return type === "product" ? `product of ${catalogId}` : `${objectsOf(buttons).length} buttons`;
  });
  return new Set(kinds).size <= 1;
}
