/** Messages about an earlier one: a reaction, an edit, a deletion. Each has a wamid of its own and names its target. */
import type { EditEvent, Person, ReactionEvent, RevokeEvent } from "../contract.ts";
import type { EventBase } from "./change-context.ts";
import { parseContent } from "./parse-content.ts";
import type { Said } from "./said.ts";
import { asId, asObject, asText, type Wire } from "./wire.ts";

export type Sent = { readonly messageId: string; readonly from: Person; readonly base: EventBase };

export function parseReaction(message: Wire, { messageId, from, base }: Sent): ReactionEvent | null {
  const reaction = asObject(message.reaction);
  const targetId = asId(reaction?.message_id);
  if (targetId === null) return null;
  // Taken back: Meta leaves the emoji out, or sends an empty one.
  return { kind: "reaction", messageId, from, targetId, emoji: asText(reaction?.emoji), ...base };
}

export function parseEdit(message: Wire, { messageId, from, base }: Sent): EditEvent | null {
  const edit = readEdit(message);
  return edit === null ? null : { kind: "edit", messageId, from, ...edit, ...base };
}

export function parseRevoke(message: Wire, { messageId, from, base }: Sent): RevokeEvent | null {
  const targetId = readRevoke(message);
  return targetId === null ? null : { kind: "revoke", messageId, from, targetId, ...base };
}

/** @returns null without a target, and without a new content: nothing must blank out what was there. */
export function readEdit(message: Wire): ({ readonly targetId: string; readonly type: string } & Said) | null {
  const edit = asObject(message.edit);
  const targetId = asId(edit?.original_message_id ?? message.original_message_id);
  const edited = asObject(edit?.message);
  const type = asText(edited?.type);
  const said = edited === null || type === null ? null : parseContent(edited, type);
  return targetId === null || type === null || said === null ? null : { targetId, type, ...said };
}

/** @returns the wamid of the message that is gone. */
export function readRevoke(message: Wire): string | null {
  return asId(asObject(message.revoke)?.original_message_id ?? message.original_message_id);
}
