/** An AI answer → parts for the outbox: transformed, encoded, with what the host's inbox will show. */
import { createHash } from "node:crypto";
import type { AiResponse } from "../contract.ts";
import type { PlannedSend } from "../ports.ts";
import { encodeMessage } from "../transformer/encode-message.ts";
import { transformResponse } from "../transformer/transform-response.ts";

export type SendWishes = {
  readonly response: AiResponse | string;
  readonly idempotencyKey: string | null;
  /** The wamid to quote in the first part. */
  readonly replyTo: string | null;
  readonly onWindowClosed: "fail" | "hold";
};

/** @returns no parts when the answer says nothing. */
export function planSend({ response, idempotencyKey, replyTo, onWindowClosed }: SendWishes): PlannedSend {
  const { messages, degraded } = transformResponse(response);
  return {
    parts: messages.map((message, index) => ({
      kind: message.kind,
      payload: {
        ...encodeMessage(message),
        ...(index === 0 && replyTo !== null ? { context: { message_id: replyTo } } : {}),
      },
      content: message.kind === "text" ? message.text : "",
    })),
    degraded,
    requestHash: createHash("sha256")
      .update(JSON.stringify([response, replyTo, onWindowClosed]))
      .digest("hex"),
    idempotencyKey,
    onWindowClosed,
  };
}
