/** What somebody does to a message that was there before → the change of its row, and of a turn that the host has not seen. Pure. */
import type { EarlierChange } from "../contract.ts";
import type { ShownChange, StoredEvent } from "../ports.ts";
import { DELETED, inboxText, type Readable } from "./inbox-text.ts";
import { sentAtOf } from "./sent-at.ts";

type Heard = Pick<StoredEvent, "eventId" | "event" | "receivedAt">;

/**
 * Of a message that is still to come, too: Meta brings things in no order, and what was taken back must not be shown when it comes.
 * @returns none for an event that changes no earlier message.
 */
export function changesOf(stored: Heard, contactId: string): readonly ShownChange[] {
  const { event, eventId } = stored;
  const made = { contactId, eventId, at: sentAtOf(stored).toISOString() };
  switch (event.kind) {
    case "reaction":
      return [reacted({ ...made, targetId: event.targetId }, event.emoji)];
    case "edit":
      return [edited({ ...made, targetId: event.targetId }, event)];
    case "revoke":
      return [deleted({ ...made, targetId: event.targetId })];
    case "echo":
    case "standby":
      return event.change === undefined
        ? []
        : [changed(made, event.change, { ...event, type: event.type ?? "unknown" })];
    case "history":
      // What was said then may be older than anything here, so nobody waits for it.
      return event.messages.flatMap((message) => {
        const at = (message.occurredAt ?? stored.receivedAt).toISOString();
        return message.change === undefined ? [] : [changed({ contactId, eventId: null, at }, message.change, message)];
      });
    default:
      return [];
  }
}

type Made = Pick<ShownChange, "contactId" | "targetId" | "eventId" | "at">;

function changed(made: Omit<Made, "targetId">, change: EarlierChange, said: Readable): ShownChange {
  const { kind, targetId } = change;
  if (kind === "reaction") return reacted({ ...made, targetId }, change.emoji);
  return kind === "edit" ? edited({ ...made, targetId }, said) : deleted({ ...made, targetId });
}

function edited(made: Made, said: Readable): ShownChange {
  return {
    ...made,
    content: inboxText(said),
    mediaType: null,
    metadata: { edited: true, changed_at: made.at },
    inTurn: { kind: "edit", text: said.text },
  };
}

/** Nothing of what it said stays: a place, a card with numbers, what was filled into a form, a file's name and checksum. */
function deleted(made: Made): ShownChange {
  return {
    ...made,
    content: DELETED,
    mediaType: "",
    metadata: { deleted: true, changed_at: made.at, media: null, content: null },
    inTurn: { kind: "remove" },
  };
}

/** Nobody waits for what it was put on: that may be older than anything here. */
function reacted(made: Made, emoji: string | null): ShownChange {
  return {
    ...made,
    eventId: null,
    content: null,
    mediaType: null,
    metadata: { reaction: emoji, reacted_at: made.at },
    inTurn: null,
  };
}
