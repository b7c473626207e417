/** What a message says, whoever says it and wherever it stands. */
import type { MessageContent } from "../contract.ts";

/** `text` is what the person wrote or chose, `content` what came beside it or instead. */
export type Said = { readonly text: string | null; readonly content: MessageContent | null };

/** For what nobody wrote as words. */
export function withoutText(content: MessageContent | null): Said | null {
  return content === null ? null : { text: null, content };
}
