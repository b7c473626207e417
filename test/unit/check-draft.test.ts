/** A template before Meta is asked: what fits, and each thing that does not, with its path and what to do. */
import { describe, expect, it } from "vitest";
import { checkDraft } from "../../plugin/templates/check-draft.ts";

const BODY = {
  type: "BODY",
  text: "Hi {{1}}, your order {{2}} has shipped.",
  example: { body_text: [["Ada", "A-17"]] },
};
const DRAFT = {
  name: "order_shipped",
  language: "en_GB",
  category: "UTILITY",
  parameterFormat: "POSITIONAL",
  components: [BODY] as unknown,
  hasSample: false,
};

const paths = (change: Partial<typeof DRAFT>) => checkDraft({ ...DRAFT, ...change }).map(({ path }) => path);
const withParts = (...parts: readonly object[]) => paths({ components: [BODY, ...parts] });
const withButtons = (...buttons: readonly object[]) => withParts({ type: "BUTTONS", buttons });

describe("a template that Meta takes", () => {
  it.each<readonly [string, Partial<typeof DRAFT>]>([
    ["text", {}],
    ["a text without variables", { components: [{ type: "BODY", text: "We are open." }] }],
    [
      "named variables",
      {
        parameterFormat: "NAMED",
        components: [
          {
            type: "BODY",
            text: "Hi {{first_name}}, welcome.",
            example: { body_text_named_params: [{ param_name: "first_name", example: "Ada" }] },
          },
        ],
      },
    ],
    [
      "every part",
      {
        components: [
          { type: "HEADER", format: "TEXT", text: "Order {{1}}", example: { header_text: ["A-17"] } },
          BODY,
          { type: "FOOTER", text: "Demo Shop" },
          {
            type: "BUTTONS",
            buttons: [
              { type: "QUICK_REPLY", text: "Thanks" },
              { type: "QUICK_REPLY", text: "Help" },
              { type: "URL", text: "Track", url: "https://shop.example/{{1}}", example: ["https://shop.example/A-17"] },
              { type: "PHONE_NUMBER", text: "Call", phone_number: "+447700900123" },
              { type: "COPY_CODE", example: "SAVE10" },
            ],
          },
        ],
      },
    ],
    [
      "a picture with a sample of the tenant's",
      { hasSample: true, components: [{ type: "HEADER", format: "IMAGE" }, BODY] },
    ],
    [
      "a picture with a handle",
      { components: [{ type: "HEADER", format: "IMAGE", example: { header_handle: ["4::aW1hZ2U="] } }, BODY] },
    ],
    [
      "a button that asks for the phone number",
      { components: [BODY, { type: "BUTTONS", buttons: [{ type: "REQUEST_CONTACT_INFO" }] }] },
    ],
    [
      "Meta's own label on it, however long that is",
      {
        components: [
          BODY,
          {
            type: "BUTTONS",
            buttons: [{ type: "REQUEST_CONTACT_INFO", text: "Compartir información de contacto" }],
          },
        ],
      },
    ],
    [
      "a one-time code",
      {
        category: "AUTHENTICATION",
        components: [
          { type: "BODY", add_security_recommendation: true },
          { type: "BUTTONS", buttons: [{ type: "OTP", otp_type: "COPY_CODE" }] },
        ],
      },
    ],
    [
      "a carousel",
      {
        components: [
          BODY,
          {
            type: "CAROUSEL",
            cards: [1, 2].map(() => ({
              components: [
                { type: "HEADER", format: "IMAGE", example: { header_handle: ["4::eA=="] } },
                { type: "BODY", text: "Fresh today." },
                { type: "BUTTONS", buttons: [{ type: "QUICK_REPLY", text: "This one" }] },
              ],
            })),
          },
        ],
      },
    ],
  ])("%s", (_what, change) => {
    expect(checkDraft({ ...DRAFT, ...change })).toEqual([]);
  });
});

