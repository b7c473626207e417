/** What events do to the database, decided without it. */

import type { ChannelEvent, EchoEvent, MessageEvent, Person, StandbyEvent, StatusEvent } from "@omniops/whatsapp";
import { describe, expect, it } from "vitest";
import { DEFAULT_RULES, type EffectRules, planEffects } from "../../../plugin/pipeline/plan-effects.ts";
import type { StoredEvent } from "../../../plugin/ports.ts";

const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;
const RECEIVED = new Date("2026-11-22T12:00:00.000Z");
const earlier = (ms: number) => new Date(RECEIVED.getTime() - ms);

const ADA: Person = { phoneNumber: "447700900123", userId: null, parentUserId: null, username: null, name: "Ada" };
const base = { dedupeKey: "k", wabaId: "1", phoneNumberId: "2", occurredAt: RECEIVED, raw: {} };

function message(over: Partial<MessageEvent> = {}): MessageEvent {
  return {
    ...base,
    kind: "message",
    messageId: "wamid.1",
    from: ADA,
    type: "text",
    text: "hello",
    content: null,
    replyTo: null,
    ...over,
  };
}

function echo(over: Partial<EchoEvent> = {}): EchoEvent {
  return {
    ...base,
    kind: "echo",
    source: "business-app",
    messageId: "wamid.echo",
    to: ADA,
    type: "text",
    text: "on my way",
    content: null,
    ...over,
  };
}

function stored(event: ChannelEvent, over: Partial<StoredEvent> = {}): StoredEvent {
  return {
    eventId: "1",
    laneKey: "in:contact:1",
    contactId: "1",
    event,
    receivedAt: RECEIVED,
    appliedAt: RECEIVED,
    again: false,
    storedAt: "2026-11-22T12:00:00.000001Z",
    ...over,
  };
}

const plan = (event: ChannelEvent, rules: Partial<EffectRules["wakeOn"]> = {}) =>
  planEffects([stored(event)], { ...DEFAULT_RULES, wakeOn: { ...DEFAULT_RULES.wakeOn, ...rules } });

describe("when a message was sent", () => {
  it("is WhatsApp's own time", () => {
    expect(plan(message({ occurredAt: earlier(5_000) })).windows[0]?.at).toEqual(earlier(5_000));
  });

  it.each([
    ["in the future", new Date(RECEIVED.getTime() + DAY)],
    ["missing", null],
    ["no date at all", new Date(Number.NaN)],
  ])("is its receipt where WhatsApp's time is %s", (_name, occurredAt) => {
    expect(plan(message({ occurredAt })).windows[0]?.at).toEqual(RECEIVED);
  });
});

describe("a message that is late", () => {
  it.each([
    ["at exactly 24 hours", DAY, true],
    ["a millisecond before", DAY - 1, false],
    ["long after", 30 * DAY, true],
    ["at once", 0, false],
  ])("%s: %s ms → %s", (_name, age, late) => {
    const { shown, told } = plan(message({ occurredAt: earlier(age) }));

    expect(told).toMatchObject([{ late }]);
    expect(shown[0]?.metadata.late ?? false).toBe(late);
    expect(shown[0]?.wakes === null).toBe(late);
  });

  it.each([
    ["has waited until its window was closed", DAY - 60_000, 60_000, true],
    ["has waited, and could still be answered", DAY - 60_000, 59_999, false],
    ["came without a time, and has waited for a day", null, DAY, true],
  ])("is one that %s", (_name, age, waited, late) => {
    const event = message({ occurredAt: age === null ? null : earlier(age) });
    const appliedAt = new Date(RECEIVED.getTime() + waited);
    const { shown, told } = planEffects([stored(event, { appliedAt })]);

    expect(told).toMatchObject([{ late }]);
    expect(shown[0]?.wakes === null).toBe(late);
  });

  it("wakes the AI where the host wants to hear of it, and says so", () => {
    expect(plan(message({ occurredAt: earlier(DAY) }), { late: true }).shown[0]?.wakes).toMatchObject({ late: true });
  });
});

