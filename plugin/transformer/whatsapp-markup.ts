/** Markdown → the text that WhatsApp shows as the author meant it. */
import type { Token } from "markdown-it";
import { createLayout, type Layout, type SourcePlace } from "./layout.ts";
import { type Parsed, parseInlineMarkdown, parseMarkdown } from "./parse-markdown.ts";
import { type ReadOptions, readInline } from "./read-inline.ts";
import { renderInline } from "./render-inline.ts";
import { renderTable } from "./render-table.ts";
import type { Piece } from "./said.ts";
import { sanitize } from "./sanitize.ts";
import { isPicture } from "./web-address.ts";

/** A change of form, and where in the text it begins. */
type MarkupChange = { readonly at: number; readonly from: string; readonly to: string };
/** An image that is a paragraph of its own; `at` is where in the text it stands. */
type Picture = {
  readonly at: number;
  readonly url: string;
  readonly caption: string;
  readonly changes: readonly Omit<MarkupChange, "at">[];
};
export type Markup = {
  readonly text: string;
  readonly changes: readonly MarkupChange[];
  readonly pictures: readonly Picture[];
};

const NO_TITLE = { from: "title of a link or a picture", to: "left out" };
const DIVIDER = "———";
const FENCE = "```";

/**
 * Blank lines, line breaks and indentation stay as the author typed them: people read them in a chat.
 * @see https://faq.whatsapp.com/539178204879377
 */
export function toWhatsApp(markdown: string, options: { readonly withPictures?: boolean } = {}): Markup {
  const source = sanitize(markdown);
  const parsed = parseMarkdown(source);
  return parsed === undefined ? plainText(source) : renderBlocks(source, parsed, options.withPictures ?? false);
}

/** For a text that is a member of its own; `what` says which. */
export function toPiece(markdown: string, what: string): Piece {
  const { text, changes } = toWhatsApp(markdown);
  return { text, changes: changes.map((change) => ({ ...change, what })) };
}

/** A title or another text of one line: emphasis and links, no blocks. */
export function toWhatsAppLine(markdown: string, options: { readonly isBold?: boolean } = {}): string {
  const line = sanitize(markdown).replace(/\s+/g, " ").trim();
  const tokens = parseInlineMarkdown(line);
  if (tokens === undefined) return plainText(line).text;
  const inline = readInline(tokens, { isHeading: options.isBold ?? false });
  return renderInline(inline).join(" ").trim();
}

/** As the author wrote it, marks and all. */
function plainText(source: string): Markup {
  const layout = createLayout([]);
  const lines = source.replaceAll("\t", "    ").split("\n");
  layout.addText(lines, { first: 0, end: lines.length });
  const changes = [{ at: 0, from: "Markdown beyond the ceilings", to: "plain text" }];
  return { text: layout.text(), changes, pictures: [] };
}

