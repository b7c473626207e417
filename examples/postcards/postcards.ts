/** The smallest channel that keeps the contract: postcards, in memory. A real one has in a database what this has in maps. */
import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import {
  type AiResponse,
  ChannelError,
  type ChannelPlugin,
  type Connection,
  type Degradation,
  type HostEvent,
  type MessageEvent,
  type PluginManifest,
  type SendReceipt,
  type SentPart,
  type SessionStatus,
} from "@omniops/whatsapp";

export type PostcardOptions = {
  /** The post office signs what it brings: hex HMAC-SHA256 of the bytes. */
  readonly secret: string;
  /** Takes a card to an address. Resolves when the post office has it. */
  readonly post: (address: string, text: string) => Promise<void>;
  readonly onEvent: (event: HostEvent) => void;
  /** Whether anything can be stored now. */
  readonly canStore?: () => boolean;
};

type Conversation = { readonly id: string; readonly address: string; windowEnds: number };
type Send = { readonly text: string; receipt: SendReceipt };

const DAY_MS = 24 * 60 * 60 * 1_000;

const manifest: PluginManifest = {
  id: "postcards",
  name: "Postcards",
  version: "1.0.0",
  contract: "1.0",
  entry: "@example/postcards",
  migrations: "@example/postcards/migrations",
  // What is not here must be degraded, and said so.
  capabilities: { inbound: ["text"], outbound: ["text"] },
  routes: [{ method: "POST", path: "/webhook", auth: "meta" }],
  oauthScopes: [],
  webhookFields: [],
  tables: { owned: [], extended: [] },
  config: {},
};

