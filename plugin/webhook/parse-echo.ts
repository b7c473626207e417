/** One element of `message_echoes[]` → what the business sent elsewhere: new, corrected or taken back. */
import type { ChannelEvent, EchoEvent } from "../contract.ts";
import { type ChangeContext, itemBase, unsupported } from "./change-context.ts";
import { parseContentOrNothing } from "./parse-content.ts";
import { messageKey } from "./parse-message.ts";
import { readEdit, readRevoke } from "./parse-message-change.ts";
import { receiverOf } from "./parse-person.ts";
import type { Said } from "./said.ts";
import { asId, asText, type Wire } from "./wire.ts";

export function parseEcho(source: EchoEvent["source"]): (message: Wire, change: ChangeContext) => ChannelEvent {
  return (message, change) => {
    const messageId = asId(message.id);
    const to = receiverOf(message, change.cards);
    const type = asText(message.type) ?? "unknown";
    const base = itemBase(message, change, messageKey("echo", message, change));
    const echoed = readEchoed(message, type);
    if (messageId !== null && to !== null && echoed !== null && !message.group_id)
      return { kind: "echo", source, messageId, to, ...echoed, ...base };
    const what = message.group_id ? "group" : type;
    return unsupported(base, { field: change.field, type: `echo:${what}`, from: to, messageId });
  };
}

type Echoed = Pick<EchoEvent, "type" | "change"> & Said;

/** Null for a change that does not say of what. That staff wrote counts, whatever it was: they took over. */
function readEchoed(message: Wire, type: string): Echoed | null {
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
  return { type, ...parseContentOrNothing(message, type) };
}
