/** One element of `calls[]`, or the status of a call that the business makes → a call event. */
import type { CallEvent, ChannelEvent, Person } from "../contract.ts";
import { type ChangeContext, itemBase, otherSide, unsupported } from "./change-context.ts";
import { contentKey, dedupeKey } from "./dedupe-key.ts";
import { receiverOf, recipientOf, senderOf } from "./parse-person.ts";
import { asId, asNumber, asText, type Wire } from "./wire.ts";

const DIRECTIONS: Readonly<Record<string, CallEvent["direction"]>> = {
  USER_INITIATED: "inbound",
  BUSINESS_INITIATED: "outbound",
};

export function parseCall(call: Wire, change: ChangeContext): ChannelEvent {
  const said = asText(call.direction) ?? "";
  const direction = (Object.hasOwn(DIRECTIONS, said) && DIRECTIONS[said]) || null;
  const isToPerson = direction === null ? otherSide(call, change) === "to" : direction === "outbound";
  return callEvent(call, change, {
    event: asText(call.event),
    person: isToPerson ? receiverOf(call, change.cards) : senderOf(call, change.cards),
    direction,
    durationSeconds: asSeconds(call.duration),
  });
}

/** Ringing, accepted, rejected. It has a recipient, so it is the business that calls. */
export function parseCallStatus(status: Wire, change: ChangeContext): ChannelEvent {
  return callEvent(status, change, {
    event: asText(status.status),
    person: recipientOf(status, change.cards),
    direction: "outbound",
    durationSeconds: null,
  });
}

type Call = { readonly event: string | null; readonly person: Person | null } & Pick<
  CallEvent,
  "direction" | "durationSeconds"
>;

function callEvent(
  wire: Wire,
  change: ChangeContext,
  { event, person, direction, durationSeconds }: Call,
): ChannelEvent {
  const callId = asId(wire.id);
  const name = event?.toLowerCase() ?? null;
  const key =
    callId === null
      ? contentKey("call", change.phoneNumberId, wire)
      : dedupeKey("call", change.phoneNumberId, callId, name, asText(wire.timestamp));
  const base = itemBase(wire, change, key);
  if (callId === null || name === null)
    return unsupported(base, { field: change.field, type: `call:${name ?? "unknown"}`, from: person });
  return { kind: "call", callId, person, event: name, direction, durationSeconds, ...base };
}

function asSeconds(value: unknown): number | null {
  const seconds = asNumber(value);
  return seconds === null || seconds < 0 ? null : Math.round(seconds);
}
