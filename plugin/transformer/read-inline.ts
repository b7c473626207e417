/** The inline tokens of one paragraph, heading or cell → its visible text and where in it the emphasis lies. */
import type { Token } from "markdown-it";
import type { Mark } from "../messages/whatsapp-marks.ts";

export type Span = {
  readonly mark: Mark;
  /** How it was written: `*`, `**`, `_`, `__`, `~~`, or `#` for a heading. */
  readonly source: string;
  readonly start: number;
  readonly end: number;
  /** Nesting, outermost first. */
  readonly level: number;
};

export type Range = { readonly start: number; readonly end: number; readonly kind: "code" | "url" };

export type Inline = {
  readonly text: string;
  /** By start; spans of the same mark do not overlap. */
  readonly spans: readonly Span[];
  /** Code with its marks, and URLs: ascending. */
  readonly untouchable: readonly Range[];
  /** Offsets of characters that the author escaped. */
  readonly escaped: ReadonlySet<number>;
  /** Offsets of the images that became links. */
  readonly images: readonly number[];
  /** Offsets of the links and images that have a title, which a page shows under the pointer. */
  readonly titles: readonly number[];
};

export type ReadOptions = {
  /** The whole text is a heading. */
  readonly isHeading?: boolean;
  /** It is a list item's first paragraph, where `[x]` is a check box. */
  readonly isListItem?: boolean;
  /** It goes into a monospace block, where a code span needs no marks. */
  readonly isMonospace?: boolean;
};

const MARKS: Readonly<Record<string, Mark>> = { strong: "*", em: "_", s: "~" };
const CHECK_BOX = /^\[([ xX])\][ \u00a0]+/;
const HTML_TAG = /^<(\/?)([a-z][a-z0-9]*)/i;
const LINE_TAGS = new Set("p div li ul ol tr table h1 h2 h3 h4 h5 h6 blockquote details summary section".split(" "));
const HTML_MARKS: ReadonlyMap<string, Mark> = new Map(
  Object.entries({
    b: "*",
    strong: "*",
    i: "_",
    em: "_",
    s: "~",
    del: "~",
    strike: "~",
  } as const),
);
/** There are three marks; a text that opens more is looked through again and again. */
const MOST_OPEN = 12;
const HEADING_TAG = /^h[1-6]$/;
const HEADING = "<heading>";
const CELL_TAGS = new Set(["td", "th"]);
const TEXT_TAGS = new Set(
  "u ins sub sup small big mark font span center code kbd tt samp var cite q abbr pre td th thead tbody".split(" "),
);
// An entity such as &#13; may stand for one of these.
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g;

type Open = { readonly mark: Mark; readonly source: string; readonly start: number };
/** `firstPart` is the piece its label begins with. */
type Link = { readonly start: number; readonly firstPart: number; readonly href: string };

