/** Texts of one line where WhatsApp reads no marks: titles of buttons and rows, labels, names. */
import { parseInlineMarkdown } from "./parse-markdown.ts";
import { readInline } from "./read-inline.ts";
import { renderMonospace } from "./render-inline.ts";
import { sanitize } from "./sanitize.ts";

const ELLIPSIS = "…";
const graphemes = new Intl.Segmenter("und", { granularity: "grapheme" });

/** The words of Markdown without any marks. */
export function toPlainLine(markdown: string): string {
  const line = oneLine(markdown);
  const tokens = parseInlineMarkdown(line);
  return tokens === undefined ? line : oneLine(renderMonospace(readInline(tokens, { isMonospace: true })));
}

/** Data as it is, on one line. */
export function oneLine(text: string): string {
  return sanitize(text)
    .replace(/[\s\u2028\u2029]+/g, " ")
    .trim();
}

/** Ends at a word if one ends in its second half, and never inside what a reader sees as one character. */
export function shorten(text: string, max: number): string {
  if (text.length <= max) return text;
  const room = max - ELLIPSIS.length;
  let end = 0;
  for (const { index, segment } of graphemes.segment(text.slice(0, max * 2))) {
    if (index + segment.length > room) break;
    end = index + segment.length;
  }
  const space = text.lastIndexOf(" ", end);
  const cut = text.slice(0, space > room / 2 ? space : end);
  return cut.trimEnd() + ELLIPSIS;
}
