/** How the phone draws messages: WhatsApp's own marks, every kind of message, and never any markup of a message's own. */
import { readdirSync, readFileSync } from "node:fs";
import { drawMessages, INBOUND_MESSAGES, PHONE_CSS } from "@omniops/whatsapp/simulator";
import { describe, expect, it } from "vitest";
import { readWhatsApp } from "../../../plugin/messages/read-whatsapp.ts";

const FIXTURES = new URL("../../../fixtures/ai-responses/", import.meta.url);
const RECORDED: readonly unknown[] = readdirSync(FIXTURES)
  .filter((name) => name.endsWith(".messages.json"))
  .map((name) => JSON.parse(readFileSync(new URL(name, FIXTURES), "utf8")).messages);

function textsIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    typeof member === "string" && (name === "text" || name === "caption") ? [member] : textsIn(member),
  );
}

const text = (body: string) => ({ type: "text", text: { body } });

/** What is drawn of one text, without what stands around it. */
function drawn(body: string): string {
  const inside = /<div class="wa-text">(.*)<\/div><p class="wa-meta">/s.exec(drawMessages([text(body)]))?.[1] ?? "";
  return inside.replaceAll(' dir="auto"', "").replaceAll('<div class="wa-lines">', "").replaceAll("</div>", "");
}

