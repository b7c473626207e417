/** One element of `statuses[]` → what became of a message, or how a call goes; else unsupported. */
import type { ChannelEvent, MessageStatus } from "../contract.ts";
import { type ChangeContext, itemBase, unsupported } from "./change-context.ts";
import { contentKey, dedupeKey } from "./dedupe-key.ts";
import { parseConversation, parsePricing } from "./parse-billing.ts";
import { parseCallStatus } from "./parse-call.ts";
import { parseErrors } from "./parse-error.ts";
import { NOBODY, recipientOf } from "./parse-person.ts";
import { asId, asText, type Wire } from "./wire.ts";

const STATUSES: readonly MessageStatus[] = ["sent", "delivered", "read", "played", "failed"];

export function parseStatus(status: Wire, change: ChangeContext): ChannelEvent {
  if (status.type === "call") return parseCallStatus(status, change);
  const messageId = asId(status.id);
  const name = asText(status.status);
  const known = STATUSES.find((candidate) => candidate === name);
  const recipient = recipientOf(status, change.cards);
  const base = itemBase(status, change, statusKey("status", status, change));
  const other = otherKind(status);
  if (known === undefined || messageId === null || other !== null)
    return unsupported(base, {
      field: change.field,
      type: `status:${other ?? name ?? "unknown"}`,
      from: recipient,
      messageId,
    });
  // The spreads come last: see `parse-message.ts`.
  return {
    kind: "status",
    messageId,
    status: known,
    recipient: recipient ?? NOBODY,
    callbackData: asId(status.biz_opaque_callback_data),
    errors: parseErrors(status.errors),
    ...parsePricing(status.pricing),
    ...parseConversation(status.conversation),
    ...base,
  };
}

/** In a group several people share the message's id, so the participant is part of the key. */
export function statusKey(kind: string, status: Wire, { phoneNumberId }: ChangeContext): string {
  const messageId = asId(status.id);
  if (messageId === null) return contentKey(kind, phoneNumberId, status);
  return dedupeKey(
    kind,
    phoneNumberId,
    messageId,
    asText(status.status),
    asText(status.recipient_id) ?? asText(status.recipient_user_id),
    asText(status.recipient_participant_id) ?? asText(status.recipient_participant_user_id),
    asText(status.timestamp),
  );
}

/** Statuses that are not about a message to one person, even where they use the same words. */
function otherKind(status: Wire): string | null {
  if (status.recipient_type === "group") return "group";
  return status.type === "payment" ? status.type : null;
}