describe("what a person writes", () => {
  it("is shown with their words, wakes the AI, opens the window and tells who they are", () => {
    const effects = plan(message({ text: "hello", replyTo: "wamid.0" }));

    expect(effects.shown).toMatchObject([
      { role: "user", content: "hello", status: "received", externalId: "wamid.1", at: "2026-11-22T12:00:00.000001Z" },
    ]);
    expect(effects.shown[0]?.wakes).toEqual({
      externalId: "wamid.1",
      type: "text",
      text: "hello",
      content: null,
      media: null,
      replyTo: "wamid.0",
      timestamp: RECEIVED.toISOString(),
      receivedAt: "2026-11-22T12:00:00.000001Z",
    });
    expect(effects.windows).toEqual([{ contactId: "1", phoneNumber: ADA.phoneNumber, at: RECEIVED, byAd: false }]);
    expect(effects.profiles).toEqual([{ contactId: "1", person: ADA }]);
  });

  it("says what kind of media it is", () => {
    const content = {
      kind: "media",
      media: "audio",
      mediaId: "4410003",
      mimeType: "audio/ogg",
      sha256: null,
      filename: null,
      voice: true,
    } as const;

    const [shown] = plan(message({ type: "audio", text: null, content })).shown;

    expect(shown).toMatchObject({ content: "[Voice message]", mediaType: "audio" });
    expect(shown?.wakes?.media).toEqual({
      kind: "audio",
      mimeType: "audio/ogg",
      filename: null,
      voice: true,
      id: null,
    });
  });

  it("wants its file for as long as Meta has it, and not what is older", () => {
    const content = {
      kind: "media",
      media: "image",
      mediaId: "4410001",
      mimeType: "image/jpeg",
      sha256: "sum",
      filename: null,
    } as const;
    const old = { type: "image", text: null, content, occurredAt: new Date("2001-01-01T00:00:00Z") };

    const [shown] = plan(message({ type: "image", text: null, content })).shown;
    const [tooOld] = plan(message(old)).shown;
    const [without] = plan(message({ type: "image", text: null, content: { ...content, mediaId: null } })).shown;

    expect(shown?.media).toMatchObject({ metaMediaId: "4410001", kind: "image", sha256: "sum", voice: false });
    expect(
      Date.parse(shown?.at as string) + 7 * 86_400_000 - (shown?.media?.fetchUntil.getTime() ?? 0),
    ).toBeGreaterThanOrEqual(0);
    expect([tooOld?.media, without?.media]).toEqual([null, null]);
  });

  it.each([
    ["is theirs to give: it opens the window and wakes the AI", "user_action", 1],
    ["counts as theirs where Meta does not say whose it is", null, 1],
    ["that WhatsApp gives by itself is shown, opens nothing and wakes nobody", "automatic", 0],
  ] as const)("as a permission to call %s", (_name, source, times) => {
    const content = { kind: "call-permission", response: "accept", expiresAt: null, source } as const;

    const { shown, windows } = plan(message({ type: "interactive", text: null, content }));

    expect(shown).toMatchObject([{ content: "Allows calls" }]);
    expect(shown.filter(({ wakes }) => wakes !== null)).toHaveLength(times);
    expect(windows).toHaveLength(times);
  });

  it("after an ad opens the window as one that an answer makes free", () => {
    const referral = { sourceType: "ad", sourceId: "1", sourceUrl: null, headline: null, body: null, clickId: null };

    expect(plan(message({ referral })).windows[0]?.byAd).toBe(true);
    expect(plan(message({ referral: { ...referral, sourceType: "post" } })).windows[0]?.byAd).toBe(false);
  });

  it.each([
    ["STOP", "stop"],
    [" stop. ", "stop"],
    ["Unsubscribe!", "stop"],
    ["START", "resume"],
    ["please don't stop", undefined],
    ["stop it", undefined],
  ])("%j means %s for marketing", (text, value) => {
    expect(plan(message({ text })).preferences[0]?.value).toBe(value);
  });

  const choice = { kind: "choice", from: "button", id: "go", description: null } as const;
  const photo = { kind: "media", media: "image", mediaId: null, mimeType: null, sha256: null, filename: null } as const;

  it.each([
    ["a button's title", choice],
    ["a row of a list", { ...choice, from: "list" } as const],
    ["a template's button", { ...choice, from: "template-button" } as const],
    ["a caption", photo],
  ])("is no wish for marketing where START is %s, and one against it where STOP is", (_name, said) => {
    for (const title of ["Start", "Resume", "Subscribe", "unstop"]) {
      const content = said.kind === "choice" ? { ...said, title } : said;
      expect(plan(message({ text: title, content })).preferences).toEqual([]);
    }
    const content = said.kind === "choice" ? { ...said, title: "Stop promotions" } : said;
    expect(plan(message({ text: "Stop promotions", content })).preferences).toMatchObject([{ value: "stop" }]);
  });

  it("counts from its receipt when its own time is in the future, so that it can be taken back", () => {
    const tomorrow = new Date(RECEIVED.getTime() + DAY);
    const switched = {
      ...base,
      kind: "preference",
      person: ADA,
      category: "marketing_messages",
      value: "stop",
    } as const;

    expect(plan(message({ text: "stop", occurredAt: tomorrow })).preferences[0]?.at).toEqual(RECEIVED);
    expect(plan({ ...switched, occurredAt: tomorrow }).preferences[0]?.at).toEqual(RECEIVED);
  });
});

