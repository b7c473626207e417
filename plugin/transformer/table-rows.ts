/** A table's rows as their author meant them: Markdown drops the cells beyond the heading, and ends a cell at a bar in its code. */
import type { MarkdownIt as Parser, StateCore, Token } from "markdown-it";

export function addTableRows(parser: Parser): void {
  parser.core.ruler.after("block", "table_rows", readRows);
}

function readRows(state: StateCore): void {
  if (!state.tokens.some(({ type }) => type === "table_open")) return;
  const lines = state.src.split("\n");
  const tokens: Token[] = [];
  let columns = 0;
  let isBody = false;
  let line = "";
  let cells: Token[] = [];
  for (const token of state.tokens) {
    if (token.type === "table_open") columns = 0;
    // The heading's own line may stand behind the mark of a list.
    else if (token.type === "tbody_open") isBody = true;
    else if (token.type === "tbody_close") isBody = false;
    else if (token.type === "th_open") columns += 1;
    else if (token.type === "tr_open") {
      line = (lines[token.map?.[0] ?? 0] ?? "").replace(/^[ \t>]+/, "").trimEnd();
      cells = [];
    } else if (token.type === "inline") cells.push(token);
    else if (token.type === "tr_close" && isBody) {
      const contents = contentsOf(line, columns);
      for (const [column, content] of contents.entries()) {
        const cell = cells[column];
        if (cell !== undefined) cell.content = content;
        else tokens.push(...newCell(state, content));
      }
    }
    tokens.push(token);
  }
  state.tokens = tokens;
}

/** Of a row that has more than the heading; the others are as Markdown has read them. */
function contentsOf(line: string, columns: number): readonly string[] {
  const contents = split(line, []);
  while (contents.length > columns && contents.at(-1) === "") contents.pop();
  if (contents.length <= columns) return [];
  const aroundCode = split(line, codeSpansOf(line));
  return aroundCode.length === columns ? aroundCode : contents;
}

/** At every bar that is neither escaped nor in one of the `spans`. */
function split(line: string, spans: readonly (readonly [number, number])[]): string[] {
  const cells: string[] = [];
  let from = 0;
  let next = 0;
  for (const { index } of line.matchAll(/\|/g)) {
    while ((spans[next]?.[1] ?? Number.POSITIVE_INFINITY) <= index) next += 1;
    const isInSpan = (spans[next]?.[0] ?? Number.POSITIVE_INFINITY) < index;
    if (isInSpan || line.charAt(index - 1) === "\\") continue;
    cells.push(line.slice(from, index));
    from = index + 1;
  }
  cells.push(line.slice(from));
  if (cells[0] === "") cells.shift();
  if (cells.at(-1) === "") cells.pop();
  return cells.map((cell) => cell.replaceAll("\\|", "|").trim());
}

function codeSpansOf(line: string): [number, number][] {
  const runs = Array.from(line.matchAll(/`+/g), ({ index, 0: { length } }) => ({ index, length }));
  const nextOf = new Map<number, number>();
  const closers = runs.map((): number | undefined => undefined);
  for (let at = runs.length - 1; at >= 0; at -= 1) {
    const length = runs[at]?.length ?? 0;
    closers[at] = nextOf.get(length);
    nextOf.set(length, at);
  }
  const spans: [number, number][] = [];
  for (let at = 0; at < runs.length; at += 1) {
    const closer = closers[at];
    const [start, end] = [runs[at], closer === undefined ? undefined : runs[closer]];
    if (closer === undefined || start === undefined || end === undefined) continue;
    spans.push([start.index, end.index + end.length]);
    at = closer;
  }
  return spans;
}

function newCell(state: StateCore, content: string): Token[] {
  const inline = new state.Token("inline", "", 0);
  inline.content = content;
  inline.children = [];
  return [new state.Token("td_open", "td", 1), inline, new state.Token("td_close", "td", -1)];
}
