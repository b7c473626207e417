/** Single rules of the parser that no recorded webhook shows. */
import { describe, expect, it } from "vitest";
import { parseWebhook } from "../../../plugin/webhook/parse-webhook.ts";
import { webhookType } from "../../../plugin/webhook/webhook-type.ts";

const NUMBER = "301777000333444";
const TEXT = { from: "447700900123", id: "wamid.A", timestamp: "1790000000", type: "text", text: { body: "hi" } };
const SENT = { id: "wamid.B", status: "sent", timestamp: "1790000000", recipient_id: "447700900123" };

function parse(value: object, change: object = { field: "messages" }) {
  const metadata = { display_phone_number: "15557770100", phone_number_id: NUMBER };
  const changes = [{ ...change, value: { metadata, ...value } }];
  return parseWebhook({ object: "whatsapp_business_account", entry: [{ id: "201555000111222", changes }] });
}

describe("who it was", () => {
  it.each([
    ["phone number", { from: "447700900124" }],
    ["user id", { from_user_id: "GB.b0" }],
    ["user id in the place of the phone number", { from: "GB.b0" }],
  ])("is found in the cards by %s, not by position", (_name, identity) => {
    const contacts = [
      { profile: { name: "Ada" }, wa_id: "447700900123", user_id: "GB.a0" },
      { profile: { name: "Bo", username: "bo" }, wa_id: "447700900124", user_id: "GB.b0", parent_user_id: "GB.ENT.b0" },
    ];
    const { from: _from, ...message } = TEXT;

    const [event] = parse({ contacts, messages: [{ ...message, ...identity }] });

    expect(event).toMatchObject({
      from: { phoneNumber: "447700900124", userId: "GB.b0", parentUserId: "GB.ENT.b0", username: "bo", name: "Bo" },
    });
  });

  const OWN = { origin: "contact_request", phones: [{ phone: "+44 7700 900125", wa_id: "447700900125" }] };
  const share = (contacts: readonly object[], more: object = {}) => {
    const { from: _from, text: _text, ...message } = TEXT;
    return parse({ messages: [{ ...message, from_user_id: "GB.a0", type: "contacts", contacts, ...more }] });
  };

  it("is known by the number that WhatsApp shares for them when they are asked for it", () => {
    expect(share([OWN])).toMatchObject([{ from: { phoneNumber: "447700900125", userId: "GB.a0" } }]);
  });

  it.each([
    ["somebody else's card", [{ ...OWN, origin: "other" }]],
    ["a card of which nothing is told", [{ ...OWN, origin: undefined }]],
    ["their own card among others", [OWN, { ...OWN, origin: "other", phones: [] }]],
    ["two of their own", [OWN, OWN]],
    ["a card of two numbers", [{ ...OWN, phones: [...OWN.phones, { wa_id: "447700900126" }] }]],
    ["a number that is on no WhatsApp", [{ ...OWN, phones: [{ phone: "+44 7700 900125" }] }]],
    ["a number that is none", [{ ...OWN, phones: [{ wa_id: "GB.b0" }] }]],
  ])("is not taken from %s in their message", (_name, contacts) => {
    expect(share(contacts)).toMatchObject([{ from: { phoneNumber: null, userId: "GB.a0" } }]);
  });

  it("is not taken from a card that was passed on", () => {
    expect(share([OWN], { context: { forwarded: true } })).toMatchObject([{ from: { phoneNumber: null } }]);
  });

  it("is the number that the message comes from, whatever they share", () => {
    expect(share([OWN], { from: "447700900123" })).toMatchObject([{ from: { phoneNumber: "447700900123" } }]);
  });

  it("is not taken from the card of somebody else", () => {
    const [event] = parse({ contacts: [{ profile: { name: "Bo" }, wa_id: "447700900124" }], messages: [TEXT] });

    expect(event).toMatchObject({ from: { phoneNumber: "447700900123", name: null } });
  });

  it("is read without the plus that some relays add", () => {
    const [event] = parse({ contacts: [{ wa_id: "447700900123" }], messages: [{ ...TEXT, from: "+447700900123" }] });

    expect(event).toMatchObject({ kind: "message", from: { phoneNumber: "447700900123" } });
  });

  it("decides whether it is a message: without anybody it is unsupported, and kept", () => {
    const message = { ...TEXT, from: "" };

    expect(parse({ messages: [message] })).toEqual([
      expect.objectContaining({ kind: "unsupported", type: "message:text", from: null, raw: message }),
    ]);
  });

  it("is found among ten thousand cards without looking through all of them for each message", { retry: 2 }, () => {
    const phones = Array.from({ length: 10_000 }, (_, i) => `4477${String(i).padStart(8, "0")}`);
    const contacts = phones.map((wa_id) => ({ wa_id, profile: { name: wa_id } }));
    const messages = phones.map((from, i) => ({ ...TEXT, from, id: `wamid.${i}` })).reverse();
    const startedAt = performance.now();

    const events = parse({ contacts, messages });

    // Indexed it took 0.3 s on a busy machine; looking through the list for each message took 13 s there.
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect(events.every((event) => event.kind === "message" && event.from.name === event.from.phoneNumber)).toBe(true);
  });
});

