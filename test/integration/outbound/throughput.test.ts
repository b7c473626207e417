/** The pace of numbers: counted for all instances, one number's trouble is its own. */
import { describe, expect, it } from "vitest";
import { ACCESS_TOKEN, NUMBER, TENANT, type TestChannel } from "../../support/channel.ts";
import { startEngine } from "../engine/support.ts";
import { attemptsOf, meet, settled, startSilent, texts } from "./outbound.ts";

/** One message in two hours: no machine is too slow to see it. */
const SLOW = 1 / 7_200;
const OTHER = {
  phoneNumberId: "301777000333555",
  wabaId: "201555000111222",
  displayPhoneNumber: "15557770155",
  verifiedName: "Same account",
};
const FOREIGN = {
  ...OTHER,
  phoneNumberId: "301777000333777",
  wabaId: "201555000111888",
  displayPhoneNumber: "15557770177",
};

async function threeNumbers() {
  const engine = await startEngine();
  for (const { phoneNumberId, wabaId, displayPhoneNumber } of [OTHER, FOREIGN])
    await engine.rows(
      `insert into whatsapp_connections (customer_config_id, phone_number_id, waba_id, display_phone_number) values (?, ?, ?, ?)`,
      [TENANT, phoneNumberId, wabaId, displayPhoneNumber],
    );
  const numbers = await engine.rows<{ id: string }>("select id from whatsapp_connections order by phone_number_id");
  const [own, sister, foreign] = numbers.map(({ id }) => id) as [string, string, string];
  return { ...engine, own, sister, foreign };
}

const wish = (connectionId: string, wanted: number, perSecond = SLOW) => ({
  connectionId,
  perSecond,
  wanted,
  atMost: wanted,
});

describe("the pace of a number", () => {
  it("is one for all instances, and whoever gets nothing gets a place in one queue", async () => {
    const { store, another, own } = await threeNumbers();

    const [first] = await store.pace.take([wish(own, 3)]);
    const [second] = await another().pace.take([wish(own, 2)]);

    const every = 7_200_000 / 0.9;
    expect(first).toMatchObject({ granted: 1, waitMs: 300_000 });
    expect(first!.everyMs).toBeCloseTo(every, -2);
    expect(second).toMatchObject({ granted: 0, waitMs: 300_000 });
  });

  it("grants no more in a second than Meta allows, whoever asks and however often", async () => {
    const { store, another, own, rows } = await threeNumbers();
    const stores = [store, another(), another()];

    const started = performance.now();
    let granted = 0;
    for (let round = 0; round < 30; round++)
      for (const [taken] of await Promise.all(stores.map(({ pace }) => pace.take([wish(own, 7, 80)]))))
        granted += taken!.granted;
    const seconds = (performance.now() - started) / 1_000;

    expect(granted).toBeGreaterThanOrEqual(8);
    expect(granted).toBeLessThanOrEqual(80 * 0.1 + 1 + 80 * 0.9 * seconds + 1);
    // Places in the queue are a number's pace apart, over all of them.
    const [{ ahead }] = (await rows(
      "select extract(epoch from queued_until - used_until)::float8 as ahead from whatsapp_paces",
    )) as [{ ahead: number }];
    expect(ahead).toBeGreaterThan((30 * 3 * 7 - granted) / 72 - seconds - 1);
  });

  it("is halved once when Meta says that it was too fast, and that of others is not", async () => {
    const { store, own, sister } = await threeNumbers();
    await store.pace.take([wish(own, 1), wish(sister, 1)]);

    await Promise.all([1, 2, 3].map(() => store.pace.slowDown(own)));
    const [slow, usual] = await store.pace.take([wish(own, 1), wish(sister, 1)]);

    expect(slow!.everyMs / usual!.everyMs).toBeGreaterThan(1.5);
    expect(slow!.everyMs / usual!.everyMs).toBeLessThanOrEqual(2.01);
  });

  it.each([
    ["number", [false, true, true]],
    ["account", [false, false, true]],
    ["app", [false, false, false]],
  ] as const)("is nothing while the %s is paused", async (scope, free) => {
    const { store, own, sister, foreign } = await threeNumbers();

    await store.pace.pause({ connectionId: own, scope, forMs: 60_000 });
    const taken = await store.pace.take([own, sister, foreign].map((id) => wish(id, 1, 80)));

    expect(taken.map(({ granted }) => granted === 1)).toEqual(free);
    expect(taken[0]!.waitMs).toBeGreaterThan(30_000);
  });
});

