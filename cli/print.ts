/** Text for a terminal: colours when somebody looks, and lines that fit. */

export type Colour = "bold" | "dim" | "red" | "green" | "yellow";
export type Paint = (colour: Colour, text: string) => string;

const CODES: Readonly<Record<Colour, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
};

/** Plain when the stream is a file or a pipe, or when NO_COLOR or a dumb terminal says so. */
export function paintFor(stream: NodeJS.WriteStream): Paint {
  const isColoured = stream.isTTY === true && stream.hasColors();
  return (colour, text) => (isColoured ? `\u001b[${CODES[colour][0]}m${text}\u001b[${CODES[colour][1]}m` : text);
}

/** A pipe gets whole lines: whatever reads them can break them itself. */
export function widthOf(stream: NodeJS.WriteStream): number {
  return stream.isTTY === true ? Math.min(Math.max(stream.columns ?? 100, 40), 120) : Number.POSITIVE_INFINITY;
}

/** Breaks at spaces where it can. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const space = rest.lastIndexOf(" ", width);
    const end = space > width / 2 ? space : width;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...lines, rest];
}

/** `1 place`, `2 places`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Names come from Meta: no escape sequence of a stranger's reaches the terminal. */
export function harmless(text: string): string {
  return text.replace(/\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu, "\ufffd");
}
