/** What may be chosen, whatever it looks like on WhatsApp: a button, a row, or a number that the person types. */
import type { AiResponse, SendRequest, Turn, TurnMessage } from "@omniops/whatsapp";
import { describe, expect, it } from "vitest";
import { quiet, type TestChannel } from "../support/channel.ts";
import { channelFor } from "./engine/support.ts";
import { chatter, closeWindow, inState, keepBack, meet, receiptWhen, startSilent } from "./outbound/outbound.ts";

const cakes = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ id: `cake-${index + 1}`, title: `Cake ${index + 1}` }));

/** A host that offers so many cakes to whoever says hello, and hears what is said to that. */
async function offering(count: number, afterwards: AiResponse | null = null) {
  const heard: TurnMessage[] = [];
  const channel = await channelFor({
    reply({ messages }: Turn): AiResponse | null {
      const [message] = messages;
      if (message!.text === "hello") return { text: "Which cake?", choices: cakes(count) };
      heard.push(message!);
      return afterwards;
    },
  });
  const ada = channel.meta.person({ name: "Ada" });
  ada.says("hello");
  await channel.meta.waitFor(() => channel.meta.accepted.length === 1);
  await quiet(channel);
  return { channel, ada, heard };
}

async function hears(channel: TestChannel, heard: readonly TurnMessage[], count = 1): Promise<TurnMessage> {
  return channel.until(() => heard[count - 1], "the host to be asked");
}

describe("twelve choices", () => {
  it("are numbered text", async () => {
    const { channel } = await offering(12);

    expect(channel.meta.accepted[0]!.text).toMatch(/Which cake\?[\s\S]*2\. Cake 2\n[\s\S]*12\. Cake 12/);
    expect(await channel.rows("select choices, degraded from whatsapp_sends")).toEqual([
      {
        choices: cakes(12).map((cake, index) => ({ ...cake, number: index + 1, isNumbered: true, part: 0 })),
        degraded: [expect.objectContaining({ what: "choices", to: "numbered text" })],
      },
    ]);
  });

  it.each([["2"], ["2."], [" #2 "], ["Option 2"], ["٢"], ["Cake 2"], ["cake 2!"]])(
    "are answered by %j",
    async (words) => {
      const { channel, ada, heard } = await offering(12);

      ada.says(words);

      expect(await hears(channel, heard)).toMatchObject({
        type: "text",
        text: words,
        content: { kind: "choice", from: "text", id: "cake-2", title: "Cake 2", description: null },
      });
    },
  );

  it.each([["13"], ["0"], ["2 of them"], ["Cake"], ["none of these"]])("are not answered by %j", async (words) => {
    const { channel, ada, heard } = await offering(12);

    ada.says(words);

    expect(await hears(channel, heard)).toMatchObject({ text: words, content: null });
  });

  it("are over when something else was said", async () => {
    const { channel, ada, heard } = await offering(12, { text: "How many?" });
    ada.says("Cake 2");
    await hears(channel, heard);
    await channel.meta.waitFor(() => channel.meta.accepted.length === 2);
    await quiet(channel);

    ada.says("2");

    expect((await hears(channel, heard, 2)).content).toBeNull();
  });

  it("still stand when the host said nothing to what was said", async () => {
    const { channel, ada, heard } = await offering(12);
    ada.says("let me think");
    await hears(channel, heard);

    ada.says("7");

    expect((await hears(channel, heard, 2)).content).toMatchObject({ from: "text", id: "cake-7" });
  });

  it("that a template has taken the place of cannot be chosen from", async () => {
    const heard: TurnMessage[] = [];
    const channel = await startSilent({ reply: ({ messages }) => void heard.push(...messages) });
    const ada = await meet(channel, { name: "Ada" });
    const letGo = await keepBack(channel, ada);
    const receipt = await channel.plugin.send({
      conversationId: ada.conversationId,
      response: { text: "Which cake?", choices: cakes(12) },
      onWindowClosed: { template: "hello_again", language: "en_GB" },
    });
    await closeWindow(channel, ada);
    await letGo();
    await inState(channel, receipt, "read");

    ada.person.says("2");

    expect((await hears(channel, heard, 2)).content).toBeNull();
  });

  it("that never arrived cannot be chosen from", async () => {
    const heard: TurnMessage[] = [];
    const channel = await startSilent({ reply: ({ messages }) => void heard.push(...messages) });
    const ada = await meet(channel, { name: "Ada" });
    channel.meta.faults.next({ do: { error: { code: 131026 } } });
    const receipt = await channel.plugin.send({
      conversationId: ada.conversationId,
      response: { text: "Which cake?", choices: cakes(12) },
    });
    await inState(channel, receipt, "failed");

    ada.person.says("2");

    expect((await hears(channel, heard, 2)).content).toBeNull();
  });
});

