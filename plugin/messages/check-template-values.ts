/** What may be filled into the variables of a template: text, an amount of money, a time. */
import type { TemplateValue } from "../contract.ts";
import { ANY, type Check, isFields, list, number, SOME, shape, text } from "./check-value.ts";
import { has } from "./has.ts";
import { LIMITS } from "./limits.ts";
import { fitsTemplate, matching } from "./text-rules.ts";

type Currency = Extract<TemplateValue, { readonly currency: unknown }>;
type DateTime = Extract<TemplateValue, { readonly dateTime: unknown }>;
type Most = { readonly max: number };

const VARIABLE = /^[a-z0-9_]+$/;
const AMOUNT = { min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER };

/** Positional values as a list, named ones as an object. */
export function templateValues({ max }: Most): Check {
  const value = templateValue({ max });
  const positional = list(SOME, value);
  return (values, place) => {
    if (Array.isArray(values)) return positional(values, place);
    if (!isFields(values))
      return place.report("is not a list or an object", "Give values in order, or by the names of their variables.");
    const names = Object.keys(values);
    if (names.length === 0) place.report("is empty", "Leave it out, or name the variables.");
    for (const name of names) {
      if (!VARIABLE.test(name))
        place.member(name).report("is no name of a variable", "Use lower-case letters, digits and _.");
      value(values[name], place.member(name));
    }
  };
}

/** How many values there are, of either form. */
export function countValues(values: unknown): number {
  if (Array.isArray(values)) return values.length;
  return isFields(values) ? Object.keys(values).length : 0;
}

function templateValue({ max }: Most): Check {
  const words = text({ min: 1, max }, fitsTemplate(LIMITS.templateSpaces.max));
  const currency = shape<Currency>({
    currency: shape<Currency["currency"]>({
      fallback: words,
      code: text(ANY, matching(/^[A-Z]{3}$/, "is no currency code", "Use three capital letters, as in EUR.")),
      amount1000: number(AMOUNT, { whole: true }),
    }),
  });
  const dateTime = shape<DateTime>({ dateTime: shape<DateTime["dateTime"]>({ fallback: words }) });
  return (value, place) => {
    if (!isFields(value)) return words(value, place);
    (has(value, "currency") ? currency : dateTime)(value, place);
  };
}
