/** Templates: listed page by page, refused as Meta refuses them, and sent by the Marketing Messages API. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  ACCESS_TOKEN,
  ADA,
  call,
  NUMBER,
  PROOF,
  send,
  startHost,
  startSimulator,
  statuses,
  wamidOf,
} from "./simulated.ts";

const MARKETING = { path: `${NUMBER.phoneNumberId}/marketing_messages` };
const LIST = `${NUMBER.wabaId}/message_templates`;
const RECORDED = new URL("../../../fixtures/graph-api/", import.meta.url);
type Recorded = {
  readonly template: {
    readonly name: string;
    readonly language: { readonly code: string };
    readonly components: readonly { readonly index: string; readonly sub_type: string }[];
  };
};
const SHIPPED = [
  { type: "header", parameters: [{ type: "text", text: "A-17" }] },
  {
    type: "body",
    parameters: [
      { type: "text", text: "Ada" },
      { type: "text", text: "A-17" },
    ],
  },
  { type: "button", sub_type: "url", index: "0", parameters: [{ type: "text", text: "A-17" }] },
];
const SPRING = [
  { type: "header", parameters: [{ type: "image", image: { link: "https://media.example/tart.jpg" } }] },
  { type: "body", parameters: [{ type: "text", text: "Ada" }] },
  { type: "button", sub_type: "quick_reply", index: "0", parameters: [{ type: "payload", payload: "STOP" }] },
  { type: "button", sub_type: "copy_code", index: "2", parameters: [{ type: "coupon_code", coupon_code: "LEMON20" }] },
];

function template(name: string, components: readonly object[] = [], code = "en_GB"): object {
  const template = { name, language: { code }, components };
  return { messaging_product: "whatsapp", to: ADA.phoneNumber, type: "template", template };
}

const CODE = [
  { type: "body", parameters: [{ type: "text", text: "482913" }] },
  { type: "button", sub_type: "url", index: "0", parameters: [{ type: "text", text: "482913" }] },
];
const CALL_US = {
  name: "call_us",
  language: "en_GB",
  components: [
    { type: "BODY", text: "Any time." },
    { type: "BUTTONS", buttons: [{ type: "PHONE_NUMBER", text: "Call", phone_number: "+15557770100" }] },
  ],
};
const REMINDER = [
  {
    type: "body",
    parameters: ["first_name", "day"].map((name) => ({ type: "text", parameter_name: name, text: "x" })),
  },
];
const CAKES = [
  { type: "body", parameters: [{ type: "text", text: "Ada" }] },
  { type: "carousel", cards: [0, 1].map((index) => ({ card_index: index, components: cakeCard() })) },
];

function cakeCard(payload = "ORDER"): readonly object[] {
  return [
    { type: "header", parameters: [{ type: "image", image: { link: "https://media.example/tart.jpg" } }] },
    { type: "body", parameters: [{ type: "text", text: "£4" }] },
    { type: "button", sub_type: "quick_reply", index: 0, parameters: [{ type: "payload", payload }] },
  ];
}

/** The template with other parameters for the button at this place. */
function withButton(name: string, components: readonly object[], index: number, ...parameters: object[]): object {
  return template(
    name,
    components.map((component) =>
      "index" in component && component.index === String(index) ? { ...component, parameters } : component,
    ),
  );
}

function quickReply(...parameters: object[]): object {
  return template("appointment_reminder", [
    ...REMINDER,
    { type: "button", sub_type: "quick_reply", index: "0", parameters },
  ]);
}

/** The components with the first parameter of the body another one. */
function shippedTo(parameter: object): readonly object[] {
  return SHIPPED.map((component) =>
    component.type === "body" ? { ...component, parameters: [parameter, { type: "text", text: "A-17" }] } : component,
  );
}