export function createPostcardPlugin({ secret, post, onEvent, canStore = () => true }: PostcardOptions) {
  const connections = new Map<string, Connection>();
  const seen = new Set<string>();
  const conversations = new Map<string, Conversation>();
  const sends = new Map<string, Send>();
  const byKey = new Map<string, string>();
  /** One card after the other: order per person follows from it. */
  let posting: Promise<void> = Promise.resolve();

  const plugin: ChannelPlugin = {
    manifest,

    async connect({ customerConfigId, phoneNumberId, wabaId }) {
      const held = connections.get(phoneNumberId);
      if (held !== undefined && held.customerConfigId !== customerConfigId)
        throw new ChannelError("CONNECTION_CONFLICT", "Another tenant holds this post-office box.");
      const connection: Connection = held ?? {
        connectionId: randomUUID(),
        customerConfigId,
        phoneNumberId,
        wabaId,
        displayPhoneNumber: phoneNumberId,
        verifiedName: null,
        qualityRating: null,
        state: "connected",
        reason: null,
      };
      connections.set(phoneNumberId, connection);
      return connection;
    },

    async receive({ rawBody, signature }) {
      if (!isSigned(rawBody, signature, secret))
        throw new ChannelError("SIGNATURE_INVALID", "The post office has not signed this.");
      if (!canStore()) throw new ChannelError("STORE_UNAVAILABLE", "Nothing can be stored now.", { retry: "backoff" });
      const card = JSON.parse(Buffer.from(rawBody).toString()) as { id: string; from: string; text: string };
      const conversation = conversationOf(card.from);
      const lane = `postcards:${card.from}`;
      const isNew = !seen.has(card.id);
      // From here on it is stored: in a database, this is the commit.
      seen.add(card.id);
      if (isNew) {
        conversation.windowEnds = Date.now() + DAY_MS;
        const conversationId = conversation.id;
        queueMicrotask(() =>
          onEvent({ kind: "message", conversationId, customerConfigId: owner(), late: false, event: eventOf(card) }),
        );
      }
      const outcome = isNew ? ("accepted" as const) : ("duplicate" as const);
      return { webhookId: randomUUID(), events: [{ kind: "message", outcome, lane, eventId: card.id }] };
    },

    async send({ conversationId, response, idempotencyKey }) {
      const conversation = known(conversationId);
      const { text, degraded } = say(response);
      const earlier = idempotencyKey === undefined ? undefined : sends.get(byKey.get(idempotencyKey) ?? "");
      if (earlier !== undefined) {
        if (earlier.text === text) return earlier.receipt;
        throw new ChannelError("IDEMPOTENCY_CONFLICT", "This key has sent something else.");
      }
      if (conversation.windowEnds <= Date.now())
        throw new ChannelError("WINDOW_CLOSED", "Wait until they write again.", { retry: "template" });
      const sendId = randomUUID();
      const part: SentPart = { index: 0, kind: "text", state: "queued", messageId: null, error: null };
      const receipt: SendReceipt = { sendId, conversationId, parts: [part], degraded };
      sends.set(sendId, { text, receipt });
      if (idempotencyKey !== undefined) byKey.set(idempotencyKey, sendId);
      posting = posting.then(() => postNow(conversation, sendId));
      return receipt;
    },

    async sessionStatus(conversationId) {
      const { windowEnds } = known(conversationId);
      const secondsRemaining = Math.max(0, Math.ceil((windowEnds - Date.now()) / 1_000));
      const isOpen = secondsRemaining > 0;
      return {
        state: isOpen ? "open" : "closed",
        expiresAt: new Date(windowEnds),
        secondsRemaining,
        freeEntryPointExpiresAt: null,
        templateRequired: !isOpen,
        canSend: isOpen,
        reason: isOpen ? "They have written within a day." : "They have not written for a day.",
      } satisfies SessionStatus;
    },
  };

  /** There is one box: whoever has connected it gets all cards. */
  function owner(): string {
    return [...connections.values()][0]?.customerConfigId ?? "";
  }

  function conversationOf(address: string): Conversation {
    const found = [...conversations.values()].find((one) => one.address === address);
    const conversation = found ?? { id: randomUUID(), address, windowEnds: 0 };
    conversations.set(conversation.id, conversation);
    return conversation;
  }

  function known(conversationId: string): Conversation {
    const conversation = conversations.get(conversationId);
    if (conversation === undefined) throw new ChannelError("CONVERSATION_UNKNOWN", "Nobody has written here.");
    return conversation;
  }

  async function postNow({ id, address }: Conversation, sendId: string): Promise<void> {
    const send = sends.get(sendId) as Send;
    await post(address, send.text);
    const part: SentPart = { index: 0, kind: "text", state: "accepted", messageId: randomUUID(), error: null };
    send.receipt = { ...send.receipt, parts: [part] };
    const whose = { conversationId: id, customerConfigId: owner() };
    const { messageId, state, error } = part;
    onEvent({ kind: "status", ...whose, sendId, part: 0, messageId, state, error, pricing: null });
  }

  return {
    plugin,
    conversationOf: (address: string) => conversationOf(address).id,
    receipt: (sendId: string) => sends.get(sendId)?.receipt ?? null,
    stored: () => ({ deliveries: seen.size, sends: sends.size }),
    closeWindow(address: string) {
      conversationOf(address).windowEnds = 0;
    },
  };
}

/** A postcard has no buttons: choices become numbers, and the host is told. */
function say(response: AiResponse | string | undefined): { readonly text: string; readonly degraded: Degradation[] } {
  const { text = "", choices = [] } = typeof response === "string" ? { text: response } : (response ?? {});
  const lines = [text, ...choices.map(({ title }, i) => `${i + 1}. ${title}`)].filter((line) => line !== "");
  if (lines.length === 0) throw new ChannelError("RESPONSE_EMPTY", "There is nothing to say.");
  const degraded = choices.length === 0 ? [] : [{ part: 0, what: "choices", from: "choices", to: "numbered text" }];
  return { text: lines.join("\n"), degraded };
}

function isSigned(bytes: Uint8Array, signature: string | undefined, secret: string): boolean {
  const expected = createHmac("sha256", secret).update(bytes).digest();
  const given = Buffer.from(signature ?? "", "hex");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function eventOf({ id, from, text }: { id: string; from: string; text: string }): MessageEvent {
  return {
    kind: "message",
    dedupeKey: id,
    wabaId: null,
    phoneNumberId: null,
    occurredAt: new Date(),
    raw: { id, from, text },
    messageId: id,
    from: { phoneNumber: null, userId: from, parentUserId: null, username: null, name: from },
    type: "text",
    text,
    content: null,
    replyTo: null,
  };
}
