/** One element of `statuses[]` → a status event, or an unsupported one with its raw value. */
import type { MessageStatus, MetaError, StatusEvent, UnsupportedEvent } from "../contract.ts";
import { contentKey, dedupeKey } from "./dedupe-key.ts";
import type { ChangeContext } from "./parse-message.ts";
import { parsePerson } from "./parse-person.ts";
import { asId, asObject, asText, asTime, objectsIn, type Wire } from "./wire.ts";

const STATUSES: readonly MessageStatus[] = ["sent", "delivered", "read", "played", "failed"];

const NOBODY = { phoneNumber: null, userId: null, parentUserId: null, username: null, name: null };

export function parseStatus(status: Wire, change: ChangeContext): StatusEvent | UnsupportedEvent {
  const messageId = asId(status.id);
  const name = asText(status.status);
  const known = STATUSES.find((candidate) => candidate === name);
  const recipientId = asText(status.recipient_id) ?? asText(status.recipient_user_id);
  const participant = asText(status.recipient_participant_id) ?? asText(status.recipient_participant_user_id);
  const base = {
    dedupeKey:
      messageId === null
        ? contentKey("status", change.phoneNumberId, status)
        : dedupeKey(
            "status",
            change.phoneNumberId,
            messageId,
            name,
            recipientId,
            participant,
            asText(status.timestamp),
          ),
    wabaId: change.wabaId,
    phoneNumberId: change.phoneNumberId,
    occurredAt: asTime(status.timestamp),
    raw: status,
  };
  const recipient = parsePerson(
    {
      phone: status.recipient_id,
      userId: status.recipient_user_id,
      // Renamed in May 2026; both spellings are on the wire.
      parentUserId: status.recipient_parent_user_id ?? status.parent_recipient_user_id,
    },
    change.cards,
  );
  const other = otherKind(status);
  if (known === undefined || messageId === null || other !== null)
    return {
      kind: "unsupported",
      field: change.field,
      type: `status:${other ?? name ?? "unknown"}`,
      from: recipient,
      messageId,
      ...base,
    };
  // The spread comes last: see `parse-message.ts`.
  return {
    kind: "status",
    messageId,
    status: known,
    recipient: recipient ?? NOBODY,
    callbackData: asId(status.biz_opaque_callback_data),
    errors: objectsIn(status.errors).map(parseError),
    ...base,
  };
}

/** Statuses that are not about a message to one person, even where they use the same words. */
function otherKind(status: Wire): string | null {
  if (status.recipient_type === "group") return "group";
  return status.type === "call" || status.type === "payment" ? status.type : null;
}

/** Three shapes are on the wire: with `error_data`, with a bare `details`, and with neither. */
export function parseError(error: Wire): MetaError {
  const data = asObject(error.error_data);
  return {
    code: asNumber(error.code) ?? 0,
    subcode: asNumber(error.error_subcode),
    title: asText(error.title) ?? asText(error.message),
    details: asText(data?.details) ?? asText(error.details) ?? asText(error.error_data),
    fbtraceId: asText(error.fbtrace_id),
  };
}

/** Relays spell codes as strings. */
function asNumber(value: unknown): number | null {
  const number = Number(asText(value) ?? Number.NaN);
  return Number.isFinite(number) ? number : null;
}
