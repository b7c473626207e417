/** A text as WhatsApp shows it: its marks, code, quotes, lists and links. @see https://faq.whatsapp.com/539178204879377 */
import { h } from "./tree.js";

/**
 * @typedef {import("./tree.js").Drawn} Drawn
 * @typedef {string | Drawn} Item one character, or something that is drawn already and that no mark may cut
 */

const FENCE = /```([\s\S]+?)```/g;
// CJK punctuation ends an address without a space.
const ATOM = /`([^`\n]+)`|https?:\/\/[^\s\u3000-\u303f\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1f]+/gi;
const AFTER_URL = /[)\]*_~.,;:!?'"]+$/;
const SPACE = /\s/u;
// U+200B is what writers put beside a mark that is to be seen as it is.
const WORD = /[\p{L}\p{N}\p{M}\u200b]/u;
/** @type {Readonly<Record<string, string>>} */
const TAGS = { "*": "strong", _: "em", "~": "s" };

/**
 * @param {string} text
 * @returns {readonly Drawn[]} blocks
 */
export function formatted(text) {
  const lines = linesOf(text);
  /** @type {Drawn[]} */
  const blocks = [];
  for (let at = 0; at < lines.length; ) {
    const kind = kindOf(lines[at] ?? []);
    let end = at + 1;
    while (end < lines.length && kindOf(lines[end] ?? []) === kind) end += 1;
    blocks.push(block(kind, lines.slice(at, end)));
    at = end;
  }
  return blocks;
}

/**
 * One line without blocks, such as the last message in a column of chats.
 * @param {string} text
 */
export function formattedLine(text) {
  return inline(charactersOf(text.replaceAll(/\s+/g, " ")));
}

/**
 * @param {string} text
 * @returns {Item[][]}
 */
function linesOf(text) {
  /** @type {Item[][]} */
  const lines = [[]];
  /** @param {string} prose */
  const add = (prose) => {
    for (const [index, line] of prose.split("\n").entries()) {
      if (index > 0) lines.push([]);
      lines.at(-1)?.push(...charactersOf(line));
    }
  };
  let from = 0;
  for (const found of text.matchAll(FENCE)) {
    add(text.slice(from, found.index));
    lines.at(-1)?.push(h("code", { class: "wa-mono" }, (found[1] ?? "").replace(/^\n|\n$/g, "")));
    from = found.index + found[0].length;
  }
  add(text.slice(from));
  return lines;
}

/** @param {string} line */
function charactersOf(line) {
  /** @type {Item[]} */
  const items = [];
  let from = 0;
  for (const found of line.matchAll(ATOM)) {
    const { index, 0: all, 1: code } = found;
    const whole = code === undefined ? all.replace(AFTER_URL, "") : all;
    items.push(...line.slice(from, index));
    items.push(
      code === undefined
        ? h("a", { href: whole, target: "_blank", rel: "noopener noreferrer" }, whole)
        : h("code", {}, code),
    );
    from = index + whole.length;
  }
  return [...items, ...line.slice(from)];
}

/** @param {readonly Item[]} line */
function kindOf(line) {
  const start = line
    .slice(0, 5)
    .map((item) => (typeof item === "string" ? item : "\0"))
    .join("");
  if (/^> \S/.test(start)) return "quote";
  if (/^[-*] \S/.test(start)) return "bullets";
  return /^\d{1,3}\. /.test(start) ? "numbers" : "text";
}

/**
 * @param {string} kind
 * @param {readonly Item[][]} lines
 * @returns {Drawn}
 */
function block(kind, lines) {
  switch (kind) {
    case "quote":
      return h("blockquote", {}, ...lines.map((line) => line_(without(line, /^> /))));
    case "bullets":
      return h("ul", {}, ...lines.map((line) => h("li", { dir: "auto" }, inline(without(line, /^[-*] /)))));
    case "numbers": {
      const numbers = lines.map(numberOf);
      // A list counts by itself; on a phone every item has the number that it was written with.
      const items = lines.map((line, at) => {
        const value = at === 0 || numbers[at] === (numbers[at - 1] ?? 0) + 1 ? undefined : numbers[at];
        return h("li", { dir: "auto", value }, inline(without(line, /^\d{1,3}\. /)));
      });
      // What hangs before the words: a column is as wide as its longest number.
      const digits = String(Math.max(...numbers)).length;
      return h("ol", { start: numbers[0], class: digits > 1 && `wa-digits-${digits}` }, ...items);
    }
    default:
      return h("div", { class: "wa-lines" }, ...lines.map(line_));
  }
}

/** @param {readonly Item[]} line */
function numberOf(line) {
  return Number.parseInt(line.filter((item) => typeof item === "string").join(""), 10);
}

/** @param {readonly Item[]} line */
function line_(line) {
  return h("p", { dir: "auto" }, inline(line));
}

/**
 * @param {readonly Item[]} line
 * @param {RegExp} prefix
 */
function without(line, prefix) {
  const start = line
    .slice(0, 5)
    .map((item) => (typeof item === "string" ? item : "\0"))
    .join("");
  return line.slice([...(prefix.exec(start)?.[0] ?? "")].length);
}

/**
 * Marks hug what they mark and stand at the edge of a word; what finds no partner is shown as it is.
 * @param {readonly Item[]} line
 * @returns {readonly Drawn[]}
 */
function inline(line) {
  /** @type {Drawn[]} */
  const drawn = [];
  let plain = "";
  const flush = () => {
    if (plain !== "") drawn.push(plain);
    plain = "";
  };
  for (let at = 0; at < line.length; at += 1) {
    const item = line[at];
    if (item === undefined) break;
    const end = typeof item === "string" && item in TAGS && opens(line, at) ? partnerOf(line, at) : -1;
    if (end !== -1) {
      flush();
      drawn.push(h(TAGS[String(item)] ?? "span", {}, inline(line.slice(at + 1, end))));
      at = end;
    } else if (typeof item === "string") plain += item;
    else {
      flush();
      drawn.push(item);
    }
  }
  flush();
  return drawn;
}

/**
 * @param {readonly Item[]} line
 * @param {number} at
 */
function opens(line, at) {
  return line[at - 1] !== line[at] && line[at + 1] !== line[at] && !isSpace(line[at + 1]) && !isWord(line[at - 1]);
}

/**
 * @param {readonly Item[]} line
 * @param {number} start
 */
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
