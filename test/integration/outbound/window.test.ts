/** The 24-hour window between queueing and leaving: checked again when a message is about to go. */
import { describe, expect, it } from "vitest";
import { hasOneConnection, NUMBER, quiet } from "../../support/channel.ts";
import { hold, waiters } from "../engine/support.ts";
import {
  attemptsOf,
  closeWindow,
  inState,
  keepBack,
  linkBoth,
  meet,
  meetTwice,
  startSilent,
  texts,
  threeParts,
} from "./outbound.ts";

const HELLO = { name: "hello_again", language: "en_GB" };

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

  it("lets a template pass what is held, at once and in order, and nothing else", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    await closeWindow(channel, ada);
    const { conversationId } = ada;
    const held = await channel.plugin.send({ conversationId, onWindowClosed: "hold", response: "one" });
    await inState(channel, held, "held");
    const behind = await channel.plugin.send({ conversationId, onWindowClosed: "hold", response: "two" });

    const began = performance.now();
    const first = await channel.plugin.send({ conversationId, template: HELLO });
    const second = await channel.plugin.send({ conversationId, template: HELLO });
    await inState(channel, first, "read");
    await inState(channel, second, "read");
    expect(performance.now() - began).toBeLessThan(15_000);
    expect(await attemptsOf(channel, held)).toEqual([]);
    expect(await attemptsOf(channel, behind)).toEqual([]);
    expect(texts(channel)).toEqual([expect.stringMatching(/^Hello again/), expect.stringMatching(/^Hello again/)]);

    ada.person.says("I am back");
    await inState(channel, held, "read");
    await inState(channel, behind, "read");
    expect(texts(channel).slice(2)).toEqual(["one", "two"]);
  });

  it("lets a template pass that was queued behind what is then found too late", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    await closeWindow(channel, ada);
    const { conversationId } = ada;
    await keepBack(channel, ada);

    const held = await channel.plugin.send({ conversationId, onWindowClosed: "hold", response: "one" });
    const template = await channel.plugin.send({ conversationId, template: HELLO });

    await inState(channel, template, "read");
    await inState(channel, held, "held");
  });

  it("keeps what is held waiting where a template that passes it is refused for a while", async () => {
    const channel = await startSilent({ plugin: { retry: { maxAttempts: 8, baseMs: 300, maxMs: 5_000 } } });
    const ada = await meet(channel, { name: "Ada" });
    await closeWindow(channel, ada);
    const { conversationId } = ada;
    const held = await channel.plugin.send({ conversationId, onWindowClosed: "hold", response: "one" });
    await inState(channel, held, "held");
    channel.meta.faults.next({ do: { error: { code: 130429 } } });

    const template = await channel.plugin.send({ conversationId, template: HELLO });

    await inState(channel, template, "read");
    expect((await attemptsOf(channel, template)).map(({ state }) => state)).toEqual(["rejected", "accepted"]);
    await inState(channel, held, "held");
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

describe("the window of somebody", () => {
  it("who turns out to be two contacts is one: what was held for either leaves, and both conversations may be used", async () => {
    const channel = await startSilent();
    const both = await meetTwice(channel);
    for (const contact of both) await closeWindow(channel, contact);
    const held = await Promise.all(
      both.map(({ conversationId }) =>
        channel.plugin.send({ conversationId, onWindowClosed: "hold", response: `held in ${conversationId}` }),
      ),
    );
    for (const receipt of held) await inState(channel, receipt, "held");

    await linkBoth(channel);

    for (const receipt of held) await inState(channel, receipt, "read");
    for (const { conversationId } of both) {
      expect(await channel.plugin.sessionStatus(conversationId)).toMatchObject({ state: "open", canSend: true });
      await inState(channel, await channel.plugin.send({ conversationId, response: "an answer" }), "read");
    }
  });

  it("who turns out to be two contacts is closed for both when Meta says so", async () => {
    const channel = await startSilent();
    const both = await meetTwice(channel);
    await linkBoth(channel);
    await quiet(channel);
    channel.meta.faults.next({ do: { error: { code: 131047 } } });

    await inState(
      channel,
      await channel.plugin.send({ conversationId: both[1].conversationId, response: "one" }),
      "failed",
    );

    for (const { conversationId } of both)
      expect(await channel.plugin.sessionStatus(conversationId)).toMatchObject({ state: "closed" });
  });

  it("whose conversation the host has deleted opens for what was held in it, when they have another", async () => {
    const channel = await startSilent();
    const before = await meet(channel, { name: "Ada", phoneNumber: "447700900123" });
    await closeWindow(channel, before);
    const { conversationId } = before;
    const held = await channel.plugin.send({ conversationId, onWindowClosed: "hold", response: "held" });
    await inState(channel, held, "held");
    await channel.rows("delete from messages");
    await channel.rows("delete from conversations");

    const after = await meet(channel, { name: "Ada", phoneNumber: "447700900123" });
    expect(after.conversationId).not.toBe(conversationId);
    const answer = await channel.plugin.send({ conversationId: after.conversationId, response: "an answer" });

    await inState(channel, answer, "read");
    expect(texts(channel)).toEqual(["held", "an answer"]);
  });
});

describe("a window that Meta knows to be closed", () => {
  it.each([
    ["at once", { error: { code: 131047 } }],
    ["later", { failed: { code: 131047 } }],
  ] as const)("is closed here too, whether it says so %s, until the person writes again", async (_when, fault) => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    const { conversationId } = ada;
    channel.meta.faults.next({ do: fault });

    const receipt = await channel.plugin.send({ conversationId, response: "one" });
    const done = await inState(channel, receipt, "failed");

    expect(done.parts[0]!.error?.meta?.code).toBe(131047);
    expect(await channel.plugin.sessionStatus(conversationId)).toMatchObject({
      state: "closed",
      templateRequired: true,
    });
    await expect(channel.plugin.send({ conversationId, response: "two" })).rejects.toMatchObject({
      code: "WINDOW_CLOSED",
    });
    await meet(channel, { name: "Ada", phoneNumber: ada.person.phoneNumber! });
    expect(await channel.plugin.sessionStatus(conversationId)).toMatchObject({ state: "open" });
  });

  it("holds the message when asked to, posts it once only, and sends it when the person writes again", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    channel.meta.faults.next({ do: { error: { code: 131047 } } });

    const receipt = await channel.plugin.send({
      conversationId: ada.conversationId,
      onWindowClosed: "hold",
      response: "one",
    });
    await inState(channel, receipt, "held");
    await channel.rows("update whatsapp_lanes set ready_at = now() where stage = 'out'");
    await channel.until(
      async () =>
        (
          await channel.rows(
            "select 1 from whatsapp_lanes where stage = 'out' and ready_at > now() + interval '20 seconds'",
          )
        ).length > 0,
      "the lane to be looked at once more",
    );
    expect(await attemptsOf(channel, receipt)).toMatchObject([{ state: "rejected" }]);
    ada.person.says("I am back");

    await inState(channel, receipt, "read");
    expect(texts(channel)).toEqual(["one"]);
  });

  it("has nothing sent instead in a conversation that the host has deleted, and the part has failed", async () => {
    const channel = await startSilent({ meta: { statusDelayMs: 60_000 } });
    await channel.rows(
      "alter table messages add foreign key (conversation_id) references conversations (id) on delete cascade",
    );
    const ada = await meet(channel, { name: "Ada", phoneNumber: "447700900123" });
    const { conversationId } = ada;
    const onWindowClosed = { template: HELLO.name, language: HELLO.language };
    const receipt = await channel.plugin.send({ conversationId, onWindowClosed, response: "one" });
    await inState(channel, receipt, "accepted");
    await channel.rows("delete from conversations where id = ?", [conversationId]);

    channel.meta.deliver(failedLater(channel.meta.accepted[0]!.wamid));

    await inState(channel, receipt, "failed");
    await quiet(channel);
    expect(texts(channel)).toEqual(["one"]);
  });

  it("stays open when the person has written since the attempt began", async () => {
    const channel = await startSilent({ meta: { statusDelayMs: 60_000 } });
    const ada = await meet(channel, { name: "Ada", phoneNumber: "447700900123" });
    const { conversationId } = ada;

    const receipt = await channel.plugin.send({ conversationId, response: "one" });
    await inState(channel, receipt, "accepted");
    await meet(channel, { name: "Ada", phoneNumber: "447700900123" });
    channel.meta.deliver(failedLater(channel.meta.accepted[0]!.wamid));
    await inState(channel, receipt, "failed");

    expect(await channel.plugin.sessionStatus(conversationId)).toMatchObject({ state: "open" });
  });
});

