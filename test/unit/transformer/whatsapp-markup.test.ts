/** One rule of Markdown → WhatsApp per test. */
import { describe, expect, it } from "vitest";
import { toWhatsApp, toWhatsAppLine } from "../../../plugin/transformer/whatsapp-markup.ts";

const Z = "\u200b";

function text(markdown: string): string {
  return toWhatsApp(markdown).text;
}

describe("emphasis", () => {
  it.each([
    ["becomes WhatsApp's marks", "**b** __b__ *i* _i_ ~~s~~", "*b* *b* _i_ _i_ ~s~"],
    ["is combined from outside in", "***x*** and **_y_** and ~~**z**~~", "_*x*_ and *_y_* and ~*z*~"],
    ["is closed and opened again on every line", "**one\ntwo**\n_three  \nfour_", "*one*\n*two*\n_three_\n_four_"],
    ["hugs its text", "**bold **text", "**bold **text"],
    ["is dropped inside a word", "un**believ**able *Groß*schreibung", "unbelievable Großschreibung"],
    ["is dropped between letters of a script without spaces", "这是**重点**内容", "这是重点内容"],
    ["stays beside full-width punctuation", "**重点**：好", "*重点*：好"],
    ["is dropped around a bare URL, which would swallow the mark", "**https://ex.com/a**", "https://ex.com/a"],
    ["is not doubled when nested in itself", "**a **b** c**", "*a b c*"],
    [
      "is dropped around a number or a name that a letter follows",
      "**10**km **5**GB *5*mm **v2**beta **COVID-19**er",
      "10km 5GB 5mm v2beta COVID-19er",
    ],
    ["is dropped behind one", "5**kg** Win**10**系统 **about 10**km", "5kg Win10系统 about 10km"],
    ["leaves two words with marks apart", "**a** **b**", "*a* *b*"],
    ["is kept beside punctuation and emoji", "(**a**), 🎉**b**!", "(*a*), 🎉*b*!"],
  ])("%s", (_rule, markdown, expected) => {
    expect(text(markdown)).toBe(expected);
  });

  it.each([
    "2*3*4 = 24",
    "x**2 + y**2 = z**2",
    "2**3**4 and 2**10",
    "(a+b)**2 - (a-b)**2 = 4ab",
    "(a+b)**n - (a-b)**n",
    "*Note: 5*6 = 30, or 2*n",
    "a*b*c",
    "array[0] and ~5 min",
    "snake_case_words",
    "2 * 3 * 4",
    "C* and D*, *nix",
    "5* hotel",
    "a ~ b",
    "it's ~3 or ~4 km",
  ])("is not seen in %s", (plain) => {
    expect(text(plain)).toBe(plain);
  });
});

it("emphasis is not seen between brackets that are multiplied", () => {
  expect(text("x**(n-1)**y and (a)*b*(c)").replaceAll(Z, "")).toBe("x**(n-1)**y and (a)*b*(c)");
});

