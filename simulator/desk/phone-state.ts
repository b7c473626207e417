/** What the phone shows: who there is, the chats, and one of them in full. */
import { isObject } from "../accepts.ts";
import type { AccountBook } from "../accounts/account-book.ts";
import type { ConversationState, Conversations, TranscriptEntry } from "../conversations.ts";
import type { Refusal } from "../ledgers.ts";
import { isWindowOpen, windowEndOf } from "../limits.ts";
import type { SimulatedFile } from "../options.ts";
import type { People, PersonRecord } from "../people.ts";
import type { Simulator } from "../simulator.ts";
import type { WireObject } from "../wire.ts";
import type { FaultDesk } from "./fault-presets.ts";

/** Older messages of a chat are left out. */
const MOST_ENTRIES = 300;
const SHOWN_REFUSALS = 5;

export type PhoneState = ReturnType<typeof phoneState>;

export function phoneState(
  around: {
    readonly meta: Simulator;
    readonly appName: string;
    readonly people: People;
    readonly book: AccountBook;
    readonly conversations: Conversations;
    readonly faults: FaultDesk;
    readonly fileOf: (id: string) => SimulatedFile | null;
  },
  chosen: { readonly person: string | null; readonly number: string | null },
) {
  const { meta, people, book, conversations, faults, fileOf } = around;
  const now = meta.clock.now();
  const numbers = meta.numbers().map(({ phoneNumberId, wabaId, isRegistered }) => {
    const about = book.number(phoneNumberId)?.about;
    return {
      id: phoneNumberId,
      wabaId,
      name: about?.verifiedName ?? phoneNumberId,
      displayPhoneNumber: about?.displayPhoneNumber ?? "",
      quality: about?.qualityRating ?? "GREEN",
      isOnBusinessApp: about?.isOnBusinessApp ?? false,
      isRegistered,
    };
  });
  const open = conversations
    .list()
    .find(({ person, phoneNumberId }) => person.key === chosen.person && phoneNumberId === chosen.number);
  const wabaId = numbers.find(({ id }) => id === chosen.number)?.wabaId;
  return {
    appName: around.appName,
    clock: { now: now.toISOString(), aheadMs: meta.clock.aheadMs },
    numbers,
    people: people.list().map(shownPerson),
    chats: conversations
      .list()
      .filter(({ entries }) => entries.length > 0)
      .map((chat) => shownChat(chat, conversations, now)),
    chat: open
      ? {
          ...shownChat(open, conversations, now),
          isCut: open.entries.length > MOST_ENTRIES,
          entries: open.entries.slice(-MOST_ENTRIES).map((entry) => shownEntry(entry, conversations, fileOf)),
        }
      : null,
    templates: wabaId === undefined ? [] : templatesOf(meta, wabaId),
    faults: { presets: faults.presets(wabaId), armed: faults.armed() },
    refusals: refusalsOf(meta),
  };
}

/** The latest first, equal ones as one with their number: whoever asks the same again and again hides no other. */
function refusalsOf({ refusals }: Simulator) {
  const found = new Map<string, { readonly latest: Refusal; times: number }>();
  for (const refusal of [...refusals].reverse()) {
    const { request, code, subcode, message } = refusal;
    const key = JSON.stringify([request, code, subcode, message]);
    const known = found.get(key);
    if (known === undefined) found.set(key, { latest: refusal, times: 1 });
    else known.times += 1;
  }
  return [...found.values()]
    .slice(0, SHOWN_REFUSALS)
    .map(({ latest: { at, ...refusal }, times }) => ({ ...refusal, at: at.toISOString(), times }));
}

function shownPerson({ key, name, phoneNumber, userId, username }: PersonRecord) {
  return { key, name, phoneNumber, userId, username };
}

function shownChat(chat: ConversationState, conversations: Conversations, now: Date) {
  const { person, phoneNumberId, entries, typingUntil, hasStoppedMarketing } = chat;
  const last = entries.at(-1);
  return {
    person: person.key,
    number: phoneNumberId,
    typingMs: Math.max(0, typingUntil - now.getTime()),
    windowEndsAt: isWindowOpen(chat, now) ? windowEndOf(chat)?.toISOString() : null,
    hasStoppedMarketing,
    count: entries.length,
    last: last && {
      wamid: last.wamid,
      direction: last.direction,
      type: last.type,
      text: last.text,
      isVoice: isVoice(last, conversations),
      at: last.at.toISOString(),
      status: last.status,
    },
  };
}

/** What somebody has said, and not a file with a sound in it. */
function isVoice({ wamid, type }: TranscriptEntry, conversations: Conversations): boolean {
  const content = conversations.contentOf(wamid)?.message[type];
  return isObject(content) && content.voice === true;
}

function shownEntry(
  entry: TranscriptEntry,
  conversations: Conversations,
  fileOf: (id: string) => SimulatedFile | null,
) {
  const { message, listed, author } = conversations.contentOf(entry.wamid) ?? { message: inWords(entry) };
  const files = mediaIn(message).flatMap((id) => {
    const file = fileOf(id);
    return file ? [[id, { mime: file.mime, size: file.bytes.byteLength }] as const] : [];
  });
  return {
    ...entry,
    at: entry.at.toISOString(),
    message,
    files: Object.fromEntries(files),
    ...(author !== undefined && { author }),
    ...(listed && { listed: { parameterFormat: listed.parameterFormat, components: listed.components } }),
  };
}

/** Where only the words are known. */
function inWords({ text }: TranscriptEntry): WireObject {
  return { type: "text", text: { body: text } };
}

function templatesOf(meta: Simulator, wabaId: string) {
  return meta.templates
    .list(wabaId)
    .map(({ name, language, status = "APPROVED", category }) => ({ name, language, status, category }));
}

/** Ids and addresses, wherever in a message a file may be: in itself, its header, its cards, its template's parameters, its new version. */
function mediaIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(mediaIn);
  if (typeof value !== "object" || value === null) return [];
  const own = value as WireObject;
  const ids = [own.id, own.link].filter((id) => typeof id === "string");
  return [...ids, ...Object.values(own).flatMap(mediaIn)];
}
