/** The 24-hour window between queueing and leaving: checked again when a message is about to go. */
import { describe, expect, it } from "vitest";
import { hasOneConnection, quiet } from "../../support/channel.ts";
import { hold, waiters } from "../engine/support.ts";
import { attemptsOf, closeWindow, inState, keepBack, meet, startSilent, texts, threeParts } from "./outbound.ts";

describe("what to do when the window is closed", () => {
  it.each([["now"], [""], [null], [7], [[]]])(
    "is asked for in words that mean something: %j does not",
    async (wish) => {
      const channel = await startSilent();
      const ada = await meet(channel, { name: "Ada" });

      await expect(
        channel.plugin.send({ conversationId: ada.conversationId, response: "hi", onWindowClosed: wish as "fail" }),
      ).rejects.toMatchObject({ code: "REQUEST_INVALID", message: expect.stringMatching(/^onWindowClosed/) });
      expect(await channel.rows("select 1 from whatsapp_sends")).toEqual([]);
    },
  );
});

describe("a window that closes while a message waits", () => {
  it("lets the message expire, and what follows in the same answer with it", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    const letGo = await keepBack(channel, ada);
    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: threeParts() });
    await closeWindow(channel, ada);

    await letGo();
    const done = await inState(channel, receipt, "expired", "failed", "failed");
    await quiet(channel);

    expect(done.parts[0]!.error).toMatchObject({ code: "WINDOW_CLOSED", meta: null });
    expect(done.parts[1]!.error).toMatchObject({ code: "PART_BEFORE_FAILED" });
    expect(texts(channel)).toEqual([]);
    expect(await attemptsOf(channel, receipt)).toEqual([]);
  });

  it("holds the message when asked to, and sends it, in order, when the person writes again", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    await closeWindow(channel, ada);
    const hold = { conversationId: ada.conversationId, onWindowClosed: "hold" } as const;

    const first = await channel.plugin.send({ ...hold, response: "one" });
    const second = await channel.plugin.send({ ...hold, response: "two" });
    await inState(channel, first, "held");
    expect((await channel.plugin.metrics()).database.parts.held).toBeGreaterThan(0);
    expect(texts(channel)).toEqual([]);
    ada.person.says("I am back");

    await inState(channel, first, "read");
    await inState(channel, second, "read");
    expect(texts(channel)).toEqual(["one", "two"]);
  });

  it.skipIf(hasOneConnection)("does not hold what was found too late while the person was writing", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    await closeWindow(channel, ada);
    const letGo = await keepBack(channel, ada);
    const { conversationId } = ada;
    const receipt = await channel.plugin.send({ conversationId, onWindowClosed: "hold", response: "one" });
    const somebody = await hold(channel.database);
    await somebody.query("select 1 from whatsapp_outbox for update");
    await letGo();
    await waiters(channel.rows);

    const wamid = ada.person.says("I am back");
    await channel.until(
      async () =>
        (await channel.rows("select 1 from whatsapp_events where external_id = ? and state = 1", [wamid])).length > 0,
      "the message to be applied",
    );
    await somebody.rollback();

    await inState(channel, receipt, "read");
  });

  it("does not call a message expired that may have left before", async () => {
    const channel = await startSilent({ config: { reconcileMs: 300 } });
    const ada = await meet(channel, { name: "Ada" });
    const bob = await meet(channel, { name: "Bob" });
    channel.meta.faults.webhooks({ dropStatusesRate: 1 });
    channel.meta.faults.next({ do: "accept-then-reset" });

    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
    await channel.until(async () => (await attemptsOf(channel, receipt))[0]?.state === "ambiguous", "the reset");
    await closeWindow(channel, ada);
    bob.person.says("the webhooks are alive");

    const done = await inState(channel, receipt, "unknown");
    expect(done.parts[0]!.error).toMatchObject({ code: "WINDOW_CLOSED" });
    expect(texts(channel)).toEqual(["one"]);
  });
});
