/** Markdown → markdown-it's tokens, with the few rules in which an AI's chat text differs from a CommonMark document. */
import MarkdownIt, { type MarkdownIt as Parser, type StateBlock, type StateInline, type Token } from "markdown-it";
import { addCodeBlocks } from "./code-blocks.ts";
import { addEmphasisEdges } from "./emphasis-edges.ts";
import { findMath } from "./find-math.ts";
import { readMath } from "./read-math.ts";
import { addTableRows } from "./table-rows.ts";

export type Parsed = {
  readonly tokens: readonly Token[];
  /** Labels of `[label]: url` lines that a link in the text refers to; the others are shown as they stand. */
  readonly usedDefinitions: ReadonlySet<string>;
};

/**
 * Containers inside containers; one list level counts two. Each level costs a pass over the lines it holds, and the
 * parser drops what lies deeper.
 */
const MAX_NESTING = 24;
const TOO_DEEP_LINE = /^(?:[ \t]{0,4}(?:>|[-+*](?=[ \t])|\d{1,9}[.)](?=[ \t]))){24}/m;
/** Some twenty times what a long answer holds. It bounds what a text made of nothing but marks can cost. */
const MAX_MARKS = 20_000;
const MARK_CODES = new Set(Array.from("*_~`[]<>&\\|!$", (char) => char.charCodeAt(0)));

