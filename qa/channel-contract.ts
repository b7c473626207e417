/** What every channel promises its host, as tests: a channel of another kind passes them with a setup of its own. */
import type { ChannelPlugin, HostEvent, SendReceipt, WebhookDelivery } from "@omniops/whatsapp/contract";
import type { TestRunner } from "./test-runner.ts";

export type { TestRunner } from "./test-runner.ts";

/** One channel with its world, freshly made for a test: a connected number, a running pipeline, an AI that is silent. */
export type ChannelUnderTest = {
  readonly plugin: ChannelPlugin;
  /** What the host has heard so far. */
  readonly events: readonly HostEvent[];
  /** A delivery as the channel's vendor would sign it: a person writes this text. Each call is another message. */
  delivery(about: { readonly person: string; readonly text: string }): WebhookDelivery;
  /** The conversation of that person, once the channel has made one. */
  conversationOf(person: string): Promise<string>;
  /** What the person has received, oldest first. */
  received(person: string): readonly string[];
  /** As if the person had last written so long ago that the channel's window is closed. */
  closeWindow(person: string): Promise<void>;
  receipt(sendId: string): Promise<SendReceipt | null>;
  /** How many deliveries and how many sends the host's database holds. */
  stored(): Promise<{ readonly deliveries: number; readonly sends: number }>;
  /** From here on the host's database refuses everything. */
  breakStore(): Promise<void>;
  /** Connects the channel's number again, for this tenant or, when asked, for another. */
  connect(wish: { readonly tenant: "same" | "other" }): ReturnType<ChannelPlugin["connect"]>;
  until<T>(look: () => Promise<T | null | false> | T | null | false, what: string): Promise<T>;
  stop(): Promise<void>;
};

const NOBODY = "99999999-9999-4999-8999-999999999999";

/**
 * Declares the suite for one channel. `setup` is called once per test.
 *
 *     import * as vitest from "vitest";
 *     describeChannelPlugin("Smoke signals", async () => startSmoke(), vitest);
 *
 * @param runner vitest, or jest's globals.
 */
