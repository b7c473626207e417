/** What holds for every AI response, X1 to X12. Seeds are printed on failure; FC_RUNS raises the number of runs. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LIMITS } from "../../../plugin/messages/limits.ts";
import { splitText } from "../../../plugin/transformer/split-text.ts";
import { toWhatsApp } from "../../../plugin/transformer/whatsapp-markup.ts";
import {
  bidi,
  codeLine,
  escapedMarks,
  graphemes,
  longRun,
  markerSoup,
  markup,
  plainText,
  table,
  url,
  whatsAppMarkup,
  zalgo,
} from "./generators.ts";
import { textsOf } from "./texts.ts";

const numRuns = Number(process.env.FC_RUNS ?? 1000);
const anyText = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 300 }),
  fc.string({ unit: "binary", maxLength: 300 }),
  markerSoup,
  longRun,
  bidi,
  zalgo,
);
const ceiling = LIMITS.textBody.max;

function check<T>(arbitrary: fc.Arbitrary<T>, predicate: (value: T) => void): void {
  fc.assert(fc.property(arbitrary, predicate), { numRuns });
}

/** Long enough to be cut: the generated text, many times over. */
function repeated(text: string, length: number): string {
  return text === "" ? "" : text.repeat(Math.ceil(length / text.length)).slice(0, length * 2);
}

function partsOf(markdown: string): readonly string[] {
  return textsOf(markdown).map(({ text }) => text);
}

function letters(text: string): string {
  return text.replace(/[^\p{L}]/gu, "");
}

function graphemesOf(text: string): string[] {
  return Array.from(new Intl.Segmenter("und").segment(text), ({ segment }) => segment);
}

function withoutOuterBlanks(text: string): string {
  return text.replace(/[^\S\n]+$/gm, "").replace(/^\n+|\n+$/g, "");
}

/** Written apart from the code under test: an even number of each mark on every line, outside code. */
function unbalancedMarks(part: string): string[] {
  const blocks = part.split("```");
  if (blocks.length % 2 === 0) return ["```"];
  const prose = blocks.filter((_, index) => index % 2 === 0).join(" ");
  return prose.split("\n").flatMap((line) => {
    const outside = line.split("`").filter((_, index) => index % 2 === 0);
    const isCodeOpen = line.split("`").length % 2 === 0;
    const odd = ["*", "_", "~"].filter((mark) => outside.join("").split(mark).length % 2 === 0);
    return isCodeOpen ? ["`", ...odd] : odd;
  });
}

