/** Meta's webhook JSON: envelopes, inbound messages and statuses, spelled as Meta spells them. */

import type { SimulatedNumber } from "./accounts/simulated-number.ts";
import { titleOf } from "./graph-error.ts";
import type { PersonRecord } from "./people.ts";

/** Any JSON object. */
export type WireObject = Readonly<Record<string, unknown>>;

export type WireChange = {
  readonly wabaId: string;
  readonly field: string;
  readonly value: WireObject;
  /** What the entry is about and when it happened, where Meta says so: changes of an account have both. */
  readonly entry?: { readonly id: string; readonly time: number };
  /** Told to the app, whether or not it is subscribed to the account. */
  readonly isForApp?: boolean;
};

export type OutboundStatus = "sent" | "delivered" | "read" | "played" | "failed";

/** One delivery holding these changes. Neighbours of one account share an entry. */
export function envelope(changes: readonly WireChange[]): WireObject {
  const entries: { id: string; time?: number; changes: { value: WireObject; field: string }[] }[] = [];
  for (const { wabaId, field, value, entry: about } of changes) {
    const last = entries.at(-1);
    const isSame = last?.id === (about?.id ?? wabaId) && last.time === about?.time;
    const entry = isSame ? last : { id: wabaId, ...about, changes: [] };
    if (entry !== last) entries.push(entry);
    entry.changes.push({ value, field });
  }
  return { object: "whatsapp_business_account", entry: entries };
}

/** What a person wrote, as a change. */
export function messageChange(number: SimulatedNumber, person: PersonRecord, message: WireObject): WireChange {
  const value = {
    ...frame(number),
    // Meta leaves the contacts away where WhatsApp itself speaks.
    ...(message.type !== "system" && { contacts: [contactOf(person, { withUsername: true })] }),
    messages: [{ ...senderOf(person), ...message }],
  };
  return { wabaId: number.wabaId, field: "messages", value };
}

/** What somebody of the business wrote by the WhatsApp Business app, as a change. */
export function echoChange(number: SimulatedNumber, person: PersonRecord, message: WireObject): WireChange {
  const echo = {
    from: number.displayPhoneNumber.replace(/\D/g, ""),
    ...(visiblePhone(person) !== null && { to: visiblePhone(person) }),
    ...(person.userId !== null && { to_user_id: person.userId }),
    ...message,
  };
  return { wabaId: number.wabaId, field: "smb_message_echoes", value: { ...frame(number), message_echoes: [echo] } };
}

/** What a person allows the business to send, as a change. */
export function preferenceChange(
  number: SimulatedNumber,
  person: PersonRecord,
  { value, at }: { readonly value: "stop" | "resume"; readonly at: Date },
): WireChange {
  const preference = {
    ...(visiblePhone(person) !== null && { wa_id: visiblePhone(person) }),
    ...(person.userId !== null && { user_id: person.userId }),
    detail: `User requested to ${value} marketing messages`,
    category: "marketing_messages",
    value,
    timestamp: Number(secondsOf(at)),
  };
  const contacts = [contactOf(person, { withUsername: true })];
  return {
    wabaId: number.wabaId,
    field: "user_preferences",
    value: { ...frame(number), contacts, user_preferences: [preference] },
  };
}

export type StatusChange = {
  readonly number: SimulatedNumber;
  readonly person: PersonRecord;
  readonly wamid: string;
  readonly status: OutboundStatus;
  readonly at: Date;
  readonly callbackData: string | null;
  /** The category of the template it is made from; null when it is none. */
  readonly templateCategory: string | null;
  /** Sent while the service window was open. */
  readonly isInWindow: boolean;
  readonly wasAddressedByUserId: boolean;
  readonly error: { readonly code: number; readonly details: string } | null;
};

/** What became of a message the business sent, as a change. */
export function statusChange(change: StatusChange): WireChange {
  const { number, person, status } = change;
  const hasFailed = status === "failed";
  const showsUserId = !hasFailed || change.wasAddressedByUserId;
  // Whom the business wrote to by number it knows by number, however much they hide it.
  const phoneNumber = change.wasAddressedByUserId ? visiblePhone(person) : person.phoneNumber;
  const value = {
    ...frame(number),
    ...(!hasFailed && { contacts: [contactOf(person, { withUsername: status !== "sent" })] }),
    statuses: [
      {
        id: change.wamid,
        status,
        timestamp: secondsOf(change.at),
        ...(phoneNumber !== null && { recipient_id: phoneNumber }),
        ...(showsUserId && person.userId !== null && { recipient_user_id: person.userId }),
        ...(showsUserId && person.parentUserId !== null && { recipient_parent_user_id: person.parentUserId }),
        ...(change.callbackData !== null && { biz_opaque_callback_data: change.callbackData }),
        ...((status === "sent" || status === "delivered") && { pricing: pricingOf(change) }),
        ...(change.error !== null && { errors: [errorOf(change.error)] }),
      },
    ],
  };
  return { wabaId: number.wabaId, field: "messages", value };
}

export function secondsOf(at: Date): string {
  return String(Math.floor(at.getTime() / 1000));
}

export function frame(number: SimulatedNumber): WireObject {
  return {
    messaging_product: "whatsapp",
    metadata: {
      display_phone_number: number.displayPhoneNumber.replace(/\D/g, ""),
      phone_number_id: number.phoneNumberId,
    },
  };
}

function senderOf(person: PersonRecord): WireObject {
  return {
    ...(visiblePhone(person) !== null && { from: visiblePhone(person) }),
    ...(person.userId !== null && { from_user_id: person.userId }),
    ...(person.parentUserId !== null && { from_parent_user_id: person.parentUserId }),
  };
}

function contactOf(person: PersonRecord, { withUsername }: { readonly withUsername: boolean }): WireObject {
  return {
    profile: {
      name: person.name,
      ...(withUsername && person.username !== null && { username: person.username }),
    },
    ...(visiblePhone(person) !== null && { wa_id: visiblePhone(person) }),
    ...(person.userId !== null && { user_id: person.userId }),
    ...(person.parentUserId !== null && { parent_user_id: person.parentUserId }),
  };
}

function visiblePhone(person: PersonRecord): string | null {
  return person.hidesPhoneNumber ? null : person.phoneNumber;
}

// Per-message pricing, as since July 2025: inside the window only marketing and authentication cost. No `conversation` since v24.
function pricingOf({ templateCategory, isInWindow }: StatusChange): WireObject {
  const category = templateCategory?.toLowerCase() ?? "service";
  const isFree = category === "service" || (category === "utility" && isInWindow);
  const type = isFree ? "free_customer_service" : "regular";
  return { billable: !isFree, pricing_model: "PMP", type, category };
}

function errorOf({ code, details }: { readonly code: number; readonly details: string }): WireObject {
  return {
    code,
    title: titleOf(code),
    message: titleOf(code),
    error_data: { details },
    href: "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
  };
}
