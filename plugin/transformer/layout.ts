/** Lines on their way into a message: spacing as in the source, quote marks, list markers, indentation. */

/** Where a block stands in the source: its first line, and the one after its last. */
export type SourcePlace = { readonly first: number; readonly end: number };

export type Layout = {
  readonly openQuote: () => void;
  /** The marker is printed with the item's first line. */
  readonly openItem: (marker: string) => void;
  readonly close: (place: SourcePlace) => void;
  /** Returns where in the text the block begins. */
  readonly addText: (lines: readonly string[], place: SourcePlace) => number;
  /** Code: no indentation and no quote mark, since they would become part of it. Returns where it begins. */
  readonly addVerbatim: (lines: readonly string[], place: SourcePlace) => number;
  /** Leaves a block out, with the blank lines before it. */
  readonly skip: (place: SourcePlace) => void;
  /** Where the next block begins in the text. */
  readonly length: () => number;
  readonly text: () => string;
};

type Container = { readonly kind: "quote" } | { readonly kind: "item"; readonly marker: string; isPrinted: boolean };

const QUOTE = "> ";
const ZERO_WIDTH_SPACE = "\u200b";

export function createLayout(sourceLines: readonly string[]): Layout {
  const lines: string[] = [];
  const containers: Container[] = [];
  let length = 0;
  let nextSourceLine = 0;

  const push = (line: string): void => {
    lines.push(line);
    length += line.length + 1;
  };
  const space = ({ first, end }: SourcePlace): number => {
    if (lines.length > 0) for (let line = nextSourceLine; line < first; line += 1) push("");
    nextSourceLine = Math.max(nextSourceLine, end);
    return length;
  };
  const hasUnprintedMarker = (): boolean => containers.some((one) => one.kind === "item" && !one.isPrinted);

  const addText: Layout["addText"] = (block, place) => {
    const start = space(place);
    for (const [index, line] of block.entries()) {
      const sourceLine = sourceLines[place.first + index] ?? "";
      const prefix =
        containers.length === 0
          ? topLevelIndent({ sourceLine, index })
          : prefixOf(containers, { isLazy: index > 0 && /^[^\s>]/.test(sourceLine) });
      push(withoutListing(line.trim() === "" && index > 0 ? "" : prefix + line, prefix));
    }
    return start;
  };

  return {
    openQuote: () => containers.push({ kind: "quote" }),
    openItem: (marker) => containers.push({ kind: "item", marker, isPrinted: false }),
    close: (place) => {
      const last = containers.at(-1);
      if (last?.kind === "item" && !last.isPrinted) addText([""], place);
      containers.pop();
    },
    addText,
    addVerbatim: (block, place) => {
      const start = space(place);
      if (hasUnprintedMarker()) push(prefixOf(containers, { isLazy: false }).trimEnd());
      for (const line of block) push(line);
      return start;
    },
    skip: ({ end }) => {
      nextSourceLine = Math.max(nextSourceLine, end);
    },
    length: () => length,
    text: () => lines.slice(0, lines.findLastIndex((line) => line.trim() !== "") + 1).join("\n"),
  };
}

/** A parser strips the first line of a paragraph; a plain text's own indentation is wanted. */
function topLevelIndent({ sourceLine, index }: { sourceLine: string; index: number }): string {
  return index > 0 ? "" : (/^[ \t]*/.exec(sourceLine)?.[0].replaceAll("\t", "    ") ?? "");
}

/** WhatsApp knows one level of quoting, and only at the start of a line. */
function prefixOf(containers: readonly Container[], { isLazy }: { readonly isLazy: boolean }): string {
  const quote = containers.some(({ kind }) => kind === "quote") ? QUOTE : "";
  let indent = "";
  for (const container of containers) {
    if (container.kind === "quote") {
      indent = indent.trimStart();
      continue;
    }
    indent += container.isPrinted ? " ".repeat(container.marker.length) : container.marker;
    container.isPrinted = true;
  }
  // A line that the author began at the margin goes on with the item for Markdown only; a reader sees a new line.
  return quote + (isLazy && quote === "" ? "" : indent);
}

/** Text that only looks like a bullet or a quote, because the author escaped it. */
function withoutListing(line: string, prefix: string): string {
  const text = line.trimEnd();
  return prefix === "" && /^[*>] /.test(text) ? ZERO_WIDTH_SPACE + text : text;
}
