/** People who want no marketing: whoever says so, no marketing template reaches them, and everything else does. */
import type { SendRequest, TemplateChoice } from "@omniops/whatsapp";
import { describe, expect, it } from "vitest";
import { quiet, type TestChannel } from "../../support/channel.ts";
import {
  attemptsOf,
  type Contact,
  closeWindow,
  countOf,
  inState,
  keepBack,
  linkBoth,
  meet,
  meetTwice,
  NOTHING,
  startSilent,
  texts,
} from "./outbound.ts";

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
const MENU_TEXT = "New on our menu, Ada: lemon tart.";

function send(channel: TestChannel, { conversationId }: Contact, what: Omit<SendRequest, "conversationId">) {
  return channel.plugin.send({ conversationId, ...what });
}

/** Until what somebody said of marketing is known. */
async function preferenceIs(channel: TestChannel, { contactId }: Contact, value: "stop" | "resume"): Promise<void> {
  await channel.until(
    async () =>
      (
        await channel.rows("select 1 from whatsapp_preferences where contact_id = ? and value = ?", [contactId, value])
      )[0],
    `the preference ${value}`,
  );
}

type How = (channel: TestChannel, ada: Contact) => Promise<void> | void;

const WAYS: readonly (readonly [string, How])[] = [
  ["writes STOP", (_channel, { person }) => void person.says("Stop.")],
  ["writes it in another language", (_channel, { person }) => void person.says("ARRÊT")],
  ["switches it off in WhatsApp", (_channel, { person }) => person.stopsMarketing()],
  [
    "presses the button for it",
    async (channel, ada) => {
      await inState(channel, await send(channel, ada, { template: MENU }), "read");
      ada.person.press("Stop promotions");
    },
  ],
  [
    "has told Meta, which refuses to deliver",
    async (channel, ada) => {
      channel.meta.faults.next({ do: { error: { code: 131050 } } });
      const receipt = await send(channel, ada, { template: MENU });
      const done = await inState(channel, receipt, "failed");
      expect(done.parts[0]!.error).toMatchObject({ code: "GRAPH_REJECTED", meta: { code: 131050 } });
    },
  ],
  [
    "has told Meta, which says so afterwards",
    async (channel, ada) => {
      channel.meta.onAccepted(({ wamid, callbackData }) => channel.meta.deliver(refusal(ada, wamid, callbackData)));
      await send(channel, ada, { template: MENU });
    },
  ],
];

function refusal({ person }: Contact, wamid: string, callbackData: string | null) {
  const status = {
    id: wamid,
    ...(person.phoneNumber === null ? { recipient_user_id: person.userId } : { recipient_id: person.phoneNumber }),
    status: "failed",
    timestamp: String(Math.floor(Date.now() / 1_000)),
    biz_opaque_callback_data: callbackData,
    errors: [{ code: 131050, title: "User has opted out of marketing messages" }],
  };
  const metadata = { display_phone_number: "15557770100", phone_number_id: "301777000333444" };
  const value = { messaging_product: "whatsapp", metadata, statuses: [status] };
  return {
    object: "whatsapp_business_account",
    entry: [{ id: "201555000111222", changes: [{ field: "messages", value }] }],
  };
}

async function refusedAfterTheWord(channel: TestChannel, ada: Contact): Promise<void> {
  const taken = new Promise<{ wamid: string; callbackData: string | null }>((resolve) => {
    channel.meta.onAccepted(resolve);
  });
  const receipt = await send(channel, ada, { template: MENU });
  const { wamid, callbackData } = await taken;
  ada.person.says("stop");
  await preferenceIs(channel, ada, "stop");
  channel.meta.deliver(refusal(ada, wamid, callbackData));
  await inState(channel, receipt, "failed");
}

describe.each(WAYS)("somebody who %s", (_how, optOut) => {
  it("gets no marketing template any more, and everything else", async () => {
    const channel = await startSilent({ meta: { statusDelayMs: 20 } });
    const ada = await meet(channel, { name: "Ada", phoneNumber: "447700900123" });
    await optOut(channel, ada);
    await preferenceIs(channel, ada, "stop");
    await quiet(channel);
    const before = await countOf(channel);
    const posted = channel.meta.requests["POST /301777000333444/messages"];

    await expect(send(channel, ada, { template: MENU })).rejects.toMatchObject({ code: "OPTED_OUT", retry: "never" });
    await expect(
      send(channel, ada, { message: { ...MENU, kind: "template", endpoint: "marketing" } }),
    ).rejects.toMatchObject({ code: "OPTED_OUT" });
    expect(await countOf(channel)).toEqual(before);
    expect(channel.meta.requests["POST /301777000333444/messages"]).toBe(posted);

    await inState(channel, await send(channel, ada, { template: HELLO }), "read");
    await inState(channel, await send(channel, ada, { response: "an answer" }), "read");
    expect(texts(channel).slice(-2)).toEqual([expect.stringMatching(/^Hello again/), "an answer"]);
  });
});

