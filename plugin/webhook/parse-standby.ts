/** What is said while Meta's own agent holds the conversation, and the moments in which it is passed on. */
import type { ChannelEvent, Person, StandbyEvent } from "../contract.ts";
import { type ChangeContext, changeBase, itemBase, type ParseChange, unsupported } from "./change-context.ts";
import { parseLists } from "./parse-lists.ts";
import { messageKey } from "./parse-message.ts";
import { readOverheard } from "./parse-message-change.ts";
import { parsePerson, receiverOf, recipientOf, senderOf } from "./parse-person.ts";
import { statusKey } from "./parse-status.ts";
import { parseSystem } from "./parse-system.ts";
import { asId, asObject, asText, type Wire } from "./wire.ts";

const parseStandbyLists = parseLists({
  messages: (message, change) => overheard("message", message, senderOf(message, change.cards), change),
  message_echoes: (message, change) => overheard("echo", message, receiverOf(message, change.cards), change),
  statuses: parseStandbyStatus,
});

/** The lists stand one level deeper than elsewhere; errors may stand beside them. */
export const parseStandby: ParseChange = (value, change) =>
  parseStandbyLists({ ...value, ...asObject(value.standby) }, change);

function overheard(
  what: "message" | "echo",
  message: Wire,
  person: Person | null,
  change: ChangeContext,
): ChannelEvent {
  const messageId = asId(message.id);
  const base = itemBase(message, change, messageKey(`standby-${what}`, message, change));
  const strange = (type: string) =>
    unsupported(base, { field: change.field, type: `${what}:${type}`, from: person, messageId });
  if (message.group_id) return strange("group");
  const type = asText(message.type);
  // WhatsApp itself says this, whoever has the conversation.
  if (type === "system") return parseSystem(message, base) ?? strange(type);
  const heard = readOverheard(message, type ?? "");
  if (heard === null) return strange(type ?? "unknown");
  return { kind: "standby", what, messageId, person, ...heard, type: type === null ? null : heard.type, ...base };
}

/** `type` is the status. */
function parseStandbyStatus(status: Wire, change: ChangeContext): StandbyEvent {
  return {
    kind: "standby",
    what: "status",
    messageId: asId(status.id),
    person: recipientOf(status, change.cards),
    type: asText(status.status),
    text: null,
    content: null,
    ...itemBase(status, change, statusKey("standby-status", status, change)),
  };
}

/** Field `messaging_handovers`: the whole change is one handover. Meta's own sample leaves the type out. */
export const parseHandover: ParseChange = (value, change) => {
  const type = HANDOVERS.find((name) => value.type === name || asObject(value[name]) !== null);
  if (type === undefined) return [];
  const sender = asObject(value.sender);
  const owner = asText(asObject(value[type])?.new_owner_role);
  return [
    {
      kind: "standby",
      what: "handover",
      messageId: null,
      person: parsePerson(
        { phone: sender?.phone_number, userId: sender?.user_id, parentUserId: sender?.parent_user_id },
        change.cards,
      ),
      type,
      text: null,
      content: null,
      ...(owner !== null && { owner }),
      ...changeBase(change),
    },
  ];
};

const HANDOVERS = ["control_passed", "control_taken"] as const;
