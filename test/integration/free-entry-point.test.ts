/** People who come by an ad: an answer within a day makes three days free of charge; and what Meta charges is kept. */
import type { HostEvent, TemplateChoice } from "@omniops/whatsapp";
import { INBOUND_MESSAGES } from "@omniops/whatsapp/simulator";
import { describe, expect, it } from "vitest";
import type { TestChannel } from "../support/channel.ts";
import { closeWindow, inState, meet, settled, startSilent } from "./outbound/outbound.ts";

const HOUR = 60 * 60 * 1_000;
const HELLO = { name: "hello_again", language: "en_GB" };
const MENU = {
  name: "spring_menu",
  language: "en_GB",
  params: {
    header: { media: "image", url: "https://bakery.example/tart.jpg" },
    body: ["Ada"],
    buttons: [{ index: 2, kind: "copy-code", code: "LEMON20" }],
  },
} as const satisfies TemplateChoice;

/** Ada, who has written before, comes by an ad. */
async function comeByAd(channel: TestChannel) {
  const ada = await meet(channel, { name: "Ada", phoneNumber: "447700900123" });
  const wamid = ada.person.sends(INBOUND_MESSAGES["from-an-ad"]);
  await channel.until(
    async () => (await channel.rows("select 1 from messages where external_id = ?", [wamid]))[0],
    "the message from the ad",
  );
  return ada;
}

async function freeUntil(channel: TestChannel, conversationId: string): Promise<Date | null> {
  return (await channel.plugin.sessionStatus(conversationId)).freeEntryPointExpiresAt;
}

function expectThreeDays(until: Date | null): void {
  const left = until!.getTime() - Date.now();
  expect(left).toBeGreaterThan(71.9 * HOUR);
  expect(left).toBeLessThanOrEqual(72 * HOUR);
}

describe("somebody who came by an ad", () => {
  it("is free of charge for three days from the answer, and not before it", async () => {
    const channel = await startSilent();
    const { conversationId } = await comeByAd(channel);
    expect(await freeUntil(channel, conversationId)).toBeNull();

    await inState(channel, await channel.plugin.send({ conversationId, response: "welcome" }), "read");
    const until = await freeUntil(channel, conversationId);
    expectThreeDays(until);

    // From the first answer, not from each.
    await inState(channel, await channel.plugin.send({ conversationId, response: "and more" }), "read");
    expect(await freeUntil(channel, conversationId)).toEqual(until);
  });

  it("is so when the AI answers, and the host is told the ad", async () => {
    const channel = await startSilent({ reply: () => "welcome" });
    channel.meta.person({ name: "Ada" }).sends(INBOUND_MESSAGES["from-an-ad"]);
    await channel.meta.waitFor(() => channel.meta.accepted.length === 1);

    const heard = await channel.until(() => channel.events.find(({ kind }) => kind === "message"), "the event");
    expect(heard).toMatchObject({ event: { referral: { sourceType: "ad", clickId: "ARinvented" } } });
    const { conversationId } = heard as Extract<HostEvent, { kind: "message" }>;
    expectThreeDays(await channel.until(() => freeUntil(channel, conversationId), "the free entry point"));
  });

  it("is so when only a status tells that the answer has left", async () => {
    const channel = await startSilent({ meta: { statusDelayMs: 100 } });
    const { conversationId } = await comeByAd(channel);
    channel.meta.faults.next({ do: "accept-then-reset" });

    await inState(channel, await channel.plugin.send({ conversationId, response: "welcome" }), "read");

    expectThreeDays(await freeUntil(channel, conversationId));
  });

  it("is so when a status is faster than Meta's own answer", async () => {
    const channel = await startSilent();
    const { conversationId } = await comeByAd(channel);
    channel.meta.faults.webhooks({ statusesBeforeResponse: true });

    await inState(channel, await channel.plugin.send({ conversationId, response: "welcome" }), "read");

    expectThreeDays(await freeUntil(channel, conversationId));
  });

  it("is not when the answer comes after a day", async () => {
    const channel = await startSilent();
    const ada = await comeByAd(channel);
    await channel.rows("update whatsapp_sessions set ad_message_at = now() - interval '25 hours'");
    await closeWindow(channel, ada);

    const { conversationId } = ada;
    await inState(channel, await channel.plugin.send({ conversationId, template: HELLO }), "read");

    expect(await freeUntil(channel, conversationId)).toBeNull();
  });

  it("is not when the answer was refused", async () => {
    const channel = await startSilent();
    const { conversationId } = await comeByAd(channel);
    channel.meta.faults.next({ do: { error: { code: 131026 } } });

    await inState(channel, await channel.plugin.send({ conversationId, response: "welcome" }), "failed");

    expect(await freeUntil(channel, conversationId)).toBeNull();
  });
});

describe("somebody who wrote by themselves", () => {
  it("has no free entry point", async () => {
    const channel = await startSilent();
    const { conversationId } = await meet(channel, { name: "Ada" });

    await inState(channel, await channel.plugin.send({ conversationId, response: "hi" }), "read");

    expect(await freeUntil(channel, conversationId)).toBeNull();
  });
});

describe("what Meta charges", () => {
  it("is kept beside the part and told to the host", async () => {
    const channel = await startSilent();
    const { conversationId } = await meet(channel, { name: "Ada" });
    const answer = await channel.plugin.send({ conversationId, response: "hi" });
    const template = await channel.plugin.send({ conversationId, template: MENU });
    await settled(channel, answer);
    await inState(channel, answer, "read");
    await inState(channel, template, "read");

    const free = { billable: false, model: "PMP", category: "service", type: "free_customer_service" };
    const paid = { billable: true, model: "PMP", category: "marketing", type: "regular" };
    expect(await channel.rows("select pricing from whatsapp_outbox order by id")).toEqual([
      { pricing: free },
      { pricing: paid },
    ]);
    const told = await channel.until(() => {
      const states = channel.events.filter((event) => event.kind === "status");
      return states.filter(({ state }) => state === "read").length === 2 && states;
    }, "the host to hear that both were read");
    const pricingOf = (sendId: string) =>
      told.filter((event) => event.sendId === sendId).map(({ state, pricing }) => [state, pricing]);
    expect(pricingOf(answer.sendId)).toContainEqual(["delivered", free]);
    expect(pricingOf(template.sendId)).toContainEqual(["delivered", paid]);
    // `read` says nothing of it: what was said holds.
    expect(pricingOf(template.sendId)).toContainEqual(["read", paid]);
  });
});