export function readInline(tokens: readonly Token[], options: ReadOptions = {}): Inline {
  // Pieces, joined once: slicing a string that is still growing copies all of it each time.
  const parts: string[] = [];
  let length = 0;
  const spans: Span[] = [];
  const untouchable: Range[] = [];
  const escaped = new Set<number>();
  const images: number[] = [];
  const titles: number[] = [];
  const opened: Open[] = options.isHeading ? [{ mark: "*", source: "#", start: 0 }] : [];
  const links: Link[] = [];
  let itemNumber: number | undefined;

  const add = (part: string): void => {
    parts.push(part);
    length += part.length;
  };
  const addUntouchable = (part: string, kind: Range["kind"]): void => {
    if (part !== "") untouchable.push({ start: length, end: length + part.length, kind });
    add(part);
  };
  const close = (): void => {
    const span = opened.pop();
    if (span === undefined || span.start === length || opened.some(({ mark }) => mark === span.mark)) return;
    spans.push({ ...span, end: length, level: opened.length });
  };
  const openTag = (mark: Mark, source: string): void => {
    if (opened.length < MOST_OPEN) opened.push({ mark, source, start: length });
  };
  /** HTML's may be left open or closed in another order than Markdown's: such a pair is no emphasis. */
  const closeTag = (source: string): void => {
    const at = opened.findLastIndex((one) => one.source === source);
    if (at === opened.length - 1) close();
    else if (at !== -1) opened.splice(at, 1);
  };
  const closeMark = (): void => {
    while (opened.at(-1)?.source.startsWith("<")) opened.pop();
    close();
  };
  const openLink = (href: string): void => {
    closeLink();
    links.push({ start: length, firstPart: parts.length, href: clean(href.replace(/^(?:mailto|tel):/i, "")) });
  };
  const closeLink = (): void => {
    const link = links.pop();
    if (link === undefined) return;
    const label = parts.slice(link.firstPart).join("");
    if (label === link.href || link.href === "") return;
    const isPlainLabel = (spans.at(-1)?.end ?? 0) <= link.start && (untouchable.at(-1)?.end ?? 0) <= link.start;
    if (isPlainLabel && saysNoMore(label, link.href)) {
      parts.length = link.firstPart;
      length = link.start;
      addUntouchable(link.href, "url");
    } else {
      add(" (");
      addUntouchable(link.href, "url");
      add(")");
    }
  };
  const addImage = (alt: string, source: string): void => {
    images.push(length);
    // The bytes of a data: URI are no text that a person could read.
    const isInlineData = /^data:/i.test(source);
    if (isInlineData) add(alt === "" ? "image" : alt);
    else if (alt !== "" && alt !== source) add(`${alt}: `);
    if (!isInlineData) addUntouchable(source, "url");
  };
  const addHtml = (html: string): void => {
    const tag = HTML_TAG.exec(html);
    const name = tag?.[2]?.toLowerCase() ?? "";
    const isClosing = tag?.[1] === "/";
    const htmlMark = HTML_MARKS.get(name);
    if (htmlMark !== undefined && isClosing) closeTag(`<${htmlMark}>`);
    else if (htmlMark !== undefined) openTag(htmlMark, `<${htmlMark}>`);
    if (CELL_TAGS.has(name) && !isClosing && length > 0 && parts.at(-1) !== "\n") add(" · ");
    if (html.startsWith("<!--") || htmlMark !== undefined || TEXT_TAGS.has(name)) return;
    if (name === "br" || name === "hr") add("\n");
    else if (name === "a" && isClosing) closeLink();
    else if (name === "a") openLink(attribute(html, "href"));
    else if (name === "img") addImage(attribute(html, "alt"), attribute(html, "src"));
    else if (!LINE_TAGS.has(name)) add(clean(html));
    else addLineTag(name, isClosing);
  };
  const addLineTag = (name: string, isClosing: boolean): void => {
    if (length > 0 && parts.at(-1) !== "\n") add("\n");
    if (name === "ol" || name === "ul") itemNumber = name === "ol" && !isClosing ? 0 : undefined;
    else if (name === "li" && !isClosing) {
      if (itemNumber !== undefined) itemNumber += 1;
      add(itemNumber === undefined ? "- " : `${itemNumber}. `);
    } else if (HEADING_TAG.test(name)) {
      if (isClosing) closeTag(HEADING);
      else openTag("*", HEADING);
    }
  };

  for (const [index, token] of tokens.entries()) {
    if (attributeOf(token, "title").trim() !== "") titles.push(length);
    const mark = MARKS[token.type.replace(/_(?:open|close)$/, "")];
    if (mark !== undefined && token.nesting === 1) opened.push({ mark, source: token.markup, start: length });
    else if (mark !== undefined) closeMark();
    switch (token.type) {
      case "text":
        add(clean(index === 0 && options.isListItem ? token.content.replace(CHECK_BOX, checkBox) : token.content));
        break;
      case "text_special": {
        const content = clean(token.content);
        for (let offset = 0; offset < content.length; offset += 1) escaped.add(length + offset);
        add(content);
        break;
      }
      case "math":
        if (token.content.includes("\n") && length > 0 && parts.at(-1) !== "\n") add("\n");
        add(clean(token.content));
        break;
      case "softbreak":
      case "hardbreak":
        add("\n");
        break;
      case "code_inline":
        addUntouchable(options.isMonospace ? token.content : codeSpan(token.content), "code");
        break;
      case "bare_url":
        addUntouchable(token.content, "url");
        break;
      case "link_open":
        openLink(attributeOf(token, "href"));
        break;
      case "link_close":
        closeLink();
        break;
      case "image":
        addImage(readInline(token.children ?? []).text.trim(), clean(attributeOf(token, "src")));
        break;
      case "html_inline":
        addHtml(token.content);
        break;
    }
  }
  closeLink();
  while (opened.length > 0) closeMark();
  spans.sort((a, b) => a.start - b.start || a.level - b.level);
  return { text: parts.join(""), spans, untouchable, escaped, images, titles };
}

/** Keeps line breaks; a tab is four spaces, since WhatsApp has no tab stops. */
function clean(part: string): string {
  return part.replace(CONTROL, (char) => (char === "\t" ? "    " : ""));
}

function checkBox(_match: string, state: string): string {
  return state === " " ? "☐ " : "☑ ";
}

/** A code span that holds a backtick needs WhatsApp's three; one that three cannot hold goes without. */
function codeSpan(content: string): string {
  if (!content.includes("`")) return `\`${content}\``;
  const needsNone = content.includes("```") || content.startsWith("`") || content.endsWith("`");
  return needsNone ? content : `\`\`\`${content}\`\`\``;
}

function attributeOf(token: Token, name: string): string {
  return String(token.attrGet(name) ?? "");
}

/** A label that is the address without its scheme tells a person nothing that the address does not. */
function saysNoMore(label: string, address: string): boolean {
  return label.trim() === "" || bareAddress(label) === bareAddress(address);
}

function bareAddress(address: string): string {
  return address
    .trim()
    .replace(/^https?:\/\//i, "")
    .replace(/\/$/, "");
}

function attribute(html: string, name: string): string {
  const match = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>"']+))`, "i").exec(html);
  return clean((match?.[1] ?? match?.[2] ?? match?.[3] ?? "").replaceAll("&amp;", "&"));
}
