/** What Meta checks in the parameters of a template, against the template it has approved. */
import { isMedia, isObject, objectsOf } from "./accepts.ts";
import { type GraphAnswer, type GraphErrorSpec, refuse } from "./graph-error.ts";
import type { ListedTemplate } from "./templates.ts";
import type { WireObject } from "./wire.ts";

/** The components that were sent, and those that were approved: of the whole template, or of one card. */
type Part = {
  readonly sent: readonly WireObject[];
  readonly approved: readonly WireObject[];
  readonly isNamed: boolean;
};

const MEDIA = ["IMAGE", "VIDEO", "DOCUMENT"];
const LONGEST_BODY = 1024;
const LONGEST_HEADER = 60;

/** The first thing that Meta would refuse; null when it takes the template. */
export function refuseTemplate(template: WireObject, listed: ListedTemplate | undefined): GraphAnswer | null {
  const refusal = refusalOf(template, listed);
  return refusal === null ? null : refuse(refusal);
}

function refusalOf(template: WireObject, listed: ListedTemplate | undefined): GraphErrorSpec | null {
  if (listed?.status === "PAUSED") return { code: 132015, details: "The template is paused due to its low quality" };
  if (listed?.status === "DISABLED")
    return { code: 132016, details: "The template is disabled due to its low quality" };
  if (listed?.status !== "APPROVED") {
    const { code } = isObject(template.language) ? template.language : {};
    return { code: 132001, details: `template name (${template.name}) does not exist in ${code}` };
  }
  const isNamed = listed.parameterFormat === "NAMED";
  const sent = objectsOf(template.components);
  return (
    refusalOfPart({ sent, approved: listed.components, isNamed }) ??
    refusalOfOffer(sent, listed.components) ??
    refusalOfCards(sent, { approved: listed.components, isNamed })
  );
}

function refusalOfPart(part: Part): GraphErrorSpec | null {
  return refusalOfHeader(part) ?? refusalOfText("body", part, LONGEST_BODY) ?? refusalOfButtons(part);
}

function refusalOfHeader(part: Part): GraphErrorSpec | null {
  const format = upper(componentOf(part.approved, "HEADER")?.format);
  const [given] = parametersOf(part.sent, "HEADER");
  const received = given === undefined ? "UNKNOWN" : upper(given.type);
  if (format === "" || format === "TEXT")
    return MEDIA.includes(received) || received === "LOCATION"
      ? formatMismatch("header", format === "" ? "no header" : format, received)
      : refusalOfText("header", part, LONGEST_HEADER);
  if (![...MEDIA, "LOCATION"].includes(format)) return null;
  if (received !== format) return formatMismatch("header", format, received);
  const content = given?.[format.toLowerCase()];
  const isComplete =
    format === "LOCATION"
      ? isObject(content) && content.latitude !== undefined && content.longitude !== undefined
      : isMedia(content);
  return isComplete ? null : { code: 131008, details: `header: Parameter of type ${format} is missing its content` };
}

function formatMismatch(where: string, expected: string, received: string): GraphErrorSpec {
  return { code: 132012, details: `${where}: Format mismatch, expected ${expected}, received ${received}` };
}

function refusalOfText(
  where: "header" | "body",
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
  return /[\n\r\t]| {5,}/.test(value)
    ? {
        code: 132018,
        details: `${where}: Param text cannot have new-line/tab characters or more than 4 consecutive spaces`,
      }
    : null;
}

/** What each type of button must be given; the others may be given something, or take nothing at all. */
const NEEDED: Readonly<Record<string, string>> = {
  COPY_CODE: "copy_code",
  OTP: "url",
  MPM: "mpm",
  ORDER_DETAILS: "order_details",
};
const TAKEN: Readonly<Record<string, string>> = {
  ...NEEDED,
  URL: "url",
  QUICK_REPLY: "quick_reply",
  FLOW: "flow",
  CATALOG: "catalog",
  VOICE_CALL: "voice_call",
};

function refusalOfButtons({ sent, approved }: Part): GraphErrorSpec | null {
  const buttons = objectsOf(componentOf(approved, "BUTTONS")?.buttons);
  const given = sent.filter(({ type }) => upper(type) === "BUTTON");
  for (const { index, sub_type: subType } of given) {
    const type = upper(buttons[Number(index)]?.type);
    if (TAKEN[type] !== String(subType).toLowerCase())
      return formatMismatch(`button at index ${index}`, type === "" ? "no button" : type, upper(subType));
  }
  for (const [index, button] of buttons.entries()) {
    const type = upper(button.type);
    const isNeeded = type in NEEDED || (type === "URL" && variablesIn(String(button.url)).length > 0);
    const one = given.find((component) => Number(component.index) === index);
    if (isNeeded && objectsOf(one?.parameters).length === 0)
      return { code: 131008, details: `buttons: Button at index ${index} of type ${type} requires a parameter` };
  }
  return null;
}

function refusalOfOffer(sent: readonly WireObject[], approved: readonly WireObject[]): GraphErrorSpec | null {
  const offer = componentOf(approved, "LIMITED_TIME_OFFER")?.limited_time_offer;
  const expires = isObject(offer) && offer.has_expiration === true;
  const isGiven = parametersOf(sent, "LIMITED_TIME_OFFER").length > 0;
  return expires && !isGiven ? { code: 131008, details: "limited_time_offer: expiration_time_ms is required" } : null;
}

function refusalOfCards(sent: readonly WireObject[], { approved, isNamed }: Omit<Part, "sent">): GraphErrorSpec | null {
  const cards = objectsOf(componentOf(approved, "CAROUSEL")?.cards);
  const given = objectsOf(componentOf(sent, "CAROUSEL")?.cards);
  if (cards.length !== given.length)
    return { code: 132012, details: `carousel: expected ${cards.length} cards, received ${given.length}` };
  for (const [index, card] of cards.entries()) {
    const one = given.find((other) => Number(other.card_index) === index);
    const refusal = refusalOfPart({ sent: objectsOf(one?.components), approved: objectsOf(card.components), isNamed });
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

const VARIABLE = /\{\{\s*(\w+)\s*\}\}/g;

function variablesIn(text: string): readonly string[] {
  return [...new Set(Array.from(text.matchAll(VARIABLE), ([, name = ""]) => name))];
}

function textIn(parameter: WireObject): string | null {
  const content = parameter[String(parameter.type)];
  const value = isObject(content) ? content.fallback_value : content;
  return typeof value === "string" ? value : null;
}

function componentOf(components: readonly WireObject[], type: string): WireObject | undefined {
  return components.find((component) => upper(component.type) === upper(type));
}

function parametersOf(components: readonly WireObject[], type: string): readonly WireObject[] {
  return objectsOf(componentOf(components, type)?.parameters);
}

function upper(value: unknown): string {
  return typeof value === "string" ? value.toUpperCase() : "";
}
