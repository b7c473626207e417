/** What Meta checks in the parameters of a template, against the template it has approved. */
import { isMedia, isObject, objectsOf } from "./accepts.ts";
import { type GraphAnswer, type GraphErrorSpec, refuse } from "./graph-error.ts";
import { refusalOfButtons, refusalOfCode } from "./template-button-rules.ts";
import {
  componentOf,
  formatMismatch,
  hasForbiddenSpace,
  type Part,
  parametersOf,
  textIn,
  upper,
  VARIABLE,
  variablesIn,
} from "./template-parts.ts";
import type { ListedTemplate } from "./templates.ts";
import type { WireObject } from "./wire.ts";

const IN_CARD = ["HEADER", "BODY", "BUTTON"];
const IN_TEMPLATE = [
  ...IN_CARD,
  "FOOTER",
  "CAROUSEL",
  "LIMITED_TIME_OFFER",
  "ORDER_STATUS",
  "TAP_TARGET_CONFIGURATION",
];
const MEDIA = ["IMAGE", "VIDEO", "DOCUMENT"];
const LONGEST_BODY = 1024;
const LONGEST_HEADER = 60;
const LONGEST_FOOTER = 60;

/** The first thing that Meta would refuse; null when it takes the template. */
export function refuseTemplate(template: WireObject, listed: ListedTemplate | undefined): GraphAnswer | null {
  const refusal = refusalOf(template, listed);
  return refusal === null ? null : refuse(refusal);
}

function refusalOf(template: WireObject, listed: ListedTemplate | undefined): GraphErrorSpec | null {
  const sent = objectsOf(template.components);
  const unreadable = refusalOfTypes(sent, IN_TEMPLATE);
  if (unreadable) return unreadable;
  if (listed?.status === "PAUSED") return { code: 132015, details: "The template is paused due to its low quality" };
  if (listed?.status === "DISABLED")
    return { code: 132016, details: "The template is disabled due to its low quality" };
  if (listed?.status !== "APPROVED") {
    const { code } = isObject(template.language) ? template.language : {};
    return { code: 132001, details: `template name (${template.name}) does not exist in ${code}` };
  }
  const isNamed = listed.parameterFormat === "NAMED";
  return (
    refusalOfPart({ sent, approved: listed.components, isNamed, isCard: false }) ??
    (listed.category === "AUTHENTICATION" ? refusalOfCode(sent) : null) ??
    refusalOfOffer(sent, listed.components) ??
    refusalOfCards(sent, listed.components, isNamed)
  );
}

/** Only components that there are, and of each but one; of buttons, one for each. */
function refusalOfTypes(sent: readonly WireObject[], known: readonly string[]): GraphErrorSpec | null {
  const types = sent.map(({ type }) => upper(type));
  if (types.some((type) => !known.includes(type)))
    return {
      code: 100,
      message: `(#100) Param template['components'][type] must be one of {${known.join(", ")}}.`,
    };
  const twice = types.find((type, index) => type !== "BUTTON" && types.indexOf(type) !== index);
  return twice === undefined ? null : { code: 100, details: `There is more than one component of type ${twice}` };
}

function refusalOfPart(part: Part): GraphErrorSpec | null {
  return (
    refusalOfHeader(part) ??
    refusalOfText("body", part, LONGEST_BODY) ??
    refusalOfText("footer", part, LONGEST_FOOTER) ??
    refusalOfButtons(part)
  );
}

function refusalOfHeader(part: Part): GraphErrorSpec | null {
  const format = upper(componentOf(part.approved, "HEADER")?.format);
  const [given] = parametersOf(part.sent, "HEADER");
  const received = given === undefined ? "UNKNOWN" : upper(given.type);
  if (format === "" || format === "TEXT")
    return MEDIA.includes(received) || received === "LOCATION"
      ? formatMismatch("header", format === "" ? "no header" : format, received)
      : refusalOfText("header", part, LONGEST_HEADER);
  if (received !== format) return formatMismatch("header", format, received);
  if (![...MEDIA, "LOCATION"].includes(format)) return null;
  const content = given?.[format.toLowerCase()];
  const isComplete =
    format === "LOCATION"
      ? isObject(content) && content.latitude !== undefined && content.longitude !== undefined
      : isMedia(content);
  return isComplete ? null : { code: 131008, details: `header: Parameter of type ${format} is missing its content` };
}

