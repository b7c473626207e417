/** A text as WhatsApp shows it: its own marks become bold, italic and so on. Whatever is in it stays text. */
import { html, nothing } from "./lit.js";

/** @typedef {import("lit").TemplateResult | string | typeof nothing} Piece */
/** @typedef {(text: string) => readonly Piece[]} Plain what becomes of a stretch without marks */

/** Opened at an edge, hugging what it marks, closed at an edge, on one line. */
const MARK = /(^|[^\p{L}\p{N}])([*_~])(?!\s|\2)((?:(?!\2).)*?[^\s])\2(?![\p{L}\p{N}])/u;
const CODE = /`([^`\n]+)`/;
const QUOTE = /^> ./;

/**
 * @param {string} text
 * @param {Plain} [plain]
 * @returns {Piece}
 */
export function whatsappText(text, plain = (piece) => [piece]) {
  if (text === "") return nothing;
  const parts = text.split(/```([\s\S]+?)```/);
  return html`${parts.map((part, index) => (index % 2 === 1 ? html`<pre>${plain(part)}</pre>` : blocks(part, plain)))}`;
}

/**
 * All of it on one line, for a list.
 * @param {string} text
 * @returns {readonly Piece[]}
 */
export function whatsappLine(text) {
  const lines = text.replaceAll("```", "").split("\n");
  const line = lines.map((one) => shown(one, QUOTE.test(one))).join(" ");
  return inline(line.replaceAll(/\s+/g, " ").trim(), (piece) => [piece]);
}

/** @param {string} text @param {Plain} plain */
function blocks(text, plain) {
  /** @type {{ isQuote: boolean, lines: string[] }[]} */
  const found = [];
  for (const line of text.split("\n")) {
    const isQuote = QUOTE.test(line);
    const last = found.at(-1);
    if (last?.isQuote === isQuote) last.lines.push(line);
    else found.push({ isQuote, lines: [line] });
  }
  return found.map(({ isQuote, lines }) => {
    const inside = lines.map(
      (line, index) => html`${index > 0 ? "\n" : nothing}${inline(shown(line, isQuote), plain)}`,
    );
    if (isQuote) return html`<blockquote><p>${inside}</p></blockquote>`;
    return lines.join("").trim() === "" ? nothing : html`<p>${inside}</p>`;
  });
}

/** @param {string} line @param {boolean} isQuote */
function shown(line, isQuote) {
  if (isQuote) return line.slice(2);
  return line.replace(/^[*-] (?=\S)/, "• ");
}

/**
 * @param {string} text
 * @param {Plain} plain
 * @returns {readonly Piece[]}
 */
function inline(text, plain) {
  const code = CODE.exec(text);
  const mark = MARK.exec(text);
  if (code !== null && (mark === null || code.index <= mark.index)) {
    const [whole, inner = ""] = code;
    return [
      ...inline(text.slice(0, code.index), plain),
      html`<code>${plain(inner)}</code>`,
      ...inline(text.slice(code.index + whole.length), plain),
    ];
  }
  if (mark === null) return text === "" ? [] : plain(text);
  const [whole, before = "", kind, inner = ""] = mark;
  const marked = inline(inner, plain);
  const piece = kind === "*" ? html`<b>${marked}</b>` : kind === "_" ? html`<i>${marked}</i>` : html`<s>${marked}</s>`;
  const head = text.slice(0, mark.index) + before;
  return [...(head === "" ? [] : plain(head)), piece, ...inline(text.slice(mark.index + whole.length), plain)];
}