describe("fewer choices", () => {
  it.each<[number, "button" | "list"]>([
    [3, "button"],
    [7, "list"],
  ])("%i of them are chosen by a %s, by their number and by their words", async (count, from) => {
    const { channel, ada, heard } = await offering(count);

    ada.press("Cake 2");
    expect(await hears(channel, heard)).toMatchObject({
      type: "interactive",
      text: "Cake 2",
      content: { kind: "choice", from, id: "cake-2", title: "Cake 2" },
      replyTo: channel.meta.accepted[0]!.wamid,
    });
    ada.says("3");
    expect((await hears(channel, heard, 2)).content).toMatchObject({ from: "text", id: "cake-3" });
    ada.says("CAKE 1");
    expect((await hears(channel, heard, 3)).content).toMatchObject({ from: "text", id: "cake-1" });
  });
});

describe("choices of an answer of which not every part arrived", () => {
  /** Meta takes the first part, and fails it later. */
  async function offeredWithoutItsFirstPart(response: AiResponse) {
    const heard: TurnMessage[] = [];
    const channel = await startSilent({ reply: ({ messages }) => void heard.push(...messages) });
    const ada = await meet(channel, { name: "Ada" });
    const send = (what: AiResponse) => channel.plugin.send({ conversationId: ada.conversationId, response: what });
    await inState(channel, await send({ text: "Which day?", choices: [...days] }), "read");
    channel.meta.faults.next({ do: { failed: { code: 131026 } } });
    const { parts } = await receiptWhen(
      channel,
      (await send(response)).sendId,
      ({ parts: [first, ...others] }) => first?.state === "failed" && others.every(({ state }) => state === "read"),
      "the first part to have failed, and the others to be read",
    );
    expect(parts).toHaveLength(2);
    return async (words: string) => {
      const before = heard.length;
      ada.person.says(words);
      return (await hears(channel, heard, before + 1)).content;
    };
  }
  const days = ["Monday", "Tuesday", "Friday"].map((title) => ({ id: title.toLowerCase(), title }));

  it("can be chosen from when it was another part", async () => {
    const say = await offeredWithoutItsFirstPart({
      text: "Which cake?",
      media: [{ kind: "image", url: "https://shop.example/cakes.jpg" }],
      choices: cakes(3),
    });

    expect(await say("2")).toMatchObject({ id: "cake-2" });
  });

  it("cannot be chosen from when it was theirs, nor can those of an older question", async () => {
    const say = await offeredWithoutItsFirstPart({
      cards: [{ title: "Cherry", choices: [{ id: "cherry", title: "This one" }] }],
      text: "Or which other cake?",
      choices: cakes(3),
    });

    expect(await say("1")).toBeNull();
    expect(await say("Tuesday")).toBeNull();
    expect(await say("3")).toMatchObject({ id: "cake-2" });
  });
});

