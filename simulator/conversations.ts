/** What each person and each business number said to each other, as the person would read it. */
import { isObject } from "./accepts.ts";
import type { Choice } from "./choices.ts";
import type { PersonRecord } from "./people.ts";
import type { ListedTemplate } from "./templates.ts";
import type { WireObject } from "./wire.ts";

/**
 * The ticks under a message. An outbound one starts `accepted`, before WhatsApp has it; a voice message ends `played`. An inbound one starts `sent`, is
 * `delivered` once the host acknowledged it and `read` once the business marked it.
 */
export type Ticks = "accepted" | "sent" | "delivered" | "read" | "played" | "failed";

/** One message of a chat, as it is read on the phone. */
export type TranscriptEntry = {
  /** As the business sees it: `inbound` is what the person wrote. */
  readonly direction: "inbound" | "outbound";
  /** Meta's message type. */
  readonly type: string;
  /** Body, caption or title; `[type]` where there is none. */
  readonly text: string;
  readonly wamid: string;
  readonly at: Date;
  readonly status: Ticks;
  /** The wamid it quotes. */
  readonly replyTo: string | null;
  /** What the person may press or choose; absent when there is nothing. */
  readonly choices?: readonly Choice[];
  readonly error?: { readonly code: number; readonly title: string };
};

/** A chat between one person and one business number. */
export type Conversation = {
  readonly phoneNumberId: string;
  readonly person: PersonRecord;
  readonly entries: readonly TranscriptEntry[];
  /** Whether the business shows that it is typing. */
  readonly isTyping: boolean;
};

/** What a message is made of: as it was posted, or as the person wrote it. */
export type MessageContent = {
  readonly message: WireObject;
  /** The template that it is made from. */
  readonly listed?: ListedTemplate | undefined;
  /** Who of the business wrote it, when it was not the API. */
  readonly author?: string;
};

type Entry = { -readonly [K in keyof TranscriptEntry]: TranscriptEntry[K] };

/** One conversation with what Meta remembers about it. */
export type ConversationState = {
  readonly phoneNumberId: string;
  readonly person: PersonRecord;
  readonly entries: Entry[];
  /** When the person last opened the service window, in epoch milliseconds; null when never. */
  lastInboundAt: number | null;
  /** When the pair's allowance is full again, in epoch milliseconds. */
  pairBusyUntil: number;
  typingUntil: number;
  /** The person takes no offers from this number. */
  hasStoppedMarketing: boolean;
};

export type Conversations = {
  between(phoneNumberId: string, person: PersonRecord): ConversationState;
  add(conversation: ConversationState, entry: TranscriptEntry, content: MessageContent): void;
  contentOf(wamid: string): MessageContent | undefined;
  /** Moves the ticks forward, never back. */
  tick(wamid: string, status: Ticks, error?: TranscriptEntry["error"]): void;
  /** The host has taken what a person wrote. */
  acknowledge(wamid: string): void;
  find(wamid: string): { readonly entry: TranscriptEntry; readonly conversation: ConversationState } | undefined;
  /** Reading one message reads everything before it. */
  markRead(wamid: string): void;
  /** The newest message that offers a choice with this title. Throws when there is none. */
  offered(
    conversation: ConversationState,
    title: string,
    wamid: string | null,
  ): { readonly wamid: string; readonly choice: Choice };
  list(): readonly ConversationState[];
};

const RANK: Readonly<Record<Ticks, number>> = {
  accepted: 0,
  sent: 1,
  delivered: 2,
  read: 3,
  played: 4,
  failed: 5,
};

/** @param keepsContent false for long runs: then messages are remembered by their words alone. */
export function createConversations({ keepsContent }: { readonly keepsContent: boolean }): Conversations {
  const byPair = new Map<string, ConversationState>();
  const contents = new Map<string, MessageContent>();
  const byWamid = new Map<
    string,
    { readonly entry: Entry; readonly conversation: ConversationState; readonly index: number }
  >();

  return {
    between(phoneNumberId, person) {
      const pair = `${phoneNumberId}:${person.key}`;
      const known = byPair.get(pair);
      if (known) return known;
      const conversation = {
        phoneNumberId,
        person,
        entries: [],
        lastInboundAt: null,
        pairBusyUntil: 0,
        typingUntil: 0,
        hasStoppedMarketing: false,
      };
      byPair.set(pair, conversation);
      return conversation;
    },
    contentOf: (wamid) => contents.get(wamid),
    add(conversation, entry, content) {
      const own = { ...entry };
      if (keepsContent) contents.set(entry.wamid, content);
      byWamid.set(entry.wamid, { entry: own, conversation, index: conversation.entries.length });
      conversation.entries.push(own);
    },
    tick(wamid, status, error) {
      const entry = byWamid.get(wamid)?.entry;
      if (!entry) return;
      raise(entry, status);
      if (error) entry.error = error;
    },
    acknowledge(wamid) {
      const entry = byWamid.get(wamid)?.entry;
      if (entry?.direction === "inbound") raise(entry, "delivered");
    },
    find: (wamid) => byWamid.get(wamid),
    markRead(wamid) {
      const found = byWamid.get(wamid);
      if (!found) return;
      for (let index = found.index; index >= 0; index -= 1) {
        const entry = found.conversation.entries[index];
        if (entry?.direction !== "inbound") continue;
        // Everything before a message that is read was read with it, so each entry is visited once.
        if (entry.status === "read") return;
        entry.status = "read";
      }
    },
    offered({ entries }, title, wamid) {
      const offers = entries
        .filter((entry) => entry.direction === "outbound" && entry.status !== "failed")
        .filter((entry) => wamid === null || entry.wamid === wamid)
        .flatMap((entry) => (entry.choices ?? []).map((choice) => ({ wamid: entry.wamid, choice })));
      const found = offers.findLast(({ choice }) => choice.title === title);
      if (found) return found;
      const titles = offers.map(({ choice }) => JSON.stringify(choice.title)).join(", ");
      throw new Error(`Nothing to press is called ${JSON.stringify(title)}; there is ${titles || "nothing at all"}.`);
    },
    list: () => [...byPair.values()],
  };
}

function raise(entry: Entry, status: Ticks): void {
  if (RANK[status] > RANK[entry.status]) entry.status = status;
}

/** What a person sees of a message, from its wire form. */
export function shownText(message: WireObject): string {
  const type = typeof message.type === "string" ? message.type : "unknown";
  const content = fieldsOf(message[type]);
  const shown = [
    content.body,
    fieldsOf(content.body).text,
    content.caption,
    content.emoji,
    content.text,
    fieldsOf(content.button_reply).title,
    fieldsOf(content.list_reply).title,
  ].find((candidate) => typeof candidate === "string");
  return typeof shown === "string" ? shown : `[${type}]`;
}

function fieldsOf(value: unknown): WireObject {
  return isObject(value) ? value : {};
}
