/** The integrations page's pure parts: where one is, what was filled in, and how long something took. */
import { describe, expect, it } from "vitest";
import { checkDraft } from "../../../plugin/templates/check-draft.ts";
import { transformResponse } from "../../../plugin/transformer/transform-response.ts";
import { formatted } from "../../../simulator/phone/formatting.js";
import { toHtml } from "../../../simulator/phone/tree.js";
import { bytes, count, later, shortTime } from "../../../ui/page/format.js";
import { Listing, Reading } from "../../../ui/page/loading.js";
import { hrefOf, readPlace } from "../../../ui/page/place.js";
import {
  componentsOf,
  draftOf,
  EMPTY,
  emptyButton,
  fieldOf,
  formatOf,
  problemsOf,
  seenOf,
  variablesOf,
  whyNotHere,
} from "../../../ui/page/template-draft.js";
import { whatsappLine, whatsappText } from "../../../ui/page/whatsapp-text.js";
import { errorWords, kindBefore, rejection, wordFor } from "../../../ui/page/words.js";
import { TEMPLATES } from "../../support/page-samples.ts";

describe("a place on the page", () => {
  it("is read as it was written", () => {
    const query = { q: "a&b=c #ü", state: "failed" };

    expect(readPlace(hrefOf("webhooks", { id: "in:1/2", action: "edit", query }))).toEqual({
      view: "webhooks",
      id: "in:1/2",
      action: "edit",
      query,
    });
    expect(hrefOf("messages", { query: { q: null, state: "" } })).toBe("#/messages");
  });

  it.each(["", "#", "#_=_", "#/constructor", "#/%E0%A4%A", "#/__proto__/x"])("is the overview for %j", (hash) => {
    expect(readPlace(hash)).toEqual({ view: "overview", id: null, action: null, query: {} });
  });
});

