/** Events of a batch → what they do to the database. Pure: no clock, no store. */
import type {
  ChannelEvent,
  ContactChangedEvent,
  EchoEvent,
  HistoryEvent,
  MessageEvent,
  Person,
  StandbyEvent,
} from "../contract.ts";
import {
  type Effects,
  isUnreadableMessage,
  type ShownMessage,
  type StoredEvent,
  type StoredTurnMessage,
  type WantedMedia,
} from "../ports.ts";
import { stateAfter } from "../templates/state-after.ts";
import { closingsOf } from "./closed-accounts.ts";
import { inboxText, type Readable, UNREADABLE } from "./inbox-text.ts";
import { keywordOf } from "./keywords.ts";
import { changesOf } from "./plan-changes.ts";
import { sentAtOf } from "./sent-at.ts";

/** Meta's customer service window. @see https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-messages#customer-service-windows */
const WINDOW_MS = 24 * 60 * 60 * 1000;

/** How long Meta has the file of a message. @see https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media */
const MEDIA_MS = 7 * 24 * 60 * 60 * 1000;

export type EffectRules = {
  /** What wakes the AI beside what people write. */
  readonly wakeOn: { readonly reactions: boolean; readonly unsupported: boolean; readonly late: boolean };
  /** How long the AI is silent after staff has answered in the WhatsApp Business app, in milliseconds. */
  readonly pauseMs: number;
  /** Our Meta app; null where it is not configured. */
  readonly appId: string | null;
};

export const DEFAULT_RULES: EffectRules = {
  wakeOn: { reactions: false, unsupported: false, late: false },
  pauseMs: 60 * 60 * 1000,
  appId: null,
};

type Draft = { -readonly [Key in keyof Effects]: Effects[Key][number][] };

export function planEffects(events: readonly StoredEvent[], rules: EffectRules = DEFAULT_RULES): Effects {
  const draft: Draft = {
    shown: [],
    profiles: [],
    windows: [],
    changes: [],
    pauses: [],
    leftNumbers: [],
    preferences: [],
    templates: [],
    closings: [],
    statuses: [],
    told: [],
  };
  for (const stored of events) {
    const late = isLate(stored);
    if (stored.event.kind === "account") draft.closings.push(...closingsOf(stored.event, sentAtOf(stored), rules));
    if (stored.contactId === null) withoutContact(draft, stored.event);
    else withContact(draft, stored, stored.contactId, rules, late);
    // What became of a send is told by the send's own change of state.
    if (stored.event.kind !== "status") draft.told.push(toldOf(stored, late));
  }
  return draft;
}

/** What somebody wrote to a group is told with no conversation: it is none of theirs. */
function toldOf({ eventId, contactId, event }: StoredEvent, late: boolean): Effects["told"][number] {
  const isOfGroup = event.kind === "unsupported" && event.type === "message:group";
  return { eventId, contactId: isOfGroup ? null : contactId, event, late };
}

function withoutContact(draft: Draft, event: ChannelEvent): void {
  if (event.kind === "status") draft.statuses.push(event);
  if (event.kind === "template") draft.templates.push(stateAfter(event));
}

/** Only what a person writes, and their call, opens the window; only what they write wakes the AI. */
function withContact(draft: Draft, stored: StoredEvent, contactId: string, rules: EffectRules, late: boolean): void {
  const { event } = stored;
  switch (event.kind) {
    case "message":
      written(draft, stored, event, contactId, rules, late);
      return;
    case "unsupported":
      unreadable(draft, stored, contactId, rules, late);
      return;
    case "reaction": {
      draft.changes.push(...changesOf(stored, contactId));
      if (!rules.wakeOn.reactions) return;
      const content = { kind: "reaction", targetId: event.targetId, emoji: event.emoji } as const;
      const said = { type: "reaction", text: null, content, replyTo: event.targetId };
      draft.shown.push(shown(stored, contactId, event.messageId, said, isHeard(rules, late)));
      return;
    }
    case "edit":
      draft.changes.push(...changesOf(stored, contactId));
      heed(draft, stored, contactId, event);
      return;
    case "revoke":
      draft.changes.push(...changesOf(stored, contactId));
      return;
    case "echo":
      echoed(draft, stored, event, contactId, rules);
      return;
    case "history":
      for (const message of event.messages)
        if (message.change === undefined) draft.shown.push(past(stored, contactId, message));
      draft.changes.push(...changesOf(stored, contactId));
      return;
    case "standby":
      overheard(draft, stored, event, contactId);
      return;
    case "contact-changed":
      // The business's own address book does not rename anybody.
      if (event.change === "identity") draft.profiles.push({ contactId, person: event.person });
      // Meta makes a new user id for a new number, also where it does not tell the number.
      else if (event.change !== "address-book") moved(draft, stored, event, contactId);
      return;
    case "preference":
      draft.preferences.push({
        contactId,
        category: event.category,
        value: event.value,
        source: "meta",
        at: sentAtOf(stored),
      });
      return;
    case "call":
      if (event.direction === "inbound" && event.event === "connect")
        openWindow(draft, stored, contactId, event.person, false);
      return;
    case "status":
      draft.statuses.push(event);
      return;
    case "template":
      draft.templates.push(stateAfter(event));
      return;
    default:
      return;
  }
}

