/** Where a code block begins and ends, beside CommonMark's rule: also indented by four, and with code or words beside its marks. */
import type { MarkdownIt as Parser, StateBlock } from "markdown-it";
import { type Closing, closingOf, isLanguage, type Opening, openingInText, openingOf } from "./fences.ts";

const DEEP = 4;

export function addCodeBlocks(parser: Parser): void {
  parser.block.ruler.at("fence", fence, { alt: ["paragraph", "reference", "blockquote", "list"] });
  parser.block.ruler.at("paragraph", paragraph);
  parser.disable("lheading");
}

function fence(state: StateBlock, startLine: number, endLine: number, silent: boolean): boolean {
  const opening = openingOf(lineAt(state, startLine));
  // A quote does not go on without its mark where code begins, or the code would be cut off from its end.
  if (opening === undefined)
    return silent && state.parentType === "blockquote" && openingThatCloses(state, startLine) !== undefined;
  if (!silent) pushCode(state, opening, startLine, endLine);
  return true;
}

/** Markdown's own two rules in one, but that a fence ends a paragraph however far it is indented, and in the middle of a line. */
function paragraph(state: StateBlock, startLine: number, endLine: number): boolean {
  const { parentType } = state;
  state.parentType = "paragraph";
  const mayBeHeading = (state.sCount[startLine] ?? 0) - state.blkIndent < DEEP;
  let line = startLine;
  let isHeading = false;
  let opening = openingThatCloses(state, line);
  while (opening === undefined) {
    line += 1;
    if (line >= endLine || state.isEmpty(line)) break;
    isHeading = mayBeHeading && isUnderline(state, line);
    if (isHeading || isInterrupted(state, line, endLine)) break;
    opening = openingThatCloses(state, line);
  }
  state.parentType = parentType;
  const textEnd = opening === undefined ? line : line + 1;
  const text = state.getLines(startLine, textEnd, state.blkIndent, false);
  const behind = opening === undefined ? 0 : lineAt(state, line).length - opening.at;
  state.line = isHeading ? textEnd + 1 : textEnd;
  pushText(state, isHeading ? "heading" : "paragraph", text.slice(0, text.length - behind), [startLine, state.line]);
  if (opening !== undefined) pushCode(state, opening, line, endLine);
  return true;
}

/** Of a heading that is written in two lines. */
function isUnderline(state: StateBlock, line: number): boolean {
  const indent = (state.sCount[line] ?? 0) - state.blkIndent;
  return indent >= 0 && indent < DEEP && /^(?:=+|-+)[ \t]*$/.test(lineAt(state, line));
}

function isInterrupted(state: StateBlock, line: number, endLine: number): boolean {
  const indent = state.sCount[line] ?? 0;
  // A quote's line that goes on without its mark.
  if (indent < 0) return false;
  if (indent - state.blkIndent >= DEEP) return openingOf(lineAt(state, line)) !== undefined;
  return state.md.block.ruler.getRules("paragraph").some((rule) => rule(state, line, endLine, true));
}

/** The next marks have to close it: three backticks in a sentence may be just those. */
function openingThatCloses(state: StateBlock, line: number): Opening | undefined {
  const opening = openingInText(lineAt(state, line));
  if (opening === undefined) return undefined;
  return doNextMarksClose(state, line, opening.marks) ? opening : undefined;
}

function doNextMarksClose({ src, eMarks }: StateBlock, line: number, marks: string): boolean {
  const at = src.indexOf(marks.slice(0, 3), eMarks[line]);
  if (at === -1) return false;
  const end = src.indexOf("\n", at);
  const next = src.slice(src.lastIndexOf("\n", at) + 1, end === -1 ? src.length : end);
  return closingOf(next.replace(/^[ \t>]+/, ""), marks) !== undefined;
}

/** Opened in a list or a quote, with code that stands at the margin: as an AI writes it that forgets to indent. */
function isAtMargin(state: StateBlock, startLine: number, endLine: number, marks: string): boolean {
  const line = startLine + 1;
  if (line >= endLine || state.isEmpty(line) || (state.sCount[line] ?? 0) >= state.blkIndent) return false;
  return doNextMarksClose(state, startLine, marks);
}

function pushCode(state: StateBlock, { info, marks }: Opening, startLine: number, endLine: number): void {
  const atMargin = isAtMargin(state, startLine, endLine, marks);
  const indent = Math.max(state.sCount[atMargin ? startLine + 1 : startLine] ?? 0, atMargin ? 0 : state.blkIndent);
  let line = startLine + 1;
  let closing: Closing | undefined;
  for (; line < endLine; line += 1) {
    if (!atMargin && !state.isEmpty(line) && (state.sCount[line] ?? 0) < state.blkIndent) break;
    closing = closingOf(lineAt(state, line), marks);
    if (closing?.code === "" && (state.sCount[line] ?? 0) - indent >= DEEP) closing = undefined;
    if (closing !== undefined) break;
  }
  if (atMargin && closing === undefined) passOver(state, line, marks);
  let code = state.getLines(startLine + 1, line, indent, true);
  if (closing !== undefined && closing.code !== "")
    code += state
      .getLines(line, line + 1, indent, false)
      .trimEnd()
      .replace(/`+$/, "");
  const isInfoCode = info !== "" && (code.trim() === "" || !isLanguage(info, closing));
  const end = closing === undefined || closing.words !== "" ? line : line + 1;
  const token = state.push("fence", "code", 0);
  token.content = isInfoCode ? `${info}\n${code}` : code;
  token.map = [startLine, end];
  state.line = end;
  if (closing !== undefined && closing.words !== "") beginLineAt(state, line, closing.words);
}

/** A quote ends before the marks that close its code, where they have no mark of the quote: they would open another block. */
function passOver(state: StateBlock, line: number, marks: string): void {
  const { code, words } = closingOf(lineAt(state, line), marks) ?? { code: "none" };
  if (code === "" && words === "") state.bMarks[line] = (state.eMarks[line] ?? 0) - (state.tShift[line] ?? 0);
}

/** What stands before `words` is done with; they are a line of their own. */
function beginLineAt(state: StateBlock, line: number, words: string): void {
  const text = lineAt(state, line);
  state.bMarks[line] = (state.bMarks[line] ?? 0) + (state.tShift[line] ?? 0) + text.trimEnd().length - words.length;
  state.tShift[line] = 0;
  state.sCount[line] = state.blkIndent;
}

function pushText(state: StateBlock, type: "heading" | "paragraph", content: string, map: [number, number]): void {
  const tag = type === "heading" ? "h1" : "p";
  state.push(`${type}_open`, tag, 1).map = map;
  const inline = state.push("inline", "", 0);
  inline.content = state.md.utils.asciiTrim(content);
  inline.map = map;
  inline.children = [];
  state.push(`${type}_close`, tag, -1);
}

/** Without its indentation and the marks of what it stands in. */
function lineAt({ src, bMarks, tShift, eMarks }: StateBlock, line: number): string {
  return src.slice((bMarks[line] ?? 0) + (tShift[line] ?? 0), eMarks[line]);
}
