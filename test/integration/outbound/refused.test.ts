/** What Meta refuses, at once or later, and what the receipt, the host's inbox and the host then know. */
import type { HostEvent } from "@omniops/whatsapp";
import { describe, expect, it } from "vitest";
import { NUMBER, quiet, TENANT, type TestChannel } from "../../support/channel.ts";
import { attemptsOf, inState, meet, settled, startSilent, texts, threeParts } from "./outbound.ts";

function statusEvents(channel: TestChannel): Extract<HostEvent, { kind: "status" }>[] {
  return channel.events.filter((event) => event.kind === "status");
}

function failedStatus(wamid: string, more: object = {}): Record<string, unknown> {
  const error = {
    code: 131026,
    title: "Message undeliverable",
    message: "Message undeliverable",
    error_data: { details: "The recipient has an old client." },
  };
  const status = {
    id: wamid,
    status: "failed",
    timestamp: String(Math.floor(Date.now() / 1_000)),
    errors: [error],
    ...more,
  };
  const value = {
    messaging_product: "whatsapp",
    metadata: { display_phone_number: NUMBER.displayPhoneNumber, phone_number_id: NUMBER.phoneNumberId },
    statuses: [{ recipient_id: "447700900123", ...status }],
  };
  return {
    object: "whatsapp_business_account",
    entry: [{ id: NUMBER.wabaId, changes: [{ field: "messages", value }] }],
  };
}

describe("a part that Meta refuses for good", () => {
  it("takes the parts after it along, and the receipt says so; what came before stands", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada", phoneNumber: "447700900123" });
    channel.meta.onAccepted(({ text }) => {
      if (text.startsWith("AAA"))
        channel.meta.faults.next({ do: { error: { code: 131009, details: "Parameter value is not valid" } } });
    });

    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: threeParts() });
    const next = await channel.plugin.send({ conversationId: ada.conversationId, response: "the next answer" });
    const done = await inState(channel, receipt, "read", "failed", "failed");
    await inState(channel, next, "read");
    await quiet(channel);

    expect(texts(channel).map((text) => text.slice(0, 3))).toEqual(["AAA", "the"]);
    expect(done.parts[0]).toMatchObject({ messageId: channel.meta.accepted[0]!.wamid, error: null });
    expect(done.parts[1]).toMatchObject({
      messageId: null,
      error: { code: "GRAPH_REJECTED", meta: { code: 131009, details: "Parameter value is not valid" } },
    });
    expect(done.parts[2]).toMatchObject({ messageId: null, error: { code: "PART_BEFORE_FAILED", meta: null } });
    const failures = statusEvents(channel).filter(({ state }) => state === "failed");
    expect(failures.map(({ part, error }) => [part, error?.code, error?.meta?.code])).toEqual([
      [1, "GRAPH_REJECTED", 131009],
      [2, "PART_BEFORE_FAILED", undefined],
    ]);
    const shown = await channel.rows("select status from messages where role = 'assistant' order by created_at");
    expect(shown.map(({ status }) => status)).toEqual(["read", "failed", "failed", "read"]);
  });

  it("takes nothing along when it is a reaction: what follows makes sense without it", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    channel.meta.faults.next({ do: { error: { code: 131009 } } });
    const response = { text: "The answer", reaction: { emoji: "👍", messageId: "wamid.deleted" } };

    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response });
    const done = await inState(channel, receipt, "failed", "read");

    expect(done.parts.map(({ kind, error }) => [kind, error?.meta?.code])).toEqual([
      ["reaction", 131009],
      ["text", undefined],
    ]);
    expect(texts(channel)).toEqual(["The answer"]);
  });

  it("is not tried again", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    channel.meta.faults.next({ do: { error: { code: 131026 } } });

    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
    await inState(channel, receipt, "failed");
    await quiet(channel);

    expect((await attemptsOf(channel, receipt)).map(({ state }) => state)).toEqual(["rejected"]);
  });

  it.each([
    ["a template of an account whose categories are wrong", 131064],
    ["a Flow whose endpoint fails", 132069],
  ])("holds up no answer, though Meta would take it in some hours: %s", async (_what, code) => {
    const channel = await startSilent();
    const { conversationId } = await meet(channel, { name: "Ada", phoneNumber: "447700900123" });
    channel.meta.faults.next({ do: { error: { code } } });

    const refused = await channel.plugin.send({ conversationId, template: { name: "hello_again", language: "en_GB" } });
    const answer = await channel.plugin.send({ conversationId, response: "the answer" });
    const done = await inState(channel, refused, "failed");
    await inState(channel, answer, "read");

    expect(done.parts[0]?.error).toMatchObject({ code: "GRAPH_REJECTED", meta: { code } });
  });

  it("has failed too when Meta stays busy for every try", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    channel.meta.faults.next({ do: { error: { code: 131000 } }, times: 3 });

    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
    const done = await inState(channel, receipt, "failed");

    expect(done.parts[0]!.error?.meta?.code).toBe(131000);
    expect(await attemptsOf(channel, receipt)).toHaveLength(3);
  });
});