describe("a marketing template", () => {
  it("that was queued before is not sent either", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    const letGo = await keepBack(channel, ada);
    const receipt = await send(channel, ada, { template: MENU });
    const next = await send(channel, ada, { response: "an answer" });
    ada.person.says("stop");
    await preferenceIs(channel, ada, "stop");

    await letGo();
    const done = await inState(channel, receipt, "failed");
    await inState(channel, next, "read");

    expect(done.parts[0]!.error).toMatchObject({ code: "OPTED_OUT", meta: null });
    const heard = await channel.until(
      () => channel.events.find((event) => event.kind === "status" && event.state === "failed"),
      "the host to hear of it",
    );
    expect(heard).toMatchObject({ sendId: receipt.sendId, error: done.parts[0]!.error });
    expect(await attemptsOf(channel, receipt)).toEqual([]);
    expect(texts(channel)).toEqual(["an answer"]);
  });

  it("is one, too, that Meta has made a marketing one while it waited", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    const letGo = await keepBack(channel, ada);
    const receipt = await send(channel, ada, { template: HELLO });
    channel.meta.templates.change({ name: HELLO.name }, { category: "MARKETING" });
    await channel.until(
      async () =>
        (
          await channel.rows("select 1 from whatsapp_templates where category = 'MARKETING' and name = ?", [HELLO.name])
        )[0],
      "Meta's word",
    );
    ada.person.says("stop");
    await preferenceIs(channel, ada, "stop");

    await letGo();
    const done = await inState(channel, receipt, "failed");

    expect(done.parts[0]!.error).toMatchObject({ code: "OPTED_OUT" });
    expect(texts(channel)).toEqual([]);
  });

  it("is not sent in place of an answer either, and the host hears so at once", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    ada.person.says("stop");
    await preferenceIs(channel, ada, "stop");
    const { name, language, params } = MENU;
    const request = { response: "an answer", onWindowClosed: { template: name, language, params } };
    await inState(channel, await send(channel, ada, request), "read");
    const before = await countOf(channel);
    await closeWindow(channel, ada);

    await expect(send(channel, ada, request)).rejects.toMatchObject({ code: "OPTED_OUT" });

    expect(await countOf(channel)).toEqual(before);
    expect(texts(channel)).toEqual(["an answer"]);
  });

  it("that would take the place of a waiting answer fails in its place", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    ada.person.says("stop");
    await preferenceIs(channel, ada, "stop");
    const letGo = await keepBack(channel, ada);
    const { name, language, params } = MENU;
    const receipt = await send(channel, ada, {
      response: "an answer",
      onWindowClosed: { template: name, language, params },
    });
    await closeWindow(channel, ada);

    await letGo();
    const done = await inState(channel, receipt, "failed");

    expect(done.parts[0]!.error).toMatchObject({ code: "OPTED_OUT" });
    expect(texts(channel)).toEqual([]);
  });

  it("that the AI chose for them fails, and the conversation goes on", async () => {
    const channel = await startSilent({
      reply: ({ messages }) => (messages[0]!.text === "what is new?" ? { template: MENU } : null),
    });
    const ada = await meet(channel, { name: "Ada" });
    ada.person.says("stop");
    await preferenceIs(channel, ada, "stop");
    ada.person.says("what is new?");
    await channel.until(
      async () => (await channel.rows("select 1 from whatsapp_outbox where state = 'failed'"))[0],
      "the refusal",
    );
    await inState(channel, await send(channel, ada, { response: "an answer" }), "read");

    expect(texts(channel)).toEqual(["an answer"]);
  });

  it("is told as already sent to whoever repeats the request after the opt-out", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    const request = { template: MENU, idempotencyKey: "spring" };
    const first = await send(channel, ada, request);
    await inState(channel, first, "read");
    ada.person.says("stop");
    await preferenceIs(channel, ada, "stop");

    expect((await send(channel, ada, request)).sendId).toBe(first.sendId);
  });

  it("goes by the Marketing Messages API where asked, and by the other elsewhere", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });

    await inState(channel, await send(channel, ada, { template: MENU }), "read");
    await inState(
      channel,
      await send(channel, ada, { message: { ...MENU, kind: "template", endpoint: "marketing" } }),
      "read",
    );

    expect(channel.meta.accepted.map(({ endpoint, text }) => [endpoint, text])).toEqual([
      ["messages", MENU_TEXT],
      ["marketing_messages", MENU_TEXT],
    ]);
    expect(channel.meta.requests["POST /301777000333444/marketing_messages"]).toBe(1);
  });

  it("is known for one by where it is to go, when Meta does not list templates", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    ada.person.says("stop");
    await preferenceIs(channel, ada, "stop");
    channel.meta.faults.next({ on: "message_templates", do: { error: { code: 200 } }, times: 10 });

    await expect(
      send(channel, ada, { message: { ...MENU, kind: "template", endpoint: "marketing" } }),
    ).rejects.toMatchObject({ code: "OPTED_OUT" });
    expect(await countOf(channel)).toEqual(NOTHING);
  });
});

