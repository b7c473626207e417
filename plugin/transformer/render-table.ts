/** A Markdown table → a monospace block where a phone has room for it, otherwise one record of lines per row. */
import type { Token } from "markdown-it";
import { readInline } from "./read-inline.ts";
import { renderInline, renderMonospace } from "./render-inline.ts";

export type RenderedTable = { readonly lines: readonly string[]; readonly form: "monospace text" | "records" };

type Alignment = "left" | "right" | "center";
type Cell = { readonly monospace: string; readonly tokens: readonly Token[]; readonly alignment: Alignment };

/** What a small phone shows of monospace text before it wraps. */
const PHONE_COLUMNS = 30;
const GAP = "  ";
/** For an empty cell, so that a column that is empty throughout still has its name shown. */
const EMPTY = "–";

// Two columns wide on a phone: CJK, full-width forms and emoji.
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Extended_Pictographic}|\p{Regional_Indicator}/u;
const ZERO_WIDTH = /[\p{M}\p{Cf}\p{Emoji_Modifier}]/u;

/** `tokens` are those between `table_open` and `table_close`. */
export function renderTable(tokens: readonly Token[]): RenderedTable {
  const [header = [], ...rows] = readRows(tokens);
  const widths: number[] = [];
  for (const row of [header, ...rows])
    for (const [column, { monospace }] of row.entries())
      widths[column] = Math.max(widths[column] ?? 0, columnsOf(monospace));
  const total = widths.reduce((sum, width) => sum + width, GAP.length * Math.max(0, widths.length - 1));
  const holdsFence = [header, ...rows].some((row) => row.some(({ monospace }) => monospace.includes("```")));
  if (total > PHONE_COLUMNS || holdsFence) return { lines: records(header, rows), form: "records" };

  const rule = widths.map((width) => "-".repeat(width)).join(GAP);
  const aligned = [header, ...rows].map((row) => alignedLine(row, widths));
  return { lines: ["```", aligned[0] ?? "", rule, ...aligned.slice(1), "```"], form: "monospace text" };
}

function readRows(tokens: readonly Token[]): Cell[][] {
  const rows: Cell[][] = [];
  let alignment: Alignment = "left";
  for (const token of tokens) {
    if (token.type === "tr_open") rows.push([]);
    else if (token.type === "th_open" || token.type === "td_open") alignment = alignmentOf(token);
    else if (token.type === "inline") rows.at(-1)?.push(readCell(token, alignment));
  }
  return rows;
}

function alignmentOf(token: Token): Alignment {
  const style = String(token.attrGet("style") ?? "");
  return style.endsWith("right") ? "right" : style.endsWith("center") ? "center" : "left";
}

function readCell(token: Token, alignment: Alignment): Cell {
  const children = token.children ?? [];
  return {
    monospace: renderMonospace(readInline(children, { isMonospace: true })),
    tokens: children,
    alignment,
  };
}

function columnsOf(text: string): number {
  let columns = 0;
  for (const char of text) columns += ZERO_WIDTH.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
  return columns;
}

function alignedLine(row: readonly Cell[], widths: readonly number[]): string {
  return widths
    .map((width, column) => align(row[column], width))
    .join(GAP)
    .trimEnd();
}

function align(cell: Cell | undefined, width: number): string {
  const text = cell?.monospace ?? "";
  const space = Math.max(0, width - columnsOf(text));
  const before = cell?.alignment === "right" ? space : cell?.alignment === "center" ? space >> 1 : 0;
  return " ".repeat(before) + text + " ".repeat(space - before);
}

function records(header: readonly Cell[], rows: readonly (readonly Cell[])[]): string[] {
  if (rows.length === 0) return [header.map(({ monospace }) => monospace).join(", ")];
  return rows.flatMap((row, index) => {
    const lines = row.flatMap((cell, column) => field(header[column], cell));
    return index === 0 ? lines : ["", ...lines];
  });
}

function field(name: Cell | undefined, value: Cell): readonly string[] {
  const label = renderInline(readInline(name?.tokens ?? [], { isHeading: true }))
    .filter((line) => line !== "")
    .join(" ");
  if (value.monospace === "") return label === "" ? [] : [`${label}: ${EMPTY}`];
  const [first = "", ...rest] = renderInline(readInline(value.tokens));
  return [label === "" ? first : `${label}: ${first}`, ...rest];
}
