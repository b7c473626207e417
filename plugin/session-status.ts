/** Contract verb 4: may a free-form message be sent to this conversation now? */
import type { ChannelPlugin } from "./contract.ts";
import { ChannelError } from "./errors.ts";
import type { Sessions } from "./ports.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function createSessionStatus(sessions: Sessions): ChannelPlugin["sessionStatus"] {
  return async (conversationId) => {
    const status = UUID.test(conversationId) ? await sessions.status(conversationId) : null;
    if (status === null)
      throw new ChannelError("CONVERSATION_UNKNOWN", "There is no WhatsApp conversation with this id.");
    return status;
  };
}