describe("a message that WhatsApp cannot show us", () => {
  const unreadable = {
    ...base,
    kind: "unsupported",
    field: "messages",
    type: "message:poll",
    from: ADA,
    messageId: "wamid.1",
  } as const;

  it("is shown as one, opens the window, and wakes nobody", () => {
    const { shown, windows } = plan(unreadable);

    expect(shown).toMatchObject([{ role: "user", content: "[A message that WhatsApp cannot show here]", wakes: null }]);
    expect(windows).toHaveLength(1);
  });

  it("wakes the AI where the host asks for it", () => {
    expect(plan(unreadable, { unsupported: true }).shown[0]?.wakes).toMatchObject({ type: "unsupported", text: null });
  });

  it("is none where it is no message: then it is told and nothing else", () => {
    const { shown, windows, told } = plan({ ...unreadable, type: "user_actions", messageId: null });

    expect([shown, windows]).toEqual([[], []]);
    expect(told).toHaveLength(1);
  });

  it.each([
    ["of a type of tomorrow", "message:hologram"],
    ["of a kind of tomorrow", "message:interactive:hologram"],
    ["that is not told what it is", "message:unsupported"],
    ["that came empty", "message:text"],
  ])("may be one %s (%s)", (_name, type) => {
    const { shown, windows, profiles } = plan({ ...unreadable, type });

    expect([shown.length, windows.length, profiles.length]).toEqual([1, 1, 1]);
  });

  it.each([
    ["was written to a group", "message:group"],
    ["is WhatsApp's own word about somebody", "message:system"],
    ["says that a chat was opened", "message:request_welcome"],
    ["edits another message", "message:edit"],
    ["deletes another message", "message:revoke"],
    ["reacts to another message", "message:reaction"],
  ])("is none where it %s (%s): then it is told and nothing else", (_name, type) => {
    const { shown, windows, profiles, told } = plan({ ...unreadable, type }, { unsupported: true });

    expect([shown, windows, profiles]).toEqual([[], [], []]);
    expect(told).toHaveLength(1);
  });

  it("is told without the person's conversation where it was written to a group", () => {
    expect(plan({ ...unreadable, type: "message:group" }).told).toMatchObject([{ contactId: null }]);
    expect(plan({ ...unreadable, type: "message:edit" }).told).toMatchObject([{ contactId: "1" }]);
  });
});

describe("a reaction", () => {
  const reaction = {
    ...base,
    kind: "reaction",
    messageId: "wamid.r",
    from: ADA,
    targetId: "wamid.1",
    emoji: "👍",
  } as const;

  it("stands beside the message it is for, opens nothing and wakes nobody", () => {
    const effects = plan(reaction);

    expect(effects.changes).toEqual([
      {
        contactId: "1",
        targetId: "wamid.1",
        eventId: null,
        at: RECEIVED.toISOString(),
        content: null,
        mediaType: null,
        metadata: { reaction: "👍", reacted_at: RECEIVED.toISOString() },
        inTurn: null,
      },
    ]);
    expect([effects.shown, effects.windows]).toEqual([[], []]);
  });

  it("wakes the AI where the host asks for it", () => {
    expect(plan(reaction, { reactions: true }).shown).toMatchObject([
      { content: "Reacted 👍", wakes: { type: "reaction", replyTo: "wamid.1", content: { emoji: "👍" } } },
    ]);
  });
});

describe("a change of heart", () => {
  it("replaces the words of an edited message", () => {
    const edit = {
      ...base,
      kind: "edit",
      messageId: "wamid.e",
      from: ADA,
      targetId: "wamid.1",
      type: "text",
      text: "fixed",
      content: null,
    } as const;

    expect(plan(edit).changes).toEqual([
      {
        contactId: "1",
        targetId: "wamid.1",
        eventId: "1",
        at: RECEIVED.toISOString(),
        content: "fixed",
        mediaType: null,
        metadata: { edited: true, changed_at: RECEIVED.toISOString() },
        inTurn: { kind: "edit", text: "fixed" },
      },
    ]);
  });

  it("takes the words of a deleted message away", () => {
    const revoke = { ...base, kind: "revoke", messageId: "wamid.e", from: ADA, targetId: "wamid.1" } as const;

    expect(plan(revoke).changes).toEqual([
      {
        contactId: "1",
        targetId: "wamid.1",
        eventId: "1",
        at: RECEIVED.toISOString(),
        content: "[This message was deleted]",
        mediaType: "",
        metadata: { deleted: true, changed_at: RECEIVED.toISOString(), media: null, content: null },
        inTurn: { kind: "remove" },
      },
    ]);
  });
});

