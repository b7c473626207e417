/** Events of a batch → what they do to the database. */
import { describe, expect, it } from "vitest";
import type { ChannelEvent, MessageEvent } from "../../../plugin/contract.ts";
import { planEffects } from "../../../plugin/pipeline/plan-effects.ts";
import type { StoredEvent } from "../../../plugin/ports.ts";

const RECEIVED = new Date("2026-11-22T12:00:00.500Z");
const DAY = 24 * 60 * 60 * 1_000;
const earlier = (ms: number) => new Date(RECEIVED.getTime() - ms);

const base = { dedupeKey: "k", wabaId: "1", phoneNumberId: "2", occurredAt: RECEIVED, raw: {} };
const nobody = { phoneNumber: "447700900123", userId: null, parentUserId: null, username: null, name: null };

function message(over: Partial<MessageEvent> = {}): MessageEvent {
  return {
    ...base,
    kind: "message",
    messageId: "wamid.1",
    from: nobody,
    type: "text",
    text: "hello",
    content: null,
    replyTo: null,
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
    storedAt: RECEIVED.toISOString(),
    ...over,
  };
}

const planned = (event: MessageEvent) => planEffects([stored(event)]).messages[0];

describe("when a message was sent", () => {
  it("is WhatsApp's own time", () => {
    expect(planned(message({ occurredAt: earlier(5_000) }))?.sentAt).toEqual(earlier(5_000));
  });

  it.each([
    ["in the future", new Date(RECEIVED.getTime() + DAY)],
    ["missing", null],
    ["no date at all", new Date(Number.NaN)],
  ])("is its receipt where WhatsApp's time is %s", (_name, occurredAt) => {
    expect(planned(message({ occurredAt }))?.sentAt).toEqual(RECEIVED);
  });
});

describe("a message is late", () => {
  it.each([
    ["at exactly 24 hours", DAY, true],
    ["a millisecond before", DAY - 1, false],
    ["long after", 30 * DAY, true],
    ["at once", 0, false],
  ])("%s: %s ms → %s", (_name, age, late) => {
    expect(planned(message({ occurredAt: earlier(age) }))?.late).toBe(late);
  });
});

describe("what the host's inbox shows", () => {
  it.each([
    ["text", "hello", "hello", null],
    ["image", null, "[image]", "image"],
    ["image", "a caption", "a caption", "image"],
    ["sticker", null, "[sticker]", "sticker"],
    ["location", null, "[location]", null],
    ["interactive", "Yes", "Yes", null],
  ])("of %s with %s is %s", (type, text, content, mediaType) => {
    expect(planned(message({ type, text }))).toMatchObject({ content, mediaType });
  });
});

describe("a batch", () => {
  it("is split by kind, each in stored order", () => {
    const status: ChannelEvent = {
      ...base,
      kind: "status",
      messageId: "wamid.9",
      status: "read",
      recipient: nobody,
      callbackData: null,
      errors: [],
    };
    const unsupported: ChannelEvent = {
      ...base,
      kind: "unsupported",
      field: "flows",
      type: null,
      from: null,
      messageId: null,
    };
    const events = [message({ messageId: "a" }), status, unsupported, message({ messageId: "b" })].map((event) =>
      stored(event),
    );

    const effects = planEffects(events);

    expect(effects.messages.map(({ event }) => event.messageId)).toEqual(["a", "b"]);
    expect(effects.statuses).toEqual([status]);
    expect(effects.unsupported.map(({ event }) => event)).toEqual([unsupported]);
  });

  it("leaves out a message that belongs to nobody", () => {
    expect(planEffects([stored(message(), { contactId: null })]).messages).toEqual([]);
  });
});
