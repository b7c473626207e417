/** The values of a template → values that Meta takes: on one line, and no longer than the template may become. Pure. */
import type { Degradation, TemplateChoice, TemplateParams, TemplateValues } from "../contract.ts";
import type { ListedTemplate } from "../ports.ts";
import { has } from "../transformer/has.ts";
import { LIMITS, type Limit } from "../transformer/limits.ts";
import { readTemplate, type TemplatePart, type VariableText } from "./approved-template.ts";
import { toOneLine } from "./one-line.ts";
import { shortenValues } from "./shorten-values.ts";
import { type NamedValue, namedValues, textOf, withTexts } from "./template-values.ts";

/** A change to a value; `what` is its place in the choice: `params.body[0]`. */
export type FittedValue = Omit<Degradation, "part">;
export type FittedChoice = { readonly choice: TemplateChoice; readonly changes: readonly FittedValue[] };

type Given = Pick<TemplateParams, "header" | "body">;
type Room = { readonly approved: VariableText | null; readonly limit: Limit; readonly path: string };

/**
 * Line breaks, tabs and long runs of spaces are mended, and what would make the filled-in text too long is shortened.
 * An empty value stays as it is, for `checkMessage` to refuse: a dash in its place would be sent, and paid for, as if it
 * meant something.
 * @param template the approved one; null when it is not known, and then nothing is shortened.
 */
export function fitValues(choice: TemplateChoice, template: ListedTemplate | null): FittedChoice {
  const { params } = choice;
  if (params === undefined) return { choice, changes: [] };
  const approved = template === null ? null : readTemplate(template);
  const changes: FittedValue[] = [];
  const { cards } = params;
  const bodyLimit = approved?.offer ? LIMITS.templateOfferBody : LIMITS.templateBody;
  const fitted = {
    ...params,
    ...fitPart(params, approved, { path: "params", bodyLimit }, changes),
    ...(cards !== undefined && {
      cards: cards.map((card, index) => ({
        ...card,
        ...fitPart(
          card,
          approved?.cards?.[index] ?? null,
          { path: `params.cards[${index}]`, bodyLimit: LIMITS.templateCardBody },
          changes,
        ),
      })),
    }),
  };
  return changes.length === 0 ? { choice, changes } : { choice: { ...choice, params: fitted }, changes };
}

function fitPart(
  { header, body }: Given,
  approved: TemplatePart | null,
  { path, bodyLimit }: { readonly path: string; readonly bodyLimit: Limit },
  changes: FittedValue[],
): Given {
  const ofHeader = approved?.header?.kind === "text" ? approved.header : null;
  const inHeader = { approved: ofHeader, limit: LIMITS.templateHeader, path: `${path}.header.text` };
  const inBody = { approved: approved?.body ?? null, limit: bodyLimit, path: `${path}.body` };
  return {
    ...(header !== undefined && has(header, "text") && { header: { text: fit(header.text, inHeader, changes) } }),
    ...(body !== undefined && { body: fit(body, inBody, changes) }),
  };
}

function fit(values: TemplateValues, { approved, limit, path }: Room, changes: FittedValue[]): TemplateValues {
  const pathOf = ({ variable, index }: NamedValue) => (index === null ? `${path}.${variable}` : `${path}[${index}]`);
  const mended = withTexts(values, (named) => {
    const text = textOf(named.value);
    const line = toOneLine(text);
    if (line !== text)
      changes.push({ what: pathOf(named), from: "text with line breaks or wide gaps", to: "one line" });
    return line;
  });
  if (approved === null) return mended;
  const shortened = shortenValues(namedValues(mended), approved.text, limit.max);
  return withTexts(mended, (named) => {
    const text = textOf(named.value);
    const short = shortened.get(named.variable) ?? text;
    if (short !== text)
      changes.push({
        what: pathOf(named),
        from: `text of ${text.length} characters`,
        to: `${short.length} characters`,
      });
    return short;
  });
}