describe("what staff writes in the WhatsApp Business app", () => {
  it("is shown as the business's own, pauses the AI for an hour, and opens nothing", () => {
    const effects = plan(echo());

    expect(effects.shown).toMatchObject([
      { role: "assistant", content: "on my way", status: "sent", wakes: null, unlessThere: true },
    ]);
    expect(effects.pauses).toEqual([{ contactId: "1", until: new Date(RECEIVED.getTime() + HOUR) }]);
    expect(effects.windows).toEqual([]);
  });

  it("pauses for as long as the host wants", () => {
    const { pauses } = planEffects([stored(echo())], { ...DEFAULT_RULES, pauseMs: 5_000 });

    expect(pauses[0]?.until).toEqual(new Date(RECEIVED.getTime() + 5_000));
  });

  it("may take back or change what it wrote before", () => {
    const change = { kind: "revoke", targetId: "wamid.old" } as const;

    expect(plan(echo({ change }))).toMatchObject({ shown: [], changes: [{ targetId: "wamid.old" }] });
  });

  it("may be a reaction, which is no message", () => {
    const change = { kind: "reaction", targetId: "wamid.old", emoji: "👍" } as const;

    expect(plan(echo({ type: "reaction", text: null, change }))).toMatchObject({
      shown: [],
      changes: [{ targetId: "wamid.old", metadata: { reaction: "👍" } }],
      pauses: [{ contactId: "1" }],
    });
  });

  it("is not staff when another app on the number sent it", () => {
    expect(plan(echo({ source: "other-app" })).pauses).toEqual([]);
  });
});

describe("what is said while another app has the conversation", () => {
  const standby = (over: Partial<StandbyEvent> = {}): StandbyEvent => ({
    ...base,
    kind: "standby",
    what: "message",
    messageId: "wamid.s",
    person: ADA,
    type: "text",
    text: "hi",
    content: null,
    ...over,
  });

  it.each([
    ["a STOP", standby({ text: "Stop!" }), 1],
    ["words that became one", standby({ text: "stop", change: { kind: "edit", targetId: "wamid.1" } }), 1],
    ["the other app's own", standby({ what: "echo", text: "stop" }), 0],
    ["anything else", standby(), 0],
  ])("%s: %s preferences", (_what, event, count) => {
    expect(plan(event).preferences).toHaveLength(count);
  });

  it.each([
    ["takes a message back", { kind: "revoke", targetId: "wamid.1" }, { content: "[This message was deleted]" }],
    ["writes it anew", { kind: "edit", targetId: "wamid.1" }, { content: "hi" }],
    ["reacts to it", { kind: "reaction", targetId: "wamid.1", emoji: "👍" }, { metadata: { reaction: "👍" } }],
  ] as const)("%s: its row changes, and none is added", (_what, change, changed) => {
    for (const what of ["message", "echo"] as const)
      expect(plan(standby({ what, change }), { reactions: true })).toMatchObject({
        shown: [],
        windows: [],
        changes: [{ targetId: "wamid.1", ...changed }],
      });
  });
});

describe("a person who changes what they wrote into STOP", () => {
  it("has said so", () => {
    const said = { type: "text", text: "STOP", content: null };
    const edit = { ...base, kind: "edit", messageId: "wamid.e", from: ADA, targetId: "wamid.1", ...said } as const;

    expect(plan(edit).preferences).toMatchObject([{ value: "stop", source: "keyword", at: RECEIVED }]);
  });
});

