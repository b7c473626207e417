/** T64 to T67: the window to the second, one key for fifty at once, and what Meta's other apps can read. */
import { describe, expect, it } from "vitest";
import { quiet, TENANT } from "../../support/channel.ts";
import { attemptsOf, inState, keepBack, meet, settled, startSilent, texts } from "../outbound/outbound.ts";

describe("the edge of the window, by the database's clock", () => {
  const expiresIn =
    "update whatsapp_sessions set session_expires = now() + ? * interval '1 second' where conversation_id = ?";

  it.each([
    [60, true],
    [0, false],
    [-1, false],
  ])("when it ends in %i s a send is taken: %s", async (seconds, isTaken) => {
    const channel = await startSilent();
    const { conversationId } = await meet(channel, { name: "Ada" });
    await channel.rows(expiresIn, [seconds, conversationId]);

    const outcome = await channel.plugin.send({ conversationId, response: "hi" }).then(
      () => "taken",
      (error: { code: string }) => error.code,
    );

    expect(outcome).toBe(isTaken ? "taken" : "WINDOW_CLOSED");
  });

  it.each([
    ["1 second", true],
    ["1 microsecond", true],
    ["0 seconds", false],
    ["-1 second", false],
  ])("%s before its end it is open: %s, by the clock of one transaction", async (left, isOpen) => {
    const channel = await startSilent();
    const { conversationId } = await meet(channel, { name: "Ada" });

    // now() stands still within a transaction: no machine is too slow for a second.
    const open = await channel.database.knex.transaction(async (trx) => {
      await trx.raw("update whatsapp_sessions set session_expires = now() + ?::interval where conversation_id = ?", [
        left,
        conversationId,
      ]);
      // What a send asks when it is stored, and again when it leaves.
      return (await trx.raw("select is_whatsapp_session_active(?) as open", [conversationId])).rows;
    });

    expect(open).toEqual([{ open: isOpen }]);
  });

  it("is looked at again when the message leaves: one second too late is too late, one second early is not", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    const bob = await meet(channel, { name: "Bob" });
    const letGo = await Promise.all([ada, bob].map((one) => keepBack(channel, one)));
    const [late, early] = await Promise.all(
      [ada, bob].map(({ conversationId }) => channel.plugin.send({ conversationId, response: "hi" })),
    );
    await channel.rows(expiresIn, [-1, ada.conversationId]);
    await channel.rows(expiresIn, [30, bob.conversationId]);

    await Promise.all(letGo.map((go) => go()));

    await inState(channel, late!, "expired");
    await inState(channel, early!, "read");
    expect(texts(channel, ada)).toEqual([]);
  });
});

describe("fifty sends at once with the same key", () => {
  it("are one row and one call to Meta, and all are told of the same", async () => {
    const channel = await startSilent({ poolMax: 60 });
    const { conversationId } = await meet(channel, { name: "Ada" });
    const request = { conversationId, response: "hi", idempotencyKey: "the same" };

    const receipts = await Promise.all(Array.from({ length: 50 }, () => channel.plugin.send(request)));
    await inState(channel, receipts[0]!, "read");
    await quiet(channel);

    expect(new Set(receipts.map(({ sendId }) => sendId)).size).toBe(1);
    expect(await channel.rows("select count(*)::int as sends from whatsapp_sends")).toEqual([{ sends: 1 }]);
    expect(texts(channel)).toEqual(["hi"]);
    expect(Object.entries(channel.meta.requests).filter(([path]) => path.endsWith("/messages"))).toEqual([
      [expect.any(String), 1],
    ]);
    await expect(channel.plugin.send({ ...request, response: "ho" })).rejects.toMatchObject({
      code: "IDEMPOTENCY_CONFLICT",
    });
  });
});

describe("what every app that is subscribed to the account can read in a status", () => {
  it("is a random word, another one for each attempt, and says nothing of what is ours", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    const { conversationId, contactId } = ada;
    const sends = await Promise.all(
      ["one", "two", "three"].map((response) =>
        channel.plugin.send({ conversationId, response, idempotencyKey: `order ${response}` }),
      ),
    );
    for (const receipt of sends) await settled(channel, receipt);

    const words = channel.meta.accepted.map(({ callbackData }) => callbackData);
    const known = [TENANT, conversationId, contactId, ada.person.phoneNumber, ...sends.map(({ sendId }) => sendId)];
    expect(words).toHaveLength(3);
    expect(new Set(words).size).toBe(3);
    for (const word of words) {
      expect(word).toMatch(/^[\w-]{24}$/);
      for (const one of known) if ((one ?? "").length > 4) expect(word).not.toContain(one);
    }
    const attempts = (await Promise.all(sends.map((receipt) => attemptsOf(channel, receipt)))).flat();
    expect(attempts.map(({ token }) => token).sort()).toEqual([...words].sort());
  });
});
