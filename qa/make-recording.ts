/** Stored traffic → a recording without anything personal, proven. Pure. */
import type { StoredPerson, StoredTraffic, StoredTurn } from "@omniops/whatsapp";
import type { WireObject } from "@omniops/whatsapp/simulator";
import { findLeaks, type Leak } from "./check.ts";
import { type Fixture, filesOf, type Manifest, type PromisedSend, type Recording, SENDS } from "./fixtures.ts";
import { isMetas } from "./kinds.ts";
import { isObject, objectsIn, parsed, writeJson } from "./lossless-json.ts";
import { onlyTheirs } from "./only-theirs.ts";
import { createScrubber, type Scrubber, type TextMode } from "./scrub.ts";
import { messageIdsIn, sendersIn } from "./webhook-values.ts";

/** How people are replaced, and when the recording begins. */
export type RecordingOptions = {
  readonly salt: string;
  readonly text: TextMode;
  /** Moves the whole recording, so that its first delivery came then; null leaves the times as they are. */
  readonly startsAt: Date | null;
  /** The package's. */
  readonly version: string;
  /** Whatever else is stored: a text may speak of anybody who wrote, or was written of, elsewhere. */
  readonly known?: StoredTraffic | undefined;
  /** Ten thousand deliveries take some seconds, in which nothing else happens. `of` grows once, by the answers that were recorded. */
  readonly onProgress?: (done: number, of: number) => void;
};

/** The recording, and whatever personal the checker still found in it. */
export type MadeRecording = {
  readonly recording: Recording;
  /** Empty, or nothing of it may be kept. */
  readonly leaks: readonly Leak[];
  /** Deliveries that are no JSON, or of which nothing concerns the person. */
  readonly dropped: number;
};

type Read = { readonly webhookId: string; readonly receivedAt: Date; readonly type: string; readonly json: unknown };

/** Turns stored traffic into fixtures without anybody in them. Pure: writes nothing. */
export function makeRecording(traffic: StoredTraffic, options: RecordingOptions): MadeRecording {
  const theirs = namesOf(traffic);
  const read = traffic.deliveries.flatMap(({ body, ...delivery }): readonly Read[] => {
    const json = parsed(body);
    const kept = json === undefined || theirs === null ? json : onlyTheirs(json, theirs);
    return kept === undefined ? [] : [{ ...delivery, json: kept }];
  });
  const firstAt = read[0]?.receivedAt.getTime() ?? 0;
  const shiftMs = options.startsAt === null ? 0 : Math.round((options.startsAt.getTime() - firstAt) / 1000) * 1000;
  const scrubber = createScrubber({ salt: options.salt, text: options.text, shiftMs });
  const known = options.known === undefined ? [] : originalsOf(options.known);
  const originals = [...read.map(({ json }) => json), ...factsOf(traffic), ...known];
  let done = 0;
  // Each is learned, replaced and searched for; each file is searched, the manifest too.
  let ofAll = 2 * (originals.length + read.length) + 1;
  const onStep = () => options.onProgress?.(++done, ofAll);
  for (const original of originals) {
    scrubber.learn(original);
    onStep();
  }
  const turnOf = new Map(traffic.turns.flatMap((turn, at) => turn.messageIds.map((id) => [id, at] as const)));
  const turnsIn = read.map(({ json }) => [...new Set(messageIdsIn(json).flatMap((id) => turnOf.get(id) ?? []))]);
  const postedTogether = joined(traffic.turns, turnsIn);
  const lastOf = new Map(turnsIn.flatMap((turns, at) => turns.map((turn) => [turn, at] as const)));
  const senders = new Map(read.flatMap(({ json }) => sendersIn(json)));
  // Files are replayed in the order of their names.
  const width = Math.max(4, String(read.length).length);
  const names = read.map(({ type }, at) => `${String(at + 1).padStart(width, "0")}-${type.replace(/[^\w-]/g, "-")}`);

  const fixtures = read.map(({ json }, at): Fixture => {
    onStep();
    const turns = (turnsIn[at] ?? []).filter((turn) => lastOf.get(turn) === at);
    return {
      name: names[at] ?? "",
      bytes: Buffer.from(writeJson(scrubber.scrub(json))),
      sends: turns.flatMap((turn) => sendsOf(traffic.turns[turn], senders, scrubber)),
      messageIds: null,
    };
  });
  ofAll += fixtures.filter(({ sends }) => sends !== null && sends.length > 0).length;
  const recording: Recording = {
    fixtures,
    manifest: {
      format: 1,
      version: options.version,
      text: options.text,
      promised: "recorded",
      numbers: traffic.numbers.map((number) => ({
        phoneNumberId: scrubber.businessId(number.phoneNumberId),
        wabaId: scrubber.businessId(number.wabaId),
        displayPhoneNumber: scrubber.address(number.displayPhoneNumber),
      })),
      templates: traffic.templates.map(({ wabaId, components, ...template }) => ({
        ...template,
        components: scrubber.withoutPeople(components) as Manifest["templates"],
        wabaId: scrubber.businessId(wabaId),
      })),
      names: scrubber.names(),
      deliveries: read.map(({ webhookId, type, receivedAt }, at) => ({
        name: names[at] ?? "",
        type,
        atMs: receivedAt.getTime() - firstAt,
        webhookId,
        turn: postedTogether(turnsIn[at]?.[0]),
      })),
    },
  };
  return { recording, leaks: leaksIn(recording, originals, onStep), dropped: traffic.deliveries.length - read.length };
}