describe("a template's draft", () => {
  it.each(
    TEMPLATES.templates
      .filter(({ name, category }) => name !== "spring_buns" && category !== "AUTHENTICATION")
      .map((one) => [one.name, one] as const),
  )("of %s becomes the same components again", (_name, template) => {
    expect(componentsOf(draftOf(template as never))).toEqual(template.components);
  });

  it("keeps what the form has no fields for, in its place before the buttons", () => {
    const offer = { type: "LIMITED_TIME_OFFER", limited_time_offer: { text: "Soon over" } };
    const components = [
      { type: "BODY", text: "Buns" },
      offer,
      { type: "BUTTONS", buttons: [{ type: "COPY_CODE", example: "BUN5" }] },
    ];

    expect(componentsOf(draftOf({ ...TEMPLATES.templates[0], components } as never))).toEqual(components);
  });

  it("numbers its examples as Meta numbers variables, however they stand in the text", () => {
    const draft = { ...EMPTY, body: "For {{2}}, {{1}} and {{2}} again.", examples: { 1: "one", 2: "two" } };

    expect([variablesOf(draft.body), formatOf(draft)]).toEqual([["2", "1"], "POSITIONAL"]);
    expect(componentsOf(draft)).toEqual([{ type: "BODY", text: draft.body, example: { body_text: [["one", "two"]] } }]);
  });

  it("says what Meta would refuse, by the field", () => {
    const good = { ...EMPTY, name: "order_late", language: "pt_BR", body: "Hi {{name}}!", examples: { name: "Ada" } };
    const button = {
      type: "URL" as const,
      text: "Look",
      url: "https://x.test/{{1}}",
      example: "",
      phoneNumber: "",
      raw: null,
    };

    expect(problemsOf(good)).toEqual({});
    expect(Object.keys(problemsOf({ ...good, name: "Order late", language: "English" }))).toEqual(["name", "language"]);
    expect(Object.keys(problemsOf({ ...good, body: "Hi {{name}}", examples: {} }))).toEqual(["body", "example:name"]);
    expect(Object.keys(problemsOf({ ...good, header: "TEXT", headerText: "{{number}}" }))).toEqual(["headerExample"]);
    expect(Object.keys(problemsOf({ ...good, header: "IMAGE" }))).toEqual(["headerMediaId"]);
    expect(Object.keys(problemsOf({ ...good, buttons: [button] }))).toEqual(["button:0:example"]);
    expect(Object.keys(problemsOf({ ...good, format: "POSITIONAL" }))).toEqual(["body"]);
    expect(
      Object.keys(problemsOf({ ...good, body: "Hi {{name}} and {{1}}.", examples: { name: "a", 1: "b" } })),
    ).toEqual(["body"]);
    expect(problemsOf({ ...good, category: "AUTHENTICATION", body: "" })).toEqual({});
    expect(Object.keys(problemsOf({ ...good, category: "AUTHENTICATION", codeMinutes: "91" }))).toEqual([
      "codeMinutes",
    ]);
  });

  it("keeps a button that the form has no fields for", () => {
    const buttons = [{ type: "FLOW", text: "Book", flow_id: "1", navigate_screen: "A" }];
    const components = [
      { type: "BODY", text: "Buns" },
      { type: "BUTTONS", buttons },
    ];

    expect(componentsOf(draftOf({ ...TEMPLATES.templates[0], components } as never))).toEqual(components);
  });

  it("of a one-time code says what can be chosen, and leaves the text to Meta", () => {
    const code = TEMPLATES.templates.find(({ category }) => category === "AUTHENTICATION") as never;

    expect(componentsOf(draftOf(code))).toEqual([
      { type: "BODY", add_security_recommendation: true },
      { type: "FOOTER", code_expiration_minutes: 5 },
      { type: "BUTTONS", buttons: [{ type: "OTP", otp_type: "COPY_CODE", text: "Copy code" }] },
    ]);
    expect(
      checkDraft({
        ...draftOf(code),
        parameterFormat: "POSITIONAL",
        hasSample: false,
        components: componentsOf(draftOf(code)),
      }),
    ).toEqual([]);
    expect(seenOf(draftOf(code)).map(({ text }) => text)).toEqual([
      "*{{1}}* is your verification code. For your security, do not share this code.",
      "This code expires in 5 minutes.",
      undefined,
    ]);
  });

  it.each([
    [
      "a code that goes to an app",
      "AUTHENTICATION",
      [{ type: "BUTTONS", buttons: [{ type: "OTP", otp_type: "ONE_TAP" }] }],
      /app of yours/,
    ],
    [
      "the same as Meta lists it",
      "AUTHENTICATION",
      [
        {
          type: "BUTTONS",
          buttons: [{ type: "URL", url: "https://www.whatsapp.com/otp/code/?otp_type=ZERO_TAP&code=otp{{1}}" }],
        },
      ],
      /app of yours/,
    ],
    [
      "a code to copy, as Meta lists it",
      "AUTHENTICATION",
      [
        {
          type: "BUTTONS",
          buttons: [{ type: "URL", url: "https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}" }],
        },
      ],
      null,
    ],
    ["a carousel", "MARKETING", [{ type: "CAROUSEL", cards: [] }], /carousel/],
    ["an offer", "MARKETING", [{ type: "LIMITED_TIME_OFFER" }], null],
  ])("says where %s is changed", (_what, category, components, words) => {
    const why = whyNotHere({ ...TEMPLATES.templates[0], category, components } as never);

    if (words === null) expect(why).toBeNull();
    else expect(why).toMatch(words);
  });

  it("finds the field of everything that the server may find", () => {
    const draft = {
      ...EMPTY,
      header: "IMAGE" as const,
      body: "Buns",
      footer: "Shop",
      buttons: [{ ...emptyButton("URL"), text: "Look", url: "https://x.test/{{1}}" }],
    };
    const components = componentsOf(draft);
    const found = checkDraft({
      name: "",
      language: "x",
      category: "FUN",
      parameterFormat: "X",
      components,
      hasSample: false,
    });

    expect(found.map(({ path }) => [path, fieldOf(path, components)])).toEqual([
      ["name", "name"],
      ["language", "language"],
      ["category", "category"],
      ["parameterFormat", "body"],
      ["components[0].example", "headerMediaId"],
      ["components[3].buttons[0].example", "button:0:example"],
    ]);
    const text = componentsOf({ ...EMPTY, header: "TEXT", headerText: "Order {{1}}", body: "Buns" });
    expect(
      [
        "components[0].text",
        "components[0].example.header_text",
        "components[1].text",
        "components[9].text",
        "constructor",
      ].map((path) => fieldOf(path, text)),
    ).toEqual(["headerText", "headerExample", "body", undefined, undefined]);
    expect(fieldOf("components[3].buttons", components)).toBe("buttons");
    expect(fieldOf("components[3].buttons[0].phone_number", components)).toBe("button:0:phoneNumber");
    expect(fieldOf("components[3].buttons[0].type", components)).toBe("button:0");
  });
});

