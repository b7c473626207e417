/** What can be done on the phone: each request of `POST /_phone/…`, from its body to what the simulator does. */
import { isObject } from "../accepts.ts";
import { replyOf } from "../choices.ts";
import type { Conversations, TranscriptEntry } from "../conversations.ts";
import type { InboundOptions } from "../inbound.ts";
import { digitsOf, type People, type PersonRecord } from "../people.ts";
import type { Person, SentMedia, Simulator } from "../simulator.ts";
import type { WireObject } from "../wire.ts";
import type { FaultDesk } from "./fault-presets.ts";

/** What was asked for cannot be done; the message says why. */
export class BadRequest extends Error {}

export type PhoneActions = {
  /** Null: there is no such action. */
  run(action: string, body: WireObject): WireObject | null;
  /** A file with what its address says of it. */
  sendFile(query: URLSearchParams, mime: string, bytes: Uint8Array): WireObject;
};

const KINDS = ["image", "video", "audio", "document", "sticker"] as const;
const STATUSES = ["APPROVED", "REJECTED", "PAUSED", "DISABLED", "PENDING"];
const RATINGS = ["GREEN", "YELLOW", "RED"];
/** A year: further on there is nothing left that could end. */
const FURTHEST_MS = 366 * 24 * 60 * 60 * 1000;