/**
 * Turns that came in one delivery are posted together, so that each of them comes whole; two of one person never are, because
 * they were answered apart. @returns a function from a turn to the first of those that it is posted with.
 */
function joined(turns: readonly StoredTurn[], turnsIn: readonly (readonly number[])[]) {
  const groups = new Map(turns.map((_, at) => [at, new Set([at])]));
  const personOf = (at: number) => `${turns[at]?.phoneNumberId} ${turns[at]?.phoneNumber ?? turns[at]?.userId}`;
  for (const [first, ...others] of turnsIn)
    for (const other of others) {
      const [one, two] = [groups.get(first ?? other), groups.get(other)];
      if (one === undefined || two === undefined || one === two) continue;
      const people = new Set([...one].map(personOf));
      if ([...two].some((at) => people.has(personOf(at)))) continue;
      for (const at of two) groups.set(at, one.add(at));
    }
  return (turn: number | undefined) => (turn === undefined ? null : Math.min(...(groups.get(turn) ?? [turn])));
}

/** What the originals and the finished files are compared by: also for files that somebody has changed since. */
export function leaksIn(recording: Recording, originals: readonly unknown[], onStep?: () => void): readonly Leak[] {
  // Whoever has broken a file may have left somebody in it: then it is one long text.
  const outputs = [...filesOf(recording)].map(([file, text]) => ({
    file,
    json: withoutOwnIds(parsed(Buffer.from(text)) ?? text),
    isInOwnWords: recording.manifest.promised === "replayed" && file.endsWith(SENDS),
  }));
  return findLeaks(originals, outputs, recording.manifest.text, onStep);
}

/** What is personal in stored traffic, in Meta's shape. */
export function originalsOf(traffic: StoredTraffic): readonly unknown[] {
  return [...traffic.deliveries.map(({ body }) => parsed(body)), ...factsOf(traffic)];
}

function factsOf({ turns, numbers, people }: StoredTraffic): readonly unknown[] {
  return [...turns.map(originalOf), ...numbers.map(wireOf), { contacts: people.map(cardOf) }];
}

function cardOf({ name, username, phoneNumber, userId }: StoredPerson): unknown {
  return {
    profile: { ...(name !== null && { name }), ...(username !== null && { username }) },
    ...(phoneNumber !== null && { wa_id: phoneNumber }),
    ...(userId !== null && { user_id: userId }),
  };
}

/** Our own row numbers, times and modes are nobody's, and what a template says is the business's. */
function withoutOwnIds(json: unknown): unknown {
  if (!isObject(json) || !Array.isArray(json.deliveries)) return json;
  const { numbers, names, templates, deliveries } = json;
  return {
    numbers,
    names,
    templates: { code: textsIn(templates, "templates") },
    // A word of Meta's, with a number before it.
    deliveries: objectsIn(deliveries).map(({ name, type }) => ({ type: [name, type] })),
  };
}

/** All but Meta's words. */
function textsIn(json: unknown, member: string, parent = ""): readonly string[] {
  if (typeof json === "string") return isMetas(json, member, parent) ? [] : [json];
  if (Array.isArray(json)) return json.flatMap((item) => textsIn(item, member, parent));
  return isObject(json) ? Object.entries(json).flatMap(([key, value]) => textsIn(value, key, member)) : [];
}

function originalOf({ phoneNumber, userId, messageIds, sends }: StoredTurn): unknown {
  return {
    contacts: [{ ...(phoneNumber !== null && { wa_id: phoneNumber }), ...(userId !== null && { user_id: userId }) }],
    messages: messageIds.map((id) => ({ id })),
    sends: sends.map(({ message, messageId }) => ({ message_id: messageId, message })),
  };
}

function wireOf(number: StoredTraffic["numbers"][number]): unknown {
  return {
    phone_number_id: number.phoneNumberId,
    waba_id: number.wabaId,
    display_phone_number: number.displayPhoneNumber,
  };
}

/** @param senders by their messages: whoever has another number by now was answered at the one of that time. */
function sendsOf(
  turn: StoredTurn | undefined,
  senders: ReadonlyMap<string, string>,
  scrubber: Scrubber,
): readonly PromisedSend[] {
  const last = turn?.messageIds.findLast((id) => senders.has(id));
  const to = senders.get(last ?? "") ?? turn?.phoneNumber ?? turn?.userId ?? "";
  return (turn?.sends ?? []).map(({ endpoint, message, messageId }) => ({
    from: scrubber.businessId(turn?.phoneNumberId ?? ""),
    to: scrubber.address(to),
    endpoint,
    message: scrubber.scrub(message) as WireObject,
    id: scrubber.id(messageId),
    answers: (turn?.messageIds ?? []).map(scrubber.id),
  }));
}

/** Every name of the person, and of the messages to and from them; null when everybody is meant. */
function namesOf({ addresses, turns }: StoredTraffic): ReadonlySet<string> | null {
  if (addresses.length === 0) return null;
  return new Set([
    ...addresses,
    ...turns.flatMap(({ messageIds, sends }) => [...messageIds, ...sends.map(({ messageId }) => messageId)]),
  ]);
}
