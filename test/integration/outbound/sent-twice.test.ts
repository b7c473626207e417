/** A resend that turns out to have been one too many: both copies are known, counted and told, and nothing goes back. */
import type { SendRequest } from "@omniops/whatsapp";
import type { AcceptedMessage } from "@omniops/whatsapp/simulator";
import { describe, expect, it } from "vitest";
import { allQuiet, quiet, type TestChannel } from "../../support/channel.ts";
import { attemptsOf, type Contact, chatter, inState, meet, startSilent, tellStatus } from "./outbound.ts";

const ADA = { name: "Ada", phoneNumber: "447700900123" };
/** Statuses come when the test says so. */
const BY_HAND = { config: { reconcileMs: 200 }, meta: { statusDelayMs: 600_000 } };

/** Meta tells what became of a copy; without its token where Meta leaves that out. */
async function tell(channel: TestChannel, copy: AcceptedMessage, status: string, { token = true } = {}): Promise<void> {
  await tellStatus(channel, { wamid: copy.wamid, status, ...(token && { token: copy.callbackData }) });
  await quiet(channel);
}

/** The first attempt was taken although we heard nothing of it, and so was the second. */
async function sendTwice(channel: TestChannel, ada: Contact, wishes: Partial<SendRequest> = {}) {
  channel.meta.faults.next({ do: "accept-then-reset", to: ADA.phoneNumber });
  const receipt = await channel.plugin.send({ ...wishes, conversationId: ada.conversationId, response: "one" });
  const stop = await chatter(channel);
  await inState(channel, receipt, "accepted");
  stop();
  await channel.until(() => channel.meta.deliveries.every(({ outcome }) => outcome !== "pending"), "Bob to be heard");
  await quiet(channel);
  const [first, second] = channel.meta.accepted as [AcceptedMessage, AcceptedMessage];
  return { receipt, first, second };
}

const warnings = (channel: TestChannel) => channel.logs.filter(({ message }) => message.startsWith("sent twice"));
const told = (channel: TestChannel) =>
  channel.events.flatMap((event) => (event.kind === "status" ? [event.state] : []));