describe("a literal mark", () => {
  it.each([
    ["that would find a partner is defused on both sides", "\\*not bold\\*", `${Z}*${Z}not bold${Z}*${Z}`],
    ["without a partner is left alone", "5\\* hotel and \\_x", "5* hotel and _x"],
    ["inside bold does not end it", "**5\\* hotel**", `*5${Z}*${Z} hotel*`],
    ["at the start of a line is no bullet", "\\* item", `${Z}* item`],
    ["written as an entity is no quote", "&gt; said", `${Z}> said`],
    ["of code does not open a block", "use \\`\\`\\` here", `use ${`${Z}\`${Z}`.repeat(3)} here`],
  ])("%s", (_rule, markdown, expected) => {
    expect(text(markdown)).toBe(expected);
  });

  it("is never shown with its backslash, and a backslash of the author's is kept", () => {
    expect(text("\\# \\[x\\] \\<y\\> C:\\temp")).toBe("# [x] <y> C:\\temp");
  });
});

describe("code", () => {
  it.each([
    ["keeps its bytes in a span", "`**x** _y_ &amp; <b> \\*`", "`**x** _y_ &amp; <b> \\*`"],
    ["with a backtick gets three of them", "``a`b``", "```a`b```"],
    ["loses only the language of a fence", "```ts\n\ta **b**\n\n```", "```\n\ta **b**\n\n```"],
    [
      "is not indented and not quoted",
      "- x\n  ```\n  a\n    b\n  ```\n\n> ```\n> c\n> ```",
      "- x\n```\na\n  b\n```\n\n```\nc\n```",
    ],
    ["keeps an unclosed fence to the end", "```\na\nb", "```\na\nb\n```"],
    ["that holds a fence itself goes without", "````\n```js\nx\n```\n````", "```js\nx\n```"],
    ["may be emphasised from outside", "**`x`**", "*`x`*"],
    ["keeps what stands behind the opening marks", "```ls -a\npwd\n```", "```\nls -a\npwd\n```"],
    ["keeps a bracket there", '```{\n  "a": 1\n}\n```', '```\n{\n  "a": 1\n}\n```'],
    ["keeps one word there that has no code below it", "```pwd\n```", "```\npwd\n```"],
    ["ends where words follow its closing marks", "```\na\n``` and **b**\nc", "```\na\n```\nand *b*\nc"],
    ["ends at marks behind its last line", "```sql\n  a;```\n**b**", "```\n  a;\n```\n*b*"],
    ["begins in the middle of a line", "x\n**a**: ```sh\nb\n```\nc", "x\n*a*:\n```\nb\n```\nc"],
    [
      "begins there in a quote and in a list",
      "> a ```\n> b\n> ```\n\n- c: ```\n  d\n  ``` e",
      "> a\n```\nb\n```\n\n- c:\n```\nd\n```\n  e",
    ],
    [
      "does not begin at marks that nothing closes",
      "a ```\nb\n\n```js\nc\n```",
      `a ${`${Z}\`${Z}`.repeat(3)}\nb\n\n\`\`\`\nc\n\`\`\``,
    ],
    ["in one line of three backticks stays in it", "a ```b``` c\n```d```", "a `b` c\n`d`"],
    [
      "keeps its lines however far its fence is indented",
      "a\n\n     ```\n     b\n       c\n     ```\nd",
      "a\n\n```\nb\n  c\n```\nd",
    ],
    ["may be indented right below a text", "- a\n      ```\n      b\n      ```\n- c", "- a\n```\nb\n```\n- c"],
    ["holds a fence that is indented further", "```\na\n    ```\nb\n```", "a\n    ```\nb"],
    ["is not what three tildes strike", "~~~a~~~ b\nc", "~~a~~ b\nc"],
  ])("%s", (_rule, markdown, expected) => {
    expect(text(markdown)).toBe(expected);
  });

  it.each([
    [
      "a list item's words",
      "1. Run: ```bash\nnpm i\n```\n2. Then **restart**.",
      "1. Run:\n```\nnpm i\n```\n2. Then *restart*.",
    ],
    ["a list's mark", "1. ```bash\nnpm i\n```\n2. Then **restart**.", "1.\n```\nnpm i\n```\n2. Then *restart*."],
    ["a nested item", "- a\n  - b: ```js\nx\n\ny\n```\n- **c**", "- a\n  - b:\n```\nx\n\ny\n```\n- *c*"],
    ["the line below an item", "- One\nRun: ```bash\nnpm i\n```\n**End**", "- One\nRun:\n```\nnpm i\n```\n*End*"],
    ["the line below a quote", "> Note\nRun: ```bash\nnpm i\n```\n**End**", "> Note\nRun:\n```\nnpm i\n```\n*End*"],
    ["a quote", "> Run: ```bash\nnpm i\n```\n**End**", "> Run:\n```\nnpm i\n```\n\n*End*"],
  ])("that begins in %s may stand at the margin", (_where, markdown, shown) => {
    expect(text(markdown)).toBe(shown);
  });

  it("that begins at a list's mark and ends nowhere takes no items along", () => {
    expect(text("- ```\n- b\n- **c**")).toBe("-\n- b\n- *c*");
  });
});