function renderBlocks(source: string, { tokens, usedDefinitions }: Parsed, withPictures: boolean): Markup {
  const layout = createLayout(source.split("\n"));
  const changes: MarkupChange[] = [];
  const pictures: Picture[] = [];
  const numbers: (number | undefined)[] = [];
  const counted = countedLists(tokens);
  const addInline = (token: Token, options: ReadOptions & { readonly place: SourcePlace }): void => {
    const inline = readInline(token.children ?? [], options);
    const lines = renderInline(inline);
    if (lines.every((line) => line === "") && token.content !== "") {
      layout.skip(options.place);
      return;
    }
    const start = layout.addText(lines, options.place);
    for (const offset of inline.images) changes.push({ at: start + offset, from: "image", to: "link" });
    for (const offset of inline.titles) changes.push({ at: start + offset, ...NO_TITLE });
  };

  // The maps of closing tokens are null, and an empty item is printed where it began.
  const openPlaces: SourcePlace[] = [];
  for (let index = 0; index < tokens.length; index += 1) {
    const token = tokens[index];
    if (token === undefined) break;
    const previous = tokens[index - 1];
    switch (token.type) {
      case "blockquote_open":
        layout.openQuote();
        openPlaces.push(placeOf(token));
        break;
      case "ordered_list_open":
        numbers.push(counted.has(token) ? 0 : undefined);
        break;
      case "ordered_list_close":
        numbers.pop();
        break;
      case "list_item_open":
        layout.openItem(markerOf(token, numbers));
        openPlaces.push(placeOf(token));
        break;
      case "blockquote_close":
      case "list_item_close":
        layout.close(openPlaces.pop() ?? { first: 0, end: 0 });
        break;
      case "inline": {
        const picture = withPictures && previous?.level === 0 ? onlyPicture(token) : undefined;
        if (picture !== undefined) {
          layout.skip(placeOf(previous ?? token));
          pictures.push({ ...picture, at: layout.length() });
          break;
        }
        addInline(token, {
          isHeading: previous?.type === "heading_open",
          isListItem: previous?.type === "paragraph_open" && tokens[index - 2]?.type === "list_item_open",
          place: placeOf(previous ?? token),
        });
        break;
      }
      case "fence":
        changes.push(...addFence(layout, token));
        break;
      case "hr":
        layout.addText([DIVIDER], placeOf(token));
        break;
      case "definition":
        if (usedDefinitions.has(token.info)) layout.skip(placeOf(token));
        else layout.addText([toWhatsAppLine(token.content)], placeOf(token));
        break;
      case "table_open": {
        let end = index;
        while (end < tokens.length && tokens[end]?.type !== "table_close") end += 1;
        const { lines, form } = renderTable(tokens.slice(index, end));
        const add = form === "records" ? layout.addText : layout.addVerbatim;
        changes.push({ at: add(lines, placeOf(token)), from: "table", to: form });
        index = end;
        break;
      }
    }
  }
  return { text: layout.text(), changes, pictures };
}

function onlyPicture({ children }: Token): Omit<Picture, "at"> | undefined {
  const [image, ...others] = children ?? [];
  if (image?.type !== "image" || others.length > 0) return undefined;
  const url = String(image.attrGet("src") ?? "");
  if (!isPicture(url)) return undefined;
  return {
    url,
    caption: renderInline(readInline(image.children ?? []))
      .join(" ")
      .trim(),
    changes: String(image.attrGet("title") ?? "").trim() === "" ? [] : [NO_TITLE],
  };
}

function placeOf(token: Token): SourcePlace {
  return { first: token.map?.[0] ?? 0, end: token.map?.[1] ?? 0 };
}

/** Many write `1.` (or `0.`) before every item and leave the counting to Markdown; any other numbers are meant. */
function countedLists(tokens: readonly Token[]): ReadonlySet<Token> {
  const counted = new Set<Token>();
  const open: { readonly list: Token; first?: number }[] = [];
  for (const token of tokens) {
    if (token.type === "ordered_list_open") {
      open.push({ list: token });
      counted.add(token);
    } else if (token.type === "ordered_list_close") open.pop();
    const current = open.at(-1);
    if (current === undefined || token.type !== "list_item_open" || token.info === "") continue;
    const number = Number(token.info);
    current.first ??= number;
    if (number > 1 || number !== current.first) counted.delete(current.list);
  }
  return counted;
}

/** The number that the author wrote, unless the list is one to be counted: the last of `numbers` says where it is. */
function markerOf({ info, markup }: Token, numbers: (number | undefined)[]): string {
  if (info === "") return "- ";
  const index = numbers.at(-1);
  if (index === undefined) return `${info}${markup} `;
  numbers[numbers.length - 1] = index + 1;
  return `${String(Number(info) + index).padStart(info.length, "0")}${markup} `;
}

/** Without its language, which WhatsApp would show. Code that holds a fence itself cannot stand in another one. */
function addFence(layout: Layout, token: Token): readonly MarkupChange[] {
  const code = token.content.replace(/\n$/, "");
  const lines = code.split("\n");
  if (code.trim() === "") {
    layout.skip(placeOf(token));
    return [];
  }
  if (!code.includes(FENCE)) {
    layout.addVerbatim([FENCE, ...lines, FENCE], placeOf(token));
    return [];
  }
  return [{ at: layout.addVerbatim(lines, placeOf(token)), from: "code block", to: "text without a code block" }];
}
