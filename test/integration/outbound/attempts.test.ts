/** What is written down before a socket opens, what travels with a message, and whom it is addressed to. */
import { describe, expect, it } from "vitest";
import { quiet } from "../../support/channel.ts";
import { type Attempt, attemptsOf, inState, meet, settled, startSilent } from "./outbound.ts";

describe("an attempt", () => {
  it("is committed before Graph hears of it, and settled with the answer", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    const observer = channel.database.connect({ min: 1, max: 1 });
    // Connected beforehand: a status could be faster than a first connection.
    await observer.raw("select 1");
    channel.meta.faults.next({ do: "slow", ms: 400 });
    let seen: Promise<{ rows: Attempt[] }> | undefined;
    channel.meta.onAccepted(({ callbackData }) => {
      seen ??= observer.raw(
        `select a.token, a.state, o.state as part from whatsapp_send_attempts a join whatsapp_outbox o on o.id = a.outbox_id
         where a.token = ?`,
        [callbackData ?? ""],
      );
    });

    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "hi" });
    const message = await channel.meta.waitFor(() => channel.meta.accepted[0]);

    expect((await seen)?.rows).toEqual([{ token: message!.callbackData, state: "intent", part: "sending" }]);
    await settled(channel, receipt);
    await quiet(channel);
    expect(await attemptsOf(channel, receipt)).toEqual([
      expect.objectContaining({ state: "accepted", message_id: message!.wamid }),
    ]);
  });

  it("carries a token that is random, used once and holds no id of ours", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });

    for (let i = 0; i < 20; i += 1)
      await channel.plugin.send({ conversationId: ada.conversationId, response: `message ${i}` });
    await channel.meta.waitFor(() => channel.meta.accepted.length === 20, 10_000);

    const tokens = channel.meta.accepted.map(({ callbackData }) => callbackData ?? "");
    expect(new Set(tokens).size).toBe(20);
    for (const token of tokens) {
      expect(token).toMatch(/^[A-Za-z0-9_-]{24}$/);
      const shown = `${token} ${Buffer.from(token, "base64url").toString("latin1")}`;
      for (const id of [ada.conversationId, ada.person.phoneNumber!, ada.person.userId!])
        expect(shown).not.toContain(id);
    }
    // 18 random bytes do not share a beginning.
    expect(new Set(tokens.map((token) => token.slice(0, 4))).size).toBeGreaterThan(15);
  });
});

describe("the recipient", () => {
  it("is the phone number with a plus, when it is known", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada", phoneNumber: "447700900123", userId: "GB.both1" });

    await settled(channel, await channel.plugin.send({ conversationId: ada.conversationId, response: "hi" }));

    const { body } = channel.meta.accepted[0]!;
    expect(body).toMatchObject({ messaging_product: "whatsapp", recipient_type: "individual", to: "+447700900123" });
    expect(body).not.toHaveProperty("recipient");
  });

  it("is the user id, for a person whose number Meta withholds", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada", userId: "GB.onlyUserId1", username: "ada" });

    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "hi" });
    await inState(channel, receipt, "read");

    expect(channel.meta.accepted[0]!.body).toMatchObject({ recipient: "GB.onlyUserId1" });
    expect(channel.meta.accepted[0]!.body).not.toHaveProperty("to");
  });
});