function written(
  draft: Draft,
  stored: StoredEvent,
  event: MessageEvent,
  contactId: string,
  rules: EffectRules,
  late: boolean,
): void {
  const isTheirs = !isAutomatic(event);
  draft.profiles.push({ contactId, person: event.from });
  if (isTheirs) openWindow(draft, stored, contactId, event.from, event.referral?.sourceType === "ad");
  draft.shown.push(shown(stored, contactId, event.messageId, event, isTheirs && isHeard(rules, late), late));
  heed(draft, stored, contactId, event);
}

/** Whoever has the conversation, and whether they wrote it at once or put it in place of other words: marketing is ours to stop. */
function heed(
  draft: Draft,
  stored: StoredEvent,
  contactId: string,
  said: Pick<MessageEvent, "text" | "content">,
): void {
  const value = keywordOf(said);
  if (value === null) return;
  draft.preferences.push({
    contactId,
    category: "marketing_messages",
    value,
    source: "keyword",
    at: sentAtOf(stored),
  });
}

/** Another app has the conversation: what is said is shown, and wakes nobody. */
function overheard(draft: Draft, stored: StoredEvent, event: StandbyEvent, contactId: string): void {
  if (event.what !== "message" && event.what !== "echo") return;
  const isTheirs = event.what === "message";
  if (isTheirs) heed(draft, stored, contactId, event);
  draft.changes.push(...changesOf(stored, contactId));
  if (event.messageId === null || event.change !== undefined) return;
  draft.shown.push({
    ...base(stored, contactId, event.messageId),
    role: isTheirs ? "user" : "assistant",
    content: inboxText({ ...event, type: event.type ?? "unknown" }),
    mediaType: mediaTypeOf(event.content),
    status: isTheirs ? "received" : "sent",
    metadata: { type: event.type, standby: true },
    // Its files are that app's to keep.
    media: null,
  });
}

/** WhatsApp may allow calls by itself: in the person's name, and nothing that they did. */
function isAutomatic({ content }: MessageEvent): boolean {
  return content?.kind === "call-permission" && content.source === "automatic";
}

function moved(
  draft: Draft,
  { storedAt }: StoredEvent,
  { before, person }: ContactChangedEvent,
  contactId: string,
): void {
  const named = [before, ...draft.profiles.filter((one) => one.contactId === contactId).map((one) => one.person)];
  const phoneNumbers = [...new Set(named.map(({ phoneNumber }) => phoneNumber).filter((phone) => phone !== null))];
  // Where the new id is not told, one that came by without the change may be it.
  const known = person.userId === null ? [before] : named;
  const userIds = new Set(known.map(({ userId }) => userId).filter((id) => id !== null));
  userIds.delete(person.userId ?? "");
  draft.leftNumbers.push({ contactId, before, phoneNumbers, userIds: [...userIds], person, at: storedAt });
  draft.profiles.push({ contactId, person, hasMoved: true });
}

/** Meta knows that they wrote, and not what: still their message, so the window opens. */
function unreadable(draft: Draft, stored: StoredEvent, contactId: string, rules: EffectRules, late: boolean): void {
  const { event } = stored;
  if (!isUnreadableMessage(event)) return;
  draft.profiles.push({ contactId, person: event.from });
  openWindow(draft, stored, contactId, event.from, false);
  const said = { type: "unsupported", text: null, content: null, replyTo: null };
  const row = shown(stored, contactId, event.messageId, said, rules.wakeOn.unsupported && isHeard(rules, late), late);
  draft.shown.push({ ...row, content: UNREADABLE });
}

