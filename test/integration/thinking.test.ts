/** What the person sees while the host thinks about what they wrote; the renewal is `show-thinking.test.ts`'s. */
import { describe, expect, it } from "vitest";
import { quiet, type TestChannel } from "../support/channel.ts";
import { channelFor } from "./engine/support.ts";

const ADA = { name: "Ada", phoneNumber: "447700900123" };

/** A host that thinks until it is let go, and then says `answer`. */
function thinking(answer: string | null) {
  let letGo = () => {};
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const reply = async () => {
    await gate;
    return answer;
  };
  return { reply, letGo: () => letGo() };
}

/** Every read receipt that reached Meta, in order: whether it came with typing. Nothing else is read by the channel. */
function receipts(): { fetch: typeof fetch; typing: boolean[] } {
  const typing: boolean[] = [];
  return {
    typing,
    fetch(url, init) {
      const body = typeof init?.body === "string" ? (JSON.parse(init.body) as Record<string, unknown>) : {};
      if (body.status === "read") typing.push(body.typing_indicator !== undefined);
      return fetch(url, init);
    },
  };
}

async function turnEnded(channel: TestChannel): Promise<void> {
  await channel.until(
    async () => (await channel.rows("select 1 from whatsapp_turns where state = 1"))[0],
    "the turn to end",
  );
  await quiet(channel);
}

const isTyping = (channel: TestChannel) => channel.meta.conversations()[0]!.isTyping;

describe("while the host thinks", () => {
  it("the message is read, all before it too, and typing is shown until the answer is there", async () => {
    const { reply, letGo } = thinking("the answer");
    const { fetch, typing } = receipts();
    const channel = await channelFor({ reply, plugin: { fetch } });
    const ada = channel.meta.person(ADA);

    channel.meta.batch([
      { from: ada, text: "hello" },
      { from: ada, text: "are you there?" },
    ]);
    await channel.meta.waitFor(() => isTyping(channel));
    expect(ada.transcript().map(({ status }) => status)).toEqual(["read", "read"]);
    letGo();
    await channel.meta.waitFor(() => channel.meta.accepted.length === 1);
    await turnEnded(channel);

    expect(isTyping(channel)).toBe(false);
    expect(typing).toEqual([true]);
  });

  it("nothing goes wrong when Meta does not take the sign", async () => {
    const { reply, letGo } = thinking("the answer");
    const channel = await channelFor({ reply });
    channel.meta.faults.next({ on: "mark-read", do: { error: { code: 131000 } } });
    channel.meta.person(ADA).says("hello");

    await channel.meta.waitFor(() => channel.meta.faults.injected.length === 1);
    letGo();
    await channel.meta.waitFor(() => channel.meta.accepted.length === 1);
    await turnEnded(channel);

    expect(await channel.rows("select attempts, last_error from whatsapp_turns")).toEqual([
      { attempts: 1, last_error: null },
    ]);
  });
});

describe("a host that is done at once", () => {
  it("has its answer sent and the message read, without typing", async () => {
    const { fetch, typing } = receipts();
    const channel = await channelFor({ plugin: { fetch } });
    const ada = channel.meta.person(ADA);

    ada.says("hello");
    await channel.meta.waitFor(() => channel.meta.accepted.length === 1 && ada.transcript()[0]!.status === "read");

    expect(typing).toEqual([false]);
  });

  it("and stays silent shows the person nothing", async () => {
    const { reply, letGo } = thinking(null);
    const { fetch, typing } = receipts();
    const channel = await channelFor({
      reply: ({ contact }) => (contact.name === ADA.name ? null : reply()),
      plugin: { fetch },
    });
    const ada = channel.meta.person(ADA);

    ada.says("hello");
    await turnEnded(channel);
    // Asked later, and thought about: a sign for Ada would have come before this one.
    channel.meta.person({ name: "Bob" }).says("hello");
    await channel.meta.waitFor(() => typing.length > 0);
    letGo();

    expect(typing).toEqual([true]);
    expect(ada.transcript()[0]!.status).toBe("delivered");
  });

  it("because staff has the conversation shows the person nothing", async () => {
    const { fetch, typing } = receipts();
    const asked: string[] = [];
    const channel = await channelFor({
      reply(turn) {
        asked.push(turn.messages[0]!.text!);
        return null;
      },
      plugin: { fetch },
    });
    const ada = channel.meta.person(ADA);
    ada.says("hello");
    await turnEnded(channel);

    channel.meta.deliver(echoOf("I am here myself"));
    await channel.until(
      async () => (await channel.rows("select 1 from whatsapp_contacts where ai_paused_until > now()"))[0],
      "the pause",
    );
    const wamid = ada.says("thank you");
    await channel.until(
      async () => (await channel.rows("select 1 from messages where external_id = ?", [wamid]))[0],
      "the message",
    );
    await quiet(channel);

    expect(asked).toEqual(["hello"]);
    expect(typing).toEqual([]);
  });
});

/** What staff wrote to Ada in the WhatsApp Business app. */
function echoOf(body: string) {
  const echo = {
    from: "15557770100",
    to: ADA.phoneNumber,
    id: "wamid.HBgMNDQ3NzAwOTAwMTIzECHO1==",
    timestamp: String(Math.floor(Date.now() / 1_000)),
    type: "text",
    text: { body },
  };
  const metadata = { display_phone_number: "15557770100", phone_number_id: "301777000333444" };
  const value = { messaging_product: "whatsapp", metadata, message_echoes: [echo] };
  return {
    object: "whatsapp_business_account",
    entry: [{ id: "201555000111222", changes: [{ field: "smb_message_echoes", value }] }],
  };
}