/** Two numbers of one account. */
async function startTwo(messagesPerSecond: { standard?: number; high?: number }): Promise<TestChannel> {
  const channel = await startSilent({
    plugin: { metaLimits: { messagesPerSecond }, retry: { maxAttempts: 5, baseMs: 20, maxMs: 200 } },
    meta: { numbers: [NUMBER, OTHER] },
  });
  await channel.plugin.connect({ customerConfigId: TENANT, accessToken: ACCESS_TOKEN, ...OTHER });
  return channel;
}

const send = (channel: TestChannel, { conversationId }: { conversationId: string }, response: string) =>
  channel.plugin.send({ conversationId, response });

describe("a number that has sent as much as it may", () => {
  it("makes its own people wait, without an attempt, and nobody else's", async () => {
    const channel = await startTwo({ standard: SLOW, high: 1_000 });
    await channel.rows("update whatsapp_connections set throughput_level = 'HIGH' where phone_number_id = ?", [
      OTHER.phoneNumberId,
    ]);
    const ada = await meet(channel, { name: "Ada", phoneNumber: "447700900001" });
    const bob = await meet(channel, { name: "Bob", phoneNumber: "447700900002" });
    const eve = await meet(channel, { name: "Eve", phoneNumber: "447700900003" }, { to: OTHER.phoneNumberId });

    await settled(channel, await send(channel, ada, "one"));
    const waiting = await send(channel, bob, "two");
    await settled(channel, await send(channel, eve, "three"));
    await channel.until(
      async () =>
        (
          await channel.rows(
            "select 1 from whatsapp_lanes where lane_key = ? and lease_token is null and ready_at > now() + interval '1 minute'",
            [`out:contact:${bob.contactId}`],
          )
        )[0],
      "Bob's lane to have its place",
    );

    expect(texts(channel).sort()).toEqual(["one", "three"]);
    expect(await attemptsOf(channel, waiting)).toEqual([]);
  });

  it("goes on as soon as it may, without waiting for a poll", async () => {
    const channel = await startSilent({
      plugin: { metaLimits: { messagesPerSecond: { standard: 2 } }, pollMs: 600_000 },
      meta: { statusDelayMs: 60_000 },
    });
    const people = [];
    for (let i = 0; i < 4; i++) people.push(await meet(channel, { name: `P${i}`, phoneNumber: `4477009000${10 + i}` }));

    const receipts = await Promise.all(people.map((one, i) => send(channel, one, `to ${i}`)));
    for (const receipt of receipts) await settled(channel, receipt);

    expect(texts(channel)).toHaveLength(4);
  });

  it("is slowed down by 130429 and paused by 80007, and the messages leave all the same", async () => {
    const channel = await startTwo({});
    const ada = await meet(channel, { name: "Ada", phoneNumber: "447700900001" });
    channel.meta.faults.next({ do: { error: { code: 130429 } } });
    await settled(channel, await send(channel, ada, "one"));
    expect(await channel.rows("select share from whatsapp_paces where share < 1")).toHaveLength(1);

    channel.meta.faults.next({ do: { error: { code: 80007 } } });
    await send(channel, ada, "two");
    await channel.until(
      async () => (await channel.rows("select 1 from whatsapp_paces where paused_until > now()")).length === 2,
      "both numbers of the account to be paused",
    );
    expect(texts(channel)).toEqual(["one"]);
  });

  it("rests for an hour after 131048, whoever is written to, and the account's other number does not", async () => {
    const channel = await startTwo({});
    const ada = await meet(channel, { name: "Ada", phoneNumber: "447700900001" });
    const bob = await meet(channel, { name: "Bob", phoneNumber: "447700900002" });
    channel.meta.faults.next({ do: { error: { code: 131048 } } });

    await send(channel, ada, "one");
    const resting = () =>
      channel.rows("select 1 from whatsapp_paces where paused_until > now() + interval '59 minutes'");
    await channel.until(async () => (await resting()).length > 0, "the number to rest");
    await send(channel, bob, "two");
    await channel.until(
      async () => (await channel.rows("select 1 from whatsapp_paces where queued_until > now()")).length > 0,
      "the second message to wait for its turn",
    );

    expect(await resting()).toHaveLength(1);
    expect(texts(channel)).toEqual([]);
    expect(await channel.rows("select state from whatsapp_send_attempts")).toEqual([{ state: "rejected" }]);
  });
});

describe("how fast a number may send", () => {
  it("is what Meta says when it is connected, and is asked again after a day", async () => {
    const channel = await startSilent();
    const level = async () =>
      (await channel.rows<{ throughput_level: string }>("select throughput_level from whatsapp_connections"))[0]!
        .throughput_level;
    expect(await level()).toBe("STANDARD");

    await channel.rows(
      "update whatsapp_connections set throughput_level = null, throughput_read_at = now() - interval '25 hours'",
    );

    await channel.until(async () => (await level()) === "STANDARD", "the upkeep to ask again");
  });
});
