/** An answer's text → what is said first, and the short end of it that stands right above buttons. */
import { LIMITS } from "../messages/limits.ts";
import { readWhatsApp } from "../messages/read-whatsapp.ts";
import { BLANK, type Piece } from "./said.ts";

/** "Two rooms are free:" belongs to what follows it. */
const INTRODUCES = /[:：]\s*$/;

export type Taken = { readonly before: Piece; readonly question: Piece };

/**
 * The whole text where it fits; otherwise its last paragraph, or its last line.
 * @param isApart something else comes between: then the last paragraph is all that is taken.
 */
export function takeQuestion(
  piece: Piece,
  options: { readonly max?: number; readonly isApart?: boolean; readonly what?: string } = {},
): Taken {
  const { max = LIMITS.interactiveBody.max, isApart = false, what = "text" } = options;
  const { text } = piece;
  if (isApart && INTRODUCES.test(text)) return { before: piece, question: BLANK };
  if (text.length <= max && !isApart) return { before: BLANK, question: piece };
  const blocks = readWhatsApp(text).wraps.filter(({ open }) => open.startsWith("```"));
  for (const gap of ["\n\n", "\n"]) {
    const start = lastStart(text, gap, blocks);
    if (text.length - start <= max && text.slice(start).trim() !== "") return cut(piece, start, what);
    if (isApart && text.length <= max) break;
  }
  return text.length <= max ? { before: BLANK, question: piece } : { before: piece, question: BLANK };
}

function lastStart(
  text: string,
  gap: string,
  blocks: readonly { readonly start: number; readonly end: number }[],
): number {
  for (let at = text.lastIndexOf(gap); at > 0; at = text.lastIndexOf(gap, at - 1)) {
    const block = blocks.findLast(({ start, end }) => start < at && at < end);
    if (block === undefined) return at + gap.length;
    at = block.start;
    if (at === 0) break;
  }
  return 0;
}

function cut({ text, changes }: Piece, start: number, what: string): Taken {
  return {
    before: { text: text.slice(0, start).trimEnd(), changes: changes.filter(({ at }) => at < start) },
    question: {
      text: text.slice(start),
      changes: [
        ...changes.filter(({ at }) => at >= start).map((change) => ({ ...change, at: change.at - start })),
        ...(start === 0 ? [] : [{ at: 0, what, from: `text of ${text.length} characters`, to: "2 messages" }]),
      ],
    },
  };
}
