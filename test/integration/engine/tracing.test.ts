/** What a host with OpenTelemetry sees of a message, what the log says of it, and that neither holds what people wrote. */
import { context, SpanStatusCode, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { leaksIn } from "../../support/canaries.ts";
import { allQuiet, type TestChannel } from "../../support/channel.ts";
import { ADA, channelFor } from "./support.ts";

const exporter = new InMemorySpanExporter();
beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
});
beforeEach(() => exporter.reset());
afterAll(() => {
  trace.disable();
  context.disable();
});

const spansOf = (name: string): readonly ReadableSpan[] =>
  exporter.getFinishedSpans().filter((span) => span.name === name);

/** Each outcome is one line, so that whoever counts lines counts outcomes. */
const linesOf = (channel: TestChannel, wanted: string): readonly Record<string, unknown>[] =>
  channel.logs.filter(({ message }) => message === wanted).map(({ level, fields }) => ({ level, ...fields }));

const idsIn = (channel: TestChannel, wanted: string, id: string) =>
  linesOf(channel, wanted)
    .map((line) => line[id])
    .sort();

function withoutLeaks(channel: TestChannel): void {
  const seen = exporter
    .getFinishedSpans()
    .map(({ name, attributes, status, events }) => [name, attributes, status, events]);
  expect(leaksIn(JSON.stringify(seen), {}, channel.meta)).toEqual([]);
}

describe("a message that is answered", () => {
  it("is a span where it is received, applied, asked and sent, joined by ids, with the host's own inside", async () => {
    const channel = await channelFor({
      reply: async (turn) => {
        trace.getTracer("host").startSpan("ask the model").end();
        return `You said: ${turn.messages[0]?.text}`;
      },
    });
    const ada = channel.meta.person({ name: "Ada", phoneNumber: ADA });
    ada.says("a sentence that nobody else may read");
    await channel.meta.waitFor(() => channel.meta.accepted.length === 1);
    await allQuiet(channel);

    const [turn] = await channel.rows<{ id: string; conversation_id: string }>("select * from whatsapp_turns");
    const [part] = await channel.rows<{ id: string; send_id: string }>("select id, send_id from whatsapp_outbox");
    const [reply] = spansOf("whatsapp reply");
    const [send] = spansOf("whatsapp send");
    const webhookIds = (await channel.rows<{ id: string }>("select id from whatsapp_webhooks")).map(({ id }) => id);
    const eventIds = (await channel.rows<{ id: string }>("select id from whatsapp_events")).map(({ id }) => id);
    expect(
      spansOf("whatsapp receive")
        .map(({ attributes }) => attributes["whatsapp.webhook_id"])
        .sort(),
    ).toEqual(webhookIds.sort());
    expect(
      spansOf("whatsapp apply")
        .flatMap(({ attributes }) => attributes["whatsapp.event_ids"])
        .sort(),
    ).toEqual(eventIds.sort());
    expect(reply?.attributes).toMatchObject({
      "whatsapp.turn_id": turn?.id,
      "whatsapp.conversation_id": turn?.conversation_id,
      "whatsapp.messages": 1,
    });
    expect(spansOf("ask the model")[0]?.parentSpanContext?.spanId).toBe(reply?.spanContext().spanId);
    expect(send?.attributes).toMatchObject({
      "whatsapp.outbox_id": part?.id,
      "whatsapp.send_id": part?.send_id,
      "whatsapp.conversation_id": turn?.conversation_id,
      "whatsapp.outcome": "accepted",
    });
    expect(send?.status.code).toBe(SpanStatusCode.UNSET);
    withoutLeaks(channel);

    const at = { conversationId: turn?.conversation_id };
    expect(linesOf(channel, "turn answered")).toEqual([
      { level: "info", stage: "turn", turnId: turn?.id, ...at, messages: 1, parts: 1 },
    ]);
    expect(linesOf(channel, "accepted by Meta")).toEqual([
      expect.objectContaining({ level: "info", outboxId: part?.id, sendId: part?.send_id, part: 0, ...at }),
    ]);
    expect(idsIn(channel, "webhook stored", "webhookId")).toEqual(webhookIds.sort());
    expect(idsIn(channel, "event applied", "eventId")).toEqual(eventIds.sort());
    const taken = idsIn(channel, "host event taken", "hostEventId");
    expect([taken.length, new Set(taken).size]).toEqual([channel.events.length, channel.events.length]);
    expect(taken).not.toContain(undefined);
  });

  it("in pieces is one span until the last of them", async () => {
    const channel = await channelFor({
      reply: async () =>
        (async function* () {
          yield "One paragraph.\n\n";
          trace.getTracer("host").startSpan("the second one").end();
          yield "Another one.";
        })(),
    });
    channel.meta.person({ name: "Ada", phoneNumber: ADA }).says("tell me more");
    await channel.until(() => channel.logs.some(({ message }) => message === "turn answered"), "the end of the turn");
    await allQuiet(channel);

    const ended = exporter.getFinishedSpans().map(({ name }) => name);
    // In the order in which they ended: each has a clock of its own.
    expect(ended.indexOf("the second one")).toBeGreaterThan(-1);
    expect(ended.indexOf("whatsapp reply")).toBeGreaterThan(ended.indexOf("the second one"));
    const [{ parts }] = (await channel.rows<{ parts: string }>("select count(*) as parts from whatsapp_outbox")) as [
      { parts: string },
    ];
    expect(channel.logs.find(({ message }) => message === "turn answered")?.fields).toMatchObject({
      parts: Number(parts),
    });
    withoutLeaks(channel);
  });
});

