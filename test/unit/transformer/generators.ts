/** Texts that an AI, or somebody who means harm, might answer with. */
import fc from "fast-check";

const word = fc.string({ unit: fc.constantFrom(..."abcdefghijklmnopqrstuvwxyzäöüßéñжя"), minLength: 1, maxLength: 10 });
const words = fc.array(word, { minLength: 1, maxLength: 8 }).map((all) => all.join(" "));

/** Everything that means something to Markdown, to HTML or to WhatsApp, in any order. */
export const markerSoup: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...[
          "*",
          "**",
          "***",
          "_",
          "__",
          "~",
          "~~",
          "`",
          "``",
          "```",
          "````",
          "~~~",
          "[",
          "](",
          ")",
          "![",
          "[^1]",
          "[^1]: ",
        ],
        ...[
          "> ",
          "- ",
          "* ",
          "+ ",
          "1. ",
          "7) ",
          "# ",
          "---",
          "===",
          "| a | b |\n|---|---|\n",
          "|",
          "<b>",
          "</b>",
          "<y>",
        ],
        ...[
          "<br>",
          "<a href='u'>",
          "</a>",
          "<!--",
          "-->",
          "<",
          ">",
          "&amp;",
          "&#1;",
          "&#13;",
          "&Tab;",
          "\\",
          "\\*",
          "\n",
          "\n\n",
        ],
        ...[
          "  ",
          "\t",
          "    ",
          "\r\n",
          "\u200b",
          "https://ex.com/a_b_(c)",
          "[x]: https://ex.com\n",
          "😀",
          "\u0301",
          "中",
          "2",
        ],
      ),
      word,
    ),
    { maxLength: 60 },
  )
  .map((pieces) => pieces.join(""));

export const longRun: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom("*", "_", "~", "`", "[", "]", "(", ">", "#", "|", "<", "\\", "!", "a", " ", "\n"),
    fc.nat(5000),
  )
  .map(([char, length]) => char.repeat(length));

export const bidi: fc.Arbitrary<string> = fc
  .array(
    fc.constantFrom("שלום", "مرحبا", "abc", "123", " ", "\u202e", "\u202c", "\u2067", "\u2069", "\u200f", "**", "_"),
  )
  .map((pieces) => pieces.join(""));

export const zalgo: fc.Arbitrary<string> = fc
  .tuple(fc.string({ maxLength: 5 }), fc.constantFrom("\u0301", "\u0335", "\u20dd", "\u0e47"), fc.nat(10_000))
  .map(([text, mark, count]) => `${text}e${mark.repeat(count)} x`);

