/** Contract verb 4: may a free-form message be sent to this conversation now? */
import type { ChannelPlugin } from "./contract.ts";
import { ChannelError } from "./errors.ts";
import type { Sessions } from "./ports.ts";
import { readUuid } from "./uuid.ts";

export function createSessionStatus(sessions: Sessions): ChannelPlugin["sessionStatus"] {
  return async (given) => {
    const conversationId = readUuid(given);
    const status = conversationId === null ? null : await sessions.status(conversationId);
    if (status === null)
      throw new ChannelError("CONVERSATION_UNKNOWN", "There is no WhatsApp conversation with this id.");
    return status;
  };
}
