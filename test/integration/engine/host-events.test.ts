/** What the host hears: at least once, in order per conversation, and never in the way of anything else. */
import { randomUUID } from "node:crypto";
import type { HostEvent } from "@omniops/whatsapp";
import { describe, expect, it } from "vitest";
import { planSend } from "../../../plugin/pipeline/plan-send.ts";
import { allQuiet, NUMBER, TENANT, type TestChannel, until } from "../../support/channel.ts";
import { applyAll, channelFor, delivery, gate, message, startEngine, status } from "./support.ts";

describe("the host's listener", () => {
  it("hears an event again until it has taken it, and the later ones after it", async () => {
    const heard: string[] = [];
    const channel = await channelFor({
      reply: () => null,
      plugin: {
        onEvent(event) {
          heard.push(textOf(event));
          if (heard.filter((text) => text === "one").length <= 2) throw new Error("not now");
        },
      },
    });
    const ada = channel.meta.person({ name: "Ada", phoneNumber: "447700900123" });

    ada.says("one");
    ada.says("two");
    ada.says("three");
    await allQuiet(channel);

    expect(heard).toEqual(["one", "one", "one", "two", "three"]);
    expect(await channel.rows("select 1 from whatsapp_host_events")).toEqual([]);
  });

  it("hears what became of a send before what was written later, also when both are applied at once", async () => {
    const { store, rows } = await startEngine({ hasListener: true });
    await store.inbox.record([delivery(message({ id: "wamid.1" }))]);
    await applyAll(store);
    const [{ id } = { id: "" }] = await rows<{ id: string }>("select id from conversations");
    await store.outbox.enqueue(
      id,
      planSend({ what: { response: "hi" }, idempotencyKey: null, replyTo: null, onWindowClosed: "fail" }),
    );
    await rows("update whatsapp_outbox set state = 'accepted', message_id = 'wamid.out'");
    await rows("update whatsapp_lanes set pending = 0, ready_at = null where stage = 'out'");

    await store.inbox.record([delivery(status({ wamid: "wamid.out", status: "delivered" }))]);
    await store.inbox.record([delivery(message({ id: "wamid.2" }))]);
    await store.inbox.record([delivery(status({ wamid: "wamid.out", status: "read" }))]);
    await applyAll(store);

    const told = await rows<{ said: string }>(
      "select coalesce(event ->> 'state', event -> 'event' ->> 'messageId') as said from whatsapp_host_events order by id",
    );
    expect(told.map(({ said }) => said)).toEqual(["wamid.1", "delivered", "wamid.2", "read"]);
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("broken");
      },
    ],
    ["rejects", () => Promise.reject(new Error("broken"))],
    ["never settles", () => gate().promise],
  ])("that %s blocks no turn", async (_name, onEvent) => {
    const channel = await channelFor({ plugin: { onEvent } });
    const ada = channel.meta.person({ name: "Ada", phoneNumber: "447700900123" });

    for (const text of ["one", "two", "three"]) {
      ada.says(text);
      await channel.meta.waitFor(() => channel.meta.accepted.some((sent) => sent.text === `You said: ${text}`));
    }

    expect(channel.meta.accepted).toHaveLength(3);
    // What the listener would not take is kept, as work or as a dead letter.
    expect((await channel.rows("select 1 from whatsapp_host_events")).length).toBeGreaterThan(0);
  });

  it("that never settles for some is heard of as failing, and the others are told all the same", async () => {
    const heard: string[] = [];
    const channel = await channelFor({
      reply: () => null,
      plugin: {
        eventTimeoutMs: 100,
        onEvent(event) {
          const text = textOf(event);
          heard.push(text);
          return text === "hang" ? gate().promise : undefined;
        },
      },
    });
    // As many as are told at once.
    for (let i = 10; i < 40; i++) channel.meta.person({ name: `P${i}`, phoneNumber: `4477009001${i}` }).says("hang");
    await channel.meta.idle();
    await until(() => heard.length >= 15, "the listener hangs");

    channel.meta.person({ name: "Ben", phoneNumber: "447700900456" }).says("hello");

    await until(() => heard.includes("hello"), "Ben is told of");
    const failing = "select 1 from whatsapp_lanes where stage = 'notify' and attempts > 0";
    await until(async () => (await channel.rows(failing)).length > 0, "a failure is counted");
  });

  it("that fails for good sees each event as often as the schedule says, and then the next", async () => {
    const heard: string[] = [];
    const channel = await channelFor({
      reply: () => null,
      plugin: {
        onEvent(event) {
          heard.push(textOf(event));
          if (textOf(event) === "bad") throw new Error("broken");
        },
      },
    });
    const ada = channel.meta.person({ name: "Ada", phoneNumber: "447700900123" });

    ada.says("bad");
    ada.says("good");
    await allQuiet(channel);

    expect(heard).toEqual(["bad", "bad", "bad", "good"]);
    const aside = await channel.rows<{ id: string }>("select id, state, last_error from whatsapp_host_events");
    expect(aside).toEqual([{ id: expect.any(String), state: 2, last_error: "Error" }]);
    const later = "the host did not take an event; trying again later";
    const hostEventId = aside[0]?.id;
    expect(channel.logs.filter(({ level }) => level === "warn")).toMatchObject([
      { fields: { hostEventId, attempt: 1, error: "Error" }, message: later },
      { fields: { hostEventId, attempt: 2, error: "Error" }, message: later },
      { fields: { hostEventId, attempts: 3, error: "Error" }, message: "event moved to the dead letters" },
    ]);
  });

  it("is not waited for by another conversation", async () => {
    const heard: string[] = [];
    const thinking = gate();
    const channel = await channelFor({
      reply: () => null,
      plugin: {
        async onEvent(event) {
          if (textOf(event) === "slow") await thinking.promise;
          heard.push(textOf(event));
        },
      },
    });
    channel.meta.person({ name: "Ada", phoneNumber: "447700900123" }).says("slow");
    channel.meta.person({ name: "Ben", phoneNumber: "447700900456" }).says("quick");

    await until(() => heard.length === 1, "the quick one");
    thinking.open();
    await allQuiet(channel);

    expect(heard).toEqual(["quick", "slow"]);
  });

  it("gets dates as dates", async () => {
    const channel = await channelFor({ reply: () => null });
    channel.meta.person({ name: "Ada", phoneNumber: "447700900123" }).says("hello");
    await allQuiet(channel);

    const [event] = channel.events;
    expect(event?.kind === "message" && event.event.occurredAt).toBeInstanceOf(Date);
  });

  it("that does not exist costs no rows", async () => {
    const channel = await channelFor({ reply: () => null, plugin: { onEvent: undefined as never } });
    channel.meta.person({ name: "Ada", phoneNumber: "447700900123" }).says("hello");
    await allQuiet(channel);

    expect(await channel.rows("select 1 from whatsapp_lanes where stage = 'notify'")).toEqual([]);
  });
});

