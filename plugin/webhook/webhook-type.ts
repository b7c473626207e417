/** The word in `whatsapp_webhooks.webhook_type` by which a person finds a delivery. */
import type { ChannelEvent } from "../contract.ts";

/** `message` when anybody wrote, else `status`, else the first change's field, else `unknown`. */
export function webhookType(events: readonly ChannelEvent[]): string {
  if (events.some((event) => event.kind === "message")) return "message";
  if (events.some((event) => event.kind === "status")) return "status";
  const first = events.find((event) => event.kind === "unsupported");
  if (first === undefined) return "unknown";
  return first.field === "messages" ? (first.type?.split(":")[0] ?? "message") : first.field;
}