const URL_SCHEME = /https?$/i;
// Ends at what cannot stand in a typed URL, at Markdown's own brackets, and at CJK punctuation, which needs no space.
const URL_REST = /:\/\/[^\s<>"`[\]{}|\\\u3000-\u303f\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1f]+/y;
const DEFINITION =
  /^\[([^\]^[\\][^\][\\]*)\]:[ \t]+<?((?:https?:\/\/|mailto:|tel:)[^\s<>]+)>?(?:[ \t]+["'(](.*)["')])?[ \t]*$/i;
const FOOTNOTE_DEFINITION = /^[ \t>]*\[\^([^\]\s]{1,64})\]:/gm;
const FOOTNOTE = /\[\^([^\]\s]{1,64})\](:[ \t]*)?/y;

const markdown = createParser();

/** Undefined for what nobody writes, more marks or deeper nesting than the ceilings: to be sent as plain text. */
export function parseMarkdown(source: string): Parsed | undefined {
  if (hasTooManyMarks(source) || TOO_DEEP_LINE.test(source)) return undefined;
  const usedDefinitions = new Set<string>();
  const tokens = markdown.parse(source, environment(source, usedDefinitions));
  return tokens.some(isAtCeiling) ? undefined : { tokens, usedDefinitions };
}

/** For titles and other one-line texts, where `1.` or `#` at the start is no list and no heading. */
export function parseInlineMarkdown(source: string): readonly Token[] | undefined {
  if (hasTooManyMarks(source)) return undefined;
  return markdown.parseInline(source, environment(source, new Set())).flatMap((token) => token.children ?? []);
}

function createParser(): Parser {
  const parser = new MarkdownIt({ html: true, linkify: false });
  parser.set({ maxNesting: MAX_NESTING });
  // Percent-encoding, punycode and refusing unknown schemes are for HTML pages; a person wants the address as written.
  parser.normalizeLink = (url) => url;
  parser.normalizeLinkText = (url) => url;
  parser.validateLink = () => true;
  // An AI indents plain text, and an HTML block would keep the Markdown inside it from being read.
  // `text_join` would hide which characters had been escaped.
  parser.disable(["code", "html_block", "linkify", "replacements", "smartquotes", "text_join"]);
  addCodeBlocks(parser);
  addEmphasisEdges(parser);
  addTableRows(parser);
  parser.block.ruler.at("reference", definition);
  parser.inline.ruler.at("newline", newline);
  parser.inline.ruler.before("escape", "math", math);
  parser.inline.ruler.before("escape", "bare_url", bareUrl);
  parser.inline.ruler.before("link", "footnote", footnote);
  return parser;
}

function environment(source: string, usedDefinitions: Set<string>): Record<string, unknown> {
  const references = new Proxy<Record<string, unknown>>(Object.create(null), {
    get(target, label) {
      if (typeof label !== "string" || !(label in target)) return undefined;
      usedDefinitions.add(label);
      return target[label];
    },
  });
  const footnotes = new Set(Array.from(source.matchAll(FOOTNOTE_DEFINITION), ([, label]) => label));
  return { references, footnotes };
}

function hasTooManyMarks(source: string): boolean {
  let marks = 0;
  for (let index = 0; index < source.length && marks <= MAX_MARKS; index += 1) {
    if (MARK_CODES.has(source.charCodeAt(index))) marks += 1;
  }
  return marks > MAX_MARKS;
}

function isAtCeiling(token: Token): boolean {
  return token.nesting === 1 && token.level >= MAX_NESTING - 1;
}

/** Only a web, mail or phone address makes a definition: `[Anna]: hello` is somebody's words. */
function definition(state: StateBlock, startLine: number, _endLine: number, silent: boolean): boolean {
  const start = (state.bMarks[startLine] ?? 0) + (state.tShift[startLine] ?? 0);
  if (state.src.charCodeAt(start) !== 0x5b) return false;
  const line = state.src.slice(start, state.eMarks[startLine]);
  const match = DEFINITION.exec(line);
  if (match?.[1] === undefined || match[2] === undefined) return false;
  if (silent) return true;

  const label = state.md.utils.normalizeReference(match[1]);
  const references = state.env.references as Record<string, unknown>;
  const isFirst = !(label in references);
  if (isFirst) references[label] = { href: match[2], title: match[3] ?? "" };
  const token = state.push("definition", "", 0);
  token.content = line;
  // No link refers to a second one of the same label.
  token.info = isFirst ? label : "";
  token.map = [startLine, startLine + 1];
  state.line = startLine + 1;
  return true;
}

/** Markdown's own rule eats the spaces around a line break, which are a plain text's indentation. */
function newline(state: StateInline, silent: boolean): boolean {
  if (state.src.charCodeAt(state.pos) !== 0x0a) return false;
  if (!silent) state.push("softbreak", "br", 0);
  state.pos += 1;
  return true;
}

/** Keeps `_` and `*` inside a typed URL from being read as emphasis. */
function bareUrl(state: StateInline, silent: boolean): boolean {
  if (state.src.charCodeAt(state.pos) !== 0x3a) return false;
  const scheme = URL_SCHEME.exec(state.src.slice(Math.max(0, state.pos - 5), state.pos))?.[0];
  if (scheme === undefined) return false;
  URL_REST.lastIndex = state.pos;
  const rest = trimUrl(URL_REST.exec(state.src.slice(0, state.posMax))?.[0] ?? "");
  if (rest.length <= "://".length) return false;
  if (!silent) {
    if (!state.pending.endsWith(scheme)) return false;
    state.pending = state.pending.slice(0, -scheme.length);
    state.push("bare_url", "", 0).content = scheme + rest;
  }
  state.pos += rest.length;
  return true;
}

/** A formula is read as its author meant it, before Markdown takes `_` and `*` in it for emphasis. */
function math(state: StateInline, silent: boolean): boolean {
  const found = findMath(state.src, state.pos, state.posMax);
  if (found === undefined) return false;
  if (!silent) state.push("math", "", 0).content = readMath(found.formula);
  state.pos = found.end;
  return true;
}

/** Punctuation after a URL belongs to the sentence; so does a `)` that the URL did not open. */
function trimUrl(url: string): string {
  let unopened = 0;
  for (const char of url) unopened += char === ")" ? 1 : char === "(" ? -1 : 0;
  let end = url.length;
  for (; end > 0; end -= 1) {
    const last = url.charAt(end - 1);
    if (last === ")" && unopened > 0) unopened -= 1;
    else if (!"?!.,:;*_~'".includes(last)) break;
  }
  return url.slice(0, end);
}

/** `[^1]` → `[1]`, and `[^1]: note` at the start of a line → `[1] note`; only where the text defines that note. */
function footnote(state: StateInline, silent: boolean): boolean {
  if (state.src.charCodeAt(state.pos + 1) !== 0x5e) return false;
  FOOTNOTE.lastIndex = state.pos;
  const match = FOOTNOTE.exec(state.src);
  const footnotes = state.env.footnotes as ReadonlySet<string>;
  if (match?.[1] === undefined || !footnotes.has(match[1])) return false;
  const isAtLineStart = state.pos === 0 || state.src.charCodeAt(state.pos - 1) === 0x0a;
  const isDefinition = isAtLineStart && match[2] !== undefined;
  if (!silent) state.pending += `[${match[1]}]${isDefinition ? " " : ""}`;
  state.pos += isDefinition ? match[0].length : match[1].length + 3;
  return true;
}