describe("a template that Meta does not take", () => {
  it("says of each problem where it is, what it is, and what to do", () => {
    const [problem] = checkDraft({ ...DRAFT, name: "Order Shipped" });

    expect(problem).toEqual({
      path: "name",
      problem: "has other characters than a-z, 0-9 and _",
      limit: null,
      fix: "Write it in lower case, with _ for spaces.",
    });
  });

  it("is named by every problem at once", () => {
    expect(paths({ name: "", language: "english", category: "FUN", parameterFormat: "OTHER" })).toEqual([
      "name",
      "language",
      "category",
      "parameterFormat",
    ]);
  });

  it.each<readonly [string, unknown, readonly string[]]>([
    ["no list", "x", ["components"]],
    ["nothing", [], ["components"]],
    ["no objects", ["x"], ["components[0]"]],
    ["no body", [{ type: "FOOTER", text: "x" }], ["components"]],
    ["two bodies", [BODY, BODY], ["components[1]"]],
    ["something unknown", [BODY, { type: "POEM" }], ["components[1].type"]],
  ])("has components that are %s", (_what, components, expected) => {
    expect(paths({ components })).toEqual(expected);
  });

  it.each<readonly [string, string, readonly string[]]>([
    ["begins with a variable", "{{1}} has shipped.", ["components[0].text"]],
    ["ends with one", "Shipped: {{1}}", ["components[0].text"]],
    ["has two next to each other", "Hi {{1}} {{2}}, welcome.", ["components[0].text"]],
    ["has a gap in its numbers", "Hi {{1}}, your {{3}} is here.", ["components[0].text"]],
    ["has names and says numbers", "Hi {{name}}, welcome.", ["components[0].text"]],
    ["is too long", "x".repeat(1_025), ["components[0].text"]],
    ["has three line breaks", "a\n\n\nb", ["components[0].text"]],
    ["has five spaces", "a     b", ["components[0].text"]],
    ["is empty", " ", ["components[0].text"]],
  ])("has a body that %s", (_what, text, expected) => {
    const components = [{ ...BODY, text, example: { body_text: [["a", "b", "c"]] } }];
    expect(paths({ components })).toEqual(expected);
  });

  it.each<readonly [string, unknown]>([
    ["none", undefined],
    ["too few", { body_text: [["Ada"]] }],
    ["not in a list", { body_text: ["Ada", "A-17"] }],
    ["an empty one", { body_text: [["Ada", ""]] }],
  ])("has examples of its variables that are %s", (_what, example) => {
    expect(paths({ components: [{ ...BODY, example }] })).toEqual(["components[0].example.body_text"]);
  });

  it.each<readonly [string, object, readonly string[]]>([
    ["is too long", { format: "TEXT", text: "x".repeat(61) }, ["components[1].text"]],
    [
      "has two variables",
      { format: "TEXT", text: "{{1}} and {{2}}", example: { header_text: ["a", "b"] } },
      ["components[1].text"],
    ],
    ["has formatting", { format: "TEXT", text: "*Order*" }, ["components[1].text"]],
    ["lacks an example", { format: "TEXT", text: "Order {{1}}" }, ["components[1].example.header_text"]],
    ["is of no kind", { format: "GIF" }, ["components[1].format"]],
    ["lacks its sample", { format: "VIDEO" }, ["components[1].example"]],
    [
      "shows Meta's own address",
      { format: "IMAGE", example: { header_handle: ["https://scontent.example/x"] } },
      ["components[1].example"],
    ],
  ])("has a header that %s", (_what, header, expected) => {
    expect(withParts({ type: "HEADER", ...header })).toEqual(expected);
  });

  it("has a footer that is too long, or has a variable", () => {
    expect(withParts({ type: "FOOTER", text: "x".repeat(61) })).toEqual(["components[1].text"]);
    expect(withParts({ type: "FOOTER", text: "By {{1}}." })).toEqual(["components[1].text"]);
  });

  it.each<readonly [string, readonly object[], readonly string[]]>([
    ["there are none", [], [""]],
    ["there are too many", Array.from({ length: 11 }, () => ({ type: "QUICK_REPLY", text: "x" })), [""]],
    [
      "quick replies stand apart",
      [
        { type: "QUICK_REPLY", text: "a" },
        { type: "COPY_CODE", example: "X" },
        { type: "QUICK_REPLY", text: "b" },
      ],
      [""],
    ],
    ["two call", [1, 2].map(() => ({ type: "PHONE_NUMBER", text: "Call", phone_number: "1" })), [""]],
    ["three lead to pages", [1, 2, 3].map(() => ({ type: "URL", text: "x", url: "https://x.example" })), [""]],
    ["a label is too long", [{ type: "QUICK_REPLY", text: "x".repeat(26) }], ["[0].text"]],
    ["a label is missing", [{ type: "QUICK_REPLY" }], ["[0].text"]],
    ["the kind is unknown", [{ type: "SHOUT", text: "x" }], ["[0].type"]],
    ["an address is none", [{ type: "URL", text: "x", url: "shop" }], ["[0].url"]],
    ["an address leads into WhatsApp", [{ type: "URL", text: "x", url: "https://wa.me/1" }], ["[0].url"]],
    [
      "an address has its variable inside",
      [{ type: "URL", text: "x", url: "https://x.example/{{1}}/y", example: ["https://x.example/1/y"] }],
      ["[0].url"],
    ],
    ["an address lacks its example", [{ type: "URL", text: "x", url: "https://x.example/{{1}}" }], ["[0].example"]],
    ["a phone number is none", [{ type: "PHONE_NUMBER", text: "x", phone_number: "call me" }], ["[0].phone_number"]],
    ["two ask for the phone number", [1, 2].map(() => ({ type: "REQUEST_CONTACT_INFO" })), [""]],
    ["a coupon lacks its example", [{ type: "COPY_CODE" }], ["[0].example"]],
  ])("has buttons of which %s", (_what, buttons, expected) => {
    expect(withButtons(...buttons)).toEqual(expected.map((path) => `components[1].buttons${path}`));
  });

  it("writes Meta's own text of a one-time code, or has no button for it", () => {
    expect(paths({ category: "AUTHENTICATION" })).toEqual(["components[0].text", "components"]);
  });

  it.each<readonly [string, object, readonly string[]]>([
    ["words of its own below", { type: "FOOTER", text: "Shop", code_expiration_minutes: 5 }, ["components[1].text"]],
    ["no minutes", { type: "FOOTER" }, ["components[1].code_expiration_minutes"]],
    ["91 minutes", { type: "FOOTER", code_expiration_minutes: 91 }, ["components[1].code_expiration_minutes"]],
    ["half a minute", { type: "FOOTER", code_expiration_minutes: 0.5 }, ["components[1].code_expiration_minutes"]],
    ["a carousel", { type: "CAROUSEL" }, ["components[1]", "components[1].cards"]],
  ])("is a one-time code with %s", (_what, part, expected) => {
    const otp = { type: "BUTTONS", buttons: [{ type: "OTP", otp_type: "COPY_CODE" }] };
    expect(paths({ category: "AUTHENTICATION", components: [{ type: "BODY" }, part, otp] })).toEqual(expected);
  });

  it("has a carousel of one card, or a card that says too much", () => {
    const card = (text: string) => ({ components: [{ type: "BODY", text }] });
    expect(withParts({ type: "CAROUSEL", cards: [card("x")] })).toEqual(["components[1].cards"]);
    expect(withParts({ type: "CAROUSEL", cards: [card("x"), card("x".repeat(161))] })).toEqual([
      "components[1].cards[1].components[0].text",
    ]);
  });
});