export function createPhoneActions(deps: {
  readonly meta: Simulator;
  readonly people: People;
  readonly personOf: (record: PersonRecord) => Person;
  readonly conversations: Conversations;
  readonly faults: FaultDesk;
}): PhoneActions {
  const { meta, people, personOf, conversations, faults } = deps;

  function personIn(body: WireObject): Person {
    const record = people.list().find(({ key }) => key === body.person);
    if (!record) throw new BadRequest("There is no such person: `person` is a key of /_phone/state.");
    return personOf(record);
  }

  function aboutIn(body: WireObject): InboundOptions {
    const to = textIn(body, "number");
    if (!meta.numbers().some(({ phoneNumberId }) => phoneNumberId === to))
      throw new BadRequest("There is no such number: `number` is the id of one in /_phone/state.");
    return { to, ...(typeof body.replyTo === "string" && { replyTo: body.replyTo }) };
  }

  /** What was written in this very chat. */
  function entryIn(body: WireObject): TranscriptEntry {
    const found = conversations.find(textIn(body, "wamid"));
    const { person, phoneNumberId } = found?.conversation ?? {};
    if (found === undefined || person?.key !== body.person || phoneNumberId !== body.number)
      throw new BadRequest("There is no such message in this chat: `wamid` is one of /_phone/state.");
    return found.entry;
  }

  function ownIn(body: WireObject): string {
    const { direction, wamid } = entryIn(body);
    if (direction === "outbound") throw new BadRequest("A person changes and deletes their own messages only.");
    return wamid;
  }

  /** Of the first number, when none is named. */
  function wabaIdIn({ number }: WireObject): string | undefined {
    return meta.numbers().find(({ phoneNumberId }) => number === undefined || phoneNumberId === number)?.wabaId;
  }

  function press(body: WireObject): WireObject {
    const { wamid, choices: offered = [] } = entryIn(body);
    const choice = offered.find(({ kind, id }) => kind === body.kind && id === body.id);
    if (!choice) throw new BadRequest("That message does not offer this choice.");
    return { wamid: personIn(body).sends(replyOf(choice), { ...aboutIn(body), replyTo: wamid }) };
  }

  function addPerson(body: WireObject): WireObject {
    const name = textIn(body, "name");
    const phoneNumber = optionalIn(body, "phoneNumber");
    const username = optionalIn(body, "username");
    if (phoneNumber !== undefined && !/^\+?[\d() -]{5,24}$/.test(phoneNumber))
      throw new BadRequest("A phone number has digits, spaces and a plus.");
    const owner = people.list().find((one) => phoneNumber !== undefined && one.phoneNumber === digitsOf(phoneNumber));
    if (owner) throw new BadRequest(`That number is ${owner.name}’s already.`);
    if (body.hidesPhoneNumber === true && username === undefined)
      throw new BadRequest("Who hides their number has a username: give one.");
    meta.person({
      name,
      ...(phoneNumber !== undefined && { phoneNumber }),
      ...(username !== undefined && { username, hidesPhoneNumber: body.hidesPhoneNumber === true }),
    });
    const added = people.list().at(-1);
    return { person: added?.key };
  }

  const actions: Readonly<Record<string, (body: WireObject) => WireObject>> = {
    people: addPerson,
    messages(body) {
      const person = personIn(body);
      const { message } = body;
      if (message !== undefined && (!isObject(message) || typeof message.type !== "string"))
        throw new BadRequest("`message` is a message of Meta's shape, with a `type`.");
      return {
        wamid: isObject(message)
          ? person.sends(message, aboutIn(body))
          : person.says(textIn(body, "text"), aboutIn(body)),
      };
    },
    press,
    react: (body) => ({
      wamid: personIn(body).reacts(
        typeof body.emoji === "string" && body.emoji !== "" ? body.emoji : null,
        textIn(body, "wamid"),
        aboutIn(body),
      ),
    }),
    edit: (body) => ({ wamid: personIn(body).edits(ownIn(body), textIn(body, "text"), aboutIn(body)) }),
    delete: (body) => ({ wamid: personIn(body).deletes(ownIn(body), aboutIn(body)) }),
    play(body) {
      personIn(body).plays(entryIn(body).wamid);
      return {};
    },
    marketing(body) {
      if (typeof body.isStopped !== "boolean") throw new BadRequest("`isStopped` is true or false.");
      const person = personIn(body);
      const { to } = aboutIn(body);
      if (body.isStopped) person.stopsMarketing(to);
      else person.resumesMarketing(to);
      return {};
    },
    staff(body) {
      const { to = "" } = aboutIn(body);
      return { wamid: meta.staffWrites(personIn(body), textIn(body, "text"), { from: to }) };
    },
    clock({ moveOnMs }) {
      if (typeof moveOnMs !== "number" || !(moveOnMs >= 0))
        throw new BadRequest("`moveOnMs` is a number of milliseconds, and not less than none.");
      if (meta.clock.aheadMs + moveOnMs > FURTHEST_MS)
        throw new BadRequest("Meta’s clock goes a year ahead at most. Start the simulator again, and it is today’s.");
      meta.clock.moveOn(moveOnMs);
      return { now: meta.clock.now().toISOString() };
    },
    faults(body) {
      if (!faults.arm(textIn(body, "preset"), wabaIdIn(body)))
        throw new BadRequest("There is no such preset; /_phone/state lists them.");
      return {};
    },
    "faults/take-back"(body) {
      faults.takeBack(String(body.id), wabaIdIn(body));
      return {};
    },
    "faults/clear"() {
      faults.clear();
      return {};
    },
    templates(body) {
      const status = textIn(body, "status");
      if (!STATUSES.includes(status)) throw new BadRequest(`\`status\` is one of ${STATUSES.join(", ")}.`);
      aboutIn(body);
      const template = { name: textIn(body, "name"), language: textIn(body, "language") };
      meta.templates.change(template, { status }, wabaIdIn(body));
      return {};
    },
    quality(body) {
      const rating = textIn(body, "rating");
      if (!RATINGS.includes(rating)) throw new BadRequest(`\`rating\` is one of ${RATINGS.join(", ")}.`);
      meta.changeQuality(aboutIn(body).to ?? "", rating);
      return {};
    },
    numbers(body) {
      meta.changeNumber(aboutIn(body).to ?? "", { isOnBusinessApp: body.isOnBusinessApp === true });
      return {};
    },
  };

  return {
    run: (action, body) => (Object.hasOwn(actions, action) ? (actions[action]?.(body) ?? null) : null),
    sendFile(query, mime, bytes) {
      const body = Object.fromEntries(query);
      const kind = KINDS.find((one) => one === body.kind);
      if (kind === undefined) throw new BadRequest(`\`kind\` is one of ${KINDS.join(", ")}.`);
      if (bytes.byteLength === 0) throw new BadRequest("The file is empty.");
      const media: SentMedia = {
        kind,
        bytes,
        mime,
        ...(body.caption ? { caption: body.caption } : {}),
        ...(kind === "document" && body.filename ? { filename: body.filename } : {}),
        ...(kind === "audio" && { voice: body.voice === "true" }),
      };
      return { wamid: personIn(body).sendsMedia(media, aboutIn(body)) };
    },
  };
}

function textIn(body: WireObject, name: string): string {
  const value = body[name];
  if (typeof value !== "string" || value.trim() === "") throw new BadRequest(`\`${name}\` is missing.`);
  return value;
}

function optionalIn(body: WireObject, name: string): string | undefined {
  const value = body[name];
  return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
}