describe("somebody who wants marketing again", () => {
  it.each<[string, How, How]>([
    ["writes START after STOP", WAYS[0]![1], (_channel, { person }) => void person.says("START")],
    ["switches it on again in WhatsApp", WAYS[2]![1], (_channel, { person }) => person.resumesMarketing()],
  ])("and %s gets it", async (_how, optOut, optIn) => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada", phoneNumber: "447700900123" });
    await optOut(channel, ada);
    await preferenceIs(channel, ada, "stop");

    await optIn(channel, ada);
    await preferenceIs(channel, ada, "resume");
    await inState(channel, await send(channel, ada, { template: MENU }), "read");

    expect(texts(channel)).toEqual([MENU_TEXT]);
  });

  it.each<[string, How]>([
    ["switched it off in WhatsApp", WAYS[2]![1]],
    ["told Meta, which refused", WAYS[4]![1]],
    ["wrote STOP, and Meta then refused what was on its way", refusedAfterTheWord],
  ])("does not get it by START where they %s: Meta would refuse it", async (_how, optOut) => {
    // What was refused must not have been read before.
    const channel = await startSilent({ meta: { statusDelayMs: 60_000 } });
    const ada = await meet(channel, { name: "Ada", phoneNumber: "447700900123" });
    await optOut(channel, ada);
    await preferenceIs(channel, ada, "stop");
    await quiet(channel);

    const wamid = ada.person.says("START");
    await channel.until(
      async () => (await channel.rows("select 1 from messages where external_id = ?", [wamid]))[0],
      "the word",
    );

    await expect(send(channel, ada, { template: MENU })).rejects.toMatchObject({ code: "OPTED_OUT" });
  });

  it("does not get it by a word that is part of a sentence", async () => {
    const channel = await startSilent();
    const ada = await meet(channel, { name: "Ada" });
    ada.person.says("stop");
    await preferenceIs(channel, ada, "stop");
    const wamid = ada.person.says("start with the cakes, please");
    await channel.until(
      async () => (await channel.rows("select 1 from messages where external_id = ?", [wamid]))[0],
      "the sentence",
    );

    await expect(send(channel, ada, { template: MENU })).rejects.toMatchObject({ code: "OPTED_OUT" });
  });
});

describe("somebody who turns out to be two contacts", () => {
  it.each(["elder", "younger"])(
    "gets no marketing template in either conversation after STOP in the %s's",
    async (which) => {
      const channel = await startSilent();
      const both = await meetTwice(channel);
      const one = which === "elder" ? both[0] : both[1];
      one.person.says("STOP");
      await preferenceIs(channel, one, "stop");
      await linkBoth(channel);
      await quiet(channel);

      for (const contact of both)
        await expect(send(channel, contact, { template: MENU })).rejects.toMatchObject({ code: "OPTED_OUT" });
      expect(await channel.rows("select contact_id, value from whatsapp_preferences")).toEqual([
        { contact_id: both[0].contactId, value: "stop" },
      ]);
    },
  );

  it("gets none that was queued for the other contact before", async () => {
    const channel = await startSilent();
    const [elder, younger] = await meetTwice(channel);
    const letGo = await keepBack(channel, elder);
    const receipt = await send(channel, elder, { template: MENU });
    younger.person.says("STOP");
    await preferenceIs(channel, younger, "stop");
    await linkBoth(channel);

    await letGo();

    const done = await inState(channel, receipt, "failed");
    expect(done.parts[0]!.error).toMatchObject({ code: "OPTED_OUT" });
  });

  it.each(["elder", "younger"])(
    "gets it by START, said before to the %s, where that is the later word",
    async (which) => {
      const channel = await startSilent();
      const [elder, younger] = await meetTwice(channel);
      const [stops, starts] = which === "elder" ? [younger, elder] : [elder, younger];
      stops.person.says("STOP", { at: new Date(Date.now() - 60_000) });
      await preferenceIs(channel, stops, "stop");
      starts.person.says("START");
      await preferenceIs(channel, starts, "resume");
      await linkBoth(channel);
      await quiet(channel);

      await inState(channel, await send(channel, elder, { template: MENU }), "read");
    },
  );

  it("gets none after Meta has refused what had left before", async () => {
    const channel = await startSilent({ meta: { statusDelayMs: 60_000 } });
    const [elder, younger] = await meetTwice(channel);
    const receipt = await send(channel, younger, { template: MENU });
    await inState(channel, receipt, "accepted");
    const { wamid, callbackData } = channel.meta.accepted[0]!;
    await linkBoth(channel);

    channel.meta.deliver(refusal(younger, wamid, callbackData));
    await inState(channel, receipt, "failed");

    await expect(send(channel, elder, { template: MENU })).rejects.toMatchObject({ code: "OPTED_OUT" });
  });
});