describe("words and times", () => {
  it("know nothing that nobody has said", () => {
    expect(wordFor({}, "constructor")).toEqual({ label: "Constructor", tone: "quiet" });
    expect([rejection("NONE"), rejection(null), rejection("toString")]).toEqual(["", "", "toString"]);
    expect(rejection("PROMOTIONAL")).toBe("It advertises, which its category does not allow: choose MARKETING.");
  });

  it("say how much later something was", () => {
    const at = (ms: number) => new Date(1_790_000_000_000 + ms).toISOString();

    expect([300, 12_000, 180_000, 7_200_000, -5].map((ms) => later(at(0), at(ms)))).toEqual([
      "+0.3 s",
      "+12 s",
      "+3 min",
      "+2 h",
      "",
    ]);
  });

  it("say sizes and counts as people do", () => {
    expect([0, 1023, 1536, 3 * 1024 * 1024].map(bytes)).toEqual(["0 B", "1023 B", "1.5 kB", "3.0 MB"]);
    expect([count(1, "try", "tries"), count(2, "try", "tries"), count(0, "event")]).toEqual([
      "1 try",
      "2 tries",
      "0 events",
    ]);
  });

  it("name the day only of what is not today's", () => {
    const now = new Date(2026, 10, 27, 12, 0);

    expect(shortTime(new Date(2026, 10, 27, 9, 5), now)).not.toMatch(/27|Nov/);
    expect(shortTime(new Date(2026, 10, 26, 9, 5), now)).toMatch(/26/);
    expect(shortTime(new Date(2025, 10, 26, 9, 5), now)).toMatch(/2025/);
  });

  it("are to the second where they are to be exact, whatever the day and the year", () => {
    const now = new Date(2026, 10, 27, 12, 0);

    expect(shortTime(new Date(2026, 10, 27, 9, 5, 7), now, true)).toMatch(/^0?9:05:07/);
    expect(shortTime(new Date(2026, 10, 26, 9, 5, 7), now, true)).toMatch(/26.*9:05:07/);
    expect(shortTime(new Date(2025, 10, 26, 9, 5, 7), now, true)).toMatch(/2025.*9:05:07/);
  });
});

