/** Text of several lines → one line that still reads as what it was. */

const LINE_BREAKS = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/;
const BULLET = /^[-*•]\s+/;
/** After one of these a reader needs no other sign that something else begins. */
const ENDS_A_THOUGHT = /[.,;:!?…。！？、，；：]$/u;
/** Meta allows four; that many were meant, more were a layout. */
const WIDE_GAP = /\p{Zs}{5,}/gu;
const SEPARATOR = " • ";

/** Unchanged when Meta takes it as it is. */
export function toOneLine(text: string): string {
  const lines = text.split(LINE_BREAKS);
  const joined = lines.length === 1 ? text : join(lines.map((line) => line.trim().replace(BULLET, "")));
  return joined.replaceAll("\t", " ").replace(WIDE_GAP, " ");
}

function join(lines: readonly string[]): string {
  return lines
    .filter((line) => line !== "")
    .reduce((text, line) => {
      if (text === "") return line;
      return `${text}${ENDS_A_THOUGHT.test(text) ? " " : SEPARATOR}${line}`;
    }, "");
}