describe("links", () => {
  it.each([
    ["show their address after the text", '[t](https://ex.com/a_b "title")', "t (https://ex.com/a_b)"],
    ["that are their own text show once", "[https://ex.com](https://ex.com)", "https://ex.com"],
    ["whose text is the bare address show the address", "[ex.com](https://ex.com/)", "https://ex.com/"],
    ["in angle brackets lose them", "<https://ex.com/a_b_c> <me@ex.com>", "https://ex.com/a_b_c me@ex.com"],
    [
      "to mail and phone lose the scheme",
      "[mail](mailto:me@ex.com) [call](tel:+44123)",
      "mail (me@ex.com) call (+44123)",
    ],
    [
      "by reference are resolved",
      "[t][1] and [u]\n\n[1]: https://ex.com/1\n[u]: <https://ex.com/2> 'x'",
      "t (https://ex.com/1) and u (https://ex.com/2)",
    ],
    [
      "by reference that are defined twice mean the first, and the second stays",
      "[t][1]\n\n[1]: https://ex.com/1\n[1]: https://ex.com/2",
      "t (https://ex.com/1)\n[1]: https://ex.com/2",
    ],
    ["that nothing refers to stay", "Sources:\n\n[1]: https://ex.com/a_b_c", "Sources:\n\n[1]: https://ex.com/a_b_c"],
    ["in HTML are links", '<a href="https://ex.com?a=1&amp;b">t</a>', "t (https://ex.com?a=1&b)"],
    [
      "written bare are not read as emphasis",
      "https://ex.com/_a_/*b* and (https://ex.com/c_(d)_e).",
      "https://ex.com/_a_/*b* and (https://ex.com/c_(d)_e).",
    ],
    ["end where the sentence goes on in Chinese", "看https://ex.com/a。**好** 吧", "看https://ex.com/a。*好* 吧"],
    [
      "that are images show the description",
      "![a *cat*](https://ex.com/c.png) ![](https://ex.com/d.png)",
      "a cat: https://ex.com/c.png https://ex.com/d.png",
    ],
    ["to inline data show the description alone", "![a cat](data:image/png;base64,AAAA)", "a cat"],
  ])("%s", (_rule, markdown, expected) => {
    expect(text(markdown)).toBe(expected);
  });

  it("are not made of what somebody says", () => {
    expect(text("[Anna]: hello\n\n[Bob]: [x] is fine")).toBe("[Anna]: hello\n\n[Bob]: [x] is fine");
  });
});

