/** Order per recipient, kept through throttling, while everybody else goes on. */
import { describe, expect, it } from "vitest";
import { attemptsOf, inState, meet, settled, startSilent, texts, threeParts } from "./outbound.ts";

const PATIENT = {
  metaLimits: { pair: { intervalMs: 120, burst: 45 } },
  retry: { maxAttempts: 8, baseMs: 20, maxMs: 5_000 },
};

describe("messages to one person", () => {
  it("leave in the order they were sent, parts and sends alike", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });

    const receipts = [
      await channel.plugin.send({ conversationId: ada.conversationId, response: threeParts() }),
      await channel.plugin.send({ conversationId: ada.conversationId, response: "fourth" }),
      await channel.plugin.send({ conversationId: ada.conversationId, response: "fifth" }),
    ];
    for (const receipt of receipts) await settled(channel, receipt);

    expect(texts(channel).map((text) => text.slice(0, 6))).toEqual(["AAAAAA", "BBBBBB", "CCCCCC", "fourth", "fifth"]);
    expect(receipts[0]!.parts.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(receipts[0]!.degraded).toContainEqual(expect.objectContaining({ to: "3 messages" }));
  });

  it("keep that order when the first is throttled, while others are not held up", async () => {
    const channel = await startSilent({ plugin: { retry: { maxAttempts: 8, baseMs: 1_000, maxMs: 5_000 } } });
    const ada = await meet(channel, { name: "Ada", phoneNumber: "447700900001" });
    const bob = await meet(channel, { name: "Bob", phoneNumber: "447700900002" });
    channel.meta.faults.next({ do: { error: { code: 130429 } }, to: "447700900001", times: 2 });

    const slow = await channel.plugin.send({ conversationId: ada.conversationId, response: threeParts() });
    const after = await channel.plugin.send({ conversationId: ada.conversationId, response: "fourth" });
    const quick = await channel.plugin.send({ conversationId: bob.conversationId, response: "to Bob" });
    await settled(channel, quick);

    expect(texts(channel, ada)).toEqual([]);
    await settled(channel, slow);
    await settled(channel, after);
    expect(texts(channel, ada).map((text) => text.slice(0, 6))).toEqual(["AAAAAA", "BBBBBB", "CCCCCC", "fourth"]);
    expect((await attemptsOf(channel, slow)).map(({ state }) => state)).toEqual([
      "rejected",
      "rejected",
      "accepted",
      "accepted",
      "accepted",
    ]);
  });

  it("wait 4^n when Meta says that this pair has had too much, and nobody else waits", async () => {
    const channel = await startSilent({ plugin: PATIENT });
    const ada = await meet(channel, { name: "Ada", phoneNumber: "447700900001" });
    const bob = await meet(channel, { name: "Bob", phoneNumber: "447700900002" });
    channel.meta.faults.next({ do: { error: { code: 131056 } }, to: "447700900001", times: 3 });

    const slow = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
    const after = await channel.plugin.send({ conversationId: ada.conversationId, response: "two" });
    const quick = await channel.plugin.send({ conversationId: bob.conversationId, response: "to Bob" });
    await settled(channel, quick);
    expect(texts(channel)).toEqual(["to Bob"]);
    await settled(channel, slow);
    await settled(channel, after);

    expect(texts(channel, ada)).toEqual(["one", "two"]);
    const starts = (await attemptsOf(channel, slow)).map(({ started_at }) => started_at.getTime());
    const waits = starts.slice(1).map((start, i) => start - starts[i]!);
    // With 20 ms for Meta's second: 6 s at least, then 16 s, then 64 s.
    for (const [i, least] of [120, 320, 1_280].entries()) {
      expect(waits[i]).toBeGreaterThanOrEqual(least);
      expect(waits[i]).toBeLessThan(least + 3_000);
    }
  });

  it("wait as long as the number's throttle lasts, whatever base the retries have", async () => {
    // No whole number: the database counts in whole milliseconds.
    const channel = await startSilent({ plugin: { metaLimits: { pair: { intervalMs: 210.1, burst: 45 } } } });
    const ada = await meet(channel, { name: "Ada" });
    channel.meta.faults.next({ do: { error: { code: 131056 } } });

    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });

    await inState(channel, receipt, "read");
    expect((await attemptsOf(channel, receipt)).map(({ state }) => state)).toEqual(["rejected", "accepted"]);
  });
});
