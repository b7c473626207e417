/** Which lost messages are sent once more: by their class, by the host's option, by the send itself. */
import type { SendRequest, TemplateChoice } from "@omniops/whatsapp";
import { describe, expect, it } from "vitest";
import { quiet, TENANT, type TestChannel } from "../../support/channel.ts";
import {
  attemptsOf,
  type Contact,
  chatter,
  closeWindow,
  inState,
  keepBack,
  meet,
  startSilent,
  texts,
} from "./outbound.ts";

const ADA = { name: "Ada", phoneNumber: "447700900123" };
const HELLO = { name: "hello_again", language: "en_GB" } as const satisfies TemplateChoice;
const HELLO_TEXT = "Hello again! Write to us any time: we are here until six.";
const MENU = {
  name: "spring_menu",
  language: "en_GB",
  params: {
    header: { media: "image", url: "https://bakery.example/tart.jpg" },
    body: ["Ada"],
    buttons: [{ index: 2, kind: "copy-code", code: "LEMON20" }],
  },
} as const satisfies TemplateChoice;
const CODE = {
  name: "sign_in_code",
  language: "en_GB",
  params: { body: ["123456"], buttons: [{ index: 0, kind: "url", suffix: "123456" }] },
} as const satisfies TemplateChoice;

function send(channel: TestChannel, { conversationId }: Contact, what: Omit<SendRequest, "conversationId">) {
  return channel.plugin.send({ conversationId, ...what });
}

/** Sends it while Meta's side loses the request, with other webhooks coming all the while. */
async function lose(channel: TestChannel, ada: Contact, what: Omit<SendRequest, "conversationId">) {
  channel.meta.faults.next({ do: "reset-before-accept", to: ADA.phoneNumber });
  const receipt = await send(channel, ada, what);
  const next = await send(channel, ada, { response: "the next" });
  const stop = await chatter(channel);
  return { receipt, next, stop };
}

describe("a template that was lost", () => {
  it("is never sent again by itself: it ends `unknown`, and the conversation goes on", async () => {
    const channel = await startSilent({ config: { reconcileMs: 300 } });
    const ada = await meet(channel, ADA);

    const { receipt, next, stop } = await lose(channel, ada, { template: HELLO });
    const done = await inState(channel, receipt, "unknown");
    await inState(channel, next, "read");
    stop();

    expect(done.parts[0]).toMatchObject({ messageId: null, error: { code: "GRAPH_AMBIGUOUS" } });
    const [only, ...more] = await attemptsOf(channel, receipt);
    expect([only!.state, more]).toEqual(["ambiguous", []]);
    const [{ waited } = { waited: 0 }] = await channel.rows<{ waited: number }>(
      "select extract(epoch from updated_at - ?)::float8 * 1000 as waited from whatsapp_outbox where send_id = ?",
      [only!.started_at, receipt.sendId],
    );
    expect(waited).toBeGreaterThanOrEqual(300);
    expect(texts(channel, ada)).toEqual(["the next"]);
    await channel.until(
      () => channel.events.find((event) => event.kind === "status" && event.state === "unknown"),
      "the host to hear of it",
    );
  });

  it("is what its statuses say, when it had arrived", async () => {
    const channel = await startSilent({
      config: { reconcileMs: 5_000 },
      meta: { statusDelayMs: { sent: 200, delivered: 210, read: 220 } },
    });
    const ada = await meet(channel, ADA);
    channel.meta.faults.next({ do: "accept-then-reset", to: ADA.phoneNumber });

    const receipt = await send(channel, ada, { template: HELLO });
    await inState(channel, receipt, "read");

    expect(texts(channel, ada)).toEqual([HELLO_TEXT]);
  });

  it("can be sent anew by a person, who has looked", async () => {
    const channel = await startSilent({ config: { reconcileMs: 200 } });
    const ada = await meet(channel, ADA);
    const { receipt, stop } = await lose(channel, ada, { template: HELLO, idempotencyKey: "reminder-1" });
    await inState(channel, receipt, "unknown");
    stop();

    // The key still names the first one; whoever wants another one says so with another key.
    expect((await send(channel, ada, { template: HELLO, idempotencyKey: "reminder-1" })).sendId).toBe(receipt.sendId);
    const anew = await send(channel, ada, { template: HELLO, idempotencyKey: "reminder-1-again" });
    await inState(channel, anew, "read");

    expect(texts(channel, ada)).toEqual(["the next", HELLO_TEXT]);
    await inState(channel, receipt, "unknown");
  });

  it("is sent once more where the host wants that, for all of its class or for this one", async () => {
    const channel = await startSilent({
      config: { reconcileMs: 200 },
      plugin: { onAmbiguous: { template: "resend" } },
    });
    const ada = await meet(channel, ADA);

    const byOption = await lose(channel, ada, { template: HELLO });
    await inState(channel, byOption.receipt, "read");
    // Or what is to be lost next would be lost of this one.
    await inState(channel, byOption.next, "read");
    byOption.stop();
    const bySend = await lose(channel, ada, { template: MENU, onAmbiguous: "resend" });
    await inState(channel, bySend.receipt, "read");
    bySend.stop();

    for (const { receipt } of [byOption, bySend])
      expect((await attemptsOf(channel, receipt)).map(({ state }) => state)).toEqual(["ambiguous", "accepted"]);
  });

  it("is held also when it stands in the place of an answer", async () => {
    const channel = await startSilent({ config: { reconcileMs: 200 } });
    const ada = await meet(channel, ADA);
    const letGo = await keepBack(channel, ada);
    const receipt = await send(channel, ada, {
      response: "an answer",
      onWindowClosed: { template: HELLO.name, language: HELLO.language },
    });
    await closeWindow(channel, ada);
    channel.meta.faults.next({ do: "reset-before-accept", to: ADA.phoneNumber });
    await letGo();
    const stop = await chatter(channel);

    await inState(channel, receipt, "unknown");
    stop();

    expect(texts(channel, ada)).toEqual([]);
  });
});

