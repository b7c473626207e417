/** Contract verb 3: transform → window → outbox. Resolving means "stored"; status events tell what becomes of it. */
import type { ChannelPlugin } from "./contract.ts";
import { ChannelError } from "./errors.ts";
import { planSend } from "./pipeline/plan-send.ts";
import type { Outbox } from "./ports.ts";

export type SendDeps = { readonly outbox: Outbox; readonly onQueued: () => void };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const MAX_KEY_LENGTH = 255;

export function createSend({ outbox, onQueued }: SendDeps): ChannelPlugin["send"] {
  return async ({ conversationId, response, idempotencyKey, replyTo, onWindowClosed }) => {
    if (!UUID.test(conversationId))
      throw new ChannelError("CONVERSATION_UNKNOWN", "There is no WhatsApp conversation with this id.");
    if (idempotencyKey !== undefined && (idempotencyKey === "" || idempotencyKey.length > MAX_KEY_LENGTH))
      throw new ChannelError("REQUEST_INVALID", `idempotencyKey must have 1 to ${MAX_KEY_LENGTH} characters.`);
    const planned = planSend({
      what: { response: response ?? "" },
      idempotencyKey: idempotencyKey ?? null,
      replyTo: replyTo ?? null,
      onWindowClosed: onWindowClosed === "hold" ? "hold" : "fail",
    });
    if (planned.parts.length === 0)
      throw new ChannelError("RESPONSE_EMPTY", "The response has nothing that could be sent.");
    const receipt = await outbox.enqueue(conversationId, planned);
    onQueued();
    return receipt;
  };
}
