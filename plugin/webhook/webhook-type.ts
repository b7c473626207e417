/** The word in `whatsapp_webhooks.webhook_type` by which a person finds a delivery. */
import type { ChannelEvent, TemplateEvent } from "../contract.ts";

/** `message` when anybody wrote, else `status`, else the first change's field, else `unknown`. */
export function webhookType(events: readonly ChannelEvent[]): string {
  const words = events.map(wordFor);
  return ["message", "status"].find((word) => words.includes(word)) ?? words[0] ?? "unknown";
}

const TEMPLATE_FIELDS: Readonly<Record<TemplateEvent["change"], string>> = {
  status: "message_template_status_update",
  quality: "message_template_quality_update",
  components: "message_template_components_update",
  category: "template_category_update",
  "category-detection": "template_correct_category_detection",
};

function wordFor(event: ChannelEvent): string {
  switch (event.kind) {
    case "message":
    case "reaction":
    case "edit":
    case "revoke":
      return "message";
    case "status":
      return "status";
    case "echo":
      return event.source === "business-app" ? "smb_message_echoes" : "message_echoes";
    case "contact-changed":
      return event.change === "address-book" ? "smb_app_state_sync" : "system";
    case "template":
      return TEMPLATE_FIELDS[event.change];
    case "account":
    case "phone-number":
      return event.field;
    case "preference":
      return "user_preferences";
    case "call":
      return "calls";
    case "flow":
      return "flows";
    case "history":
      return "history";
    case "standby":
      return event.what === "handover" ? "messaging_handovers" : "standby";
    case "unsupported":
      return event.field === "messages" ? (event.type?.split(":", 1)[0] ?? "message") : event.field;
  }
}
