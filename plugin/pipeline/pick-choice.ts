/** "2", or the words of an option, answers choices that were offered as numbered text. */
import type { OfferedChoice, StoredTurnMessage } from "../ports.ts";

/** @returns the message with the choice in its `content`, or as it is when it picks none of them. */
export function withPickedChoice(message: StoredTurnMessage, offered: readonly OfferedChoice[]): StoredTurnMessage {
  if (message.content !== null || message.text === null || offered.length === 0) return message;
  const picked = pick(message.text, offered);
  if (picked === undefined) return message;
  return {
    ...message,
    content: { kind: "choice", from: "text", id: picked.id, title: picked.title, description: null },
  };
}

function pick(text: string, offered: readonly OfferedChoice[]): OfferedChoice | undefined {
  const said = plain(text);
  const [, digits] = /^(?:no\.?|nr\.?|option|#)?\s*(\d{1,4})[.)]?$/.exec(said) ?? [];
  if (digits !== undefined) return offered[Number(digits) - 1];
  const named = offered.filter(({ title }) => plain(title) === said);
  // Two options of one name: only the number can tell them apart.
  return named.length === 1 ? named[0] : undefined;
}

/** Without case, marks around it, and the digits of other scripts. */
function plain(text: string): string {
  return text
    .normalize("NFKC")
    .replace(/\p{Nd}/gu, (digit) => String(digitValue(digit)))
    .replace(/^[\s*_~`"'“”]+|[\s*_~`"'“”.!]+$/g, "")
    .toLowerCase();
}

/** Every run of decimal digits in Unicode starts at its zero and has ten of them. */
function digitValue(digit: string): number {
  const code = digit.codePointAt(0) ?? 0;
  for (let zero = code; zero > code - 10; zero--)
    if (!/\p{Nd}/u.test(String.fromCodePoint(zero - 1))) return code - zero;
  return code % 10;
}