describe("choices that were not there yet when somebody wrote", () => {
  const days = { text: "Which day?", choices: ["Monday", "Tuesday"].map((title) => ({ id: title, title })) };
  const subscription = { text: "Cancel it?", choices: ["Keep it", "Cancel it"].map((title) => ({ id: title, title })) };

  /** Ada has been asked for a day, and has read it. */
  async function askedForADay(reply: (turn: Turn) => Promise<AiResponse | null> = async () => null) {
    const heard: TurnMessage[] = [];
    const channel = await startSilent({
      reply(turn) {
        heard.push(...turn.messages);
        return reply(turn);
      },
    });
    const ada = await meet(channel, { name: "Ada" });
    const ask = (what: Partial<SendRequest>) => channel.plugin.send({ conversationId: ada.conversationId, ...what });
    await inState(channel, await ask({ response: days }), "read");
    const hearsOf = async (words: string) =>
      (await channel.until(() => heard.find(({ text }) => text === words), `the host to hear ${words}`)).content;
    return { channel, ada, ask, hearsOf };
  }

  it("are none while they are held, though they leave as soon as that was written", async () => {
    const { channel, ada, ask, hearsOf } = await askedForADay();
    await closeWindow(channel, ada);
    const held = await ask({ response: subscription, onWindowClosed: "hold" });
    await inState(channel, held, "held");

    ada.person.says("2");

    expect(await hearsOf("2")).toMatchObject({ id: "Tuesday" });
    await inState(channel, held, "read");
    ada.person.says("no. 2");
    expect(await hearsOf("no. 2")).toMatchObject({ id: "Cancel it" });
  });

  it("are none while their number is paused", async () => {
    const { channel, ada, ask, hearsOf } = await askedForADay();
    await channel.rows("update whatsapp_connections set pause_strikes = 1, paused_until = now() + interval '1 hour'");
    const queued = await ask({ response: subscription });

    ada.person.says("Tuesday");
    ada.person.says("2");

    expect(await hearsOf("Tuesday")).toMatchObject({ id: "Tuesday" });
    expect(await hearsOf("2")).toMatchObject({ id: "Tuesday" });
    await inState(channel, queued, "queued");
  });

  it("are none when the AI has only thought of them", async () => {
    let answer: (response: AiResponse) => void = () => {};
    const thought = new Promise<AiResponse>((resolve) => {
      answer = resolve;
    });
    const { channel, ada, hearsOf } = await askedForADay(async ({ messages }) =>
      messages[0]?.text === "what about my subscription?" ? thought : null,
    );
    ada.person.says("what about my subscription?");
    await hearsOf("what about my subscription?");
    ada.person.says("2");
    await channel.until(
      async () =>
        (await channel.rows("select 1 from whatsapp_turns where state = 0 and sealed_at is null")).length === 1,
      "the number to wait for its turn",
    );

    answer(subscription);

    expect(await hearsOf("2")).toMatchObject({ id: "Tuesday" });
  });

  it("are none when nobody knows whether they came, and neither are those above them then", async () => {
    const { channel, ada, ask, hearsOf } = await askedForADay();
    channel.meta.faults.next({ do: "reset-before-accept" });
    const lost = await ask({ response: subscription, onAmbiguous: "hold" });
    await inState(channel, lost, "sending");
    ada.person.says("2");
    expect(await hearsOf("2")).toBeNull();
    const stop = await chatter(channel);
    await inState(channel, lost, "unknown");
    stop();

    ada.person.says("no. 2");

    expect(await hearsOf("no. 2")).toBeNull();
  });

  it("are there when they came last, though a template was sent after them", async () => {
    const { channel, ada, ask, hearsOf } = await askedForADay();
    await closeWindow(channel, ada);
    const held = await ask({ response: subscription, onWindowClosed: "hold" });
    await inState(channel, held, "held");
    await inState(channel, await ask({ template: { name: "hello_again", language: "en_GB" } }), "read");
    ada.person.says("oh, hello");
    await inState(channel, held, "read");

    ada.person.says("2");

    expect(await hearsOf("2")).toMatchObject({ id: "Cancel it" });
  });

  it("are there as an earlier version has stored them", async () => {
    const { channel, ada, hearsOf } = await askedForADay();
    await channel.rows("update whatsapp_sends set choices = ?", [JSON.stringify(days.choices)]);

    ada.person.says("2");

    expect(await hearsOf("2")).toMatchObject({ id: "Tuesday" });
  });
});

describe("a template's quick reply", () => {
  it("is a choice too", async () => {
    const heard: TurnMessage[] = [];
    const channel = await startSilent({ reply: ({ messages }) => void heard.push(...messages) });
    const ada = await meet(channel, { name: "Ada" });
    const receipt = await channel.plugin.send({
      conversationId: ada.conversationId,
      template: {
        name: "appointment_reminder",
        language: "en_GB",
        params: {
          body: { first_name: "Ada", day: "Monday" },
          buttons: [{ index: 1, kind: "quick-reply", payload: "another-day" }],
        },
      },
    });
    await inState(channel, receipt, "read");

    ada.person.press("Another day");

    expect((await hears(channel, heard, 2)).content).toEqual({
      kind: "choice",
      from: "template-button",
      id: "another-day",
      title: "Another day",
      description: null,
    });
  });
});
