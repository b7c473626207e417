/** What is to be said → parts for the outbox: transformed, encoded, with what the host's inbox will show. */
import { createHash } from "node:crypto";
import type { AiResponse, Degradation, OutboundMessage, TemplateChoice } from "../contract.ts";
import type { OfferedChoice, PlannedPart, PlannedSend } from "../ports.ts";
import { encodeMessage } from "../transformer/encode-message.ts";
import { transformResponse } from "../transformer/transform-response.ts";
import { sentText } from "./sent-text.ts";

export type SendWishes = {
  readonly what: { readonly response: AiResponse | string } | { readonly message: OutboundMessage };
  readonly idempotencyKey: string | null;
  /** The wamid to quote in the first part that can quote. */
  readonly replyTo: string | null;
  /** The last wamid of the person's, for a reaction without a target. */
  readonly lastMessageId?: string;
  readonly onWindowClosed: "fail" | "hold" | TemplateChoice;
  /** Whether a template is a marketing one, so that people who opted out are spared it. */
  readonly isMarketing?: (template: TemplateChoice) => boolean;
};

/** @returns no parts when there is nothing to say. */
export function planSend(wishes: SendWishes): PlannedSend {
  const { what, idempotencyKey, replyTo, onWindowClosed, isMarketing = () => false } = wishes;
  const { messages, degraded, choices } = messagesOf(wishes);
  const quoting = replyTo === null ? -1 : messages.findIndex(({ kind }) => kind !== "reaction");
  const part = (message: OutboundMessage, index: number) =>
    toPart(message, index === quoting ? replyTo : null, message.kind === "template" && isMarketing(message));
  return {
    parts: messages.map(part),
    degraded,
    choices,
    requestHash: createHash("sha256")
      .update(JSON.stringify([what, replyTo, onWindowClosed]))
      .digest("hex"),
    idempotencyKey,
    onWindowClosed: onWindowClosed === "hold" ? "hold" : "fail",
    fallback: typeof onWindowClosed === "string" ? null : part({ kind: "template", ...onWindowClosed }, -1),
  };
}

type Said = {
  readonly messages: readonly OutboundMessage[];
  readonly degraded: readonly Degradation[];
  readonly choices: readonly OfferedChoice[];
};

function messagesOf({ what, lastMessageId }: SendWishes): Said {
  if ("message" in what) return { messages: [what.message], degraded: [], choices: [] };
  return { choices: [], ...transformResponse(what.response, lastMessageId === undefined ? {} : { lastMessageId }) };
}

const MEDIA: ReadonlySet<string> = new Set(["image", "video", "audio", "document", "sticker"]);

function toPart(message: OutboundMessage, quoted: string | null, isMarketing: boolean): PlannedPart {
  return {
    kind: message.kind,
    endpoint: message.kind === "template" && message.endpoint === "marketing" ? "marketing_messages" : "messages",
    payload: { ...encodeMessage(message), ...(quoted === null ? {} : { context: { message_id: quoted } }) },
    content: sentText(message),
    mediaType: MEDIA.has(message.kind) ? message.kind : null,
    needsWindow: message.kind !== "template",
    isMarketing,
  };
}
