/** "2", or the words of an option, answers choices, whether they were buttons, a list or numbered text. */
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
  if (digits !== undefined) return byNumber(Number(digits), offered);
  const named = offered.filter(({ title }) => plain(title) === said);
  // Two options of one name: only the number can tell them apart.
  return named.length === 1 ? named[0] : undefined;
}

/** A number may be that of an option, or the words of one: where it may be either, of two options, it is nobody's. */
function byNumber(number: number, offered: readonly OfferedChoice[]): OfferedChoice | undefined {
  const placed = offered.find((one) => one.number === number);
  const beginning = offered.filter(({ title }) => numberOf(title) === number);
  if (beginning.length === 0) {
    // "3" to "2 guests", "4 guests" or "6 guests" is no place among them, unless the person sees the numbers of their places.
    const areNumbers = offered.some(({ title }) => numberOf(title) !== null);
    return areNumbers && placed?.isNumbered !== true ? undefined : placed;
  }
  const exact = beginning.filter(({ title }) => plain(title) === String(number));
  const [one, ...others] = exact.length > 0 ? exact : beginning;
  if (others.length > 0) return undefined;
  return one === placed || (exact.length > 0 && placed?.isNumbered !== true) ? one : undefined;
}

/** With which it begins. */
function numberOf(title: string): number | null {
  const [digits] = /^\d+/.exec(plain(title)) ?? [];
  return digits === undefined ? null : Number(digits);
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