describe("a free-form message that was lost", () => {
  it("is held where the host wants that, for all of them or for this one", async () => {
    const all = await startSilent({ config: { reconcileMs: 200 }, plugin: { onAmbiguous: { session: "hold" } } });
    const one = await startSilent({ config: { reconcileMs: 200 } });

    for (const [channel, wish] of [
      [all, {}],
      [one, { onAmbiguous: "hold" }],
    ] as const) {
      const ada = await meet(channel, ADA);
      const { receipt, next, stop } = await lose(channel, ada, { response: "one", ...wish });
      await inState(channel, receipt, "unknown");
      await inState(channel, next, "read");
      stop();
      expect(texts(channel, ada)).toEqual(["the next"]);
    }
  });

  it("and refused when it is sent again is `unknown`: the first may have arrived", async () => {
    const channel = await startSilent({ config: { reconcileMs: 200 }, meta: { statusDelayMs: 60_000 } });
    const ada = await meet(channel, ADA);
    channel.meta.faults.next({ do: "accept-then-reset", to: ADA.phoneNumber });
    channel.meta.faults.next({ do: { error: { code: 131026 } }, to: ADA.phoneNumber });

    const receipt = await send(channel, ada, { response: "one" });
    const stop = await chatter(channel);
    const done = await inState(channel, receipt, "unknown");
    stop();

    expect(done.parts[0]!.error).toMatchObject({ code: "GRAPH_AMBIGUOUS", meta: { code: 131026 } });
    expect((await attemptsOf(channel, receipt)).map(({ state }) => state)).toEqual(["ambiguous", "rejected"]);
  });
});

describe("the policy", () => {
  it("goes by the class of each message, as Meta lists the templates", async () => {
    const channel = await startSilent({
      plugin: { onAmbiguous: { marketing: "resend" } },
      reply: ({ messages }) => (messages[0]?.text === "menu" ? { template: MENU } : null),
    });
    const ada = await meet(channel, ADA);
    for (const what of [{ response: "hi" }, { template: HELLO }, { template: MENU }, { template: CODE }])
      await inState(channel, await send(channel, ada, what), "read");
    ada.person.says("menu");
    await channel.until(() => texts(channel, ada).length === 5, "the AI's template");
    await quiet(channel);

    expect(await channel.rows("select kind, is_marketing, on_ambiguous from whatsapp_outbox order by id")).toEqual([
      { kind: "text", is_marketing: false, on_ambiguous: "resend" },
      { kind: "template", is_marketing: false, on_ambiguous: "hold" },
      { kind: "template", is_marketing: true, on_ambiguous: "resend" },
      { kind: "template", is_marketing: false, on_ambiguous: "hold" },
      { kind: "template", is_marketing: true, on_ambiguous: "resend" },
    ]);
  });

  it("is one of two words, in the code and over HTTP, and part of what an idempotency key stands for", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, ADA);
    const post = (onAmbiguous: string, idempotencyKey: string) =>
      fetch(`${channel.url}/send`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-tenant": TENANT },
        body: JSON.stringify({ conversationId: ada.conversationId, response: "hi", onAmbiguous, idempotencyKey }),
      });

    await expect(send(channel, ada, { response: "hi", onAmbiguous: "never" as never })).rejects.toThrow(
      expect.objectContaining({ code: "REQUEST_INVALID" }),
    );
    expect((await post("never", "k")).status).toBe(400);
    expect((await post("hold", "k")).status).toBe(202);
    expect(await channel.rows("select on_ambiguous from whatsapp_outbox")).toEqual([{ on_ambiguous: "hold" }]);
    expect((await post("hold", "k")).status).toBe(202);
    expect((await post("resend", "k")).status).toBe(409);
  });
});
