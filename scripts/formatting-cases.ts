/** What docs/formatting.md shows, in its order: pairs of fixtures/ai-responses. */

export type Chapter = { readonly title: string; readonly words: string; readonly cases: readonly string[] };

export const CHAPTERS: readonly Chapter[] = [
  {
    title: "Emphasis and code",
    words:
      "WhatsApp has `*bold*`, `_italic_`, `~struck~`, `` `code` `` and blocks, and no escape character: a literal mark that would find a partner gets an invisible U+200B beside it. Code is never touched.",
    cases: [
      "bold-italic-strike",
      "bold-and-italic-together",
      "bold-over-two-lines",
      "bold-inside-a-word",
      "bold-beside-a-number",
      "escaped-marks",
      "unbalanced-marks",
      "arithmetic",
      "snake-case",
      "inline-code-with-backtick",
      "fenced-code",
      "code-that-looks-like-markdown",
      "code-beside-its-fence",
      "indented-fenced-code",
    ],
  },
  {
    title: "Headings, lists and quotes",
    words:
      "Headings are bold lines. Lists keep their nesting and the numbers that the author wrote; quotes have one level.",
    cases: [
      "headings-quote-divider",
      "nested-lists",
      "nested-numbered-list",
      "ordered-list-from-three",
      "numbers-as-written",
      "task-list",
      "quotes-in-quotes",
      "footnotes-and-sources",
    ],
  },
  {
    title: "Tables",
    words:
      "Up to 30 columns of characters, which is what a small phone shows, a table is a monospace block; wider ones are one record per row.",
    cases: [
      "table-small",
      "table-of-three-columns",
      "table-with-cjk-and-emoji",
      "table-beyond-its-heading",
      "table-wide",
    ],
  },
  {
    title: "Links and pictures",
    words:
      "A link shows its address after its text. A message is previewed when it holds exactly one. An https picture that is a paragraph of its own is sent as a picture; inside a sentence it is a link.",
    cases: [
      "links-of-every-kind",
      "one-link-previewed",
      "two-links-not-previewed",
      "bare-url",
      "picture-between-texts",
      "pictures-in-sentences",
    ],
  },
  {
    title: "HTML and formulas",
    words:
      "Tags become WhatsApp's marks, lines and lists; unknown ones stay. Formulas become the line that a person would type. Dollars that are money stay.",
    cases: ["html-tags", "html-document", "formulas", "prices"],
  },
  {
    title: "Scripts and emoji",
    words: "Nothing is cut inside what a reader sees as one character.",
    cases: ["emoji", "chinese-markdown", "cjk", "right-to-left", "arabic-list"],
  },
  {
    title: "Choices",
    words:
      "Up to three are reply buttons, up to ten a list, more are numbered text. In every form the person may type the number or the title instead. A title that is too long is written out in full where it fits: under the row's short title, or numbered above the buttons.",
    cases: [
      "choices-two",
      "choices",
      "choices-two-long",
      "choices-of-one-name",
      "choices-five",
      "choices-five-described",
      "choices-five-long",
      "choices-five-with-long-descriptions",
      "choices-eleven",
      "choices-in-arabic",
      "choices-emoji-at-the-button-limit",
      "choices-without-text",
      "choices-after-a-picture",
      "choices-after-cards",
    ],
  },
  {
    title: "Cards",
    words:
      "One card is a link button, reply buttons or a captioned picture. Two to ten that are alike, each with a picture, are a carousel; others are a message each.",
    cases: [
      "card-with-link",
      "card-with-link-only",
      "card-with-choices",
      "card-with-five-choices",
      "card-with-a-picture",
      "card-with-a-long-label",
      "card-with-an-http-picture",
      "cards-alike",
      "cards-alike-with-choices",
      "cards-that-differ",
      "cards-of-text",
      "cards",
    ],
  },
  {
    title: "Media, places, reactions, templates",
    words:
      "Captions stand under the picture up to 1,024 characters, otherwise after it. A file goes as what its name says it is. What Meta cannot fetch stays in the text.",
    cases: [
      "media",
      "media-audio-with-caption",
      "media-sticker-with-caption",
      "media-of-another-kind",
      "media-not-on-https",
      "media-document-without-a-name",
      "location",
      "location-that-is-none",
      "reaction",
      "template-and-more",
      "everything",
    ],
  },
];