function refusalOfText(
  where: "header" | "body" | "footer",
  { sent, approved, isNamed }: Part,
  longest: number,
): GraphErrorSpec | null {
  const text = String(componentOf(approved, where)?.text ?? "");
  const variables = variablesIn(text);
  const parameters = parametersOf(sent, where);
  if (parameters.length !== variables.length)
    return {
      code: 132000,
      details: `${where}: number of localizable_params (${parameters.length}) does not match the expected number of params (${variables.length})`,
    };
  const names = parameters.map(({ parameter_name: name }, index) => (isNamed ? name : String(index + 1)));
  if (names.some((name) => typeof name !== "string" || name === ""))
    return { code: 100, message: "(#100) Invalid parameter", details: "Parameter name is missing or empty" };
  if (!isNamed && parameters.some(({ parameter_name: name }) => name !== undefined))
    return formatMismatch(where, "POSITIONAL", "NAMED");
  if (variables.some((variable) => !names.includes(variable)))
    return { code: 132000, details: `${where}: parameter names do not match those of the template` };
  const broken = parameters.map((parameter) => refusalOfValue(where, parameter)).find((refusal) => refusal !== null);
  if (broken) return broken;
  const shown = fillIn(text, parameters, isNamed);
  return shown.length > longest ? { code: 132005, details: `${where}: the translated text is too long` } : null;
}

function refusalOfValue(where: string, parameter: WireObject): GraphErrorSpec | null {
  const type = String(parameter.type);
  if (!["text", "currency", "date_time"].includes(type)) return formatMismatch(where, "TEXT", type.toUpperCase());
  const value = textIn(parameter);
  if (value === null || value.trim() === "")
    return { code: 131008, details: `${where}: Parameter of type ${type} is missing text value` };
  return hasForbiddenSpace(value)
    ? {
        code: 132018,
        details: `${where}: Param text cannot have new-line/tab characters or more than 4 consecutive spaces`,
      }
    : null;
}

function refusalOfOffer(sent: readonly WireObject[], approved: readonly WireObject[]): GraphErrorSpec | null {
  const component = componentOf(approved, "LIMITED_TIME_OFFER");
  const offer = component?.limited_time_offer;
  const [given] = parametersOf(sent, "LIMITED_TIME_OFFER");
  if (component === undefined) return given ? formatMismatch("limited_time_offer", "none", "LIMITED_TIME_OFFER") : null;
  return isObject(offer) && offer.has_expiration === true && given === undefined
    ? { code: 131008, details: "limited_time_offer: expiration_time_ms is required" }
    : null;
}

function refusalOfCards(
  sent: readonly WireObject[],
  approved: readonly WireObject[],
  isNamed: boolean,
): GraphErrorSpec | null {
  const cards = objectsOf(componentOf(approved, "CAROUSEL")?.cards);
  const given = objectsOf(componentOf(sent, "CAROUSEL")?.cards);
  if (cards.length !== given.length)
    return { code: 132012, details: `carousel: expected ${cards.length} cards, received ${given.length}` };
  for (const [index, card] of cards.entries()) {
    const one = given.find((other) => Number(other.card_index) === index);
    const part = { sent: objectsOf(one?.components), approved: objectsOf(card.components), isNamed, isCard: true };
    const refusal = refusalOfTypes(part.sent, IN_CARD) ?? refusalOfPart(part);
    if (refusal) return { ...refusal, details: `carousel card ${index}: ${refusal.details ?? ""}` };
  }
  return null;
}

/** The body as a person reads it. */
export function shownBody(template: WireObject, { components, parameterFormat }: ListedTemplate): string {
  const parameters = parametersOf(objectsOf(template.components), "BODY");
  return fillIn(String(componentOf(components, "BODY")?.text ?? ""), parameters, parameterFormat === "NAMED");
}

/** The quick replies that a person may press, with what the business hears of it. */
export function quickRepliesOf(
  template: WireObject,
  listed: ListedTemplate,
): readonly { readonly title: string; readonly payload: string }[] {
  const cards = objectsOf(componentOf(objectsOf(template.components), "CAROUSEL")?.cards);
  const approvedCards = objectsOf(componentOf(listed.components, "CAROUSEL")?.cards);
  return [
    ...quickRepliesIn(objectsOf(template.components), listed.components),
    ...approvedCards.flatMap((card, index) =>
      quickRepliesIn(objectsOf(cards[index]?.components), objectsOf(card.components)),
    ),
  ];
}

function quickRepliesIn(sent: readonly WireObject[], approved: readonly WireObject[]) {
  return objectsOf(componentOf(approved, "BUTTONS")?.buttons).flatMap((button, index) => {
    if (upper(button.type) !== "QUICK_REPLY") return [];
    const title = String(button.text);
    const given = sent.find((component) => upper(component.type) === "BUTTON" && Number(component.index) === index);
    const [parameter] = objectsOf(given?.parameters);
    return [{ title, payload: String(parameter?.payload ?? title) }];
  });
}

function fillIn(text: string, parameters: readonly WireObject[], isNamed: boolean): string {
  const values = new Map(
    parameters.map((parameter, index) => [
      isNamed ? String(parameter.parameter_name) : String(index + 1),
      textIn(parameter) ?? "",
    ]),
  );
  return text.replace(VARIABLE, (variable, name: string) => values.get(name) ?? variable);
}
