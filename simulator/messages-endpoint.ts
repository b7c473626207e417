/** POST /{phone-number-id}/messages and /marketing_messages: takes a message, or a read receipt, exactly as Meta does. */
import { isObject } from "./accepts.ts";
import type { SimulatedNumber } from "./accounts/simulated-number.ts";
import type { Activity } from "./activity.ts";
import { choicesOf } from "./choices.ts";
import { type ConversationState, type Conversations, shownText } from "./conversations.ts";
import type { FaultSource } from "./faults.ts";
import { type GraphAnswer, type GraphErrorSpec, refuse } from "./graph-error.ts";
import type { GraphPlan, LaterFailure } from "./graph-plan.ts";
import { newWamid } from "./ids.ts";
import type { AcceptedMessage, Ledgers } from "./ledgers.ts";
import { createThroughput, isWindowOpen, takePairAllowance } from "./limits.ts";
import type { MediaUploads } from "./media-uploads.ts";
import type { Settings } from "./options.ts";
import { digitsOf, type People } from "./people.ts";
import type { Statuses } from "./statuses.ts";
import { refuseTemplate, shownBody } from "./template-rules.ts";
import type { ListedTemplate, TemplateStore } from "./templates.ts";
import { messageTypeOf, validateEnvelope, validateReceipt, validateSend } from "./validate-message.ts";
import type { WireObject } from "./wire.ts";

/** The typing sign goes away by itself after this time. */
const TYPING_MS = 25_000;
/** What is older cannot be reacted to. */
const REACTABLE_MS = 30 * 24 * 60 * 60 * 1000;
const MARKETING_STOPPED = { code: 131050, details: "The person has switched off offers and announcements" };
const WINDOW_CLOSED = {
  code: 131047,
  details:
    "Message failed to send because more than 24 hours have passed since the customer last replied to this number.",
};

export type SendEndpoint = AcceptedMessage["endpoint"];
export type MessagesEndpoint = (
  number: SimulatedNumber,
  body: WireObject,
  endpoint: SendEndpoint,
) => GraphPlan | GraphAnswer;

type Destination = {
  readonly conversation: ConversationState;
  /** As it was addressed. */
  readonly recipient: string;
  /** Null when it was addressed by phone number. */
  readonly userId: string | null;
  readonly endpoint: SendEndpoint;
  /** The template that it is made from. */
  readonly listed: ListedTemplate | undefined;
};

