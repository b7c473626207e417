/** Meta may say one refusal twice, in its answer and by a status: the second says nothing of what is made of the message since. */
import { describe, expect, it } from "vitest";
import { allQuiet, type TestChannel } from "../../support/channel.ts";
import { attemptsOf, inState, keepBack, meet, startSilent, tellStatus, texts } from "./outbound.ts";

const ADA = { name: "Ada", phoneNumber: "447700900123" };
const OR_HELLO = { onWindowClosed: { template: "hello_again", language: "en_GB" } } as const;
const SLOWLY = { plugin: { retry: { maxAttempts: 3, baseMs: 60_000, maxMs: 60_000 } } };

/** By a wamid that no answer has brought. */
async function sayAgain(channel: TestChannel, receipt: { sendId: string }, code: number): Promise<void> {
  const [first] = await attemptsOf(channel, receipt as never);
  await tellStatus(channel, { wamid: "wamid.of.the.refused", token: first!.token, status: "failed", code });
}

const told = (channel: TestChannel) =>
  channel.events.flatMap((event) => (event.kind === "status" ? [event.state] : []));

describe("a refusal that Meta says again by a status", () => {
  it("leaves what is held for the window, which leaves when the person writes", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, ADA);
    channel.meta.faults.next({ do: { error: { code: 131047 } } });
    const { conversationId } = ada;
    const receipt = await channel.plugin.send({ conversationId, onWindowClosed: "hold", response: "one" });
    await inState(channel, receipt, "held");

    await sayAgain(channel, receipt, 131047);

    expect((await inState(channel, receipt, "held")).parts[0]).toMatchObject({ messageId: null });
    expect(await attemptsOf(channel, receipt)).toMatchObject([{ state: "rejected", message_id: null }]);
    ada.person.says("I am back");
    await inState(channel, receipt, "read");
    expect(texts(channel)).toEqual(["one"]);
  });

  it("leaves what is tried again in its lane", async () => {
    const channel = await startSilent(SLOWLY);
    const ada = await meet(channel, ADA);
    channel.meta.faults.next({ do: { error: { code: 131016 } } });
    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
    await channel.until(
      async () => (await attemptsOf(channel, receipt))[0]?.state === "rejected",
      "the attempt to be refused",
    );

    await sayAgain(channel, receipt, 131016);

    await inState(channel, receipt, "queued");
    await (await keepBack(channel, ada))();
    await inState(channel, receipt, "read");
    await allQuiet(channel);
    expect(texts(channel)).toEqual(["one"]);
    expect(told(channel)).toEqual(["accepted", "sent", "delivered", "read"]);
  });

  it("says nothing of the template that went in its place", async () => {
    const channel = await startSilent({ meta: { statusDelayMs: 600_000 } });
    const ada = await meet(channel, ADA);
    channel.meta.faults.next({ do: { error: { code: 131047 } } });
    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, ...OR_HELLO, response: "one" });
    await inState(channel, receipt, "accepted");

    await sayAgain(channel, receipt, 131047);

    const [part] = (await inState(channel, receipt, "accepted")).parts;
    expect(part).toMatchObject({ kind: "template", error: null });
    expect(part).not.toHaveProperty("duplicateMessageId");
    expect(told(channel)).toEqual(["accepted"]);
    expect(channel.logs.filter(({ message }) => message.startsWith("sent twice"))).toEqual([]);
  });

  it("keeps no template from leaving that has not left yet", async () => {
    const channel = await startSilent(SLOWLY);
    const ada = await meet(channel, ADA);
    channel.meta.faults.next({ do: { error: { code: 131047 } } });
    // The template is refused for a while too, so that it is still here when the status comes.
    channel.meta.faults.next({ do: { error: { code: 131016 } } });
    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, ...OR_HELLO, response: "one" });
    await channel.until(
      async () => (await attemptsOf(channel, receipt)).filter(({ state }) => state === "rejected").length === 2,
      "the template to wait",
    );

    await sayAgain(channel, receipt, 131047);

    await inState(channel, receipt, "queued");
    await (await keepBack(channel, ada))();
    await inState(channel, receipt, "read");
    expect(texts(channel)).toEqual([expect.stringMatching(/^Hello again/)]);
  });
});

describe("an attempt that Meta has refused", () => {
  it("was taken after all where a status says that it was sent", async () => {
    const channel = await startSilent(SLOWLY);
    const ada = await meet(channel, ADA);
    channel.meta.faults.next({ do: { error: { code: 131016 } } });
    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
    const refused = await channel.until(
      async () => (await attemptsOf(channel, receipt)).find(({ state }) => state === "rejected"),
      "the attempt to be refused",
    );

    await tellStatus(channel, { wamid: "wamid.taken", token: refused.token, status: "sent" });
    expect((await inState(channel, receipt, "sent")).parts[0]).toMatchObject({ messageId: "wamid.taken" });

    await tellStatus(channel, { wamid: "wamid.taken", token: refused.token, status: "failed" });
    await inState(channel, receipt, "failed");
  });
});
