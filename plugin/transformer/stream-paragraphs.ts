/** A stream of Markdown → pieces that can be transformed on their own, each ending with a paragraph. */

import { closingOf, openingInText, openingOf } from "./fences.ts";

/** Less than this waits for what comes next: a message per line would be a bell per line. */
const LEAST = 200;
const BLANK = /^[ \t]*$/;
const CONTAINERS = /^[ \t>]*(?:(?:[-+*]|\d{1,9}[.)])[ \t]+)*/;
/** What belongs to the block before the blank line: list items, indented lines, quotes, tables, definitions. */
const GOES_ON = /^(?:[ \t]+|>|\||[-+*][ \t]|\d{1,9}[.)][ \t]|\[[^\]]+\]:)/;
/** What a line that goes on may begin with. */
const UNDECIDED = /[\s>|+*\-\d[]/;
/** A code block that is open. Marks at the end of a text may be none: the next ones tell. */
type Fence = { readonly marks: string; readonly indent: number; readonly isInText: boolean };
/** A heading, a line that is bold as a whole, or one that ends in a colon: what it announces comes with it. */
const ANNOUNCES = /^ {0,3}#{1,6}[ \t]|^[ \t]*\*\*[^*]*\*\*[ \t]*$|[:：][*_]*[ \t]*$|^ {0,3}(?:=+|-+)[ \t]*$/;
const DISPLAY_MATH = /^\s*(?:\$\$|\\\[|\\\])\s*$/;

/**
 * The pieces joined are the text, and depend on it alone, not on how it was cut into chunks. A piece ends where a blank
 * line follows a paragraph that announces nothing, outside code, display math, lists, quotes and tables, and only when it has
 * some length. Links by
 * reference and footnotes whose definition comes in a later piece are shown as they were typed.
 */
export async function* streamParagraphs(
  chunks: AsyncIterable<string> | Iterable<string>,
): AsyncGenerator<string, void, undefined> {
  const blocks = createBlocks();
  let line: string[] = [];
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf("\n"); end !== -1; end = chunk.indexOf("\n", from)) {
      line.push(chunk.slice(from, end + 1));
      from = end + 1;
      const piece = blocks.add(line.join(""));
      line = [];
      if (piece !== undefined) yield piece;
    }
    if (from === chunk.length) continue;
    if (line.length === 0) {
      const piece = blocks.begin(chunk.charAt(from));
      if (piece !== undefined) yield piece;
    }
    line.push(chunk.slice(from));
  }
  if (line.length > 0) {
    const piece = blocks.add(line.join(""));
    if (piece !== undefined) yield piece;
  }
  const rest = blocks.rest();
  if (rest !== "") yield rest;
}

/** Decides at the first line of a block whether the ones before it are complete. */
function createBlocks() {
  let lines: string[] = [];
  let length = 0;
  let fence: Fence | undefined;
  let isInMath = false;
  let isAfterBlank = false;
  let isAnnounced = false;

  const take = (): string => {
    const piece = lines.join("");
    lines = [];
    length = 0;
    return piece;
  };

  const isComplete = (): boolean => isAfterBlank && !isAnnounced && fence === undefined && !isInMath && length >= LEAST;

  return {
    /** The first character of a line is often enough, and the person need not wait for the rest. */
    begin: (char: string): string | undefined => (isComplete() && !UNDECIDED.test(char) ? take() : undefined),
    /** A line with its end; gives what stood before it, when that is complete. */
    add(line: string): string | undefined {
      const text = line.replace(/\r?\n$/, "");
      const isBlank = BLANK.test(text);
      const isOpen = fence !== undefined || isInMath;
      const piece = isComplete() && !isBlank && !GOES_ON.test(text) ? take() : undefined;
      lines.push(line);
      length += line.length;
      isAfterBlank = isBlank;
      if (!isBlank) isAnnounced = ANNOUNCES.test(text);
      if (!isInMath) fence = fenceAfter(text, fence);
      if (fence === undefined && !isOpen && DISPLAY_MATH.test(text)) isInMath = true;
      else if (isInMath && (DISPLAY_MATH.test(text) || isBlank)) isInMath = false;
      return piece;
    },
    rest: take,
  };
}

/** The fence that is open after this line. */
function fenceAfter(line: string, open: Fence | undefined): Fence | undefined {
  const text = line.replace(/^[ \t>]+/, "");
  if (open === undefined) return openedBy(line);
  const closing = closingOf(text, open.marks);
  if (closing !== undefined && (closing.code !== "" || indentOf(line, text) - open.indent < 4))
    return openedBy(closing.words);
  return open.isInText && text.includes("```") ? openedBy(line) : open;
}

function openedBy(line: string): Fence | undefined {
  const text = line.replace(CONTAINERS, "");
  const opening = openingOf(text) ?? openingInText(text);
  return opening && { marks: opening.marks, indent: indentOf(line, text), isInText: opening.at > 0 };
}

function indentOf(line: string, text: string): number {
  return line.slice(0, line.length - text.length).replaceAll("\t", "    ").length;
}