export function createMessagesEndpoint(deps: {
  readonly settings: Settings;
  readonly activity: Activity;
  readonly people: People;
  readonly conversations: Conversations;
  readonly statuses: Statuses;
  readonly ledgers: Ledgers;
  readonly faults: FaultSource;
  readonly templates: TemplateStore;
  readonly uploads: Pick<MediaUploads, "refusalOf" | "failureOf">;
  /** Why the number may not send at all, or no template. */
  readonly refusalToSend: (phoneNumberId: string, about: { readonly isTemplate: boolean }) => GraphErrorSpec | null;
}): MessagesEndpoint {
  const { settings, activity, people, conversations, statuses, ledgers, faults, templates, uploads, refusalToSend } =
    deps;
  const takeThroughput =
    settings.messagesPerSecond === null ? () => true : createThroughput(settings.messagesPerSecond);

  function planReceipt(number: SimulatedNumber, body: WireObject): GraphPlan | GraphAnswer {
    const invalid = validateReceipt(body);
    if (invalid) return invalid;
    const wamid = String(body.message_id);
    const found = conversations.find(wamid);
    if (found?.entry.direction !== "inbound" || found.conversation.phoneNumberId !== number.phoneNumberId) {
      return refuse({ code: 131009, details: "Parameter message_id names no message that this number received" });
    }
    return {
      endpoint: "mark-read",
      to: addressesOf(found.conversation),
      run() {
        conversations.markRead(wamid);
        if (body.typing_indicator !== undefined) {
          found.conversation.typingUntil = settings.now().getTime() + TYPING_MS;
        }
        activity.changed();
        return { httpStatus: 200, body: { success: true } };
      },
    };
  }

  function planSend(number: SimulatedNumber, body: WireObject, endpoint: SendEndpoint): GraphPlan | GraphAnswer {
    const listed = templateOf(number, body);
    const invalid =
      validateSend(body, { isMarketing: endpoint === "marketing_messages" }) ??
      refusalOfTemplate(body, listed, endpoint) ??
      uploads.refusalOf(number.phoneNumberId, body);
    if (invalid) return invalid;
    if (body.recipient_type === "group") return refuse({ code: 131041 });
    // With both, Meta goes by the phone number.
    const phoneNumber = typeof body.to === "string" ? digitsOf(body.to) : null;
    const userId = phoneNumber === null ? String(body.recipient) : null;
    if (phoneNumber === digitsOf(number.displayPhoneNumber)) return refuse({ code: 131021 });
    const conversation = conversations.between(number.phoneNumberId, people.at({ phoneNumber, userId }));
    const refusal = refusalNow(number, conversation, body);
    if (refusal) return refusal;
    return {
      endpoint,
      to: [...new Set([phoneNumber ?? userId ?? "", ...addressesOf(conversation)])],
      run: (later) =>
        accept(number, body, later, { conversation, recipient: phoneNumber ?? userId ?? "", userId, endpoint, listed }),
    };
  }

  function templateOf({ wabaId }: SimulatedNumber, body: WireObject): ListedTemplate | undefined {
    const { template } = body;
    if (messageTypeOf(body) !== "template" || !isObject(template) || !isObject(template.language)) return undefined;
    return templates.find(wabaId, String(template.name), String(template.language.code));
  }

  function refusalOfTemplate(
    body: WireObject,
    listed: ListedTemplate | undefined,
    endpoint: SendEndpoint,
  ): GraphAnswer | null {
    const isMarketing = endpoint === "marketing_messages";
    if (messageTypeOf(body) !== "template")
      return isMarketing ? refuse({ code: 131055, details: "Only marketing templates may be sent here" }) : null;
    const refusal = refuseTemplate(body.template as WireObject, listed);
    if (refusal) return refusal;
    if (isMarketing && listed?.category !== "MARKETING") return refuse({ code: 134100 });
    // One-time codes go to a phone number, which is what they prove.
    return listed?.category === "AUTHENTICATION" && body.to === undefined ? refuse({ code: 131062 }) : null;
  }

  function refusalNow(number: SimulatedNumber, conversation: ConversationState, body: WireObject): GraphAnswer | null {
    const at = settings.now();
    const locked = refusalToSend(number.phoneNumberId, { isTemplate: messageTypeOf(body) === "template" });
    if (locked) return refuse(locked);
    if (settings.windowRefusal === "response" && isClosed(conversation, body, at)) return refuse(WINDOW_CLOSED);
    if (!takeThroughput(number.phoneNumberId, at)) return refuse({ code: 130429 });
    if (settings.enforcePairLimit && !takePairAllowance(conversation, at)) return refuse({ code: 131056 });
    return null;
  }

  function isClosed(conversation: ConversationState, body: WireObject, at: Date): boolean {
    return settings.enforceWindow && messageTypeOf(body) !== "template" && !isWindowOpen(conversation, at);
  }

  /** Why it will not be delivered, which Meta says by a status. */
  function failureOf(body: WireObject, { conversation, listed }: Destination, at: Date): LaterFailure | null {
    if (isClosed(conversation, body, at)) return WINDOW_CLOSED;
    if (listed?.category === "MARKETING" && conversation.hasStoppedMarketing) return MARKETING_STOPPED;
    return failureOfReaction(conversation, body, at) ?? uploads.failureOf(body);
  }

  /** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/reaction-messages */
  function failureOfReaction({ phoneNumberId }: ConversationState, body: WireObject, at: Date): LaterFailure | null {
    if (messageTypeOf(body) !== "reaction" || !isObject(body.reaction)) return null;
    const { entry, conversation } = conversations.find(String(body.reaction.message_id)) ?? {};
    const isReactable =
      conversation?.phoneNumberId === phoneNumberId &&
      entry?.direction === "inbound" &&
      entry.type !== "reaction" &&
      at.getTime() - entry.at.getTime() <= REACTABLE_MS;
    if (isReactable) return null;
    return { code: 131009, details: "message_id is no message of the last 30 days that a person wrote to this number" };
  }

  async function accept(
    number: SimulatedNumber,
    body: WireObject,
    later: LaterFailure | undefined,
    destination: Destination,
  ): Promise<GraphAnswer> {
    const { conversation, recipient, userId, endpoint, listed } = destination;
    const at = settings.now();
    const wamid = newWamid();
    const type = messageTypeOf(body);
    const text = listed ? shownBody(body.template as WireObject, listed) : shownText({ ...body, type });
    const choices = choicesOf(body, listed);
    const callbackData = typeof body.biz_opaque_callback_data === "string" ? body.biz_opaque_callback_data : null;
    const failure = later ?? failureOf(body, destination, at);
    conversation.typingUntil = 0;
    const replyTo = (body.context as { readonly message_id?: string } | undefined)?.message_id ?? null;
    conversations.add(
      conversation,
      {
        direction: "outbound",
        type,
        text,
        wamid,
        at,
        status: "accepted",
        replyTo,
        ...(choices.length > 0 && { choices }),
      },
      { message: body, listed },
    );
    ledgers.accept({
      wamid,
      phoneNumberId: number.phoneNumberId,
      recipient,
      type,
      endpoint,
      text,
      body,
      callbackData,
      at,
      failureCode: failure?.code ?? null,
    });
    const isFirstAtOnce = faults.webhook().statusesBeforeResponse ?? false;
    const { person } = conversation;
    await statuses.follow(
      {
        wamid,
        number,
        person,
        type,
        isVoice: type === "audio" && isObject(body.audio) && body.audio.voice === true,
        callbackData,
        templateCategory: listed?.category ?? null,
        isInWindow: isWindowOpen(conversation, at),
        wasAddressedByUserId: userId !== null,
        failure,
      },
      { isFirstAtOnce },
    );
    const input = String(body.to ?? body.recipient);
    return {
      httpStatus: 200,
      body: {
        messaging_product: "whatsapp",
        contacts: [userId === null ? { input, wa_id: recipient } : { input, user_id: userId }],
        messages: [{ id: wamid, ...(type === "template" && { message_status: "accepted" }) }],
      },
    };
  }

  return (number, body, endpoint) =>
    validateEnvelope(body) ??
    (body.status === "read" && endpoint === "messages" ? planReceipt(number, body) : planSend(number, body, endpoint));
}

function addressesOf({ person }: ConversationState): readonly string[] {
  return [person.phoneNumber, person.userId].filter((address) => address !== null);
}
