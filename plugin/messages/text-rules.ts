/** Rules for texts beyond their length, each with what is wrong and what to do. */

import type { TextRule } from "./check-value.ts";
import { readWhatsApp } from "./read-whatsapp.ts";

const LINE_BREAK = /[\n\r\v\f\u0085\u2028\u2029]/;
const EMOJI = /\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|[0-9#*]\ufe0f?\u20e3/u;
/** Longer texts have failed by their length already; reading them would take time for nothing. */
const MOST_TO_READ = 4_096;
const graphemes = new Intl.Segmenter("und", { granularity: "grapheme" });

export const oneLine: TextRule = (text) =>
  LINE_BREAK.test(text) ? ["holds a line break", "Put it on one line."] : null;

/** Shown as it is typed, stars and all. */
export const withoutMarkup: TextRule = (text) =>
  text.length <= MOST_TO_READ && readWhatsApp(text).wraps.length > 0
    ? ["holds formatting marks, which are not read here", "Leave out *, _, ~ and `."]
    : null;

export const withoutOuterSpace: TextRule = (text) =>
  text === text.trim() ? null : ["begins or ends with a space", "Trim it."];

export const withoutEmoji: TextRule = (text) => (EMOJI.test(text) ? ["holds an emoji", "Leave the emoji out."] : null);

export const oneEmoji: TextRule = (text) => {
  const [first] = graphemes.segment(text.slice(0, MOST_TO_READ));
  return first?.segment === text && EMOJI.test(text)
    ? null
    : ["is not one emoji", "Give one emoji, or null to take the reaction back."];
};

export const httpsUrl: TextRule = (text) => {
  const isUrl = /^https:\/\//i.test(text) && !/\s/.test(text) && URL.canParse(text);
  return isUrl ? null : ["is not an https address", "Give a whole address that begins with https://."];
};

export function atMostLineBreaks(most: number): TextRule {
  return (text) =>
    (text.match(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/g)?.length ?? 0) > most
      ? [`has more than ${most} line breaks`, `Keep it to ${most + 1} lines.`]
      : null;
}

export function matching(pattern: RegExp, problem: string, fix: string): TextRule {
  return (text) => (pattern.test(text) ? null : [problem, fix]);
}

/** `YYYY-MM-DD`, and a day that exists. */
export const calendarDay: TextRule = (text) => {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text) ? new Date(`${text}T00:00:00Z`) : null;
  return day !== null && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)
    ? null
    : ["is not a day written YYYY-MM-DD", "Write it as 1990-01-31."];
};

/** What Meta refuses inside a template's variable, for it would change the template's look. */
export function fitsTemplate(mostSpaces: number): TextRule {
  const spaces = new RegExp(`\\p{Zs}{${mostSpaces + 1},}`, "u");
  return (text) =>
    LINE_BREAK.test(text) || text.includes("\t") || spaces.test(text)
      ? [
          `holds a line break, a tab, or more than ${mostSpaces} spaces in a row`,
          "Put it on one line with single spaces.",
        ]
      : null;
}