describe("WhatsApp's formatting", () => {
  it.each([
    ["*bold* _italic_ ~gone~ `code`", "<p><strong>bold</strong> <em>italic</em> <s>gone</s> <code>code</code></p>"],
    ["*_both_* and ~*both*~", "<p><strong><em>both</em></strong> and <s><strong>both</strong></s></p>"],
    ["a*b*c, 2 * 3 * 4, snake_case_word, **two**", "<p>a*b*c, 2 * 3 * 4, snake_case_word, **two**</p>"],
    ["*not\nover lines*", "<p>*not</p><p>over lines*</p>"],
    ["`*no marks*`", "<p><code>*no marks*</code></p>"],
    ["```a\n*b*```", '<p><code class="wa-mono">a\n*b*</code></p>'],
    ["> quoted\n> more\nnot", "<blockquote><p>quoted</p><p>more</p></blockquote><p>not</p>"],
    ["- *a*\n* b\n3. c\n4. d", '<ul><li><strong>a</strong></li><li>b</li></ul><ol start="3"><li>c</li><li>d</li></ol>'],
    ["24. a\n25. b\n1. c", '<ol start="24" class="wa-digits-2"><li>a</li><li>b</li><li value="1">c</li></ol>'],
    ["9. a\n100. b", '<ol start="9" class="wa-digits-3"><li>a</li><li value="100">b</li></ol>'],
    [">no quote\n> a quote", "<p>&gt;no quote</p><blockquote><p>a quote</p></blockquote>".replace("&gt;", "&#62;")],
    ["\u200b*\u200bno mark\u200b*\u200b", "<p>\u200b*\u200bno mark\u200b*\u200b</p>"],
    ["(*bold*), *bold*!", "<p>(<strong>bold</strong>), <strong>bold</strong>!</p>"],
  ])("of %j", (body, html) => {
    expect(drawn(body)).toBe(html);
  });

  it("makes a link of an address, without the full stop behind it, and no mark inside it", () => {
    expect(drawn("See https://a.example/x_y_z.")).toBe(
      '<p>See <a href="https:&#47;&#47;a.example&#47;x_y_z"'.replaceAll("&#47;", "/") +
        ' target="_blank" rel="noopener noreferrer">https://a.example/x_y_z</a>.</p>',
    );
  });

  it("is read as the package reads it that writes it", () => {
    const texts = RECORDED.flatMap(textsIn);

    expect(texts.length).toBeGreaterThan(100);
    for (const body of texts) {
      const { wraps, urls } = readWhatsApp(body);
      const marked = wraps.map(({ open }) => open.trimEnd()).filter((open) => open !== ">");
      const html = drawn(body);
      const count = (tag: string) => html.match(new RegExp(`<${tag}[ >]`, "g"))?.length ?? 0;
      expect({ body, counts: ["strong", "em", "s", "code", "a"].map(count) }).toEqual({
        body,
        counts: [
          ...["*", "_", "~"].map((mark) => marked.filter((open) => open === mark).length),
          marked.filter((open) => open.startsWith("`")).length,
          urls.length,
        ],
      });
    }
  });

  it.each([
    ["👍", true],
    ["😀😂❤️", true],
    ["👩🏽‍🚀 🇬🇧", true],
    ["😀😂❤️👍", false],
    ["👍 ok", false],
    ["12", false],
    ["", false],
  ])("shows %j large: %s", (body, isLarge) => {
    expect(drawMessages([text(body)]).includes("wa-jumbo")).toBe(isLarge);
  });

  it("takes a long line of marks in a moment", () => {
    const started = performance.now();

    drawn("*_~`".repeat(1_000));

    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

describe("a message", () => {
  it("of every type that a person sends is drawn with its own words", () => {
    for (const [name, message] of Object.entries(INBOUND_MESSAGES)) {
      const html = drawMessages([{ from: "447700900123", ...message }]);
      expect(html, name).toMatch(/wa-out|wa-system/);
      expect(html, name).not.toMatch(/undefined|\[object Object\]|NaN/);
    }
  });

  it("cannot become markup or run anything, wherever its words stand", () => {
    const evil = `"'><img src=x onerror=alert(1)><script>alert(1)</script>`;
    const href = "javascript:alert(1)//https://a.example";
    const button = { type: "reply", reply: { id: evil, title: evil } };
    const card = { header: { type: "image", image: { link: evil } }, body: { text: evil } };
    const interactive = (type: string, action: object) => ({
      type: "interactive",
      interactive: { type, header: { type: "text", text: evil }, body: { text: evil }, footer: { text: evil }, action },
    });
    const html = drawMessages([
      text(evil),
      { type: evil, from: evil, id: evil, context: { id: evil } },
      { type: "image", image: { link: evil, caption: evil } },
      { type: "document", document: { filename: evil, link: href } },
      { type: "location", location: { latitude: evil, name: evil, address: evil } },
      { type: "contacts", contacts: [{ name: { formatted_name: evil }, phones: [{ phone: evil }] }] },
      { type: "reaction", reaction: { emoji: evil } },
      { type: "system", system: { body: evil } },
      {
        type: "template",
        template: {
          name: evil,
          language: { code: evil },
          components: [{ parameters: [{ type: "text", text: evil }] }],
        },
      },
      interactive("button", { buttons: [button] }),
      interactive("list", {
        button: evil,
        sections: [{ title: evil, rows: [{ id: evil, title: evil, description: evil }] }],
      }),
      interactive("cta_url", { parameters: { display_text: evil, url: href } }),
      interactive("carousel", { cards: [{ ...card, action: { parameters: { display_text: evil, url: href } } }] }),
      interactive("nfm_reply", {}),
      interactive(evil, {}),
    ]);

    expect(
      html.replaceAll(/<\/?(div|p|span|strong|em|s|code|ul|ol|li|blockquote|a|time)( [a-z-]+="[^"<>]*")*>/g, ""),
    ).not.toMatch(/[<>]/);
    expect(html).not.toMatch(/<img|(href|title)="javascript/);
  });

  it("is not drawn when it only says that something was read", () => {
    const receipt = { messaging_product: "whatsapp", status: "read", message_id: "wamid.1" };

    expect(drawMessages([receipt])).toBe('<div class="wa-chat"></div>');
  });

  it("made from a template shows the template's words where it is known", () => {
    const message = {
      type: "template",
      template: {
        name: "order_shipped",
        language: { code: "en_GB" },
        components: [
          { type: "body", parameters: [{ type: "text", text: "Ada" }] },
          { type: "button", sub_type: "url", index: "0", parameters: [{ type: "text", text: "A-17" }] },
        ],
      },
    };
    const components = [
      { type: "BODY", text: "Hi *{{1}}*, it is on its way." },
      { type: "FOOTER", text: "Corner Bakery" },
      { type: "BUTTONS", buttons: [{ type: "URL", text: "Track", url: "https://a.example/{{1}}" }] },
    ];

    const html = drawMessages([message], { templates: [{ name: "order_shipped", language: "en_GB", components }] });

    expect(html).toContain("Hi <strong>Ada</strong>, it is on its way.");
    expect(html).toContain("Corner Bakery");
    expect(html).toContain('title="https://a.example/A-17"');
    expect(drawMessages([message])).toContain("Template order_shipped, en_GB");
  });

  it("stands on the side of who wrote it, with what it answers", () => {
    const html = drawMessages([
      { ...text("Is it ready?"), from: "447700900123", id: "wamid.1" },
      { ...text("It is."), context: { message_id: "wamid.1" } },
    ]);

    expect(html.match(/wa-message wa-(in|out)/g)).toEqual(["wa-message wa-out", "wa-message wa-in"]);
    expect(html).toMatch(/wa-quoted"><strong>Person<\/strong><span dir="auto">Is it ready\?/);
  });
});

describe("the style", () => {
  it("loads nothing from anywhere", () => {
    expect(PHONE_CSS).not.toMatch(/@import|url\((?!"data:image\/svg)/);
  });
});
