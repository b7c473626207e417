/** Buttons, rows and quick replies that a person presses, and every other message that a person may send. */
import { INBOUND_MESSAGES } from "@omniops/whatsapp/simulator";
import { describe, expect, it } from "vitest";
import { ADA, NUMBER, send, startHost, startSimulator, values, wamidOf } from "./simulated.ts";

const to = { messaging_product: "whatsapp", to: ADA.phoneNumber };

function interactive(type: string, action: object): object {
  return { ...to, type: "interactive", interactive: { type, body: { text: "What would you like?" }, action } };
}

const buttons = (...titles: readonly string[]) =>
  interactive("button", {
    buttons: titles.map((title) => ({ type: "reply", reply: { id: `id-${title}`, title } })),
  });

const list = interactive("list", {
  button: "Drinks",
  sections: [
    {
      rows: [
        { id: "tea", title: "Tea", description: "hot" },
        { id: "water", title: "Water" },
      ],
    },
  ],
});

async function conversation() {
  const host = await startHost();
  const meta = await startSimulator({ webhookUrl: host.url });
  const ada = meta.person(ADA);
  ada.says("Hello");
  await meta.idle();
  const heard = async () => {
    await meta.idle();
    return values(host)
      .flatMap(({ messages = [] }) => messages)
      .at(-1);
  };
  return { meta, ada, heard };
}

describe("a person", () => {
  it("presses a button, and the business hears its id and the message it belongs to", async () => {
    const { meta, ada, heard } = await conversation();
    const question = wamidOf(await send(meta, buttons("Yes", "No")));

    const wamid = ada.press("No");

    expect(await heard()).toMatchObject({
      id: wamid,
      context: { from: "15557770100", id: question },
      type: "interactive",
      interactive: { type: "button_reply", button_reply: { id: "id-No", title: "No" } },
    });
    expect(ada.transcript().at(-1)).toMatchObject({ direction: "inbound", text: "No", replyTo: question });
  });

  it("chooses a row, with its description when it has one", async () => {
    const { meta, ada, heard } = await conversation();
    await send(meta, list);

    ada.press("Tea");
    const tea = await heard();
    ada.press("Water");
    const water = await heard();

    expect(tea?.interactive).toEqual({
      type: "list_reply",
      list_reply: { id: "tea", title: "Tea", description: "hot" },
    });
    expect(water?.interactive).toEqual({ type: "list_reply", list_reply: { id: "water", title: "Water" } });
  });

  it("presses a quick reply of a template, which says its payload, or its label where it has none", async () => {
    const { meta, ada, heard } = await conversation();
    const values = ["first_name", "day"].map((name) => ({ type: "text", parameter_name: name, text: "x" }));
    const components = [
      { type: "body", parameters: values },
      { type: "button", sub_type: "quick_reply", index: "1", parameters: [{ type: "payload", payload: "MOVE" }] },
    ];
    const template = { name: "appointment_reminder", language: { code: "en_GB" }, components };
    await send(meta, { ...to, type: "template", template });

    ada.press("Another day");
    const withPayload = await heard();
    ada.press("Yes");
    const without = await heard();

    expect(withPayload).toMatchObject({ type: "button", button: { payload: "MOVE", text: "Another day" } });
    expect(without).toMatchObject({ type: "button", button: { payload: "Yes", text: "Yes" } });
  });

  it("presses in the newest message that has it, or in the one that is named", async () => {
    const { meta, ada, heard } = await conversation();
    const first = wamidOf(await send(meta, buttons("Yes")));
    const second = wamidOf(await send(meta, buttons("Yes")));

    ada.press("Yes");
    const newest = await heard();
    ada.press("Yes", { replyTo: first });
    const named = await heard();

    expect([newest, named]).toMatchObject([{ context: { id: second } }, { context: { id: first } }]);
  });

  it("cannot press what is not there, and is told what is", async () => {
    const { meta, ada } = await conversation();

    expect(() => ada.press("Yes")).toThrow('Nothing to press is called "Yes"; there is nothing at all.');
    await send(meta, buttons("Yes", "No"));
    expect(() => ada.press("Maybe")).toThrow('there is "Yes", "No".');
    expect(() => ada.press("Yes", { to: "1" })).toThrow();
  });

  it("reacts, and takes it back", async () => {
    const { ada, heard } = await conversation();

    ada.reacts("👍", "wamid.one");
    const reaction = await heard();
    ada.reacts(null, "wamid.one");
    const removal = await heard();

    expect(reaction?.reaction).toEqual({ message_id: "wamid.one", emoji: "👍" });
    expect(removal?.reaction).toEqual({ message_id: "wamid.one" });
  });

  it.each(Object.entries(INBOUND_MESSAGES))("sends %s as Meta delivers it", async (_name, message) => {
    const { ada, heard } = await conversation();

    const wamid = ada.sends(message);

    expect(await heard()).toEqual({
      from: ADA.phoneNumber,
      from_user_id: ADA.userId,
      id: wamid,
      timestamp: expect.stringMatching(/^\d+$/),
      ...message,
    });
  });
});

describe("an interactive message", () => {
  const row = (index: number) => ({ id: `row-${index}`, title: `Row ${index}` });
  const rows = (count: number) => Array.from({ length: count }, (_, index) => row(index));
  const section = { title: "S", rows: rows(6) };
  const card = (index: number) => ({
    card_index: index,
    type: "cta_url",
    header: { type: "image", image: { link: "https://media.example/a.jpg" } },
    action: { name: "cta_url", parameters: { display_text: "Open", url: "https://shop.example" } },
  });

  it.each<[string, number, object]>([
    ["of an unknown type", 100, interactive("hologram", {})],
    ["of a type from Object.prototype", 100, interactive("constructor", {})],
    ["without buttons", 131008, interactive("button", {})],
    ["with four buttons", 131009, buttons("1", "2", "3", "4")],
    ["with a title of 21", 131009, buttons("x".repeat(21))],
    ["with one title twice", 131009, buttons("a", "a")],
    ["with eleven rows", 131009, interactive("list", { button: "B", sections: [{ rows: rows(11) }] })],
    ["with twelve rows in two sections", 131009, interactive("list", { button: "B", sections: [section, section] })],
    [
      "with sections without titles",
      131009,
      interactive("list", { button: "B", sections: [{ rows: rows(1) }, { rows: rows(1) }] }),
    ],
    [
      "with a link that is none",
      131009,
      interactive("cta_url", { name: "cta_url", parameters: { display_text: "Open", url: "shop" } }),
    ],
    [
      "with a Flow of no name",
      131009,
      interactive("flow", { name: "flow", parameters: { flow_message_version: "3", flow_cta: "Go" } }),
    ],
    ["with one card", 131009, interactive("carousel", { cards: [card(0)] })],
    [
      "with a card without a picture",
      131009,
      interactive("carousel", { cards: [card(0), { ...card(1), header: undefined }] }),
    ],
    ["with a product without a catalogue", 131008, interactive("product", { product_retailer_id: "sku1" })],
  ])("%s is refused with %i", async (_what, code, message) => {
    const meta = await startSimulator();

    const answer = await send(meta, message, { path: `${NUMBER.phoneNumberId}/messages` });

    expect(answer).toMatchObject({ status: 400, body: { error: { code } } });
    expect(meta.accepted).toEqual([]);
  });
});
