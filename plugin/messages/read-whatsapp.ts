/** A finished WhatsApp text → the ranges that a cut must reopen or must not touch. */
import { canClose, canOpen, type MarkRun } from "./whatsapp-marks.ts";

/** Text between `open` and `close`, both of them inside [start, end). */
export type Wrap = { readonly start: number; readonly end: number; readonly open: string; readonly close: string };

export type Structure = {
  /** By start, outer before inner. */
  readonly wraps: readonly Wrap[];
  readonly urls: readonly { readonly start: number; readonly end: number }[];
};

const CODE = /```(\n?)[\s\S]*?\n?```|`[^`\n]+`/g;
// CJK punctuation ends a URL without a space.
const URL = /https?:\/\/[^\s\u3000-\u303f\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1f]+/gi;
const LINE_BREAK = 0x0a;
const QUOTED_LINE = /^> /gm;
const AFTER_URL = ")]*_~.,;:!?'\"";

export function readWhatsApp(text: string): Structure {
  const code: Wrap[] = [];
  // Same length, nothing in it that looks like a mark or a URL.
  const prose = text.replace(CODE, (all: string, lineBreak: string | undefined, index: number) => {
    code.push(codeWrap(index, all, lineBreak));
    return "x".repeat(all.length);
  });
  const urls = Array.from(prose.matchAll(URL), ({ index, 0: url }) => ({ start: index, end: index + urlLength(url) }));
  const proseWithoutUrls = prose.replace(URL, (url) => "x".repeat(urlLength(url)) + url.slice(urlLength(url)));
  const quotes = Array.from(proseWithoutUrls.matchAll(QUOTED_LINE), ({ index }) => ({
    start: index,
    end: lineEnd(text, index),
    open: "> ",
    close: "",
  }));
  // Beside U+200B a mark was meant to be seen.
  const defused = proseWithoutUrls.replaceAll("\u200b", "x");
  const marks = ["*", "_", "~"].flatMap((mark) => pairs(defused, mark));
  return { wraps: [...quotes, ...marks, ...code].sort((a, b) => a.start - b.start || b.end - a.end), urls };
}

/** The http(s) links that WhatsApp could preview. */
export function countLinks(text: string): number {
  return text.replace(CODE, " ").match(URL)?.length ?? 0;
}

function codeWrap(start: number, all: string, lineBreak: string | undefined): Wrap {
  const end = start + all.length;
  if (!all.startsWith("```")) return { start, end, open: "`", close: "`" };
  return lineBreak === "\n" ? { start, end, open: "```\n", close: "\n```" } : { start, end, open: "```", close: "```" };
}

/** Without the punctuation and the marks that follow it. */
function urlLength(url: string): number {
  let length = url.length;
  while (length > 0 && AFTER_URL.includes(url.charAt(length - 1))) length -= 1;
  return length;
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end === -1 ? text.length : end;
}

/** Character by character: texts of nothing but line breaks and marks would cost a match for each. */
function pairs(text: string, mark: string): Wrap[] {
  const found: Wrap[] = [];
  const code = mark.charCodeAt(0);
  let opener: MarkRun | undefined;
  for (let start = 0; start < text.length; start += 1) {
    const unit = text.charCodeAt(start);
    if (unit === LINE_BREAK) opener = undefined;
    if (unit !== code) continue;
    let end = start + 1;
    while (text.charCodeAt(end) === code) end += 1;
    const here = { start, end };
    start = end - 1;
    if (end - here.start > 1) continue;
    if (opener !== undefined && canClose(text, here)) {
      found.push({ start: opener.start, end, open: mark, close: mark });
      opener = undefined;
    } else if (opener === undefined && canOpen(text, here)) opener = here;
  }
  return found;
}