describe("the templates of an account", () => {
  it("begin with a handful that are approved", async () => {
    const meta = await startSimulator();

    const { body } = await call(meta, `${LIST}?fields=name,language,status,category,parameter_format,components`);

    expect(body.data).toHaveLength(meta.templates.list().length);
    expect(body.data).toContainEqual({
      id: expect.stringMatching(/^\d+$/),
      name: "hello_world",
      language: "en_US",
      status: "APPROVED",
      category: "UTILITY",
      parameter_format: "POSITIONAL",
      components: expect.any(Array),
    });
    expect(body.paging?.next).toBeUndefined();
  });

  it("are listed page by page, and a cursor ends with the list that it is of", async () => {
    const meta = await startSimulator();
    const names: unknown[] = [];
    let after = "";

    for (let more = true; more; ) {
      const { body } = await call(meta, `${LIST}?limit=3&fields=name&after=${after}`.replace(/&after=$/, ""));
      names.push(...(body.data as readonly { readonly name: string }[]).map(({ name }) => name));
      more = body.paging?.next !== undefined;
      if (more) after = body.paging?.cursors.after ?? "";
    }
    meta.templates.add({ name: "late", language: "en", components: [] });
    const stale = await call(meta, `${LIST}?limit=3&after=${after}`);

    expect(names).toEqual(meta.templates.list().flatMap(({ name }) => (name === "late" ? [] : [name])));
    expect(stale).toMatchObject({ status: 400, body: { error: { code: 131059 } } });
  });

  it("say where the next page is, for whoever follows the address", async () => {
    const meta = await startSimulator();
    const { body } = await call(meta, `${LIST}?limit=1&fields=name`);

    const next = await fetch(`${body.paging?.next}&appsecret_proof=${PROOF}`);

    expect(await next.json()).toMatchObject({ data: [{ name: meta.templates.list()[1]?.name }] });
  });

  it("are filtered, and an unknown field or limit is refused", async () => {
    const meta = await startSimulator();

    const marketing = await call(meta, `${LIST}?category=MARKETING&fields=name`);
    meta.templates.add({ name: "late", language: "en", qualityScore: "RED", components: [] });
    const poor = await call(meta, `${LIST}?quality_score=RED&fields=name`);
    const byWord = await call(meta, `${LIST}?name_or_content=CAKE&fields=name`);
    const none = await call(meta, `${LIST}?name=nothing_of_the_sort`);
    const field = await call(meta, `${LIST}?fields=shoe_size`);
    const limit = await call(meta, `${LIST}?limit=x`);

    expect(marketing.body.data).toMatchObject([{ name: "spring_menu" }, { name: "cakes_of_the_week" }]);
    expect(poor.body.data).toMatchObject([{ name: "late" }]);
    expect(byWord.body.data).toMatchObject([{ name: "cakes_of_the_week" }]);
    expect(none.body).toEqual({ data: [] });
    expect([field, limit]).toMatchObject([{ body: { error: { code: 100 } } }, { body: { error: { code: 100 } } }]);
  });

  it("are of each account for itself, and can be taken away", async () => {
    const other = { ...NUMBER, phoneNumberId: "301777000999999", wabaId: "201555000999999" };
    const meta = await startSimulator({ numbers: [NUMBER, other], templates: [] });

    meta.templates.add({ name: "only_there", language: "en", components: [] }, other.wabaId);
    meta.templates.add({ name: "only_there", language: "de", components: [] }, other.wabaId);
    meta.templates.remove({ name: "only_there", language: "de" }, other.wabaId);

    expect(meta.templates.list()).toEqual([]);
    expect(meta.templates.list(other.wabaId)).toMatchObject([{ name: "only_there", language: "en" }]);
    expect(() => meta.templates.list("1")).toThrow("no account 1");
  });
});

