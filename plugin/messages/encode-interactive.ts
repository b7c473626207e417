/** Messages that offer something to tap → Graph's `interactive` object. */
import type {
  FlowMessage,
  Header,
  HeaderMedia,
  ListMessage,
  OutboundMessage,
  ProductListMessage,
} from "../contract.ts";
import { has } from "./has.ts";
import { given, isBlank, type Wire } from "./wire.ts";

type Interactive = Extract<
  OutboundMessage,
  {
    readonly kind:
      | "buttons"
      | "list"
      | "link"
      | "flow"
      | "location-request"
      | "contact-info-request"
      | "call-permission-request"
      | "call"
      | "product"
      | "product-list"
      | "catalog";
  }
>;

type Frame = { readonly text?: string; readonly header?: Header; readonly footer?: string };

/** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-messages */
export function encodeInteractive(message: Interactive): Wire {
  switch (message.kind) {
    case "buttons":
      return frame("button", message, { buttons: message.buttons.map(encodeButton) });
    case "list":
      return frame("list", message, { button: message.button, sections: message.sections.map(encodeSection) });
    case "link": {
      const parameters = { display_text: message.label, url: message.url };
      return frame("cta_url", message, { name: "cta_url", parameters });
    }
    case "flow":
      return frame("flow", message, { name: "flow", parameters: encodeFlow(message) });
    case "location-request":
      return frame("location_request_message", message, { name: "send_location" });
    case "contact-info-request":
      return frame("request_contact_info", message, { name: "request_contact_info" });
    case "call-permission-request":
      return frame("call_permission_request", message, { name: "call_permission_request" });
    case "call": {
      const { label, ttlMinutes, payload } = message;
      return frame(
        "voice_call",
        message,
        named("voice_call", { display_text: label, ttl_minutes: ttlMinutes, payload }),
      );
    }
    case "product":
      return frame("product", message, { catalog_id: message.catalogId, product_retailer_id: message.productId });
    case "product-list": {
      const sections = encodeProducts(message.sections);
      return frame("product_list", message, { catalog_id: message.catalogId, sections });
    }
    case "catalog": {
      const parameters = { thumbnail_product_retailer_id: message.thumbnailProductId };
      return frame("catalog_message", message, named("catalog_message", parameters));
    }
  }
}

function frame(type: string, { text, header, footer }: Frame, action: Wire): Wire {
  return given({
    type,
    header: header === undefined ? undefined : encodeHeader(header),
    body: isBlank(text) ? undefined : { text },
    footer: isBlank(footer) ? undefined : { text: footer },
    action,
  });
}

/** An action whose parameters are all optional. */
function named(name: string, members: Readonly<Record<string, unknown>>): Wire {
  const parameters = given(members);
  return Object.keys(parameters).length === 0 ? { name } : { name, parameters };
}

function encodeHeader(header: Header): Wire {
  return has(header, "text") ? { type: "text", text: header.text } : encodeHeaderMedia(header);
}

/** The same in interactive messages, cards and templates. */
export function encodeHeaderMedia({ media, url, mediaId, filename }: HeaderMedia): Wire {
  return { type: media, [media]: { ...(url === undefined ? { id: mediaId } : { link: url }), ...given({ filename }) } };
}

function encodeButton({ id, title }: { readonly id: string; readonly title: string }): Wire {
  return { type: "reply", reply: { id, title } };
}

function encodeSection({ title, rows }: ListMessage["sections"][number]): Wire {
  return given({ title, rows: rows.map(given) });
}

function encodeFlow(message: FlowMessage): Wire {
  const { flow, label, token, mode } = message;
  return given({
    flow_message_version: "3",
    ...(has(flow, "id") ? { flow_id: flow.id } : { flow_name: flow.name }),
    flow_cta: label,
    flow_token: token,
    mode,
    ...encodeFlowAction(message),
  });
}

function encodeFlowAction(message: FlowMessage): Wire {
  if (message.action === "data_exchange") return { flow_action: "data_exchange" };
  const { action, screen, data } = message;
  if (screen === undefined) return { flow_action: action };
  // Meta refuses empty data.
  const hasData = data !== undefined && Object.keys(data).length > 0;
  return { flow_action: "navigate", flow_action_payload: { screen, ...(hasData ? { data } : {}) } };
}

/** The same in free messages and in a template's button. */
export function encodeProducts(sections: ProductListMessage["sections"]): readonly Wire[] {
  return sections.map(({ title, productIds }) => ({
    title,
    product_items: productIds.map((productId) => ({ product_retailer_id: productId })),
  }));
}