export function describeChannelPlugin(
  name: string,
  setup: () => Promise<ChannelUnderTest>,
  { afterEach, describe, expect, it }: TestRunner,
): void {
  const running: ChannelUnderTest[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((channel) => channel.stop()));
  });

  async function start(): Promise<ChannelUnderTest> {
    const channel = await setup();
    running.push(channel);
    return channel;
  }

  /** Somebody has written, so that there is a conversation with an open window. */
  async function meet(channel: ChannelUnderTest, person: string): Promise<string> {
    await channel.plugin.receive(channel.delivery({ person, text: "hello" }));
    return channel.conversationOf(person);
  }

  const refused = (code: string) => expect.objectContaining({ name: "ChannelError", code });

  describe(`${name} as a channel`, () => {
    describe("its manifest", () => {
      it("says who it is, what it can do and what it needs, as plain data", async () => {
        const { plugin } = await start();

        expect(plugin.manifest).toMatchObject({
          id: expect.stringMatching(/^[a-z][a-z0-9-]*$/),
          name: expect.stringMatching(/\S/),
          version: expect.stringMatching(/^\d+\.\d+\.\d+/),
          contract: expect.stringMatching(/^1\.\d+$/),
          entry: expect.any(String),
          migrations: expect.any(String),
        });
        expect(plugin.manifest.capabilities.inbound).toContain("text");
        expect(plugin.manifest.capabilities.outbound).toContain("text");
        expect(JSON.parse(JSON.stringify(plugin.manifest))).toEqual(plugin.manifest);
      });
    });

    describe("connect", () => {
      it("again for the same tenant renews the same connection, and shows no secret", async () => {
        const channel = await start();

        const first = await channel.connect({ tenant: "same" });
        const second = await channel.connect({ tenant: "same" });

        expect(second).toEqual(first);
        expect(first).toMatchObject({ state: "connected", reason: null });
        expect(Object.keys(first).filter((key) => /token|secret/i.test(key))).toEqual([]);
      });

      it("for another tenant is refused while the first one holds the number", async () => {
        const channel = await start();

        await expect(channel.connect({ tenant: "other" })).rejects.toThrow(refused("CONNECTION_CONFLICT"));
      });
    });

    describe("receive", () => {
      it("has stored a delivery when it resolves, and says what became of each event", async () => {
        const channel = await start();
        const before = await channel.stored();

        const result = await channel.plugin.receive(channel.delivery({ person: "ada", text: "hello" }));

        expect((await channel.stored()).deliveries).toBe(before.deliveries + 1);
        expect(result.webhookId).toMatch(/\S/);
        expect(result.events).toEqual([
          { kind: "message", outcome: "accepted", lane: expect.any(String), eventId: expect.any(String) },
        ]);
      });

      it("calls a delivery that it has had before a duplicate, and the host hears of its message once", async () => {
        const channel = await start();
        const delivery = channel.delivery({ person: "ada", text: "hello" });

        const results = await Promise.all([1, 2, 3].map(() => channel.plugin.receive(delivery)));
        await meet(channel, "bob");
        await channel.until(() => heard(channel).length >= 2 && true, "both messages to be heard");

        const outcomes = results.flatMap(({ events }) => events.map(({ outcome }) => outcome));
        expect(outcomes.sort()).toEqual(["accepted", "duplicate", "duplicate"]);
        expect(heard(channel).sort()).toEqual(["hello", "hello"]);
      });

      it("keeps the order of what one person writes", async () => {
        const channel = await start();
        const texts = ["one", "two", "three", "four", "five"];

        const results = [];
        for (const text of texts) results.push(await channel.plugin.receive(channel.delivery({ person: "ada", text })));
        await channel.until(() => heard(channel).length === texts.length && true, "all messages to be heard");

        expect(heard(channel)).toEqual(texts);
        expect(new Set(results.map(({ events }) => events[0]?.lane)).size).toBe(1);
      });

      it("refuses what the vendor has not signed, and stores nothing of it", async () => {
        const channel = await start();
        const before = await channel.stored();
        const delivery = channel.delivery({ person: "ada", text: "hello" });
        const changed = Uint8Array.from(delivery.rawBody);
        changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;

        for (const forged of [
          { ...delivery, signature: undefined },
          { ...delivery, signature: "" },
          { ...delivery, rawBody: changed },
        ])
          await expect(channel.plugin.receive(forged)).rejects.toThrow(refused("SIGNATURE_INVALID"));
        expect(await channel.stored()).toEqual(before);
      });

      it("does not resolve when it could not store, so that the vendor delivers again", async () => {
        const channel = await start();
        const delivery = channel.delivery({ person: "ada", text: "hello" });
        await channel.breakStore();

        await expect(channel.plugin.receive(delivery)).rejects.toThrow(refused("STORE_UNAVAILABLE"));
      });
    });

    describe("send", () => {
      it("has stored the message when it resolves, and tells part by part what becomes of it", async () => {
        const channel = await start();
        const conversationId = await meet(channel, "ada");

        const receipt = await channel.plugin.send({ conversationId, response: { text: "hi Ada" } });

        expect((await channel.stored()).sends).toBe(1);
        expect(receipt).toMatchObject({ conversationId, parts: [{ index: 0 }], degraded: [] });
        const accepted = await channel.until(async () => {
          const now = await channel.receipt(receipt.sendId);
          return now?.parts[0]?.messageId ? now : null;
        }, "the message to be accepted");
        expect(accepted.parts).toHaveLength(1);
        await channel.until(
          () =>
            channel.events.some(
              (event) => event.kind === "status" && event.sendId === receipt.sendId && event.part === 0,
            ),
          "the host to hear of it",
        );
        expect(channel.received("ada")).toEqual(["hi Ada"]);
      });

      it("keeps the order of several sends to one person", async () => {
        const channel = await start();
        const conversationId = await meet(channel, "ada");
        const texts = ["one", "two", "three", "four"];

        for (const response of texts) await channel.plugin.send({ conversationId, response });
        await channel.until(() => channel.received("ada").length === texts.length && true, "all to arrive");

        expect(channel.received("ada")).toEqual(texts);
      });

      it("sends once per idempotency key, and refuses the key for another response", async () => {
        const channel = await start();
        const conversationId = await meet(channel, "ada");
        const request = { conversationId, response: "hi", idempotencyKey: "key-1" };

        const receipts = await Promise.all([1, 2, 3].map(() => channel.plugin.send(request)));
        await channel.until(() => channel.received("ada").length > 0 && true, "it to arrive");

        expect(new Set(receipts.map(({ sendId }) => sendId)).size).toBe(1);
        await expect(channel.plugin.send({ ...request, response: "ho" })).rejects.toThrow(
          refused("IDEMPOTENCY_CONFLICT"),
        );
        expect(channel.received("ada")).toEqual(["hi"]);
      });

      it("refuses a conversation it does not know, a response that says nothing, and a closed window", async () => {
        const channel = await start();
        const conversationId = await meet(channel, "ada");

        await expect(channel.plugin.send({ conversationId: NOBODY, response: "hi" })).rejects.toThrow(
          refused("CONVERSATION_UNKNOWN"),
        );
        await expect(channel.plugin.send({ conversationId: "no uuid", response: "hi" })).rejects.toThrow(
          refused("CONVERSATION_UNKNOWN"),
        );
        await expect(channel.plugin.send({ conversationId, response: "" })).rejects.toThrow(refused("RESPONSE_EMPTY"));
        await channel.closeWindow("ada");
        await expect(channel.plugin.send({ conversationId, response: "hi" })).rejects.toThrow(refused("WINDOW_CLOSED"));
        expect((await channel.stored()).sends).toBe(0);
      });

      it("reports whatever it shows in another form", async () => {
        const channel = await start();
        const conversationId = await meet(channel, "ada");
        const choices = [{ id: "1", title: "Yes" }];

        const { degraded, parts } = await channel.plugin.send({ conversationId, response: { text: "Sure?", choices } });

        const native = channel.plugin.manifest.capabilities.outbound.includes("buttons");
        expect(degraded.some(({ what }) => what === "choices")).toBe(!native);
        expect(parts.length).toBeGreaterThan(0);
      });
    });

    describe("sessionStatus", () => {
      it("is open after a person has written, until the time it names", async () => {
        const channel = await start();
        const conversationId = await meet(channel, "ada");

        const status = await channel.plugin.sessionStatus(conversationId);

        expect(status).toMatchObject({ state: "open", canSend: true, templateRequired: false });
        expect(status.secondsRemaining).toBeGreaterThan(0);
        expect(Number.isInteger(status.secondsRemaining)).toBe(true);
        expect(status.expiresAt?.getTime()).toBeGreaterThan(0);
        expect(status.reason).toMatch(/\S/);
      });

      it("agrees with send when it is closed", async () => {
        const channel = await start();
        const conversationId = await meet(channel, "ada");
        await channel.closeWindow("ada");

        const status = await channel.plugin.sessionStatus(conversationId);

        expect(status).toMatchObject({ state: "closed", canSend: false, secondsRemaining: 0 });
        await expect(channel.plugin.send({ conversationId, response: "hi" })).rejects.toThrow(refused("WINDOW_CLOSED"));
      });

      it("refuses a conversation it does not know", async () => {
        const { plugin } = await start();

        for (const conversationId of [NOBODY, "no uuid", ""])
          await expect(plugin.sessionStatus(conversationId)).rejects.toThrow(refused("CONVERSATION_UNKNOWN"));
      });
    });
  });
}

function heard({ events }: ChannelUnderTest): (string | null)[] {
  return events.flatMap((event) => (event.kind === "message" ? [event.event.text] : []));
}