describe("a late status of an attempt that was given up", () => {
  it("records both wamids, counts the part as doubled once, and says so once", async () => {
    const channel = await startSilent(BY_HAND);
    const ada = await meet(channel, ADA);
    const { receipt, first, second } = await sendTwice(channel, ada);

    for (const status of ["sent", "delivered", "read"]) await tell(channel, first, status);

    const done = await inState(channel, receipt, "read");
    expect(done.parts[0]).toMatchObject({ messageId: second.wamid, duplicateMessageId: first.wamid, error: null });
    expect(await attemptsOf(channel, receipt)).toEqual([
      expect.objectContaining({ state: "accepted", message_id: first.wamid }),
      expect.objectContaining({ state: "accepted", message_id: second.wamid }),
    ]);
    expect(warnings(channel)).toEqual([
      {
        level: "warn",
        message: expect.any(String),
        fields: { stage: "out", outboxId: expect.any(String), sendId: receipt.sendId, part: 0 },
      },
    ]);
  });

  it("and those of the other never take the part back, in whatever order they come", async () => {
    const channel = await startSilent(BY_HAND);
    const ada = await meet(channel, ADA);
    const { receipt, first, second } = await sendTwice(channel, ada);
    const states: string[] = [];

    for (const [copy, status] of [
      [second, "delivered"],
      [first, "sent"],
      [first, "failed"],
      [second, "sent"],
      [first, "read"],
      [second, "read"],
      [first, "delivered"],
    ] as const) {
      await tell(channel, copy, status);
      const [{ state } = { state: "" }] = await channel.rows<{ state: string }>(
        "select state from whatsapp_outbox where send_id = ?",
        [receipt.sendId],
      );
      states.push(state);
    }

    expect(states).toEqual(["delivered", "delivered", "delivered", "delivered", "read", "read", "read"]);
    // The failure of a copy is news, though it changes no state; nothing else is told twice.
    expect(told(channel)).toEqual(["accepted", "delivered", "delivered", "read"]);
    expect(warnings(channel)).toHaveLength(1);
    expect(await channel.rows("select state from whatsapp_events where kind = 'status' and state <> 1")).toEqual([]);
  });

  it("that nobody gets one of them says nothing of the other, and that both are lost ends the part", async () => {
    const channel = await startSilent(BY_HAND);
    const ada = await meet(channel, ADA);
    const { receipt, first, second } = await sendTwice(channel, ada);

    await tell(channel, first, "failed");
    expect((await inState(channel, receipt, "accepted")).parts[0]).toMatchObject({ messageId: second.wamid });
    await tell(channel, second, "sent");
    await tell(channel, first, "failed", { token: false });
    await inState(channel, receipt, "sent");

    await tell(channel, second, "failed");
    await inState(channel, receipt, "failed");
    expect(channel.meta.accepted).toHaveLength(2);
  });

  it("that nobody gets one of them has nothing sent in its place while the other is on its way", async () => {
    const channel = await startSilent(BY_HAND);
    const ada = await meet(channel, ADA);
    const onWindowClosed = { template: "hello_again", language: "en_GB" };
    const { receipt, first } = await sendTwice(channel, ada, { onWindowClosed });

    await tellStatus(channel, { wamid: first.wamid, token: first.callbackData, status: "failed", code: 131047 });
    await quiet(channel);

    await inState(channel, receipt, "accepted");
    expect(channel.meta.accepted).toHaveLength(2);
  });

  it("finds its part by its wamid alone, also when it came before anybody knew that wamid", async () => {
    const channel = await startSilent(BY_HAND);
    const ada = await meet(channel, ADA);
    const { receipt, first } = await sendTwice(channel, ada);

    await tell(channel, first, "read", { token: false });
    expect(await channel.rows("select state from whatsapp_events where kind = 'status'")).toEqual([{ state: 3 }]);
    await tell(channel, first, "sent");
    await inState(channel, receipt, "read");
    await tell(channel, first, "played", { token: false });
    await inState(channel, receipt, "played");

    expect(await channel.rows("select state from whatsapp_events where kind = 'status' and state <> 1")).toEqual([]);
  });
});

describe("an answer that comes after a status has settled its part", () => {
  it("by the wamid of an earlier attempt shows that there are two", async () => {
    const channel = await startSilent(BY_HAND);
    const ada = await meet(channel, ADA);
    channel.meta.faults.next({ do: "accept-then-reset", to: ADA.phoneNumber });
    channel.meta.faults.next({ do: "slow", ms: 4_000, to: ADA.phoneNumber });
    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
    const stop = await chatter(channel);
    await channel.meta.waitFor(() => channel.meta.accepted.length === 2);
    stop();
    const [first, second] = channel.meta.accepted as [AcceptedMessage, AcceptedMessage];
    await tell(channel, first, "sent");
    await channel.until(() => warnings(channel).length > 0, "the second copy to be noticed");

    expect((await inState(channel, receipt, "sent")).parts[0]).toMatchObject({
      messageId: first.wamid,
      duplicateMessageId: second.wamid,
    });
    await tell(channel, second, "delivered", { token: false });
    await inState(channel, receipt, "delivered");
    expect(told(channel)).toEqual(["sent", "delivered"]);
    expect(warnings(channel)).toHaveLength(1);
  });
});

describe("a message that was sent once", () => {
  it("is never counted as doubled, whichever of answer and statuses comes first", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, ADA);
    channel.meta.faults.webhooks({ statusesBeforeResponse: true, duplicate: 1 });
    for (let i = 0; i < 10; i += 1)
      await channel.plugin.send({ conversationId: ada.conversationId, response: `message ${i}` });
    await channel.meta.waitFor(() => channel.meta.accepted.length === 10, 20_000);
    await allQuiet(channel);

    expect(await channel.rows("select id from whatsapp_outbox where duplicate_message_id is not null")).toEqual([]);
    expect(warnings(channel)).toEqual([]);
  });
});