describe("a template", () => {
  it("is shown to the person as they read it, and priced by its category", async () => {
    const host = await startHost();
    const meta = await startSimulator({ webhookUrl: host.url });
    const ada = meta.person(ADA);

    const answer = await send(meta, template("spring_menu", SPRING));
    await meta.idle();

    expect(answer.body.messages).toMatchObject([{ message_status: "accepted" }]);
    expect(ada.transcript()).toMatchObject([{ type: "template", text: "New on our menu, Ada: lemon tart." }]);
    expect(statuses(host)[0]).toMatchObject({ pricing: { category: "marketing" } });
  });

  it.each<[string, number, object]>([
    ["an unknown name", 132001, template("helo_world")],
    ["another language", 132001, template("hello_world", [], "en_GB")],
    [
      "too few values",
      132000,
      template("order_shipped", [{ type: "body", parameters: [{ type: "text", text: "x" }] }]),
    ],
    ["values for none", 132000, template("hello_again", [{ type: "body", parameters: [{ type: "text", text: "x" }] }])],
    ["a line break", 132018, template("order_shipped", shippedTo({ type: "text", text: "a\nb" }))],
    ["five spaces", 132018, template("order_shipped", shippedTo({ type: "text", text: "a     b" }))],
    ["an empty value", 131008, template("order_shipped", shippedTo({ type: "text", text: "" }))],
    ["a value of another type", 132012, template("order_shipped", shippedTo({ type: "payload", payload: "x" }))],
    ["a body too long", 132005, template("order_shipped", shippedTo({ type: "text", text: "x".repeat(1020) }))],
    ["a button left out", 131008, template("order_shipped", SHIPPED.slice(0, 2))],
    ["a button that it has not", 132012, template("order_shipped", [...SHIPPED, { ...SHIPPED[2], index: "1" }])],
    ["its picture left out", 132012, template("spring_menu", SPRING.slice(1))],
    ["cards left out", 132012, template("cakes_of_the_week", [SPRING[1]!])],
    [
      "values without names",
      100,
      template("appointment_reminder", [{ type: "body", parameters: SHIPPED[1]!.parameters }]),
    ],
    ["a suffix without words", 131008, withButton("order_shipped", SHIPPED, 0, { type: "text" })],
    ["a suffix of another type", 132012, withButton("order_shipped", SHIPPED, 0, { type: "payload", payload: "x" })],
    ["two suffixes", 132000, withButton("order_shipped", SHIPPED, 0, ...SHIPPED[1]!.parameters)],
    ["a suffix of two lines", 132018, withButton("order_shipped", SHIPPED, 0, { type: "text", text: "a\nb" })],
    [
      "a suffix for a link that has no variable",
      100,
      template("spring_menu", [...SPRING, { ...SHIPPED[2], index: 1 }]),
    ],
    [
      "a coupon code too long",
      132018,
      withButton("spring_menu", SPRING, 2, { type: "coupon_code", coupon_code: "x".repeat(21) }),
    ],
    ["a coupon code as a text", 132012, withButton("spring_menu", SPRING, 2, { type: "text", text: "LEMON20" })],
    ["a payload too long", 132018, quickReply({ type: "payload", payload: "x".repeat(257) })],
    ["a payload as a text", 132012, quickReply({ type: "text", text: "x" })],
    [
      "a button of a type that there is not",
      100,
      template("order_shipped", [...SHIPPED.slice(0, 2), { ...SHIPPED[2], sub_type: "phone_number" }]),
    ],
    ["one button twice", 100, template("order_shipped", [...SHIPPED, SHIPPED[2]!])],
    ["a button for one of phoning", 100, template("call_us", [{ ...SHIPPED[2] }])],
    ["a code in its button that is another", 132018, withButton("sign_in_code", CODE, 0, { type: "text", text: "1" })],
    [
      "a code too long",
      132018,
      template(
        "sign_in_code",
        CODE.map((component) => ({ ...component, parameters: [{ type: "text", text: "1".repeat(16) }] })),
      ),
    ],
    ["a component that there is not", 100, template("hello_again", [{ type: "buttons", parameters: [] }])],
    ["two bodies", 100, template("order_shipped", [...SHIPPED, SHIPPED[1]!])],
    ["values for its footer", 132000, template("order_shipped", [...SHIPPED, { ...SHIPPED[0], type: "footer" }])],
    [
      "a payload too long for a card",
      132018,
      template("cakes_of_the_week", [
        CAKES[0]!,
        { type: "carousel", cards: [0, 1].map((at) => ({ card_index: at, components: cakeCard("x".repeat(129)) })) },
      ]),
    ],
    [
      "a component in a card that cards have not",
      100,
      template("cakes_of_the_week", [
        CAKES[0]!,
        { type: "carousel", cards: [0, 1].map((at) => ({ card_index: at, components: CAKES })) },
      ]),
    ],
    ["no language", 131008, { ...template(""), template: { name: "hello_world" } }],
  ])("with %s is refused with %i", async (_what, code, message) => {
    const meta = await startSimulator();
    meta.templates.add(CALL_US);

    const answer = await send(meta, message);

    expect(answer.body.error).toMatchObject({ code });
    expect(meta.accepted).toEqual([]);
  });

  it.each<[string, object]>([
    ["the link's suffix", template("order_shipped", SHIPPED)],
    ["every button", template("spring_menu", SPRING)],
    [
      "a coupon code as long as may be",
      withButton("spring_menu", SPRING, 2, { type: "coupon_code", coupon_code: "x".repeat(20) }),
    ],
    ["a payload as long as may be", quickReply({ type: "payload", payload: "x".repeat(256) })],
    ["quick replies left alone", template("appointment_reminder", REMINDER)],
    ["its cards", template("cakes_of_the_week", CAKES)],
    ["a one-time code", template("sign_in_code", CODE)],
    ["nothing for a button of phoning", template("call_us")],
  ])("with %s is taken", async (_what, message) => {
    const meta = await startSimulator();
    meta.templates.add(CALL_US);

    expect(await send(meta, message)).toMatchObject({ status: 200 });
  });

  it.each(readdirSync(RECORDED).filter((file) => /^template-button.*\.body\.json$/.test(file)))(
    "takes its buttons as the plugin gives them: %s",
    async (file) => {
      const meta = await startSimulator();
      const recorded = JSON.parse(readFileSync(new URL(file, RECORDED), "utf8")) as Recorded;
      const { name, language, components } = recorded.template;
      const buttons = Array.from({ length: 10 }, (_, at) => {
        const type = components.find(({ index }) => index === String(at))?.sub_type.toUpperCase();
        return { type: type ?? "QUICK_REPLY", text: "Press", url: "https://bakery.example/{{1}}" };
      });
      const approved = [
        { type: "BODY", text: "Hello." },
        { type: "BUTTONS", buttons },
      ];
      meta.templates.add({ name, language: language.code, components: approved });

      expect(await send(meta, { ...template(""), ...recorded })).toMatchObject({ status: 200 });
    },
  );

  it.each([
    ["PAUSED", 132015],
    ["DISABLED", 132016],
    ["PENDING", 132001],
    ["REJECTED", 132001],
  ])("that is %s is refused with %i", async (status, code) => {
    const meta = await startSimulator();
    meta.templates.add({ name: "hello_again", language: "en_GB", status, components: [] });

    expect((await send(meta, template("hello_again"))).body.error).toMatchObject({ code });
  });

  it("with a one-time code needs a phone number", async () => {
    const meta = await startSimulator();
    const { to: _, ...message } = template("sign_in_code", CODE) as { readonly to: string };

    const byNumber = await send(meta, template("sign_in_code", CODE));
    const byUserId = await send(meta, { ...message, recipient: ADA.userId });

    expect([byNumber.status, byUserId.body.error?.code]).toEqual([200, 131062]);
  });
});