describe("what it was", () => {
  it.each([
    ["of a group", { recipient_type: "group" }, "status:group"],
    ["of a payment, also where it has a word of ours", { type: "payment", status: "failed" }, "status:payment"],
    ["that was dropped from the list", { status: "warning" }, "status:warning"],
    ["without a name", { status: undefined }, "status:unknown"],
  ])("a status %s is unsupported and says so", (_name, more, type) => {
    expect(parse({ statuses: [{ ...SENT, ...more }] })).toMatchObject([{ kind: "unsupported", type }]);
  });

  it.each([
    ["null", null],
    ["an empty string", ""],
  ])("a message whose group is %s comes from a person", (_name, group_id) => {
    expect(parse({ messages: [{ ...TEXT, group_id }] })).toMatchObject([{ kind: "message" }]);
  });

  it("a status of a call is about the call, whichever field it came under", () => {
    const statuses = [{ ...SENT, id: "wacid.1", type: "call", status: "RINGING" }];

    for (const field of ["messages", "calls"])
      expect(parse({ statuses }, { field })).toMatchObject([{ kind: "call", callId: "wacid.1", event: "ringing" }]);
  });

  it("an interactive message of a kind that we do not know has nothing to be answered, and says which kind", () => {
    const interactive = { type: "payment_method", payment_method: { reference_id: "r1" } };

    expect(parse({ messages: [{ ...TEXT, type: "interactive", interactive }] })).toMatchObject([
      { kind: "unsupported", type: "message:interactive:payment_method" },
    ]);
  });

  it.each(["text", "image", "video", "audio", "document", "sticker", "location", "contacts", "order", "button"])(
    "a message of type %s without what the type announces is unsupported, and kept",
    (type) => {
      const { text: _text, ...message } = { ...TEXT, type };

      expect(parse({ messages: [message] })).toMatchObject([
        { kind: "unsupported", type: `message:${type}`, from: { phoneNumber: "447700900123" }, raw: message },
      ]);
    },
  );

  it.each([
    ["no text", { type: "text", text: {} }],
    ["no picture", { type: "image" }],
    ["a type that we do not know", { type: "poll", poll: {} }],
    ["nothing", undefined],
  ])("an edit to %s blanks nothing out", (_name, message) => {
    const edit = { original_message_id: "wamid.OLD", message };

    expect(parse({ messages: [{ ...TEXT, type: "edit", edit }] })).toMatchObject([
      { kind: "unsupported", type: "message:edit", messageId: "wamid.A" },
    ]);
  });

  it.each(["reaction", "edit", "revoke"])("a %s that does not say of which message is unsupported", (type) => {
    expect(parse({ messages: [{ ...TEXT, type, [type]: {} }] })).toMatchObject([
      { kind: "unsupported", type: `message:${type}` },
    ]);
  });

  it("a system message about something else is unsupported, and opens nothing: it has a type of its own", () => {
    expect(parse({ messages: [{ ...TEXT, type: "system", system: { type: "tomorrow" } }] })).toMatchObject([
      { kind: "unsupported", type: "message:system" },
    ]);
  });

  it("a template change that names no template is unsupported", () => {
    expect(parse({ event: "APPROVED" }, { field: "message_template_status_update" })).toMatchObject([
      { kind: "unsupported", field: "message_template_status_update", type: null },
    ]);
  });

  it.each([
    ["messages", { messages: [TEXT] }, "message"],
    ["statuses", { statuses: [SENT] }, "status"],
  ])("a change without a field is told by its %s", (_name, value, kind) => {
    expect(parse(value, {})).toMatchObject([{ kind }]);
  });

  it("errors are not lost beside empty lists", () => {
    expect(parse({ messages: [], errors: [{ code: 131000 }] })).toMatchObject([
      { kind: "unsupported", field: "messages", type: "errors", raw: { code: 131000 } },
    ]);
  });

  it.each([
    ["history", "history"],
    ["standby", "standby"],
    ["smb_message_echoes", "unsupported"],
    ["calls", "unsupported"],
    ["a field of tomorrow", "unsupported"],
  ])("messages under %s are not messages of now", (field, kind) => {
    expect(parse({ messages: [TEXT] }, { field })).toMatchObject([{ kind }]);
  });

  it("a field that stands one level too high or too deep is believed, so that history is not answered", () => {
    const value = { metadata: { phone_number_id: NUMBER }, messages: [TEXT] };

    for (const entry of [
      { id: "1", field: "history", changes: [{ value }] },
      { id: "1", changes: [{ value: { ...value, field: "history" } }] },
    ])
      expect(parseWebhook({ entry: [entry] })).toMatchObject([{ kind: "history" }]);
  });

  it("something new beside empty lists is not lost", () => {
    const polls = { question: "Tea?" };

    expect(parse({ messages: [], statuses: [] })).toEqual([]);
    expect(parse({ messages: [], polls })).toMatchObject([{ kind: "unsupported", field: "messages", raw: { polls } }]);
    expect(parse({ messages: ["hi"] })).toMatchObject([{ kind: "unsupported", raw: { messages: ["hi"] } }]);
  });

  it("errors beside a standby are not lost", () => {
    const standby = { messages: [TEXT] };

    expect(parse({ standby, errors: [{ code: 131000 }] }, { field: "standby" })).toMatchObject([
      { kind: "standby", what: "message" },
      { kind: "unsupported", field: "standby", type: "errors" },
    ]);
  });

  it.each(["page", "instagram", "permissions"])("a delivery about the product %s is not ours", (object) => {
    const value = { metadata: { phone_number_id: NUMBER }, messages: [TEXT] };

    expect(parseWebhook({ object, entry: [{ id: "1", changes: [{ field: "messages", value }] }] })).toEqual([]);
  });
});

