/** What Meta refuses or fails for a whole number is not tried once per recipient. */
import type { NumberChanges } from "@omniops/whatsapp/simulator";
import { describe, expect, it } from "vitest";
import { createStore } from "../../../adapters/postgres/store.ts";
import { advance, isPending } from "../../../plugin/pipeline/part-state.ts";
import type { Connections } from "../../../plugin/ports.ts";
import { NUMBER, TENANT, type TestChannel } from "../../support/channel.ts";
import { type Contact, meet, settled, startSilent } from "./outbound.ts";

const calls = (channel: TestChannel) => channel.meta.requests[`POST /${NUMBER.phoneNumberId}/messages`] ?? 0;
const news = (channel: TestChannel) =>
  channel.events.flatMap((event) =>
    event.kind === "connection" ? [{ state: event.connection.state, reason: event.connection.reason }] : [],
  );

async function crowd(channel: TestChannel, size: number): Promise<Contact[]> {
  const people: Contact[] = [];
  for (let i = 0; i < size; i += 1)
    people.push(await meet(channel, { name: `Person ${i}`, phoneNumber: `4477009001${String(i).padStart(2, "0")}` }));
  return people;
}

const sendTo = (channel: TestChannel, { conversationId }: Contact) =>
  channel.plugin.send({ conversationId, response: "hello" });

