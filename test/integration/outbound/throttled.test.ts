/** F8 and F7: what Meta refuses for a while was not accepted: it goes again, in its place, once; and nobody else waits. */
import type { FaultKind } from "@omniops/whatsapp/simulator";
import { describe, expect, it } from "vitest";
import { attemptsOf, inState, meet, settled, startSilent, texts } from "./outbound.ts";

const ADA = { name: "Ada", phoneNumber: "447700900001" };
const BOB = { name: "Bob", phoneNumber: "447700900002" };
/** Limits of a whole account or app: `throughput.test.ts`. */
const TWICE: readonly (readonly [string, FaultKind, leastMs: number])[] = [
  ["the number's throughput (130429)", { error: { code: 130429 } }, 0],
  ["the number's throughput, as HTTP 429", { error: { code: 130429, httpStatus: 429 } }, 0],
  // Six of Meta's seconds, which are 20 ms here.
  ["the pair limit (131056)", { error: { code: 131056 } }, 120],
  ["a service that is away, as HTTP 503 with an error of Graph's", { error: { code: 131016, httpStatus: 503 } }, 0],
  ["an error of Meta's that will pass, as HTTP 500", { error: { code: 2, httpStatus: 500 } }, 0],
];

describe("a message that is throttled by", () => {
  it.each(TWICE)(
    "%s goes again once, before what was sent after it, while others go on",
    async (_by, fault, leastMs) => {
      const channel = await startSilent({ plugin: { retry: { maxAttempts: 8, baseMs: 20, maxMs: 100_000 } } });
      const ada = await meet(channel, ADA);
      const bob = await meet(channel, BOB);
      channel.meta.faults.next({ do: fault, to: ADA.phoneNumber });

      const first = await channel.plugin.send({ conversationId: ada.conversationId, response: "first" });
      const second = await channel.plugin.send({ conversationId: ada.conversationId, response: "second" });
      await settled(channel, await channel.plugin.send({ conversationId: bob.conversationId, response: "to Bob" }));
      await inState(channel, first, "read");
      await inState(channel, second, "read");

      expect(texts(channel, ada)).toEqual(["first", "second"]);
      const attempts = await attemptsOf(channel, first);
      expect(attempts.map(({ state }) => state)).toEqual(["rejected", "accepted"]);
      expect(Number(attempts[1]?.started_at) - Number(attempts[0]?.started_at)).toBeGreaterThanOrEqual(leastMs);
    },
  );
});

describe("an error of Graph's that will not pass", () => {
  it("ends the message, whatever HTTP status it comes with", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, ADA);
    channel.meta.faults.next({ do: { error: { code: 131026, httpStatus: 500 } }, to: ADA.phoneNumber });

    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
    const done = await inState(channel, receipt, "failed");

    expect(done.parts[0]!.error).toMatchObject({ code: "GRAPH_REJECTED", meta: { code: 131026 } });
    expect((await attemptsOf(channel, receipt)).map(({ state }) => state)).toEqual(["rejected"]);
  });
});
