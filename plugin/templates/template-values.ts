/** The values of a template, whatever their form: by variable, and as the text that a person reads. */
import type { TemplateValue, TemplateValues } from "../contract.ts";
import { isFields } from "../messages/check-value.ts";
import { has } from "../messages/has.ts";

/** A value and the member that holds it: an index, or a name. */
export type NamedValue = { readonly variable: string; readonly index: number | null; readonly value: TemplateValue };

/** In the order given: positional ones are the variables 1, 2, … */
export function namedValues(values: TemplateValues | undefined): readonly NamedValue[] {
  if (values === undefined) return [];
  if (isPositional(values))
    return Array.from(values, (value, index) => ({ variable: String(index + 1), index, value }));
  return Object.entries(values).map(([variable, value]) => ({ variable, index: null, value }));
}

export function isPositional(values: TemplateValues): values is readonly TemplateValue[] {
  return Array.isArray(values);
}

/** What is shown where WhatsApp cannot write it in the reader's own format; the best guess at the length, too. */
export function textOf(value: TemplateValue): string {
  return readText(value) ?? "";
}

/** The same values with other texts, in the same form. What holds no text stays as it is, for `checkMessage` to refuse. */
export function withTexts(
  values: TemplateValues,
  textFor: (named: NamedValue, text: string) => string,
): TemplateValues {
  const changed = namedValues(values).map((named) => {
    const text = readText(named.value);
    return text === null ? named : { ...named, value: withText(named.value, textFor(named, text)) };
  });
  return isPositional(values)
    ? changed.map(({ value }) => value)
    : Object.fromEntries(changed.map(({ variable, value }) => [variable, value]));
}

function readText(value: TemplateValue): string | null {
  if (typeof value === "string") return value;
  if (!isFields(value)) return null;
  const holder: unknown = has(value, "dateTime") ? value.dateTime : value.currency;
  return isFields(holder) && typeof holder.fallback === "string" ? holder.fallback : null;
}

function withText(value: TemplateValue, text: string): TemplateValue {
  if (typeof value === "string") return text;
  return has(value, "dateTime")
    ? { dateTime: { ...value.dateTime, fallback: text } }
    : { currency: { ...value.currency, fallback: text } };
}
