/** A reaction to a message of the person's; where there is none to react to, the emoji is said. */
import type { AiResponse } from "../contract.ts";
import { oneLine } from "./one-line.ts";
import { isSendable, NOTHING, plainPiece, report, type Said, say, sayText } from "./said.ts";

export function sayReaction(reaction: AiResponse["reaction"], lastMessageId: string | undefined): Said {
  if (reaction === undefined) return NOTHING;
  const targetId = reaction.messageId ?? lastMessageId;
  const emoji = reaction.emoji === null ? null : oneLine(reaction.emoji);
  if (targetId !== undefined) {
    const message = { kind: "reaction" as const, targetId, emoji };
    if (isSendable(message)) return say(message);
  }
  const change = { what: "reaction", from: "reaction", to: "text" };
  if (emoji === null || emoji === "") return report({ ...change, to: "left out: no message or no emoji" });
  return sayText(plainPiece(emoji, change), "reaction");
}
