/** Messages about an earlier one: a reaction, an edit, a deletion. Each has a wamid of its own and names its target. */
import type { EarlierChange, EditEvent, Person, ReactionEvent, RevokeEvent } from "../contract.ts";
import type { EventBase } from "./change-context.ts";
import { parseContent, parseContentOrNothing } from "./parse-content.ts";
import type { Said } from "./said.ts";
import { asId, asObject, asText, type Wire } from "./wire.ts";

export type Sent = { readonly messageId: string; readonly from: Person; readonly base: EventBase };

export function parseReaction(message: Wire, { messageId, from, base }: Sent): ReactionEvent | null {
  const reaction = readReaction(message);
  return reaction === null ? null : { kind: "reaction", messageId, from, ...reaction, ...base };
}

export function parseEdit(message: Wire, { messageId, from, base }: Sent): EditEvent | null {
  const edit = readEdit(message);
  return edit === null ? null : { kind: "edit", messageId, from, ...edit, ...base };
}

export function parseRevoke(message: Wire, { messageId, from, base }: Sent): RevokeEvent | null {
  const targetId = readRevoke(message);
  return targetId === null ? null : { kind: "revoke", messageId, from, targetId, ...base };
}

/** What a message says, or does to an earlier one, wherever it is told of: echoes, history, standby. */
export type Overheard = { readonly type: string; readonly change?: EarlierChange } & Said;

/** @returns null for a change that does not say of what. */
export function readOverheard(message: Wire, type: string): Overheard | null {
  if (type === "edit") {
    const edit = readEdit(message);
    if (edit === null) return null;
    const { targetId, ...said } = edit;
    return { ...said, change: { kind: "edit", targetId } };
  }
  if (type === "revoke") {
    const targetId = readRevoke(message);
    return targetId === null ? null : { type, text: null, content: null, change: { kind: "revoke", targetId } };
  }
  if (type === "reaction") {
    const reaction = readReaction(message);
    return reaction === null ? null : { type, text: null, content: null, change: { kind: "reaction", ...reaction } };
  }
  return { type, ...parseContentOrNothing(message, type) };
}

function readReaction(message: Wire): Pick<ReactionEvent, "targetId" | "emoji"> | null {
  const reaction = asObject(message.reaction);
  const targetId = asId(reaction?.message_id);
  // Taken back: Meta leaves the emoji out, or sends an empty one.
  return targetId === null ? null : { targetId, emoji: asText(reaction?.emoji) };
}

/** @returns null without a target, and without a new content: nothing must blank out what was there. */
function readEdit(message: Wire): ({ readonly targetId: string; readonly type: string } & Said) | null {
  const edit = asObject(message.edit);
  const targetId = asId(edit?.original_message_id ?? message.original_message_id);
  const edited = asObject(edit?.message);
  const type = asText(edited?.type);
  const said = edited === null || type === null ? null : parseContent(edited, type);
  return targetId === null || type === null || said === null ? null : { targetId, type, ...said };
}

/** @returns the wamid of the message that is gone. */
function readRevoke(message: Wire): string | null {
  return asId(asObject(message.revoke)?.original_message_id ?? message.original_message_id);
}
