/** What Meta allows one person to get: we wait before it says so, and only for that person. */
import { describe, expect, it } from "vitest";
import { META_LIMITS } from "../../../plugin/pipeline/meta-limits.ts";
import { NUMBER, type TestChannel } from "../../support/channel.ts";
import { type Contact, inState, keepBack, meet, settled, startSilent, texts } from "./outbound.ts";

const MINUTE = 60_000;
/** So long an interval that no machine is too slow to see the limit. */
const startSlow = () => startSilent({ plugin: { metaLimits: { pair: { intervalMs: MINUTE, burst: 5 } } } });

/** As if so much time had passed since the last message. */
async function pass(channel: TestChannel, { contactId }: Contact, ms: number): Promise<void> {
  await channel.until(
    async () =>
      (
        await channel.rows(
          `update whatsapp_lanes set paced_until = paced_until - ? * interval '1 millisecond',
             ready_at = case when pending > 0 then now() end
           where lane_key = ? and lease_token is null returning 1`,
          [ms, `out:contact:${contactId}`],
        )
      )[0],
    "the lane to be nobody's",
  );
}

async function sayAll(channel: TestChannel, to: Contact, wished: readonly string[]) {
  const letGo = await keepBack(channel, to);
  for (const response of wished) await channel.plugin.send({ conversationId: to.conversationId, response });
  await letGo();
}

/** What is in nobody's hands: a lane that waits is not leased. */
const waits = (channel: TestChannel, { contactId }: Contact) =>
  channel.until(
    async () =>
      (
        await channel.rows(
          "select 1 from whatsapp_lanes where lane_key = ? and lease_token is null and ready_at > now() + interval '30 seconds'",
          [`out:contact:${contactId}`],
        )
      )[0],
    "the lane to wait for the limit",
  );

describe("the pair limit", () => {
  it("is Meta's: a burst of 45, then one message in 6 seconds", () => {
    expect(META_LIMITS.pair).toEqual({ intervalMs: 6_000, burst: 45 });
  });

  it("lets a burst go at once and the rest one by one, in order, while others are not held up", async () => {
    const channel = await startSlow();
    const ada = await meet(channel, { name: "Ada", phoneNumber: "447700900001" });
    const bob = await meet(channel, { name: "Bob", phoneNumber: "447700900002" });
    const wished = Array.from({ length: 8 }, (_, i) => `message ${i}`);

    await sayAll(channel, ada, wished);
    await waits(channel, ada);
    expect(texts(channel, ada)).toEqual(wished.slice(0, 5));
    await settled(channel, await channel.plugin.send({ conversationId: bob.conversationId, response: "to Bob" }));

    for (const count of [6, 7, 8]) {
      await pass(channel, ada, MINUTE);
      await channel.until(() => texts(channel, ada).length === count, `message ${count}`);
      if (count < 8) await waits(channel, ada);
    }
    expect(texts(channel, ada)).toEqual(wished);
  });

  it("fills up again with time, to no more than a burst", async () => {
    const channel = await startSlow();
    const ada = await meet(channel, { name: "Ada", phoneNumber: "447700900001" });
    await sayAll(channel, ada, ["a", "b", "c"]);
    await channel.until(() => texts(channel, ada).length === 3, "all of them");

    await pass(channel, ada, 60 * MINUTE);
    await sayAll(channel, ada, ["1", "2", "3", "4", "5", "6", "7"]);
    await waits(channel, ada);

    expect(texts(channel, ada)).toEqual(["a", "b", "c", "1", "2", "3", "4", "5"]);
  });

  it("is used up when a status says so (131056), whatever was counted here, and nobody else waits", async () => {
    const channel = await startSilent({
      plugin: { metaLimits: { pair: { intervalMs: MINUTE, burst: 5 } } },
      meta: { statusDelayMs: { sent: 1, delivered: 60_000, read: 60_000 } },
    });
    const ada = await meet(channel, { name: "Ada", phoneNumber: "447700900001" });
    const bob = await meet(channel, { name: "Bob", phoneNumber: "447700900002" });
    const first = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
    await inState(channel, first, "sent");

    channel.meta.deliver(tooMuch(channel.meta.accepted[0]!.wamid));
    await inState(channel, first, "failed");
    await channel.plugin.send({ conversationId: ada.conversationId, response: "two" });
    await waits(channel, ada);
    await settled(channel, await channel.plugin.send({ conversationId: bob.conversationId, response: "to Bob" }));

    expect(texts(channel, ada)).toEqual(["one"]);
    await pass(channel, ada, 2 * MINUTE);
    await channel.until(() => texts(channel, ada).length === 2, "it to leave when its time has come");
  });
});

function tooMuch(wamid: string): Record<string, unknown> {
  const status = {
    id: wamid,
    status: "failed",
    timestamp: String(Math.floor(Date.now() / 1_000)),
    recipient_id: "447700900001",
    errors: [{ code: 131056, title: "Too many messages", message: "Too many messages" }],
  };
  const metadata = { display_phone_number: NUMBER.displayPhoneNumber, phone_number_id: NUMBER.phoneNumberId };
  const value = { messaging_product: "whatsapp", metadata, statuses: [status] };
  return {
    object: "whatsapp_business_account",
    entry: [{ id: NUMBER.wabaId, changes: [{ field: "messages", value }] }],
  };
}
