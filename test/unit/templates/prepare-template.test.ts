/** A template that a host chose: whatever is in it, it is repaired or refused, and nothing is thrown. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TemplateChoice } from "../../../plugin/contract.ts";
import { checkMessage } from "../../../plugin/messages/check-message.ts";
import type { KnownTemplate } from "../../../plugin/ports.ts";
import { prepareTemplate } from "../../../plugin/templates/prepare-template.ts";

const TEMPLATE: KnownTemplate = {
  name: "order_shipped",
  language: "en_GB",
  status: "APPROVED",
  category: "UTILITY",
  parameterFormat: "POSITIONAL",
  components: [{ type: "BODY", text: "Hi {{1}}, your order {{2}} is on its way." }],
};
const CHOICE: TemplateChoice = { name: "order_shipped", language: "en_GB", params: { body: ["Ada", "A-17"] } };
const withBody = (...body: unknown[]) => ({ ...CHOICE, params: { body } }) as TemplateChoice;

function bodyOf(choice: TemplateChoice, known: readonly KnownTemplate[] | null = [TEMPLATE]): unknown {
  const prepared = prepareTemplate(choice, known);
  return prepared.kind === "ready" ? prepared.choice.params?.body : prepared.problems.map(({ path }) => path);
}

describe("a value", () => {
  it.each<[string, string, string]>([
    ["a line break", "12 High Street\nLondon", "12 High Street London"],
    ["a line break with spaces around it", "a \r\n  b", "a b"],
    ["a line break at its end", "Ada\n", "Ada"],
    ["a break that only Unicode knows", "a\u2028b\u0085c", "a b c"],
    ["a tab", "a\tb", "a b"],
    ["five spaces", "a     b", "a b"],
    ["four spaces, which Meta takes", "a    b", "a    b"],
    ["outer spaces, which Meta takes", " a ", " a "],
    ["nothing", "", "–"],
    ["nothing but space", " \n\t ", "–"],
  ])("with %s", (_what, value, expected) => {
    expect(bodyOf(withBody(value, "A-17"))).toEqual([expected, "A-17"]);
  });

  it("is cut between characters, and money and dates are not cut at all", () => {
    const family = "👨‍👩‍👧‍👦".repeat(200);
    const [cut, date] = bodyOf(withBody(family, { dateTime: { fallback: "Monday".repeat(20) } })) as [string, unknown];

    expect(cut).toMatch(/^(👨‍👩‍👧‍👦)+…$/u);
    expect(date).toEqual({ dateTime: { fallback: "Monday".repeat(20) } });
  });

  it("that stands twice in the text is cut by half as much", () => {
    const twice = { ...TEMPLATE, components: [{ type: "BODY", text: "{{1}} and {{1}}!" }] };

    const [value] = bodyOf(withBody("x".repeat(600)), [twice]) as [string];

    expect(value).toHaveLength(509);
  });

  it("is refused where it holds half a character, which nobody can mend", () => {
    expect(bodyOf(withBody("Ada\ud83d", "A-17"))).toEqual(["template.params.body[0]"]);
  });

  it("is neither a date nor money when it is a number", () => {
    expect(bodyOf(withBody(42, null))).toEqual(["template.params.body[0]", "template.params.body[1]"]);
  });
});

describe("a choice", () => {
  it("comes back as it was when nothing had to change", () => {
    expect(prepareTemplate(CHOICE, [TEMPLATE])).toEqual({ kind: "ready", choice: CHOICE, degraded: [] });
  });

  it("is not changed in place", () => {
    const choice = withBody("a\nb", "");
    const before = structuredClone(choice);

    prepareTemplate(choice, [TEMPLATE]);

    expect(choice).toEqual(before);
  });

  it("is checked for its values only while Meta was not asked for the account's templates", () => {
    expect(bodyOf(withBody("one\nvalue"), null)).toEqual(["one value"]);
    expect(bodyOf({ ...CHOICE, name: "Not a name" }, null)).toEqual(["template.name"]);
  });

  it("is told of by the place and the part that it has", () => {
    const at = { path: "onWindowClosed.template", part: 2 };

    expect(prepareTemplate(withBody("a\nb", "c"), [TEMPLATE], at)).toMatchObject({
      degraded: [{ part: 2, what: "onWindowClosed.template.params.body[0]" }],
    });
    expect(prepareTemplate(withBody("a"), [TEMPLATE], at)).toMatchObject({
      problems: [{ path: "onWindowClosed.template.params.body", limit: 2 }],
    });
  });

  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["a text", "hello_world"],
    ["a list", []],
    ["members that throw", Object.defineProperty({}, "params", { get: () => expect.fail("no"), enumerable: true })],
    ["cards that are none", { ...CHOICE, params: { cards: [null, 7, "x"] } }],
    ["values of values", { ...CHOICE, params: { body: { a: { currency: 7 } }, header: { text: { dateTime: null } } } }],
  ])("that is %s is refused and throws nothing", (_what, choice) => {
    expect(prepareTemplate(choice as TemplateChoice, [TEMPLATE]).kind).toBe("refused");
  });
});

describe("a template that Meta lists in a way nobody knows", () => {
  it.each<[string, readonly unknown[]]>([
    ["no components", []],
    ["components that are none", [null, 7, { type: 7 }, { type: "BODY", text: 7 }, { type: "HEADER" }]],
    [
      "buttons and cards that are none",
      [
        { type: "BUTTONS", buttons: [null, 7] },
        { type: "CAROUSEL", cards: [null] },
      ],
    ],
  ])("with %s throws nothing", (_what, components) => {
    expect(() => prepareTemplate(CHOICE, [{ ...TEMPLATE, components }])).not.toThrow();
  });

  it.each(["GIF", "HOLOGRAM"])(
    "with a header of the format %s is refused, and no way is named that is none",
    (format) => {
      const components = [...TEMPLATE.components, { type: "HEADER", format }];

      const prepared = prepareTemplate(CHOICE, [{ ...TEMPLATE, components }]);

      expect(prepared).toMatchObject({ kind: "refused", problems: [{ path: "template.params.header" }] });
      // A template by another way than its own kind is refused, and sends people back.
      const raw = { kind: "raw", type: "template", payload: { template: { name: "x" } }, content: "x" } as const;
      expect(checkMessage(raw)).toMatchObject([{ path: "type" }]);
      expect(JSON.stringify(prepared)).not.toMatch(/raw/);
    },
  );

  it("may write its types in lower case, and a button of a new type, which takes nothing", () => {
    const components = [
      { type: "body", text: "Hi {{1}}, your order {{2}}." },
      { type: "buttons", buttons: [{ type: "HOLOGRAM" }] },
    ];

    expect(prepareTemplate(CHOICE, [{ ...TEMPLATE, components }])).toMatchObject({ kind: "ready" });
  });
});

describe("any choice at all", () => {
  const words = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: fc.constantFrom(..." \t\n\r\u2028\u00a0ab👍🏽") }),
    fc.lorem({ maxCount: 300 }),
  );
  const value = fc.oneof(words, fc.record({ dateTime: fc.record({ fallback: words }) }), fc.anything());
  const values = fc.oneof(
    fc.array(value, { maxLength: 4 }),
    fc.dictionary(fc.constantFrom("a", "first_name", "1", "__proto__"), value),
  );
  const part = { body: values, header: fc.oneof(fc.record({ text: values }), fc.anything()), buttons: fc.anything() };
  const params = fc.record(
    { ...part, cards: fc.array(fc.record(part, { requiredKeys: [] }), { maxLength: 3 }) },
    { requiredKeys: [] },
  );
  const known = fc.option(
    fc.constantFrom<KnownTemplate[]>(
      [TEMPLATE],
      [{ ...TEMPLATE, parameterFormat: "NAMED", components: [{ type: "BODY", text: "Hi {{first_name}}" }] }],
      [
        {
          ...TEMPLATE,
          components: [
            { type: "BODY", text: "Hi {{1}}" },
            { type: "HEADER", format: "TEXT", text: "{{1}}" },
          ],
        },
      ],
    ),
  );

  it("throws nothing, and what is ready breaks no rule of a value", () => {
    fc.assert(
      fc.property(params, known, (given, templates) => {
        const prepared = prepareTemplate({ ...CHOICE, params: given } as TemplateChoice, templates);
        if (prepared.kind === "refused") expect(prepared.problems.length).toBeGreaterThan(0);
        else expect(checkMessage({ ...prepared.choice, kind: "template" })).toEqual([]);
      }),
      { numRuns: Number(process.env.FC_RUNS ?? 2_000) },
    );
  });

  it("is ready whatever its two values say, as long as they are text", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 3_000 }).map((all) => all.replaceAll("\u0000", ""));
    fc.assert(
      fc.property(text, text, (first, second) => {
        const prepared = prepareTemplate(withBody(first, second), [TEMPLATE]);
        expect(prepared.kind).toBe("ready");
        expect(prepareTemplate((prepared as { readonly choice: TemplateChoice }).choice, [TEMPLATE])).toMatchObject({
          kind: "ready",
          degraded: [],
        });
      }),
      { numRuns: Number(process.env.FC_RUNS ?? 500) },
    );
  });
});