describe("WhatsApp's marks", () => {
  it.each([
    ["*bold* _slanted_ ~struck~", "<b>bold</b> <i>slanted</i> <s>struck</s>"],
    ["*_both_*", "<b><i>both</i></b>"],
    ["`a *b* c` *d*", "<code>a *b* c</code> <b>d</b>"],
    ["2 * 3 * 4, snake_case_name", "2 * 3 * 4, snake_case_name"],
    ["- one", "• one"],
    ["> quoted *so*", "quoted <b>so</b>"],
  ])("on one line: %s", (text, shown) => {
    expect(markupOf(whatsappLine(text))).toBe(shown);
  });

  it("over several lines: quotes, lists and blocks of code", () => {
    expect(markupOf(whatsappText("> one\n> two\n- *three*\n```a *b*```"))).toBe(
      '<blockquote><p>one\ntwo</p></blockquote><p>• <b>three</b>\n<code class="mono">a *b*</code></p>',
    );
    expect(markupOf(whatsappText(""))).toBe("");
    expect(markupOf(whatsappText("\n \n"))).toBe("");
    expect(markupOf(whatsappLine(" a\n\n> *b*\n- c ```d``` "))).toBe('a <b>b</b> • c <code class="mono">d</code>');
  });

  // What is the same in both: not their tags, and not how a list or a link is drawn.
  const bare = (markup: string) =>
    markup
      .replaceAll(/<(\/?)(strong|b)>/g, "<$1b>")
      .replaceAll(/<(\/?)(em|i)>/g, "<$1i>")
      .replaceAll(/<(\/?)code[^>]*>/g, "<$1code>")
      .replaceAll(/<\/?(div|p|ul|ol|li|blockquote|a)\b[^>]*>/g, "")
      .replaceAll(/&#(\d+);/g, (_, code) => String.fromCharCode(code))
      .replaceAll(/[•\s]|- |\d+\. /g, "");

  it.each([
    ..."2 * 3 * 4|1*2*3|100*2 and 3*4|5 *x* 6*y*7|*a* b *c*|*a*b*|*a*b *c*|a*b c*d|* a *|*a *b*|*a b*c|*".split("|"),
    ..."**a**|***a***|*a**b*|**日本**語|_*a*_|*_a*_|**bold _it_ x**|~~old~~ *new*|__dunder__ _it_|(*a*).|*a*, _b_".split(
      "|",
    ),
    ..."snake_case and _init_|file *.ts and *.js|~100~ people|about ~5 and ~6 km|`x` *y*|*x`y*z`|`a*b*c` *x*".split(
      "|",
    ),
    ..."x```c```*b*|```code``` *x*|http://a.b/*c*d|*see http://a.b/c*|https://x.y/a_b_c_d *z*|*héllo*ñ|1. *one*".split(
      "|",
    ),
    ...[
      "*a\nb*",
      "> q *b*",
      ">no *b*",
      "- *l*\n- m",
      "```\nx *y* z\n```",
      "*x*\u200by",
      "\u200b*x*\u200b",
      "مرحبا *مهم* جدا",
    ],
    ...["5\u200b*3\u200b*2", "a \u200b_b\u200b_ c", ">  x", "* \n*b*", "👍🏽 *a*👍"],
  ])("mean the same here and on the simulator's phone: %j", (text) => {
    expect(bare(markupOf(whatsappText(text)))).toBe(bare(formatted(text).map(toHtml).join("\n")));
  });

  it.each([
    "The price is \\*5\\* only",
    "a \\_b\\_ c, \\~d\\~, \\> no quote",
    "**Note:** 2 * 3 * 4, see [docs](https://a.b/c_d)",
    "> q\n\n1. **a**\n2. b",
    "price: ~~old~~ *new* `a*b*c`",
  ])("mean the same there of what we write ourselves: %j", (markdown) => {
    for (const message of transformResponse(markdown).messages) {
      const text = "text" in message ? String(message.text) : "";
      expect(text).not.toBe("");
      expect(bare(markupOf(whatsappText(text)))).toBe(bare(formatted(text).map(toHtml).join("\n")));
    }
  });
});

describe("what is read", () => {
  const host = { addController() {}, removeController() {}, requestUpdate() {}, updateComplete: Promise.resolve(true) };
  type Row = { readonly id: string };
  const rowsOf = (ids: string): Row[] => [...ids].map((id) => ({ id }));
  const shown = (list: Listing<Row>) => list.items.map(({ id }) => id).join("");

  it("stays when a look that nobody asked for fails; a failure that somebody asked for is told", async () => {
    let answer: () => Promise<string> = async () => "there";
    const reading = new Reading<string>(host, () => answer());
    await reading.load();
    answer = () => Promise.reject(new Error("away"));
    await reading.load({ quietly: true });
    expect([reading.value, reading.error]).toEqual(["there", null]);
    await reading.load();
    expect([reading.value, reading.error]).toEqual(["there", new Error("away")]);
  });

  it("is the answer to the last question, however late another one comes", async () => {
    const answers: ((value: string) => void)[] = [];
    const reading = new Reading<string>(host, () => new Promise((resolve) => void answers.push(resolve)));
    const looks = [reading.load(), reading.load()];
    answers[1]?.("second");
    answers[0]?.("first");
    await Promise.all(looks);
    expect(reading.value).toBe("second");
  });

  /** A list by pages of two, out of a server's letters, newest first. */
  function pagesOf(server: { letters: string }, asked: (string | null)[] = []) {
    return new Listing<Row>(host, async (cursor) => {
      asked.push(cursor);
      const from = cursor === null ? 0 : server.letters.indexOf(cursor) + 1;
      const items = rowsOf(server.letters.slice(from, from + 2));
      return { items, next: from + 2 < server.letters.length ? (items.at(-1)?.id ?? null) : null };
    });
  }

  it("is read again as far down as it is shown, so that nothing stays that is gone", async () => {
    const server = { letters: "hgfedcba" };
    const asked: (string | null)[] = [];
    const list = pagesOf(server, asked);
    await list.load();
    await list.more();
    expect([shown(list), list.next]).toEqual(["hgfe", "e"]);

    server.letters = "ihgedcba";
    asked.length = 0;
    await list.load({ quietly: true });
    expect(asked).toEqual([null, "h"]);
    expect([shown(list), list.next, [...list.fresh]]).toEqual(["ihge", "e", ["i"]]);
    // What comes up from below is not new.
    server.letters = "ihcba";
    await list.load({ quietly: true });
    expect([shown(list), list.next, [...list.fresh]]).toEqual(["ihcb", "b", []]);
    server.letters = "";
    await list.load({ quietly: true });
    expect([shown(list), list.next]).toEqual(["", null]);
  });

  it("is read again ten pages down at most, and keeps what lies below", async () => {
    const alphabet = "zyxwvutsrqponmlkjihgfedcba";
    const server = { letters: alphabet };
    const asked: (string | null)[] = [];
    const list = pagesOf(server, asked);
    await list.load();
    for (let page = 1; page < 12; page += 1) await list.more();
    server.letters = `A${alphabet}`;
    asked.length = 0;
    await list.load({ quietly: true });

    expect(asked.length).toBe(10);
    expect([shown(list), list.next]).toEqual([`A${alphabet.slice(0, -2)}`, "c"]);
  });

  it("leaves no gap where more is asked for while something new is read", async () => {
    const server = { letters: "fedcba" };
    const list = pagesOf(server);
    await list.load();
    server.letters = "gfedcba";
    await Promise.all([list.more(), list.load({ quietly: true })]);
    expect(shown(list)).toBe("gfed");
    server.letters = "hgfedcba";
    await Promise.all([list.load({ quietly: true }), list.more()]);
    expect(shown(list)).toBe("hgfedc");
  });

  it("takes no page of a list that is gone", async () => {
    let top = "dc";
    let older = async () => ({ items: rowsOf("ba"), next: null as string | null });
    const list = new Listing<Row>(host, async (cursor) =>
      cursor === null ? { items: rowsOf(top), next: "c" } : older(),
    );
    await list.load();
    await list.more();
    top = "ed";
    await list.load({ afresh: true });
    expect([shown(list), list.next]).toEqual(["ed", "c"]);
    let come = () => {};
    const gate = new Promise<void>((resolve) => {
      come = resolve;
    });
    const isAsked = new Promise<void>((asked) => {
      older = async () => {
        asked();
        await gate;
        return { items: rowsOf("zz"), next: null };
      };
    });
    const more = list.more();
    await isAsked;
    await list.load({ afresh: true });
    come();
    await more;
    expect(shown(list)).toBe("ed");
  });
});

/** A piece of lit's as markup. */
function markupOf(piece: unknown): string {
  if (Array.isArray(piece)) return piece.map(markupOf).join("");
  if (typeof piece === "string") return piece;
  if (typeof piece !== "object" || piece === null) return "";
  const { strings, values } = piece as { readonly strings: readonly string[]; readonly values: readonly unknown[] };
  return strings.map((text, index) => text + (index < values.length ? markupOf(values[index]) : "")).join("");
}

describe("the kind of a message", () => {
  it.each([
    ["image", "Like this one?", "Picture"],
    ["image", "[1] is the one", "Picture"],
    ["image", "[Photo]", ""],
    ["image", "Our shop\n[Photo: shop.jpg]", ""],
    ["audio", "[Audio: https://shop.example/welcome.ogg]", ""],
    ["template", "[Template order_ready] Ben, 18:00", ""],
    ["location", "Location: 4 Mill Lane", ""],
    ["contacts", "Contact: Ben Ito", ""],
    ["order", "Order: 2 × rye", ""],
    ["reaction", "Reacted 👍", ""],
    ["interactive", "Which tea?\n[See the teas]", "Choice"],
    ["text", "[Photo]", ""],
    ["sticker", "", "Sticker"],
  ])("of %s %j stands before it as %j: not where its words tell it", (kind, text, before) => {
    expect(kindBefore(kind, text)).toBe(before);
  });
});

describe("an error of applying", () => {
  it("is told in words where it is the database's, and else by its name", () => {
    expect(errorWords("DatabaseError 23514")).toBe(
      "DatabaseError 23514: the database refused it, mostly by a rule or trigger on the host's tables.",
    );
    expect(errorWords("TypeError")).toBe("TypeError");
  });
});
