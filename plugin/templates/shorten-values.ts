/** Which values of a template are cut, and where, so that it fits when they are filled in. */
import { fillIn, variablesIn } from "./approved-template.ts";
import { type NamedValue, textOf } from "./template-values.ts";

/** Less than this tells a reader nothing: then the whole template is refused rather than mangled. */
const LEAST_KEPT = 16;
const ELLIPSIS = "…";
const graphemes = new Intl.Segmenter("und", { granularity: "grapheme" });

/**
 * The longest value gives way first. Money and dates do not: half of one is another one.
 * @returns the texts that changed, by variable.
 */
export function shortenValues(values: readonly NamedValue[], text: string, max: number): ReadonlyMap<string, string> {
  const texts = new Map(values.map(({ variable, value }) => [variable, textOf(value)]));
  const changed = new Map<string, string>();
  const byLength = values
    .flatMap(({ variable, value }) => (typeof value === "string" ? [{ variable, value }] : []))
    .sort((a, b) => b.value.length - a.value.length);
  for (const { variable, value } of byLength) {
    const over = fillIn(text, texts).length - max;
    if (over <= 0) break;
    const times = timesIn(text, variable);
    if (times === 0) continue;
    const short = cut(value, Math.max(value.length - Math.ceil(over / times), LEAST_KEPT));
    texts.set(variable, short);
    if (short !== value) changed.set(variable, short);
  }
  return changed;
}

/** How often a variable stands in the text. */
function timesIn(text: string, variable: string): number {
  return variablesIn(text).filter((name) => name === variable).length;
}

/** At most `max` UTF-16 units, the ellipsis among them, and never half of what a reader sees as one character. */
function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  let end = 0;
  for (const { index, segment } of graphemes.segment(text)) {
    if (index + segment.length > max - ELLIPSIS.length) break;
    end = index + segment.length;
  }
  return `${text.slice(0, end).trimEnd()}${ELLIPSIS}`;
}
