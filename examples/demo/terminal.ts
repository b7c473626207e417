/** Text for a terminal: colours when somebody looks, lines that fit, and nothing a stranger's message could do to it. */

export type Paint = Readonly<Record<"bold" | "dim" | "blue" | "green" | "red", (text: string) => string>>;

const CODES = { bold: [1, 22], dim: [2, 22], blue: [34, 39], green: [32, 39], red: [31, 39] } as const;

/** Plain when the stream is a file or a pipe, or when NO_COLOR or a dumb terminal says so. */
export function paintFor(stream: NodeJS.WriteStream): Paint {
  const isColoured = stream.isTTY === true && stream.hasColors();
  const paint = (name: keyof typeof CODES) => (text: string) =>
    isColoured ? `\u001b[${CODES[name][0]}m${text}\u001b[${CODES[name][1]}m` : text;
  return { bold: paint("bold"), dim: paint("dim"), blue: paint("blue"), green: paint("green"), red: paint("red") };
}

/** People write what they like, escape sequences and text that runs backwards included. */
export function harmless(text: string): string {
  return text.replace(/[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/gu, "\ufffd").replace(/\p{Cs}/gu, "\ufffd");
}

/** Breaks at spaces where it can. */
export function wrap(text: string, width: number): readonly string[] {
  return text.split("\n").flatMap((line) => {
    const lines: string[] = [];
    let rest = line;
    while (rest.length > width) {
      const space = rest.lastIndexOf(" ", width);
      const end = space > width / 2 ? space : width;
      lines.push(rest.slice(0, end));
      rest = rest.slice(end).trimStart();
    }
    return [...lines, rest];
  });
}

export function widthOf(stream: NodeJS.WriteStream): number {
  return Math.min(Math.max(stream.columns ?? 100, 40), 100);
}

/** Adds spaces up to a width that counts an emoji or a Chinese character as the two columns it takes. */
export function fill(text: string, width: number): string {
  const graphemes = [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment);
  const columns = graphemes.reduce((sum, grapheme) => sum + (WIDE.test(grapheme) ? 2 : 1), 0);
  return text + " ".repeat(Math.max(0, width - columns));
}

const WIDE =
  /\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f|\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}/u;
