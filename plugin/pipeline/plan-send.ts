/** What is to be said → parts for the outbox: transformed, encoded, with what the host's inbox will show. Pure. */
import { createHash } from "node:crypto";
import type {
  AiResponse,
  AmbiguityPolicy,
  Degradation,
  MessageClass,
  OnAmbiguous,
  OutboundMessage,
  TemplateChoice,
  TemplateMessage,
} from "../contract.ts";
import { encodeMessage } from "../messages/encode-message.ts";
import type { FallbackPart, OfferedChoice, PlannedPart, PlannedSend } from "../ports.ts";
import { transformResponse } from "../transformer/transform-response.ts";
import { classOf, readAmbiguityPolicy } from "./ambiguity-policy.ts";
import { placeChoices } from "./place-choices.ts";
import { sentText } from "./sent-text.ts";

export type SendWishes = {
  readonly what:
    | { readonly response: AiResponse | string }
    | { readonly message: OutboundMessage }
    | { readonly template: TemplateChoice };
  readonly idempotencyKey: string | null;
  /** The wamid to quote in the first part that can quote. */
  readonly replyTo: string | null;
  /** The last wamid of the person's, for a reaction without a target. */
  readonly lastMessageId?: string;
  readonly onWindowClosed: "fail" | "hold" | TemplateMessage;
  /** Instead of the policy of its class. */
  readonly onAmbiguous?: OnAmbiguous;
};

/** What will be sent, before it is Graph's. */
export type Said = {
  readonly messages: readonly OutboundMessage[];
  readonly fallback: TemplateMessage | null;
  readonly degraded: readonly Degradation[];
  /** Changes to the fallback, which concern nobody unless it goes. */
  readonly fallbackDegraded: readonly Degradation[];
  readonly choices: readonly OfferedChoice[];
};

export function say({ what, onWindowClosed, lastMessageId }: SendWishes): Said {
  const fallback = typeof onWindowClosed === "string" ? null : onWindowClosed;
  if ("response" in what) {
    const options = lastMessageId === undefined ? {} : { lastMessageId };
    const { choices = [], ...said } = transformResponse(what.response, options);
    return { ...said, choices: placeChoices(choices, said.messages), fallback, fallbackDegraded: [] };
  }
  const message = "message" in what ? what.message : { ...what.template, kind: "template" as const };
  return { messages: [message], fallback, degraded: [], fallbackDegraded: [], choices: [] };
}

export type PlanRules = {
  /** A marketing template is spared to people who opted out. */
  readonly classOfTemplate?: (template: TemplateMessage) => MessageClass;
  readonly ambiguity?: AmbiguityPolicy;
};

/**
 * @returns no parts when there is nothing to say.
 */
export function planSend(
  wishes: SendWishes,
  { messages, fallback, degraded, fallbackDegraded, choices }: Said = say(wishes),
  { classOfTemplate = ({ endpoint }) => classOf(null, endpoint), ambiguity = readAmbiguityPolicy() }: PlanRules = {},
): PlannedSend {
  const { idempotencyKey, replyTo, onWindowClosed, onAmbiguous } = wishes;
  const quoting = replyTo === null ? -1 : messages.findIndex(({ kind }) => kind !== "reaction");
  const part = (message: OutboundMessage, quoted: string | null) => {
    const itsClass = message.kind === "template" ? classOfTemplate(message) : "session";
    return toPart(message, quoted, itsClass, onAmbiguous ?? ambiguity[itsClass]);
  };
  return {
    parts: messages.map((message, index) => part(message, index === quoting ? replyTo : null)),
    degraded,
    choices,
    requestHash: requestHash(wishes),
    idempotencyKey,
    onWindowClosed: onWindowClosed === "hold" ? "hold" : "fail",
    fallback: fallback === null ? null : inPlaceOfAll(part(fallback, null), fallbackDegraded),
  };
}

function inPlaceOfAll(part: PlannedPart, degraded: readonly Degradation[]): FallbackPart {
  return { ...part, degraded: [{ part: 0, what: "response", from: "answer", to: part.content }, ...degraded] };
}

/** Tells a request that is made again from another one under the same key. */
export function requestHash({ what, replyTo, onWindowClosed, onAmbiguous }: SendWishes): string {
  return createHash("sha256")
    .update(JSON.stringify([withSums(what), replyTo, onWindowClosed, onAmbiguous]))
    .digest("hex");
}

/** Of a file its sum is enough, and JSON would make a number of each of its bytes. */
function withSums(what: SendWishes["what"]): unknown {
  if ("message" in what) return { ...what, message: withSum(what.message) };
  if (!("response" in what) || typeof what.response === "string") return what;
  const { media } = what.response;
  return Array.isArray(media) ? { ...what, response: { ...what.response, media: media.map(withSum) } } : what;
}

function withSum<Media>(media: Media): unknown {
  const bytes = typeof media === "object" && media !== null && "bytes" in media ? media.bytes : undefined;
  return bytes instanceof Uint8Array ? { ...media, bytes: createHash("sha256").update(bytes).digest("hex") } : media;
}

const MEDIA: ReadonlySet<string> = new Set(["image", "video", "audio", "document", "sticker"]);

function toPart(
  message: OutboundMessage,
  quoted: string | null,
  itsClass: MessageClass,
  onAmbiguous: OnAmbiguous,
): PlannedPart {
  return {
    kind: message.kind,
    endpoint: message.kind === "template" && message.endpoint === "marketing" ? "marketing_messages" : "messages",
    payload: { ...encodeMessage(message), ...(quoted === null ? {} : { context: { message_id: quoted } }) },
    content: sentText(message),
    mediaType: MEDIA.has(message.kind) ? message.kind : null,
    needsWindow: message.kind !== "template",
    isMarketing: itsClass === "marketing",
    onAmbiguous,
  };
}