function failedLater(wamid: string): Record<string, unknown> {
  const value = {
    messaging_product: "whatsapp",
    metadata: { display_phone_number: NUMBER.displayPhoneNumber, phone_number_id: NUMBER.phoneNumberId },
    statuses: [
      {
        id: wamid,
        status: "failed",
        timestamp: String(Math.floor(Date.now() / 1_000)),
        recipient_id: "447700900123",
        errors: [{ code: 131047, title: "Re-engagement message" }],
      },
    ],
  };
  return {
    object: "whatsapp_business_account",
    entry: [{ id: NUMBER.wabaId, changes: [{ field: "messages", value }] }],
  };
}

describe("an answer with a template for a closed window", () => {
  it("has its template sent past what is held", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    const { conversationId } = ada;
    const letGo = await keepBack(channel, ada);
    const held = await channel.plugin.send({ conversationId, onWindowClosed: "hold", response: "one" });
    const instead = await channel.plugin.send({
      conversationId,
      onWindowClosed: { template: "hello_again", language: "en_GB" },
      response: "two",
    });
    await closeWindow(channel, ada);

    await letGo();

    await inState(channel, instead, "read");
    await inState(channel, held, "held");
    ada.person.says("I am back");
    await inState(channel, held, "read");
    expect(texts(channel).at(-1)).toBe("one");
    expect(texts(channel)).toHaveLength(2);
  });
});
