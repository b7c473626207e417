/** Contract verb 3: transform → check → window → outbox. Resolving means "stored"; status events tell what becomes of it. */
import { requireAiResponse, shownName } from "./ai-response.ts";
import type { ChannelPlugin, OnWindowClosed, SendReceipt, SendRequest, TemplateMessage } from "./contract.ts";
import { ChannelError, type ErrorCode } from "./errors.ts";
import { isOnAmbiguous } from "./pipeline/ambiguity-policy.ts";
import { requestHash, type SendWishes } from "./pipeline/plan-send.ts";
import type { PrepareSend } from "./pipeline/prepare-send.ts";
import type { Outbox, PlannedSend } from "./ports.ts";
import { isStorable } from "./storable.ts";
import { readUuid } from "./uuid.ts";

export type SendDeps = {
  readonly outbox: Outbox;
  readonly prepareSend: PrepareSend;
  readonly onQueued: () => void;
};

const MAX_KEY_LENGTH = 255;

const REQUEST = Object.keys({
  conversationId: true,
  response: true,
  message: true,
  template: true,
  idempotencyKey: true,
  replyTo: true,
  onWindowClosed: true,
  onAmbiguous: true,
} satisfies Readonly<Record<keyof SendRequest, true>>);
const WISH = Object.keys({
  template: true,
  language: true,
  params: true,
} satisfies Readonly<Record<keyof Exclude<OnWindowClosed, string>, true>>);

const MAY_HAVE_BEEN_RIGHT: ReadonlySet<ErrorCode> = new Set([
  "TEMPLATE_INVALID",
  "MEDIA_NOT_FOUND",
  "CONVERSATION_UNKNOWN",
  // Of a conversation that is unknown, where the host's row level security may be why.
  "HOST_TABLE_INCOMPATIBLE",
  "CONNECTION_MISSING",
]);

export function createSend({ outbox, prepareSend, onQueued }: SendDeps): ChannelPlugin["send"] {
  return async (request) => {
    requireKnown(request, REQUEST, "a send");
    const { idempotencyKey = null, replyTo = null, onWindowClosed = "fail", onAmbiguous } = request;
    const conversationId = readUuid(request.conversationId);
    if (conversationId === null)
      throw new ChannelError("CONVERSATION_UNKNOWN", "There is no WhatsApp conversation with this id.");
    if (idempotencyKey !== null && (idempotencyKey === "" || idempotencyKey.length > MAX_KEY_LENGTH))
      throw new ChannelError("REQUEST_INVALID", `idempotencyKey must have 1 to ${MAX_KEY_LENGTH} characters.`);
    for (const [name, value] of Object.entries({ idempotencyKey, replyTo }))
      if (value !== null && !isStorable(value))
        throw new ChannelError("REQUEST_INVALID", `${name} holds a NUL character or half of a surrogate pair.`);
    if (onAmbiguous !== undefined && !isOnAmbiguous(onAmbiguous))
      throw new ChannelError("REQUEST_INVALID", 'onAmbiguous must be "resend" or "hold".');
    const wishes: SendWishes = {
      what: whatOf(request),
      idempotencyKey,
      replyTo,
      onWindowClosed: insteadOf(onWindowClosed),
      ...(onAmbiguous === undefined ? {} : { onAmbiguous }),
    };
    let planned: PlannedSend;
    try {
      planned = await prepareSend(wishes, async () => ({
        ...(await outbox.accountOf(conversationId)),
        conversationId,
      }));
    } catch (error) {
      return sentBefore(conversationId, wishes, error);
    }
    if (planned.parts.length === 0)
      throw new ChannelError("RESPONSE_EMPTY", "The response has nothing that could be sent.");
    const receipt = await outbox.enqueue(conversationId, planned);
    onQueued();
    return receipt;
  };

  /** What has gone since, a template, a file, the conversation or its number, must not make a send that is repeated look as if it had failed. */
  async function sentBefore(conversationId: string, wishes: SendWishes, error: unknown): Promise<SendReceipt> {
    const { idempotencyKey } = wishes;
    const mayHaveBeenRight = error instanceof ChannelError && MAY_HAVE_BEEN_RIGHT.has(error.code);
    if (idempotencyKey === null || !mayHaveBeenRight) throw error;
    const request = { conversationId, idempotencyKey, requestHash: requestHash(wishes) };
    const before = await outbox.before(request);
    if (before === null) throw error;
    return before;
  }
}

/** What became of a send, for the tenant whose it is; an id that is none is nobody's. */
export function createReceipt(outbox: Pick<Outbox, "receipt">): Outbox["receipt"] {
  return async (sendId, customerConfigId) => {
    const [send, tenant] = [readUuid(sendId), readUuid(customerConfigId)];
    return send === null || tenant === null ? null : outbox.receipt(send, tenant);
  };
}

/** Over HTTP it would be refused too: a misspelt key is a message that a second try sends again, and nobody would hear of it. */
function requireKnown(given: object, known: readonly string[], whose: string, path = ""): void {
  for (const [name, value] of Object.entries(given))
    if (value !== undefined && !known.includes(name))
      throw new ChannelError(
        "REQUEST_INVALID",
        `${path}${shownName(name)} is no member of ${whose}, which has ${known.join(", ")}.`,
      );
}

/** One of three, for a caller without types too. */
function whatOf({ response, message, template }: SendRequest): SendWishes["what"] {
  const given = [response, message, template].filter((one) => one !== undefined && one !== null);
  if (given.length !== 1)
    throw new ChannelError("REQUEST_INVALID", "Give exactly one of response, message and template.");
  if (message) return { message };
  if (typeof response === "object" && response?.handoff === true)
    throw new ChannelError(
      "REQUEST_INVALID",
      "response.handoff: only what reply answers to a turn can hand over; leave it out, and let your people know yourself.",
    );
  if (template) return { template };
  if (typeof response !== "string") requireAiResponse(response, "response");
  return { response };
}

function insteadOf(wish: OnWindowClosed): "fail" | "hold" | TemplateMessage {
  if (wish === "fail" || wish === "hold") return wish;
  if (typeof wish !== "object" || wish === null || Array.isArray(wish))
    throw new ChannelError(
      "REQUEST_INVALID",
      'onWindowClosed must be "fail", "hold", or a template with its language.',
    );
  requireKnown(wish, WISH, "onWindowClosed", "onWindowClosed.");
  const { template, language, params } = wish;
  return { kind: "template", name: template, language, ...(params === undefined ? {} : { params }) };
}