describe("blocks", () => {
  it.each([
    ["make headings bold lines", "# A *b*\ntext\n## **C**\n\nD\n===", "*A _b_*\ntext\n*C*\n\n*D*"],
    ["keep the numbers of a list", "3. a\n4. b", "3. a\n4. b"],
    ["count where every item says 1", "1. a\n1. b\n1. c", "1. a\n2. b\n3. c"],
    ["count where every item says 0", "0. a\n0. b", "0. a\n1. b"],
    ["count each list by itself", "1. a\n   1. b\n   3. c\n1. d\n   - e", "1. a\n   1. b\n   3. c\n2. d\n   - e"],
    ["keep numbers that fall, jump or return", "3. a\n2. b\n\n1. c\n1. d", "3. a\n2. b\n\n1. c\n1. d"],
    ["keep a day of the month that is named twice", "24. noon\n24. evening", "24. noon\n24. evening"],
    ["keep gaps and the kind of bracket", "2) a\n5) b", "2) a\n5) b"],
    ["use one bullet", "* a\n+ b\n- c", "- a\n\n- b\n\n- c".replaceAll("\n\n", "\n")],
    ["indent nested lists", "- a\n  1. b\n     - c\n\n     d", "- a\n  1. b\n     - c\n\n     d"],
    ["print a marker for an empty item", "- \n- a", "-\n- a"],
    ["check boxes", "- [x] a\n- [ ] b\n- [y] c", "- ☑ a\n- ☐ b\n- [y] c"],
    ["leave a line at the margin there", "1. a\n2. b\nThanks!", "1. a\n2. b\nThanks!"],
    ["quote on one level", "> a\nb\n> > c", "> a\n> b\n> c"],
    ["quote a list", "> - a\n> - b", "> - a\n> - b"],
    ["divide by a line", "a\n\n---\n\nb\n\n***", "a\n\n———\n\nb\n\n———"],
    ["keep hard breaks", "a  \nb\\\nc<br>d", "a\nb\nc\nd"],
    ["put footnotes where they are defined", "a[^1].\n\n[^1]: note", "a[1].\n\n[1] note"],
    ["leave a footnote that nobody defined", "a[^1]", "a[^1]"],
    [
      "drop formatting tags and comments, not text",
      "<p>a <u>b</u> <y> 1 < 2 &lt;z&gt; <!-- c --></p>",
      "a b <y> 1 < 2 <z>",
    ],
    ["make a list of an HTML list", "<ul><li>a</li><li>b</li></ul>", "- a\n- b"],
  ])("%s", (_rule, markdown, expected) => {
    expect(text(markdown)).toBe(expected);
  });

  it("keep plain text as it is, even where Markdown would see indented code", () => {
    const plain = "Hi,\n\n    four spaces - and more\n  two: 10% & 3 < 4\nnone\n\n\n\tEnd";

    expect(text(plain)).toBe(plain.replace("\t", "    "));
  });

  it("lose carriage returns, control characters and halves of surrogate pairs", () => {
    expect(text("a\r\nb\rc\u0000\u0007\ud83d d&#13;&#7;")).toBe(
      "a\nb\nc\ufffd d\ufffd".replace("d\ufffd", text("d&#13;&#7;")),
    );
  });
});

describe("tables", () => {
  it("of up to 30 columns are aligned in a monospace block", () => {
    const { text: table, changes } = toWhatsApp("| a | **b** |\n|---|--:|\n| `x` | 1 |\n| 日本 | 22 |");

    expect(table).toBe("```\na      b\n----  --\nx      1\n日本  22\n```");
    expect(changes).toEqual([{ at: 0, from: "table", to: "monospace text" }]);
  });

  it("of 30 columns fit and of 31 do not", () => {
    const fits = toWhatsApp(`| a | ${"b".repeat(27)} |\n|---|---|\n| 1 | 2 |`);
    const isTooWide = toWhatsApp(`| a | ${"b".repeat(28)} |\n|---|---|\n| 1 | 2 |`);

    expect(fits.changes[0]?.to).toBe("monospace text");
    expect(isTooWide.changes[0]?.to).toBe("records");
  });

  it("show the cells that have no heading", () => {
    expect(text("| a | b |\n|---|---|\n| 1 | 2 | 3 |\n| 4 | 5 | |")).toBe("```\na  b\n-  -  -\n1  2  3\n4  5\n```");
    expect(text(`> | a | ${"b".repeat(30)} |\n> |---|---|\n> | 1 | 2 | **3** |`)).toBe(
      `> *a*: 1\n> *${"b".repeat(30)}*: 2\n> *3*`,
    );
  });

  it("may begin in the line of a list's mark", () => {
    const table = "```\nName  Price\n----  -----\nTea   2\n```";

    expect(text("1. | Name | Price |\n   |---|---|\n   | Tea | 2 |")).toBe(`1.\n${table}`);
  });

  it("may have bars in their code", () => {
    expect(text("| Op | Is |\n|---|---|\n| `a || b` | or |\n| `a\\|b` | pipe |")).toBe(
      "```\nOp      Is\n------  ----\na || b  or\na|b     pipe\n```",
    );
  });

  it("that are wider become records, with emphasis and links", () => {
    const markdown = `| Name | ${"Long ".repeat(6)} |\n|---|---|\n| **A** | [x](https://ex.com) |\n| B | |`;

    expect(text(markdown)).toBe(
      `*Name*: *A*\n*${"Long ".repeat(6).trim()}*: x (https://ex.com)\n\n*Name*: B\n*${"Long ".repeat(6).trim()}*: –`,
    );
  });
});

