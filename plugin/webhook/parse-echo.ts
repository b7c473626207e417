/** One element of `message_echoes[]` → what the business sent elsewhere: new, corrected or taken back, or a reaction. */
import type { ChannelEvent, EchoEvent } from "../contract.ts";
import { type ChangeContext, itemBase, unsupported } from "./change-context.ts";
import { messageKey } from "./parse-message.ts";
import { readOverheard } from "./parse-message-change.ts";
import { receiverOf } from "./parse-person.ts";
import { asId, asText, type Wire } from "./wire.ts";

export function parseEcho(source: EchoEvent["source"]): (message: Wire, change: ChangeContext) => ChannelEvent {
  return (message, change) => {
    const messageId = asId(message.id);
    const to = receiverOf(message, change.cards);
    const type = asText(message.type) ?? "unknown";
    const base = itemBase(message, change, messageKey("echo", message, change));
    // Null for a change that does not say of what. That staff wrote counts, whatever it was: they took over.
    const echoed = readOverheard(message, type);
    if (messageId !== null && to !== null && echoed !== null && !message.group_id)
      return { kind: "echo", source, messageId, to, ...echoed, ...base };
    const what = message.group_id ? "group" : type;
    return unsupported(base, { field: change.field, type: `echo:${what}`, from: to, messageId });
  };
}