describe("what fails", () => {
  it("is a span with an error that names its kind, and what was said in it stays out", async () => {
    let isFirst = true;
    const channel = await channelFor({
      reply: async (turn) => {
        if (!isFirst) return null;
        isFirst = false;
        throw new TypeError(`cannot answer ${turn.messages[0]?.text}`);
      },
    });
    const ada = channel.meta.person({ name: "Ada", phoneNumber: ADA });
    ada.says("words that must stay inside");
    await channel.until(
      () => channel.logs.some(({ message }) => message === "turn ended in silence"),
      "the second asking of the turn",
    );
    await expect(channel.plugin.receive({ rawBody: Buffer.from("{}"), signature: "sha256=00" })).rejects.toThrow();
    await allQuiet(channel);

    const [failed, again] = spansOf("whatsapp reply");
    expect(failed?.status).toEqual({ code: SpanStatusCode.ERROR, message: "TypeError" });
    expect(failed?.events).toEqual([]);
    expect(again?.status.code).toBe(SpanStatusCode.UNSET);
    expect(spansOf("whatsapp receive").at(-1)?.status.message).toBe("SIGNATURE_INVALID");
    withoutLeaks(channel);
  });

  it("is at the attempt with Meta's number where Meta refuses", async () => {
    const channel = await channelFor();
    channel.meta.faults.next({ do: { error: { code: 131009, details: "Parameter value is not valid" } } });
    channel.meta.person({ name: "Ada", phoneNumber: ADA }).says("hello to all of you");
    await channel.until(() => spansOf("whatsapp send").length === 1, "the attempt");

    const [send] = spansOf("whatsapp send");
    expect(send?.status.code).toBe(SpanStatusCode.ERROR);
    expect(send?.attributes).toMatchObject({ "whatsapp.outcome": "rejected", "whatsapp.error": "131009" });
    await allQuiet(channel);
    const [part] = await channel.rows<{ id: string; send_id: string }>("select id, send_id from whatsapp_outbox");
    expect(linesOf(channel, "not sent")).toEqual([
      expect.objectContaining({
        level: "warn",
        outboxId: part?.id,
        sendId: part?.send_id,
        state: "failed",
        code: 131_009,
      }),
    ]);
  });
});
