/** A text as WhatsApp shows it: its own marks become bold, italic and so on. Whatever is in it stays text. */
import { html, nothing } from "./lit.js";

/** @typedef {import("lit").TemplateResult | string | typeof nothing} Piece */
/** @typedef {(text: string) => readonly Piece[]} Plain what becomes of a stretch without marks */
/** @typedef {{ readonly kind: "fence" | "code" | "address", readonly text: string }} Atom which no mark may cut */
/** @typedef {string | Atom} Item one character, or an atom */

// The rule is that of the simulator's phone, and a test compares the two: each is served by itself, so neither imports the other.
const FENCE = /```([\s\S]+?)```/g;
// CJK punctuation ends an address without a space.
const ATOM = /`([^`\n]+)`|https?:\/\/[^\s\u3000-\u303f\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1f]+/gi;
const AFTER_ADDRESS = /[)\]*_~.,;:!?'"]+$/;
const QUOTE = /^> \S/;
const SPACE = /\s/u;
// U+200B is what writers put beside a mark that is to be seen as it is.
const WORD = /[\p{L}\p{N}\p{M}\u200b]/u;
const MARKS = ["*", "_", "~"];

/**
 * @param {string} text
 * @param {Plain} [plain]
 * @returns {Piece}
 */
export function whatsappText(text, plain = (piece) => [piece]) {
  if (text === "") return nothing;
  /** @type {{ isQuote: boolean, lines: (readonly Item[])[] }[]} */
  const blocks = [];
  for (const line of linesOf(text)) {
    const isQuote = QUOTE.test(startOf(line));
    const last = blocks.at(-1);
    if (last?.isQuote === isQuote) last.lines.push(line);
    else blocks.push({ isQuote, lines: [line] });
  }
  return html`${blocks.map(({ isQuote, lines }) => {
    const inside = lines.map((line, index) => html`${index > 0 ? "\n" : nothing}${inline(shown(line), plain)}`);
    if (isQuote) return html`<blockquote><p>${inside}</p></blockquote>`;
    return lines.every((line) => line.every(isSpace)) ? nothing : html`<p>${inside}</p>`;
  })}`;
}

/**
 * All of it on one line, for a list.
 * @param {string} text
 * @returns {readonly Piece[]}
 */
export function whatsappLine(text) {
  /** @type {readonly Item[]} */
  const gap = [" "];
  const all = linesOf(text.trim()).flatMap((line, index) => [...(index > 0 ? gap : []), ...shown(line)]);
  const line = all.filter((item, index) => !isSpace(item) || (index > 0 && !isSpace(all[index - 1])));
  return inline(
    line.map((item) => (isSpace(item) ? " " : item)),
    (piece) => [piece],
  );
}

/** @param {string} text */
function linesOf(text) {
  /** @type {Item[][]} */
  const lines = [[]];
  const add = (/** @type {string} */ prose) => {
    for (const [index, line] of prose.split("\n").entries()) {
      if (index > 0) lines.push([]);
      lines.at(-1)?.push(...itemsOf(line));
    }
  };
  let from = 0;
  for (const found of text.matchAll(FENCE)) {
    add(text.slice(from, found.index));
    lines.at(-1)?.push({ kind: "fence", text: (found[1] ?? "").replace(/^\n|\n$/g, "") });
    from = found.index + found[0].length;
  }
  add(text.slice(from));
  return lines;
}

/** @param {string} line @returns {Item[]} */
function itemsOf(line) {
  /** @type {Item[]} */
  const items = [];
  let from = 0;
  for (const { index, 0: all, 1: code } of line.matchAll(ATOM)) {
    const whole = code === undefined ? all.replace(AFTER_ADDRESS, "") : all;
    items.push(...line.slice(from, index));
    items.push(code === undefined ? { kind: "address", text: whole } : { kind: "code", text: code });
    from = index + whole.length;
  }
  return [...items, ...line.slice(from)];
}

/** @param {readonly Item[]} line */
function startOf(line) {
  return line
    .slice(0, 3)
    .map((item) => (typeof item === "string" ? item : "\0"))
    .join("");
}

/** Without what makes it a quote; with a dot where it is one of a list. @param {readonly Item[]} line */
function shown(line) {
  const start = startOf(line);
  if (QUOTE.test(start)) return line.slice(2);
  return /^[-*] \S/.test(start) ? ["•", ...line.slice(1)] : line;
}

/**
 * Marks hug what they mark and stand at the edge of a word; what finds no partner is shown as it is.
 * @param {readonly Item[]} line
 * @param {Plain} plain
 * @returns {readonly Piece[]}
 */
function inline(line, plain) {
  /** @type {Piece[]} */
  const pieces = [];
  let stretch = "";
  const flush = () => {
    if (stretch !== "") pieces.push(...plain(stretch));
    stretch = "";
  };
  for (let at = 0; at < line.length; at += 1) {
    const item = /** @type {Item} */ (line[at]);
    const end = typeof item === "string" && MARKS.includes(item) && opens(line, at) ? partnerOf(line, at) : -1;
    if (end !== -1) {
      flush();
      pieces.push(marked(item, inline(line.slice(at + 1, end), plain)));
      at = end;
    } else if (typeof item === "string") stretch += item;
    // An address is text: nothing here leads anywhere.
    else if (item.kind === "address") stretch += item.text;
    else {
      flush();
      const inside = plain(item.text);
      pieces.push(item.kind === "fence" ? html`<code class="mono">${inside}</code>` : html`<code>${inside}</code>`);
    }
  }
  flush();
  return pieces;
}

/** @param {Item} mark @param {readonly Piece[]} inside */
function marked(mark, inside) {
  if (mark === "*") return html`<b>${inside}</b>`;
  return mark === "_" ? html`<i>${inside}</i>` : html`<s>${inside}</s>`;
}

/** @param {readonly Item[]} line @param {number} at */
function opens(line, at) {
  return line[at - 1] !== line[at] && line[at + 1] !== line[at] && !isSpace(line[at + 1]) && !isWord(line[at - 1]);
}

/** @param {readonly Item[]} line @param {number} start */
function partnerOf(line, start) {
  for (let at = start + 2; at < line.length; at += 1) {
    const isAlone = line[at - 1] !== line[at] && line[at + 1] !== line[at];
    if (line[at] === line[start] && isAlone && !isSpace(line[at - 1]) && !isWord(line[at + 1])) return at;
  }
  return -1;
}

/** @param {Item | undefined} item */
function isSpace(item) {
  return item === undefined || (typeof item === "string" && SPACE.test(item));
}

/** @param {Item | undefined} item */
function isWord(item) {
  return item !== undefined && (typeof item !== "string" || WORD.test(item));
}
