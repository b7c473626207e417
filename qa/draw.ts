/** Messages as HTML. */
import type { WireObject } from "@omniops/whatsapp/simulator";
import { shownMessage } from "./report-text.ts";

export const PHONE_CSS = ".wa-chat{white-space:pre-wrap}";

export function drawMessages(messages: readonly WireObject[]): string {
  return `<div class="wa-chat">${messages.map((message) => escaped(shownMessage(message))).join("<br>")}</div>`;
}

/** For text and for attributes in double quotes. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
