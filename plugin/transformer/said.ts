/** What one member of a response becomes, and how such pieces are put together. */
import type { Degradation, OutboundMessage } from "../contract.ts";
import { checkMessage } from "../messages/check-message.ts";
import { LIMITS } from "../messages/limits.ts";
import { countLinks } from "../messages/read-whatsapp.ts";
import { splitText } from "./split-text.ts";

/** `part` of a degradation counts these messages. */
export type Said = { readonly messages: readonly OutboundMessage[]; readonly degraded: readonly Degradation[] };

export type Change = Omit<Degradation, "part">;
/** WhatsApp's text on its way into a message; `at` is an offset in it. */
export type Piece = { readonly text: string; readonly changes: readonly (Change & { readonly at: number })[] };

export const NOTHING: Said = { messages: [], degraded: [] };
export const BLANK: Piece = { text: "", changes: [] };

export function say(message: OutboundMessage, changes: readonly Change[] = []): Said {
  return { messages: [message], degraded: changes.map(({ what, from, to }) => ({ part: 0, what, from, to })) };
}

/** What concerns no message: it was left out, or stands in several. */
export function report(...changes: readonly Change[]): Said {
  return { messages: [], degraded: changes.map(({ what, from, to }) => ({ part: null, what, from, to })) };
}

export function inOrder(...all: readonly Said[]): Said {
  const messages: OutboundMessage[] = [];
  const degraded: Degradation[] = [];
  for (const said of all) {
    const offset = messages.length;
    messages.push(...said.messages);
    for (const one of said.degraded) degraded.push(one.part === null ? one : { ...one, part: one.part + offset });
  }
  return { messages, degraded };
}

/** As many text messages as it takes. */
export function sayText({ text, changes }: Piece, what: string): Said {
  const parts = splitText(text, LIMITS.textBody.max);
  if (parts.length === 0) return report(...changes);
  const messages = parts.map((part) => ({
    kind: "text" as const,
    text: part.text,
    previewUrl: countLinks(part.text) === 1,
  }));
  const partAt = (at: number) =>
    Math.max(
      0,
      parts.findLastIndex(({ start }) => start <= at),
    );
  const degraded: Degradation[] = changes.map(({ at, what: place, from, to }) => {
    return { part: partAt(at), what: place, from, to };
  });
  if (parts.length > 1)
    degraded.push({ part: null, what, from: `text of ${text.length} characters`, to: `${parts.length} messages` });
  return { messages, degraded };
}

/** Texts under each other; blank ones leave no gap. */
export function joinPieces(pieces: readonly Piece[], gap: string): Piece {
  let text = "";
  const changes: Piece["changes"][number][] = [];
  for (const piece of pieces) {
    if (piece.text !== "" && text !== "") text += gap;
    for (const change of piece.changes) changes.push({ ...change, at: text.length + change.at });
    text += piece.text;
  }
  return { text, changes };
}

export function plainPiece(text: string, ...changes: readonly Change[]): Piece {
  return { text, changes: changes.map((change) => ({ ...change, at: 0 })) };
}

export function isSendable(message: OutboundMessage): boolean {
  return checkMessage(message).length === 0;
}
