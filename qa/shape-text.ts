/** A text without its words: letters and digits are replaced, everything that shapes a message on a phone stays. */
import { EMAIL, LINK_TOKEN, UUID } from "./spelling.ts";

/** One letter of each script that is set in its own way; another gets an x. */
const LETTERS: readonly (readonly [RegExp, string])[] = [
  [/\p{Script=Arabic}/u, "\u0633"],
  [/\p{Script=Hebrew}/u, "\u05d0"],
  [/\p{Script=Han}/u, "\u5b57"],
  [/\p{Script=Hiragana}|\p{Script=Katakana}/u, "\u3042"],
  [/\p{Script=Hangul}/u, "\uac00"],
  [/\p{Script=Thai}/u, "\u0e01"],
  [/\p{Script=Devanagari}/u, "\u0915"],
];
/** As long as a letter beyond the first plane: the length in UTF-16 stays. */
const LONG_LETTER = "\u{1d431}";
/** Marks over letters say which letter it was; those that choose an emoji's look do not. */
const MARK = /(?![\ufe0e\ufe0f\u20e3])\p{M}/u;
/** What makes an address of what follows. */
export const SCHEME = /\b(?:https?:\/\/|mailto:|tel:)/gi;
/** Somebody who types one or two digits answers a numbered list. */
const CHOICE = /^\s*\d{1,2}[.)]?\s*$/;

const EMAILS = new RegExp(EMAIL, "gu");
const UUIDS = new RegExp(UUID, "gu");
const LINK_TOKENS = new RegExp(LINK_TOKEN, "gu");

/** Email addresses and UUIDs, of which a stand-in has another shape, and tokens, which are new ones each time, as one word each. */
export function withoutShapeless(text: string): string {
  return text.replace(EMAILS, "xxxx@xxxx.xxx").replace(UUIDS, "xxxxxxxx").replace(LINK_TOKENS, "xxxxxxxx");
}

/** Of what somebody has sent by itself, too, but for the answer to a numbered list. */
export function shapeBody(text: string): string {
  return CHOICE.test(text) ? text : shapeText(text);
}

/** Length, line breaks, emoji, punctuation and formatting marks stay. Doing it twice changes nothing more. */
export function shapeText(text: string): string {
  let shaped = "";
  let at = 0;
  for (const { 0: scheme, index } of text.matchAll(SCHEME)) {
    shaped += shapeLetters(text.slice(at, index)) + scheme;
    at = index + scheme.length;
  }
  return shaped + shapeLetters(text.slice(at));
}

function shapeLetters(text: string): string {
  return text.replace(/[\p{L}\p{N}\p{M}]/gu, (character) => {
    if (/\p{N}/u.test(character)) return character.length > 1 ? "\u{1d7ce}" : "0";
    if (/\p{M}/u.test(character)) return MARK.test(character) && character.length === 1 ? "\u0301" : character;
    if (character.length > 1) return LONG_LETTER;
    const letter = LETTERS.find(([script]) => script.test(character))?.[1];
    return letter ?? (/\p{Lu}/u.test(character) ? "X" : "x");
  });
}
