/** Lines that open and close a code block, as an AI writes them: also with code or words in the line of the marks. */

/** `info` is what stands behind the marks: a language, or the first line of the code. */
export type Opening = { readonly at: number; readonly marks: string; readonly info: string };
/** `code` stands before the closing marks of its line, `words` behind them: one of the two at most. */
export type Closing = { readonly code: string; readonly words: string };

const FENCE = "```";
const MARKS = /^(?:`{3,}|~{3,})/;
const LANGUAGE = /^[a-z][\w+#-]*$/i;
const LOWER_CASE = /^[^A-Z]*$/;
/** Not a language, with which code that is Markdown itself opens a block. */
const WORDS = /^[ \t.,;:!?)]/;

/** A line that begins with marks; with more of them behind it is a code span. */
export function openingOf(line: string): Opening | undefined {
  const marks = MARKS.exec(line)?.[0];
  if (marks === undefined) return undefined;
  const info = line.slice(marks.length).trim();
  return info.includes(marks.charAt(0)) ? undefined : { at: 0, marks, info };
}

/** A line of text with an opening at its end: "Run this: ```bash". */
export function openingInText(line: string): Opening | undefined {
  const at = line.indexOf(FENCE);
  if (at <= 0) return undefined;
  const last = line.lastIndexOf(FENCE);
  const info = line.slice(last + FENCE.length).trim();
  const isOneRun = /^`+$/.test(line.slice(at, last + FENCE.length));
  if (!isOneRun || !/[\s:：]/.test(line.charAt(at - 1)) || line.slice(0, at).trim() === "") return undefined;
  return info === "" || LANGUAGE.test(info) ? { at, marks: line.slice(at, last + FENCE.length), info } : undefined;
}

/** `line` without its indentation. */
export function closingOf(line: string, marks: string): Closing | undefined {
  const text = line.trimEnd();
  const mark = marks.charAt(0);
  if (text.startsWith(marks)) {
    let end = marks.length;
    while (text.charAt(end) === mark) end += 1;
    const words = text.slice(end);
    return words === "" || WORDS.test(words) ? { code: "", words: words.trimStart() } : undefined;
  }
  if (mark !== "`" || !text.endsWith(marks)) return undefined;
  let end = text.length - marks.length;
  while (text.charAt(end - 1) === mark) end -= 1;
  const code = text.slice(0, end);
  return code.includes(FENCE) ? undefined : { code, words: "" };
}

/** Code ends in the line of the closing marks where somebody writes as in WhatsApp, which knows no languages. */
export function isLanguage(info: string, closing: Closing | undefined): boolean {
  return LANGUAGE.test(info) && ((closing?.code ?? "") === "" || LOWER_CASE.test(info));
}