describe("a status `failed`", () => {
  it("is kept in full, in the receipt and in what the host hears", async () => {
    const channel = await startSilent({ meta: { statusDelayMs: { sent: 1, delivered: 60_000, read: 60_000 } } });
    const ada = await meet(channel, { name: "Ada", phoneNumber: "447700900123" });
    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
    await inState(channel, receipt, "sent");
    const { wamid } = channel.meta.accepted[0]!;

    channel.meta.deliver(failedStatus(wamid));
    const done = await inState(channel, receipt, "failed");

    const meta = {
      code: 131026,
      subcode: null,
      title: "Message undeliverable",
      details: "The recipient has an old client.",
      fbtraceId: null,
    };
    expect(done.parts[0]).toEqual({
      index: 0,
      kind: "text",
      state: "failed",
      messageId: wamid,
      error: { code: "GRAPH_REJECTED", message: "Message undeliverable", meta },
    });
    const heard = await channel.until(() => statusEvents(channel).find(({ state }) => state === "failed"), "the event");
    expect(heard).toEqual({
      kind: "status",
      conversationId: ada.conversationId,
      customerConfigId: TENANT,
      sendId: receipt.sendId,
      part: 0,
      messageId: wamid,
      state: "failed",
      error: { code: "GRAPH_REJECTED", message: "Message undeliverable", meta },
      pricing: { billable: false, model: "PMP", category: "service", type: "free_customer_service" },
    });
  });

  it("is counted and logged once, by Meta's number and our ids, however often it comes and not for somebody else's", async () => {
    const channel = await startSilent({ meta: { statusDelayMs: { sent: 1, delivered: 60_000, read: 60_000 } } });
    const ada = await meet(channel, { name: "Ada", phoneNumber: "447700900123" });
    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
    await inState(channel, receipt, "sent");
    const { wamid } = channel.meta.accepted[0]!;

    channel.meta.deliver(failedStatus("wamid.of.another.app"));
    channel.meta.deliver(failedStatus(wamid));
    await inState(channel, receipt, "failed");
    channel.meta.deliver(failedStatus(wamid, { timestamp: String(Math.floor(Date.now() / 1_000) + 5) }));
    const applied = "select 1 from whatsapp_events where payload ->> 'status' = 'failed' and state = 1";
    await channel.until(async () => (await channel.rows(applied)).length === 2, "both to be applied");

    const { process } = await channel.plugin.metrics();
    expect(process.sends).toMatchObject({ accepted: 1, rejected: 0, failed: 0, undelivered: 1 });
    expect(process.sendErrors).toEqual({ 131026: 1 });
    expect(channel.logs.filter(({ message }) => message === "not delivered")).toEqual([
      {
        level: "warn",
        message: "not delivered",
        fields: {
          stage: "out",
          outboxId: expect.any(String),
          sendId: receipt.sendId,
          part: 0,
          conversationId: ada.conversationId,
          messageId: wamid,
          code: 131026,
          state: "failed",
        },
      },
    ]);
  });

  it("after a delivery leaves the delivery standing and is kept beside it", async () => {
    const channel = await startSilent({ meta: { statusDelayMs: { sent: 1, delivered: 2, read: 60_000 } } });
    const ada = await meet(channel, { name: "Ada", phoneNumber: "447700900123" });
    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
    await inState(channel, receipt, "delivered");

    channel.meta.deliver(failedStatus(channel.meta.accepted[0]!.wamid));
    const heard = await channel.until(
      () => statusEvents(channel).find(({ error }) => error !== null),
      "the host to hear of the failure",
    );

    expect(heard).toMatchObject({ state: "delivered", error: { meta: { code: 131026 } } });
    const [part] = (await channel.plugin.receipt(receipt.sendId, "00000000-0000-4000-8000-000000000001"))!.parts;
    expect(part).toMatchObject({ state: "delivered", error: { meta: { code: 131026 } } });
  });

  it("after a delivery is told, whatever was refused before Meta took the message", async () => {
    const channel = await startSilent({ meta: { statusDelayMs: { sent: 1, delivered: 2, read: 60_000 } } });
    const ada = await meet(channel, { name: "Ada", phoneNumber: "447700900123" });
    channel.meta.faults.next({ do: { error: { code: 131000 } } });
    // The statuses of the second try come before its answer.
    channel.meta.faults.next({ do: "slow", ms: 1_500 });
    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
    const delivered = await inState(channel, receipt, "delivered");
    expect(delivered.parts[0]!.error).toBeNull();
    await channel.until(
      async () => (await attemptsOf(channel, receipt))[1]?.state === "accepted",
      "the second try to be accepted",
    );
    await quiet(channel);

    channel.meta.deliver(failedStatus(channel.meta.accepted[0]!.wamid));
    const heard = await channel.until(
      () => statusEvents(channel).find(({ error }) => error !== null),
      "the host to hear of the failure",
    );

    expect(heard).toMatchObject({ state: "delivered", error: { meta: { code: 131026 } } });
  });

  it("of a message that is addressed by our token only is joined to it, before Meta's answer too", async () => {
    const channel = await startSilent({ meta: { statusDelayMs: 60_000 } });
    const ada = await meet(channel, { name: "Ada", phoneNumber: "447700900123" });
    channel.meta.faults.next({ do: "slow", ms: 500 });
    channel.meta.onAccepted(({ wamid, callbackData }) =>
      channel.meta.deliver(failedStatus(wamid, { biz_opaque_callback_data: callbackData })),
    );

    const receipt = await channel.plugin.send({ conversationId: ada.conversationId, response: "one" });
    await inState(channel, receipt, "failed");
    await channel.until(
      async () => (await attemptsOf(channel, receipt))[0]?.state === "accepted",
      "the attempt to be accepted",
    );
    await quiet(channel);

    const done = await settled(channel, receipt);
    expect(done.parts[0]).toMatchObject({ state: "failed", error: { meta: { code: 131026 } } });
    expect(texts(channel)).toEqual(["one"]);
  });
});