describe("every AI response", { timeout: 60_000 + 60 * numRuns }, () => {
  it("X1 becomes messages within Meta's limit, in UTF-16 units and so in code points", () => {
    check(fc.tuple(anyText, fc.integer({ min: 0, max: 3 * ceiling })), ([text, length]) => {
      for (const part of partsOf(repeated(text, length))) {
        expect(part.length).toBeLessThanOrEqual(ceiling);
        expect(part.trim()).not.toBe("");
      }
    });
  });

  it("X1 is cut within any other limit too", () => {
    check(fc.tuple(anyText, fc.integer({ min: 30, max: 200 })), ([text, limit]) => {
      for (const part of splitText(toWhatsApp(text).text, limit)) expect(part.text.length).toBeLessThanOrEqual(limit);
    });
  });

  it("X2 loses no word, whatever the marks around it and wherever it is cut", () => {
    check(fc.tuple(markup, fc.integer({ min: 60, max: 200 })), ([markdown, limit]) => {
      const parts = splitText(toWhatsApp(markdown).text, limit);

      expect(letters(parts.map(({ text }) => text).join(""))).toBe(letters(markdown));
    });
  });

  it("X2 loses no cell of a table, small or wide", () => {
    check(table, ({ markdown, cells }) => {
      const text = toWhatsApp(markdown).text;

      for (const cell of cells) expect(text).toContain(cell);
    });
  });

  it("X3 has balanced marks in every part", () => {
    check(fc.tuple(markup, fc.integer({ min: 60, max: 200 })), ([markdown, limit]) => {
      for (const { text } of splitText(toWhatsApp(markdown).text, limit)) {
        expect({ text, odd: unbalancedMarks(text) }).toEqual({ text, odd: [] });
      }
    });
  });

  it("X3 has no mark that the author escaped, whether or not U+200B counts as a space", () => {
    // A run of one mark counts as one: white space, punctuation or an edge outside, text inside.
    const pairs = ["\\*", "_", "~"].map((mark) => {
      const opener = `(?<![\\p{L}\\p{N}]${mark}*)${mark}+(?=[^\\s${mark}])`;
      const closer = `[^\\s${mark}]${mark}+(?!${mark}*[\\p{L}\\p{N}])`;
      return new RegExp(`${opener}[^\\n]*?${closer}`, "u");
    });
    check(escapedMarks, (markdown) => {
      const { text } = toWhatsApp(markdown);

      for (const pair of pairs) {
        expect(text.replaceAll("\u200b", "a")).not.toMatch(pair);
        expect(text.replaceAll("\u200b", " ")).not.toMatch(pair);
      }
      expect(text.replaceAll("\u200b", "")).toBe(markdown.replaceAll("\\", ""));
    });
  });

  it("X4 never holds half a surrogate pair", () => {
    check(fc.tuple(anyText, fc.integer({ min: 0, max: 2 * ceiling })), ([text, length]) => {
      for (const part of partsOf(repeated(text, length))) expect(part.isWellFormed()).toBe(true);
    });
  });

  it("X5 is never cut inside what a reader sees as one character", () => {
    check(fc.tuple(graphemes, fc.integer({ min: 50, max: 120 })), ([text, limit]) => {
      const parts = splitText(text, limit);

      expect(parts.flatMap((part) => graphemesOf(part.text))).toEqual(graphemesOf(text));
    });
  });

  it("X5 is cut between code points where one character is longer than a message", () => {
    check(zalgo, (text) => {
      for (const part of splitText(`${text}${"\u{1d165}".repeat(100)}`, 40))
        expect(part.text.isWellFormed()).toBe(true);
    });
  });

  it("X6 keeps every URL whole that fits into one message, even where no space comes before it", () => {
    const unspaced = fc.nat(120).map((length) => "字".repeat(length));
    check(
      fc.array(
        fc.oneof(
          url.map((one) => `${one} `),
          unspaced,
          fc.lorem({ maxCount: 5 }),
        ),
        { maxLength: 30 },
      ),
      (pieces) => {
        const texts = splitText(pieces.join(""), 150).map(({ text }) => `${text} `);

        for (const piece of pieces.filter((one) => one.startsWith("http"))) {
          expect(texts.some((text) => text.includes(piece))).toBe(true);
        }
      },
    );
  });

  it("X7 stays as it is when it already is WhatsApp's markup", () => {
    check(whatsAppMarkup, (text) => {
      const once = toWhatsApp(text).text;

      expect(toWhatsApp(once).text).toBe(once);
      expect(once).toBe(withoutOuterBlanks(text));
    });
  });

  it("X8 is unchanged when it is plain text, line breaks and indentation included", () => {
    check(plainText, (text) => {
      expect(toWhatsApp(text).text).toBe(withoutOuterBlanks(text));
    });
  });

  it("X10 is transformed without an error and without control characters", () => {
    check(
      fc.oneof(
        anyText,
        fc.array(anyText, { maxLength: 4 }).map((texts) => texts.join("\n\n")),
      ),
      (text) => {
        for (const part of partsOf(text)) {
          // A tab inside code is the code's own.
          expect(part.replace(/`[^`]*`/g, "")).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
        }
      },
    );
  });

  it("X11 keeps fenced code byte for byte", () => {
    check(fc.array(codeLine, { minLength: 1, maxLength: 8 }), (lines) => {
      const code = lines.join("\n");
      fc.pre(code.trim() !== "");

      expect(`\n${toWhatsApp(`Before\n\n\`\`\`\`js\n${code}\n\`\`\`\`\nafter`).text}`).toContain(
        `\n\`\`\`\n${code}\n\`\`\`\n`,
      );
    });
  });

  it("X11 keeps a code span byte for byte", () => {
    check(codeLine, (line) => {
      const code = line.replaceAll("`", "").trim();
      fc.pre(code !== "");

      expect(toWhatsApp(`say \`${code}\` twice`).text).toBe(`say \`${code}\` twice`);
    });
  });

  it("X12 keeps the order and the numbers of a list over all its parts", () => {
    check(fc.tuple(fc.integer({ min: 1, max: 900 }), fc.integer({ min: 1, max: 60 })), ([first, count]) => {
      const numbers = Array.from({ length: count }, (_, index) => first + index);
      const markdown = numbers
        .map((number) => `${number}. item **${"w".repeat(number % 40)}x** of the list`)
        .join("\n");

      const parts = splitText(toWhatsApp(markdown).text, 150);

      const found = parts.flatMap(({ text }) =>
        Array.from(text.matchAll(/^(\d+)\. item/gm), ([, number]) => Number(number)),
      );
      expect(found).toEqual(numbers);
    });
  });
});