function echoed(draft: Draft, stored: StoredEvent, event: EchoEvent, contactId: string, rules: EffectRules): void {
  draft.changes.push(...changesOf(stored, contactId));
  if (event.change === undefined)
    draft.shown.push({
      ...base(stored, contactId, event.messageId),
      role: "assistant",
      content: inboxText(event),
      mediaType: mediaTypeOf(event.content),
      status: "sent",
      metadata: { type: event.type, sent_by: event.source },
      unlessThere: true,
      media: wantedOf(event.content, sentAtOf(stored), stored.receivedAt),
    });
  // Staff has the conversation now. Another app on the number is not staff.
  if (event.source === "business-app")
    draft.pauses.push({ contactId, until: new Date(sentAtOf(stored).getTime() + rules.pauseMs) });
}

function past(stored: StoredEvent, contactId: string, message: HistoryEvent["messages"][number]): ShownMessage {
  const at = message.occurredAt ?? stored.receivedAt;
  return {
    ...base(stored, contactId, message.messageId),
    role: message.direction === "inbound" ? "user" : "assistant",
    content: inboxText(message),
    mediaType: mediaTypeOf(message.content),
    status: message.direction === "inbound" ? "received" : (message.status ?? "sent").toLowerCase(),
    metadata: { type: message.type, history: true },
    at: at.toISOString(),
    unlessThere: true,
    media: wantedOf(message.content, at, stored.receivedAt),
  };
}

type Said = Readable & Pick<MessageEvent, "replyTo">;

function shown(
  stored: StoredEvent,
  contactId: string,
  messageId: string,
  said: Said,
  wakes: boolean,
  late = false,
): ShownMessage {
  const timestamp = sentAtOf(stored).toISOString();
  const common = base(stored, contactId, messageId);
  return {
    ...common,
    // One that is old may have been shown so long ago that its dedupe key is gone.
    unlessThere: common.unlessThere || late,
    role: "user",
    content: inboxText(said),
    mediaType: mediaTypeOf(said.content),
    status: "received",
    metadata: {
      type: said.type,
      timestamp,
      reply_to: said.replyTo,
      ...(said.content === null ? {} : { content: said.content }),
      ...(late ? { late: true } : {}),
    },
    wakes: wakes ? toTurnMessage(messageId, said, { timestamp, receivedAt: stored.storedAt }, late) : null,
    media: wantedOf(said.content, sentAtOf(stored), stored.receivedAt),
  };
}

function toTurnMessage(
  externalId: string,
  said: Said,
  times: Pick<StoredTurnMessage, "timestamp" | "receivedAt">,
  late: boolean,
): Omit<StoredTurnMessage, "id"> {
  const { type, text, content, replyTo } = said;
  return {
    externalId,
    type,
    text,
    content,
    media:
      content?.kind === "media"
        ? {
            kind: content.media,
            mimeType: content.mimeType,
            filename: content.filename,
            voice: content.voice === true,
            id: null,
          }
        : null,
    replyTo,
    ...times,
    ...(late ? { late: true as const } : {}),
  };
}

/** In stored order: two messages of one delivery differ by microseconds only. */
function base(stored: StoredEvent, contactId: string, externalId: string) {
  const { again, event, storedAt } = stored;
  // Read again long after: it belongs where it was written.
  const at = again ? (event.occurredAt?.toISOString() ?? storedAt) : storedAt;
  return { contactId, externalId, at, unlessThere: again, again, wakes: null };
}

function openWindow(draft: Draft, stored: StoredEvent, contactId: string, person: Person | null, byAd: boolean): void {
  draft.windows.push({ contactId, phoneNumber: person?.phoneNumber ?? null, at: sentAtOf(stored), byAd });
}

/** Its window is closed: it came late, or has waited. An answer could only expire. */
function isLate(stored: StoredEvent): boolean {
  return stored.appliedAt.getTime() - sentAtOf(stored).getTime() >= WINDOW_MS;
}

function isHeard(rules: EffectRules, late: boolean): boolean {
  return !late || rules.wakeOn.late;
}

/** Null where there is no file, or where Meta had it no longer when we heard of it. */
function wantedOf(content: Readable["content"], sentAt: Date, receivedAt: Date): WantedMedia | null {
  if (content?.kind !== "media" || content.mediaId === null) return null;
  const fetchUntil = new Date(sentAt.getTime() + MEDIA_MS);
  if (fetchUntil <= receivedAt) return null;
  const { mediaId: metaMediaId, media: kind, mimeType: mime, sha256, filename } = content;
  return { metaMediaId, kind, mime, sha256, filename, voice: content.voice === true, fetchUntil };
}

function mediaTypeOf(content: Readable["content"]): string | null {
  return content?.kind === "media" ? content.media : null;
}
