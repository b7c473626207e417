/** POST /{phone-number-id}/messages: takes a message, or a read receipt, exactly as Meta does. */
import type { Activity } from "./activity.ts";
import { type ConversationState, type Conversations, shownText } from "./conversations.ts";
import type { FaultSource } from "./faults.ts";
import { type GraphAnswer, refuse } from "./graph-error.ts";
import type { GraphPlan } from "./graph-plan.ts";
import { newWamid } from "./ids.ts";
import type { Ledgers } from "./ledgers.ts";
import { createThroughput, isWindowOpen, takePairAllowance } from "./limits.ts";
import type { Settings, SimulatedNumber } from "./options.ts";
import { digitsOf, type People } from "./people.ts";
import type { Statuses } from "./statuses.ts";
import { messageTypeOf, validateEnvelope, validateSend } from "./validate-message.ts";
import type { WireObject } from "./wire.ts";

/** The typing sign goes away by itself after this time. */
const TYPING_MS = 25_000;
const WINDOW_CLOSED = {
  code: 131047,
  details:
    "Message failed to send because more than 24 hours have passed since the customer last replied to this number.",
};

export type MessagesEndpoint = (number: SimulatedNumber, body: WireObject) => GraphPlan | GraphAnswer;

export function createMessagesEndpoint(deps: {
  readonly settings: Settings;
  readonly activity: Activity;
  readonly people: People;
  readonly conversations: Conversations;
  readonly statuses: Statuses;
  readonly ledgers: Ledgers;
  readonly faults: FaultSource;
}): MessagesEndpoint {
  const { settings, activity, people, conversations, statuses, ledgers, faults } = deps;
  const takeThroughput =
    settings.messagesPerSecond === null ? () => true : createThroughput(settings.messagesPerSecond);

  function planReceipt(number: SimulatedNumber, body: WireObject): GraphPlan | GraphAnswer {
    const wamid = body.message_id;
    if (typeof wamid !== "string") return refuse({ code: 131008, details: "Parameter message_id is required" });
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

  function planSend(number: SimulatedNumber, body: WireObject): GraphPlan | GraphAnswer {
    const invalid = validateSend(body);
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
      endpoint: "messages",
      to: [...new Set([phoneNumber ?? userId ?? "", ...addressesOf(conversation)])],
      run: () => accept(number, body, { conversation, recipient: phoneNumber ?? userId ?? "", userId }),
    };
  }

  function refusalNow(number: SimulatedNumber, conversation: ConversationState, body: WireObject): GraphAnswer | null {
    const at = settings.now();
    if (settings.windowRefusal === "response" && isClosed(conversation, body, at)) return refuse(WINDOW_CLOSED);
    if (!takeThroughput(number.phoneNumberId, at)) return refuse({ code: 130429 });
    if (settings.enforcePairLimit && !takePairAllowance(conversation, at)) return refuse({ code: 131056 });
    return null;
  }

  function isClosed(conversation: ConversationState, body: WireObject, at: Date): boolean {
    return settings.enforceWindow && messageTypeOf(body) !== "template" && !isWindowOpen(conversation, at);
  }

  async function accept(
    number: SimulatedNumber,
    body: WireObject,
    to: { readonly conversation: ConversationState; readonly recipient: string; readonly userId: string | null },
  ): Promise<GraphAnswer> {
    const { conversation, recipient, userId } = to;
    const at = settings.now();
    const wamid = newWamid();
    const type = messageTypeOf(body);
    const text = shownText({ ...body, type });
    const callbackData = typeof body.biz_opaque_callback_data === "string" ? body.biz_opaque_callback_data : null;
    const failure = isClosed(conversation, body, at) ? WINDOW_CLOSED : null;
    conversation.typingUntil = 0;
    const replyTo = (body.context as { readonly message_id?: string } | undefined)?.message_id ?? null;
    conversations.add(conversation, { direction: "outbound", type, text, wamid, at, status: "accepted", replyTo });
    ledgers.accept({
      wamid,
      phoneNumberId: number.phoneNumberId,
      recipient,
      type,
      text,
      body,
      callbackData,
      at,
      failureCode: failure?.code ?? null,
    });
    const isFirstAtOnce = faults.webhook().statusesBeforeResponse ?? false;
    const { person } = conversation;
    await statuses.follow(
      { wamid, number, person, type, callbackData, wasAddressedByUserId: userId !== null, failure },
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

  return (number, body) =>
    validateEnvelope(body) ?? (body.status === "read" ? planReceipt(number, body) : planSend(number, body));
}

function addressesOf({ person }: ConversationState): readonly string[] {
  return [person.phoneNumber, person.userId].filter((address) => address !== null);
}