/** Characters of several code points, without white space and marks between them. */
export const graphemes: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.constantFrom("👨‍👩‍👧‍👦", "🇬🇧", "👍🏽", "한", "각", "क्षि", "é", "e\u0301", "a", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "❤️", "\u0e01\u0e33"),
      fc
        .string({ unit: "grapheme", minLength: 1, maxLength: 1 })
        .map((char) => (/[*_~`>\s\u0000-\u001f]/.test(char) ? "x" : char)),
    ),
    { minLength: 1, maxLength: 150 },
  )
  .map((pieces) => pieces.join(""));

export const url: fc.Arbitrary<string> = fc
  .array(fc.constantFrom("a", "b_c", "-d", "/e", "?f=1", "&g", "(h)", "~i", "%20"), { maxLength: 20 })
  .map((parts) => `https://ex.com/${parts.join("")}x`);

const styled = fc.oneof(
  words,
  words,
  words.map((text) => `**${text}**`),
  words.map((text) => `*${text}*`),
  words.map((text) => `_${text}_`),
  words.map((text) => `~~${text}~~`),
  words.map((text) => `***${text}***`),
  words.map((text) => `**${text} _${text}_ ${text}**`),
  words.map((text) => `\`${text}\``),
);
const sentence = fc.array(styled, { minLength: 1, maxLength: 8 }).map((parts) => parts.join(" "));

/** Code blocks as an AI writes them that has WhatsApp's own in mind, or indents its whole answer. */
const looseCode = fc
  .tuple(
    fc.constantFrom(
      "```W C\nC\n\nC\n```",
      "```W C\nC```",
      "C: ```\nC\n``` C",
      "```\nC\n``` C\nC",
      "C\n     ```\n     C\n\n       C\n     ```",
      "- C: ```\n  C\n  ```\n- C",
    ),
    word,
    words,
  )
  .map(([form, one, many]) => form.replaceAll("W", one).replaceAll("C", many));

/** Markdown with emphasis, code, lists, quotes and headings, all of it meant. */
export const markup: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      sentence,
      fc.tuple(sentence, sentence).map(([one, other]) => `${one}\n${other}`),
      sentence.map((text) => `# ${text}`),
      fc.array(sentence, { minLength: 1, maxLength: 4 }).map((items) => items.map((item) => `- ${item}`).join("\n")),
      fc.array(sentence, { minLength: 1, maxLength: 3 }).map((lines) => lines.map((line) => `> ${line}`).join("\n")),
      fc.array(words, { minLength: 1, maxLength: 12 }).map((lines) => `\`\`\`\n${lines.join("\n\n  ")}\n\`\`\``),
      looseCode,
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((blocks) => blocks.join("\n\n"));

/** Words with marks that the author wanted to be seen. */
export const escapedMarks: fc.Arbitrary<string> = fc
  .array(fc.oneof(word, fc.constantFrom("\\*", "\\_", "\\~", " ", ", ")), { minLength: 1, maxLength: 20 })
  .map((pieces) => `a ${pieces.join("")}x`);

/** A small or a wide table, and the words in it. */
export const table: fc.Arbitrary<{ readonly markdown: string; readonly cells: readonly string[] }> = fc
  .tuple(
    fc.integer({ min: 1, max: 4 }),
    fc.array(fc.oneof(word, words, fc.constant("")), { minLength: 4, maxLength: 20 }),
  )
  .map(([columns, cells]) => {
    const rows = Array.from({ length: Math.floor(cells.length / columns) }, (_, row) => {
      return `| ${cells.slice(row * columns, (row + 1) * columns).join(" | ")} |`;
    });
    const markdown = [rows[0], `|${" --- |".repeat(columns)}`, ...rows.slice(1)].join("\n");
    return { markdown, cells: cells.slice(0, rows.length * columns) };
  });

const whatsAppStyled = fc.oneof(
  words,
  words.map((text) => `_${text}_`),
  words.map((text) => `~${text}~`),
  words.map((text) => `\`**${text}**\``),
  url,
);

/** WhatsApp's syntax where Markdown has the same: everything but `*bold*`, which is italic to Markdown. */
export const whatsAppMarkup: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.array(whatsAppStyled, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(" ")),
      fc.array(words, { minLength: 1, maxLength: 4 }).map((items) => items.map((item) => `- ☐ ${item}`).join("\n")),
      fc.array(words, { minLength: 1, maxLength: 4 }).map((items) => items.map((item) => `N. ${item}`).join("\n")),
      fc.array(whatsAppStyled, { minLength: 1, maxLength: 3 }).map((all) => all.map((line) => `> ${line}`).join("\n")),
      words.map((text) => `\`\`\`\n${text}  _x_\n\n * ${text}\n\`\`\``),
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((blocks) => {
    let number = 0;
    return blocks.join("\n\n").replace(/^N\. /gm, () => `${++number}. `);
  });

const plainLine = fc
  .tuple(
    fc.constantFrom("", "", "  ", "    ", "         "),
    fc.array(
      fc.oneof(
        word,
        fc.constantFrom(
          "10:30",
          "(ok)",
          "it's",
          "50 %",
          "3.50 €",
          "a/b",
          "me@ex.com",
          "x;",
          "-",
          "+1",
          "= 4",
          "#1",
          "5 > 4",
          "…",
          "😀",
        ),
        fc
          .string({ unit: "grapheme", maxLength: 4 })
          .map((text) => text.replace(/[$*_~`[\]<>&\\|!:\s\u0000-\u001f\u007f-\u009f]/gu, "")),
      ),
      { minLength: 1, maxLength: 8 },
    ),
  )
  .map(([indent, pieces]) => `${indent}Ab ${pieces.join(" ")}`);

/** Lines without marks, some of them indented as code would be. */
export const plainText: fc.Arbitrary<string> = fc
  .array(fc.oneof(plainLine, fc.constant("")), { maxLength: 10 })
  .map((lines) => lines.join("\n"));

/** One line of code: anything but three backticks, line breaks and characters that no message can hold. */
export const codeLine: fc.Arbitrary<string> = fc
  .oneof(
    fc.string({ unit: "grapheme", maxLength: 40 }),
    fc.constantFrom("  **x**", "\tif (a) {", "<b>&amp;", "\\*", "", "`", "[a](b)", "~~~"),
  )
  .map((line) => line.replace(/[\r\n\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "").replace(/`{3,}/g, "``"));