describe("the Marketing Messages API", () => {
  it("takes a marketing template, and says in the ledger that it came that way", async () => {
    const meta = await startSimulator();

    const answer = await send(meta, { ...template("spring_menu", SPRING), product_policy: "STRICT" }, MARKETING);

    expect(meta.accepted).toMatchObject([{ wamid: wamidOf(answer), endpoint: "marketing_messages" }]);
  });

  it.each<[string, number, object]>([
    ["a text", 131055, { ...template("x"), type: "text", text: { body: "Hi" } }],
    ["a template that is none for marketing", 134100, template("hello_again")],
    ["a policy that it does not know", 131009, { ...template("spring_menu", SPRING), product_policy: "LAX" }],
    ["a read receipt", 131008, { messaging_product: "whatsapp", status: "read", message_id: "wamid.any" }],
  ])("refuses %s with %i", async (_what, code, message) => {
    const meta = await startSimulator();

    expect((await send(meta, message, MARKETING)).body.error).toMatchObject({ code });
  });

  it("has faults of its own", async () => {
    const meta = await startSimulator();
    meta.faults.next({ on: "marketing_messages", do: { error: { code: 131000 } } });

    const elsewhere = await send(meta, template("hello_again"));
    const here = await send(meta, template("spring_menu", SPRING), { ...MARKETING, token: ACCESS_TOKEN });

    expect([elsewhere.status, here.body.error?.code]).toEqual([200, 131000]);
  });
});
