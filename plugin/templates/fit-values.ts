/** The values of a template → values that Meta takes: on one line, none empty, no longer than the template may become. Pure. */
import type { Degradation, TemplateChoice, TemplateParams, TemplateValues } from "../contract.ts";
import { isFields } from "../messages/check-value.ts";
import { has } from "../messages/has.ts";
import { LIMITS, type Limit } from "../messages/limits.ts";
import type { ApprovedTemplate, TemplatePart, VariableText } from "./approved-template.ts";
import { toOneLine } from "./one-line.ts";
import { shortenValues } from "./shorten-values.ts";
import { type NamedValue, namedValues, withTexts } from "./template-values.ts";

/** A change to a value; `what` is its place in the choice: `params.body[0]`. */
export type FittedValue = Omit<Degradation, "part">;

/** Stands where there is nothing to say: Meta refuses an empty value, and with it the whole message. */
const NOTHING = "–";

type Given = Pick<TemplateParams, "header" | "body">;
type Room = { readonly approved: VariableText | null; readonly limit: Limit; readonly path: string };

/**
 * Line breaks, tabs and long runs of spaces are mended, an empty value is shown as a dash, and what would make the
 * filled-in text too long is shortened. Only the variables of texts: a link, a code or a payload is right or wrong.
 * @param choice what is no choice at all in some place comes back as it is there.
 * @param approved null when it is not known, and then nothing is shortened.
 */
export function fitValues<Choice extends TemplateChoice>(
  choice: Choice,
  approved: ApprovedTemplate | null,
): { readonly choice: Choice; readonly changes: readonly FittedValue[] } {
  const { params } = choice;
  if (!isFields(params)) return { choice, changes: [] };
  const changes: FittedValue[] = [];
  const { cards } = params;
  const bodyLimit = approved?.offer ? LIMITS.templateOfferBody : LIMITS.templateBody;
  const fitted = {
    ...params,
    ...fitPart(params, approved, { path: "params", bodyLimit }, changes),
    ...(Array.isArray(cards) && { cards: cards.map((card, index) => fitCard(card, index, approved, changes)) }),
  };
  return changes.length === 0 ? { choice, changes } : { choice: { ...choice, params: fitted }, changes };
}

function fitCard(card: Given, index: number, approved: ApprovedTemplate | null, changes: FittedValue[]): Given {
  if (!isFields(card)) return card;
  const room = { path: `params.cards[${index}]`, bodyLimit: LIMITS.templateCardBody };
  return { ...card, ...fitPart(card, approved?.cards?.[index] ?? null, room, changes) };
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
    ...(isFields(header) && has(header, "text") && { header: { text: fitTexts(header.text, inHeader, changes) } }),
    ...(body !== undefined && { body: fitTexts(body, inBody, changes) }),
  };
}

function fitTexts(values: TemplateValues, { approved, limit, path }: Room, changes: FittedValue[]): TemplateValues {
  if (typeof values !== "object" || values === null) return values;
  const pathOf = ({ variable, index }: NamedValue) => (index === null ? `${path}.${variable}` : `${path}[${index}]`);
  const mended = withTexts(values, (named, text) => {
    const line = toOneLine(text);
    const shown = line.trim() === "" ? NOTHING : line;
    if (shown !== text)
      changes.push({
        what: pathOf(named),
        ...(shown === NOTHING
          ? { from: "empty value", to: "dash" }
          : { from: "text with line breaks or wide gaps", to: "one line" }),
      });
    return shown;
  });
  if (approved === null) return mended;
  const shortened = shortenValues(namedValues(mended), approved.text, limit.max);
  return withTexts(mended, (named, text) => {
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