describe("a number that Meta blocks", () => {
  it.each([368, 131031, 131045, 133010])(
    "sends nothing but one message at a time that finds out, and fails none (%i)",
    async (code) => {
      const channel = await startSilent({ plugin: { retry: { maxAttempts: 3, baseMs: 20, maxMs: 500 } } });
      const [first, ...others] = await crowd(channel, 8);
      channel.meta.faults.next({ do: { error: { code } }, times: 3 });

      const refused = await sendTo(channel, first!);
      await channel.until(() => news(channel).length > 0, "the host to hear of the pause");
      const receipts = await Promise.all(others.map((contact) => sendTo(channel, contact)));
      const done = await Promise.all([refused, ...receipts].map((receipt) => settled(channel, receipt)));
      await channel.until(() => news(channel).length > 1, "the host to hear that it goes on");

      expect(done.filter(({ parts }) => parts[0]!.state === "failed")).toEqual([]);
      expect(calls(channel)).toBe(8 + 3);
      expect(news(channel)).toEqual([
        { state: "connected", reason: expect.stringContaining("WhatsApp Manager") },
        { state: "connected", reason: null },
      ]);
      expect(channel.logs.filter(({ message }) => message === "a number is paused")).toHaveLength(1);
    },
    30_000,
  );

  it.each<NumberChanges>([
    { status: "BANNED" },
    { status: "RESTRICTED", health: { canSendMessage: "BLOCKED" } },
    { status: "DISCONNECTED" },
  ])("waits while it is %o, and sends everything when Meta has it connected again", async (changes) => {
    const channel = await startSilent({ plugin: { retry: { maxAttempts: 3, baseMs: 20, maxMs: 500 } } });
    const people = await crowd(channel, 4);
    const [first, ...others] = people;
    channel.meta.changeNumber(NUMBER.phoneNumberId, changes);

    const refused = await sendTo(channel, first!);
    await channel.until(() => news(channel).length > 0, "the host to hear of the pause");
    const receipts = [refused, ...(await Promise.all(others.map((contact) => sendTo(channel, contact))))];
    const taken = channel.meta.accepted.length;
    channel.meta.changeNumber(NUMBER.phoneNumberId, {
      status: "CONNECTED",
      health: { canSendMessage: "AVAILABLE" },
    });
    const done = await Promise.all(receipts.map((receipt) => settled(channel, receipt)));
    await channel.until(() => news(channel).length > 1, "the host to hear that it goes on");

    expect(taken).toBe(0);
    expect(done.flatMap(({ parts }) => parts)).toMatchObject(people.map(() => ({ messageId: expect.any(String) })));
    expect(news(channel)).toEqual([
      { state: "connected", reason: expect.stringContaining("WhatsApp Manager") },
      { state: "connected", reason: null },
    ]);
  });

  it.each([{ code: 100, message: "Invalid appsecret_proof provided in the API argument" }, { code: 104 }])(
    "or whose app secret Meta does not take waits and fails nothing, and nobody must reconnect it (%o)",
    async (error) => {
      const channel = await startSilent({ plugin: { retry: { maxAttempts: 3, baseMs: 20, maxMs: 500 } } });
      const people = await crowd(channel, 3);
      channel.meta.faults.next({ do: { error }, times: 2 });

      const refused = await sendTo(channel, people[0]!);
      await channel.until(() => news(channel).length > 0, "the host to hear of the pause");
      const receipts = await Promise.all(people.slice(1).map((contact) => sendTo(channel, contact)));
      const done = await Promise.all([refused, ...receipts].map((receipt) => settled(channel, receipt)));
      await channel.until(() => news(channel).length > 1, "the host to hear that it goes on");

      expect(done.filter(({ parts }) => parts[0]!.state === "failed")).toEqual([]);
      expect(news(channel)).toEqual([
        { state: "connected", reason: expect.stringContaining("META_APP_SECRET") },
        { state: "connected", reason: null },
      ]);
    },
  );

  it("takes none of a message's own tries for the ones that find out", async () => {
    const channel = await startSilent({ plugin: { retry: { maxAttempts: 3, baseMs: 20, maxMs: 200 } } });
    const ada = await meet(channel, { name: "Ada", phoneNumber: "447700900123" });
    channel.meta.faults.next({ do: { error: { code: 368 } }, times: 4 });
    channel.meta.faults.next({ do: { error: { code: 131056 } }, times: 2 });

    const { sendId } = await sendTo(channel, ada);
    const receipt = await channel.until(async () => {
      await channel.rows("update whatsapp_lanes set ready_at = now() where stage = 'out' and lease_token is null");
      const now = await channel.plugin.receipt(sendId, TENANT);
      return now?.parts[0]?.messageId != null && now;
    }, "the message to leave");

    expect(receipt.parts).toMatchObject([{ messageId: expect.any(String), error: null }]);
    expect(calls(channel)).toBe(4 + 2 + 1);
  });

  it("is none whose account lacks a payment method: what needs one fails, and answers leave all the same", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada", phoneNumber: "447700900123" });
    channel.meta.faults.next({ do: { error: { code: 131042 } } });

    const unpaid = await settled(channel, await sendTo(channel, ada));
    const free = await settled(channel, await sendTo(channel, ada));

    expect(unpaid.parts).toMatchObject([{ state: "failed", error: { meta: { code: 131042 } } }]);
    expect(free.parts).toMatchObject([{ messageId: expect.any(String), error: null }]);
    expect(calls(channel)).toBe(2);
    expect(news(channel)).toEqual([]);
  });

  it("is found out about by one instance at a time", async () => {
    const channel = await startSilent();
    const [{ id: connectionId }] = (await channel.rows("select id from whatsapp_connections")) as [{ id: string }];
    const stores = [1, 2, 3].map(() =>
      createStore(channel.database.connect(), {
        schema: "public",
        hostSchema: "public",
        leaseMs: 2_000,
        coalesceMs: 0,
        hasListener: true,
        advance,
        isPending,
      }),
    );
    const each = <T>(ask: (connections: Connections) => Promise<T>) =>
      Promise.all(stores.flatMap(({ connections }) => [ask(connections), ask(connections)]));
    const ofSix = (results: readonly boolean[]) => results.filter(Boolean).length;

    const paused = await each((one) => one.pause({ connectionId, strikes: 0, forMs: 60_000, reason: "blocked" }));
    const early = await each((one) => one.takeProbe({ connectionId, forMs: 60_000 }));
    await channel.rows("update whatsapp_connections set paused_until = now()");
    const due = await each((one) => one.takeProbe({ connectionId, forMs: 60_000 }));
    const resumed = await each((one) => one.resume(connectionId));

    expect([paused, early, due, resumed].map(ofSix)).toEqual([1, 0, 1, 1]);
  });

  it("is shown by the doctor", async () => {
    const channel = await startSilent();
    await channel.rows(
      "update whatsapp_connections set paused_until = now() + interval '1 hour', pause_strikes = 1, reason = 'Blocked.'",
    );

    const diagnosis = await channel.plugin.doctor({ customerConfigId: TENANT });

    expect(JSON.stringify(diagnosis)).toContain("connected, but paused. Blocked.");
  });
});

describe("a number whose sends all fail at Meta", () => {
  it("is paused after ten in a row, fails nothing by it, and goes on with the first that is accepted", async () => {
    const channel = await startSilent({ plugin: { retry: { maxAttempts: 8, baseMs: 60, maxMs: 2_000 } } });
    const people = await crowd(channel, 12);
    channel.meta.faults.next({ do: { error: { code: 131016 } }, times: 12 });

    const receipts = await Promise.all(people.map((contact) => sendTo(channel, contact)));
    const done = await Promise.all(receipts.map((receipt) => settled(channel, receipt)));

    expect(done.filter(({ parts }) => parts[0]!.state === "failed")).toEqual([]);
    await channel.until(() => news(channel).length > 1, "the host to hear that it goes on");
    expect(news(channel)[0]!.reason).toContain("at the moment");
    expect(calls(channel)).toBe(people.length + 12);
  });
});
