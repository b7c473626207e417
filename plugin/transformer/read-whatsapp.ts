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
const QUOTED_LINE = /^> /gm;
const AFTER_URL = ")]*_~.,;:!?'\"";

export function readWhatsApp(text: string): Structure {
  const code = Array.from(text.matchAll(CODE), ({ index, 0: all, 1: lineBreak }) => codeWrap(index, all, lineBreak));
  // Same length, nothing in it that looks like a mark or a URL.
  const prose = text.replace(CODE, (all) => "x".repeat(all.length));
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

function pairs(text: string, mark: string): Wrap[] {
  const found: Wrap[] = [];
  let opener: MarkRun | undefined;
  for (const { index: start, 0: run } of text.matchAll(new RegExp(`\\n|\\${mark}+`, "g"))) {
    const here = { start, end: start + run.length };
    if (run === "\n") opener = undefined;
    else if (run.length > 1) continue;
    else if (opener !== undefined && canClose(text, here)) {
      found.push({ start: opener.start, end: here.end, open: mark, close: mark });
      opener = undefined;
    } else if (opener === undefined && canOpen(text, here)) opener = here;
  }
  return found;
}