describe("HTML", () => {
  it.each([
    ["has emphasis", "<b>a</b> <strong>b</strong> <i>c</i> <em>d</em> <s>e</s>", "*a* *b* _c_ _d_ ~e~"],
    ["hugs its text", "a <b> x </b> b", "a  *x*  b"],
    ["left open is none", "<b>a _b_", "a _b_"],
    ["crossing Markdown's is none", "**a <b>b** c</b> <i>d **e</i> f**", "*a b* c d *e f*"],
    ["has headings and numbered lists", "<h2>A</h2><ol><li>b</li><li>c</li></ol>", "*A*\n1. b\n2. c"],
    ["keeps the cells of a table apart", "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a · b\nc"],
    ["that is none stays", "<constructor> a", "<constructor> a"],
    ["has entities", "&copy; &lt;tag&gt; &amp;amp;", "© <tag> &amp;"],
  ])("%s", (_rule, markdown, expected) => {
    expect(text(markdown)).toBe(expected);
  });
});

describe("a formula", () => {
  it.each([
    ["loses its dollar signs", "The area is $A = \\pi r^2$, with $r$.", "The area is A = π r², with r."],
    ["may have brackets", "\\(a_1 \\leq b\\) and \\[ \\frac{a+b}{2} \\]", "a₁ ≤ b and (a+b)/2"],
    ["may stand alone", "So\n$$\nx = \\frac{-b \\pm \\sqrt{b^2 - 4ac}}{2a}\n$$", "So\nx = (-b ± √(b² - 4ac))/2a"],
    ["keeps its stars", "$a*b*c$ is \\(2 * 3\\)", "a*b*c is 2 * 3"],
    ["keeps the name of what it does not know", "$\\unknown = \\constructor$", "unknown = constructor"],
  ])("%s", (_rule, markdown, expected) => {
    expect(text(markdown)).toBe(expected);
  });

  it.each([
    "It costs $5 and $10, or $5-$10, ($5/month) or $5=€4 and so on",
    "US$5 = A$8, $HOME/$USER, $20/$30 in total = 50",
    "`$x = 1$` and $ x $ and $$$",
  ])("is not seen in %s", (plain) => {
    expect(text(plain)).toBe(plain);
  });

  it("is not seen in brackets that the author escaped", () => {
    expect(text("\\(see below\\) \\[2026-01-31\\] \\[a_b\\]")).toBe("(see below) [2026-01-31] [a_b]");
  });
});

describe("what nobody writes", () => {
  it("is sent as it stands when it is nested deeper than the parser reads", () => {
    const deep = `${">".repeat(60)} deep **text**`;
    const list = Array.from({ length: 40 }, (_, depth) => `${"  ".repeat(depth)}- item ${depth}`).join("\n");

    expect(text(deep)).toBe(deep);
    expect(text(list)).toBe(list);
    expect(toWhatsApp(deep).changes).toEqual([{ at: 0, from: "Markdown beyond the ceilings", to: "plain text" }]);
  });

  it("is sent as it stands when it has more marks than a long answer", () => {
    const dense = "**a** ".repeat(10_000).trim();

    expect(text(dense)).toBe(dense);
  });
});

describe("a line", () => {
  it("has emphasis and links but no blocks", () => {
    expect(toWhatsAppLine("1. **a**\n# b [c](https://ex.com)")).toBe("1. *a* # b c (https://ex.com)");
  });

  it("is bold as a whole when asked, whatever was bold in it", () => {
    expect(toWhatsAppLine(" Room **12** ", { isBold: true })).toBe("*Room 12*");
  });
});