describe("whose an event is", () => {
  it("stands in what belongs to a conversation", async () => {
    const channel = await channelFor();
    channel.meta.person({ name: "Ada", phoneNumber: "447700900123" }).says("hello");
    await allQuiet(channel);

    expect(channel.events.map((event) => event.kind)).toEqual(expect.arrayContaining(["message", "status"]));
    for (const event of channel.events) expect(event).toMatchObject({ customerConfigId: TENANT });
  });

  it("stands in what an earlier version has stored, with the error of a status as it is said now", async () => {
    const channel = await channelFor({ reply: () => null });
    channel.meta.person({ name: "Ada", phoneNumber: "447700900123" }).says("hello");
    const { conversationId } = await channel.until(
      () => channel.events[0] as { conversationId: string },
      "the message",
    );
    const error = { code: 131026, subcode: null, title: "Message undeliverable", details: null, fbtraceId: null };
    const told = {
      conversationId,
      sendId: randomUUID(),
      part: 0,
      messageId: "wamid.1",
      state: "failed",
      pricing: null,
    };

    await tell(channel, `notify:conversation:${conversationId}`, { kind: "status", ...told, error });
    await channel.until(() => channel.events.length === 2, "the status");

    expect(channel.events[1]).toEqual({
      kind: "status",
      ...told,
      customerConfigId: TENANT,
      error: { code: "GRAPH_REJECTED", message: "Message undeliverable", meta: error },
    });
  });

  it("stands in what concerns a number or an account, as long as one tenant alone has had it", async () => {
    const channel = await channelFor({ reply: () => null });
    const [OTHERS, NOBODYS] = ["301777000333999", "301777000333998"];
    await channel.rows("insert into customer_configs (id) values (?)", [OTHER]);
    await channel.rows(
      `insert into whatsapp_connections (customer_config_id, phone_number_id, waba_id, display_phone_number, state)
       values (?, ?, ?, '1', 'connected'), (?, ?, ?, '2', 'disconnected')`,
      [OTHER, OTHERS, NUMBER.wabaId, OTHER, NUMBER.phoneNumberId, "201555000111999"],
    );
    const about = (phoneNumberId: string | null, wabaId: string | null) => {
      const event = { ...UNSUPPORTED, phoneNumberId, wabaId };
      return tell(channel, "notify:number:none", { kind: "unsupported", conversationId: null, event });
    };

    await about(OTHERS, NUMBER.wabaId);
    await about(NUMBER.phoneNumberId, NUMBER.wabaId); // Two tenants have had the number.
    await about(null, NUMBER.wabaId); // Two share the account.
    await about(null, "201555000111999");
    await about(NOBODYS, null);
    await channel.until(() => channel.events.length === 5, "all of them");

    expect(channel.events.map((event) => "customerConfigId" in event && event.customerConfigId)).toEqual([
      OTHER,
      null,
      null,
      OTHER,
      null,
    ]);
  });
});

const OTHER = "00000000-0000-4000-8000-000000000002";
const UNSUPPORTED = {
  dedupeKey: "unsupported/1",
  occurredAt: null,
  raw: {},
  kind: "unsupported",
  field: "new",
  type: "new",
  from: null,
  messageId: null,
};

/** As the process that stored it has left it. */
async function tell({ rows }: TestChannel, laneKey: string, event: object): Promise<void> {
  await rows("insert into whatsapp_host_events (lane_key, event) values (?, ?::jsonb)", [
    laneKey,
    JSON.stringify(event),
  ]);
  await rows(
    `insert into whatsapp_lanes as l (lane_key, stage, pending, ready_at) values (?, 'notify', 1, now())
     on conflict (lane_key) do update set pending = l.pending + 1, ready_at = now()`,
    [laneKey],
  );
}

function textOf(event: HostEvent): string {
  return event.kind === "message" ? (event.event.text ?? "") : event.kind;
}