describe("what was before, and what others say", () => {
  const quiet: readonly ChannelEvent[] = [
    {
      ...base,
      kind: "history",
      person: ADA,
      messages: [
        {
          messageId: "h1",
          direction: "outbound",
          type: "text",
          text: "old",
          content: null,
          occurredAt: earlier(DAY),
          status: "READ",
        },
        {
          messageId: "h2",
          direction: "inbound",
          type: "text",
          text: "older",
          content: null,
          occurredAt: earlier(2 * DAY),
          status: null,
        },
      ],
      progress: 50,
      errors: [],
    },
    {
      ...base,
      kind: "standby",
      what: "message",
      messageId: "s1",
      person: ADA,
      type: "text",
      text: "hi",
      content: null,
    },
    { ...base, kind: "contact-changed", change: "user-id", before: ADA, person: { ...ADA, userId: "GB.new" } },
    { ...base, kind: "preference", person: ADA, category: "marketing_messages", value: "stop" },
  ];

  it.each(quiet.map((event) => [event.kind, event] as const))("%s opens no window and wakes nobody", (_kind, event) => {
    const { windows, shown, told } = plan(event);

    expect(windows).toEqual([]);
    expect(shown.filter(({ wakes }) => wakes !== null)).toEqual([]);
    expect(told).toHaveLength(1);
  });

  it("history is shown at its own time, from both sides", () => {
    expect(plan(quiet[0] as ChannelEvent).shown).toMatchObject([
      { role: "assistant", content: "old", status: "read", at: earlier(DAY).toISOString(), unlessThere: true },
      { role: "user", content: "older", status: "received", at: earlier(2 * DAY).toISOString(), unlessThere: true },
    ]);
  });

  it("a number that was left is no longer theirs", () => {
    const before = { ...ADA, userId: "GB.old" };
    const person = { ...ADA, phoneNumber: "447700900888", userId: "GB.new" };
    const { leftNumbers, profiles } = plan({
      ...base,
      kind: "contact-changed",
      change: "phone-number",
      before,
      person,
    });

    const at = "2026-11-22T12:00:00.000001Z";
    expect(leftNumbers).toEqual([
      { contactId: "1", before, phoneNumbers: ["447700900123"], userIds: ["GB.old"], person, at },
    ]);
    expect(profiles).toEqual([{ contactId: "1", person, hasMoved: true }]);
  });

  it("a new user id means a new number: those of before are no longer theirs, whoever named them", () => {
    const before = { ...ADA, phoneNumber: null, userId: "GB.old" };
    const person = { ...before, userId: "GB.new" };

    const { leftNumbers, profiles } = planEffects([
      stored(message()),
      stored({ ...base, kind: "contact-changed", change: "user-id", before, person }),
    ]);

    const at = "2026-11-22T12:00:00.000001Z";
    expect(leftNumbers).toEqual([
      { contactId: "1", before, phoneNumbers: ["447700900123"], userIds: ["GB.old"], person, at },
    ]);
    expect(profiles[1]).toEqual({ contactId: "1", person, hasMoved: true });
  });

  it("another device leaves them their number", () => {
    const { leftNumbers, profiles } = plan({
      ...base,
      kind: "contact-changed",
      change: "identity",
      before: ADA,
      person: ADA,
    });

    expect(leftNumbers).toEqual([]);
    expect(profiles).toEqual([{ contactId: "1", person: ADA }]);
  });

  it("the business's address book renames nobody", () => {
    const person = { ...ADA, name: "Ada from the market" };

    expect(plan({ ...base, kind: "contact-changed", change: "address-book", before: ADA, person }).profiles).toEqual(
      [],
    );
  });
});

describe("a call", () => {
  const call = {
    ...base,
    kind: "call",
    callId: "wacid.1",
    person: ADA,
    event: "connect",
    direction: "inbound",
    durationSeconds: null,
  } as const;

  it("from a person opens the window", () => {
    expect(plan(call).windows).toHaveLength(1);
    expect(plan({ ...call, direction: "outbound" }).windows).toEqual([]);
    expect(plan({ ...call, event: "terminate" }).windows).toEqual([]);
  });
});

describe("a batch", () => {
  const status: StatusEvent = {
    ...base,
    kind: "status",
    messageId: "wamid.9",
    status: "read",
    recipient: ADA,
    callbackData: null,
    errors: [],
  };

  it("keeps stored order, and leaves the telling of a status to the send it is about", () => {
    const events = [message({ messageId: "a" }), status, message({ messageId: "b" })].map((event) => stored(event));

    const effects = planEffects(events);

    expect(effects.shown.map(({ externalId }) => externalId)).toEqual(["a", "b"]);
    expect(effects.statuses).toEqual([status]);
    expect(effects.told.map(({ event }) => event.kind)).toEqual(["message", "message"]);
  });

  it("does nothing for a message that belongs to nobody but tell of it", () => {
    const effects = planEffects([stored(message(), { contactId: null })]);

    expect(effects.shown).toEqual([]);
    expect(effects.told).toHaveLength(1);
  });
});