describe("an id that no index can hold", () => {
  it("makes a message unsupported instead of blocking its lane", () => {
    const message = { ...TEXT, id: "x".repeat(513) };

    const [event] = parse({ messages: [message] });

    expect(event).toMatchObject({ kind: "unsupported", type: "message:text", raw: message });
    expect(event?.dedupeKey.length).toBeLessThan(100);
  });

  it("because it ends in half a character is an id all the same", () => {
    expect(parse({ messages: [{ ...TEXT, id: "wamid.\ud83d" }] })).toMatchObject([{ kind: "message" }]);
  });

  it("is no number of ours, no quote and no token", () => {
    const long = "x".repeat(513);

    const [event] = parse({
      metadata: { phone_number_id: long },
      messages: [{ ...TEXT, context: { id: long } }],
      statuses: [],
    });
    const [status] = parse({ statuses: [{ ...SENT, biz_opaque_callback_data: long }] });

    expect(event).toMatchObject({ phoneNumberId: null, replyTo: null });
    expect(status).toMatchObject({ kind: "status", callbackData: null });
  });
});

describe("when it was", () => {
  const at = new Date(1790000000_000);

  it.each<[string, unknown, Date | null]>([
    ["seconds in a string", "1790000000", at],
    ["seconds", 1790000000, at],
    ["milliseconds in a string", "1790000000000", at],
    ["milliseconds", 1790000000000, at],
    ["nothing", undefined, null],
    ["an empty string", "", null],
    ["zero", "0", null],
    ["a time before 1970", -5, null],
    ["words", "yesterday", null],
    ["a time that no calendar has", 1e20, null],
    ["a list", ["1790000000"], null],
  ])("is read from %s", (_name, timestamp, expected) => {
    expect(parse({ messages: [{ ...TEXT, timestamp }] })[0]?.occurredAt).toEqual(expected);
  });
});

describe("the word by which a person finds a delivery", () => {
  it.each([
    ["message", { messages: [TEXT], statuses: [SENT] }, "messages"],
    ["status", { statuses: [SENT] }, "messages"],
    ["message", { messages: [{ ...TEXT, type: "reaction" }] }, "messages"],
    ["status", { statuses: [{ ...SENT, status: "deleted" }] }, "messages"],
    ["errors", { errors: [{ code: 1 }] }, "messages"],
    ["history", { history: [] }, "history"],
    ["unknown", { messages: [] }, "messages"],
  ])("is %s for %j", (word, value, field) => {
    expect(webhookType(parse(value, { field }))).toBe(word);
  });
});
