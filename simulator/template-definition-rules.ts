/** What Meta checks in a template that is to be created or edited, before anybody reviews it. */
import { isObject, objectsOf } from "./accepts.ts";
import type { GraphErrorSpec } from "./graph-error.ts";
import type { WireObject } from "./wire.ts";

/** The parts of a template that are checked. */
export type TemplateDraft = {
  readonly category: string;
  readonly parameterFormat: "NAMED" | "POSITIONAL";
  readonly components: readonly WireObject[];
};

/** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components */
const LONGEST = { header: 60, body: 1024, cardBody: 160, offerBody: 600, footer: 60, button: 25, url: 2000, phone: 20 };
const MOST_BUTTONS = 10;
const MOST_OF: Readonly<Record<string, number>> = {
  URL: 2,
  PHONE_NUMBER: 1,
  COPY_CODE: 1,
  VOICE_CALL: 1,
  OTP: 1,
  REQUEST_CONTACT_INFO: 1,
};
const BUTTONS = [
  "QUICK_REPLY",
  "URL",
  "PHONE_NUMBER",
  "COPY_CODE",
  "FLOW",
  "OTP",
  "CATALOG",
  "MPM",
  "SPM",
  "VOICE_CALL",
  "ORDER_DETAILS",
  "REQUEST_CONTACT_INFO",
];
const HEADERS = ["TEXT", "IMAGE", "VIDEO", "DOCUMENT", "LOCATION"];
const COMPONENTS = ["HEADER", "BODY", "FOOTER", "BUTTONS", "CAROUSEL", "LIMITED_TIME_OFFER"];
/** Fewer words than this for each variable, and the text says too little. Meta does not publish its figure. */
const WORDS_PER_VARIABLE = 3;

const SUBCODES = {
  missing: 2388043,
  length: 2388040,
  header: 2388047,
  body: 2388072,
  footer: 2388073,
  ratio: 2388293,
  edges: 2388299,
} as const;

/** The first thing that Meta would refuse; null when it goes on to review. */
export function refuseDraft(draft: TemplateDraft): GraphErrorSpec | null {
  const types = draft.components.map(({ type }) => upper(type));
  const unknown = types.find((type) => !COMPONENTS.includes(type));
  if (unknown !== undefined) return refusal("Invalid parameter", `Component of type ${unknown} is not known`);
  const twice = types.find((type, index) => types.indexOf(type) !== index);
  if (twice !== undefined) return refusal("Invalid parameter", `There is more than one component of type ${twice}`);
  if (!types.includes("BODY")) return missing("BODY component");
  if (draft.category === "AUTHENTICATION") return refuseAuthentication(draft.components);
  const longestBody = types.includes("LIMITED_TIME_OFFER") ? LONGEST.offerBody : LONGEST.body;
  return refuseParts(draft.components, draft.parameterFormat, longestBody) ?? refuseCards(draft);
}

function refuseParts(
  components: readonly WireObject[],
  format: TemplateDraft["parameterFormat"],
  longestBody: number,
): GraphErrorSpec | null {
  for (const component of components) {
    const refused = refuseComponent(component, format, longestBody);
    if (refused) return refused;
  }
  return null;
}

function refuseComponent(
  component: WireObject,
  format: TemplateDraft["parameterFormat"],
  longestBody: number,
): GraphErrorSpec | null {
  switch (upper(component.type)) {
    case "HEADER":
      return refuseHeader(component, format);
    case "BODY":
      return refuseBody(component, format, longestBody);
    case "FOOTER":
      return refuseFooter(component);
    case "BUTTONS":
      return refuseButtons(objectsOf(component.buttons));
    default:
      return null;
  }
}

function refuseHeader(header: WireObject, format: TemplateDraft["parameterFormat"]): GraphErrorSpec | null {
  const kind = upper(header.format);
  if (!HEADERS.includes(kind)) return refusal("Invalid header", `Header format ${kind || "(none)"} is not known`);
  const example = isObject(header.example) ? header.example : {};
  if (kind === "LOCATION") return null;
  if (kind !== "TEXT") {
    const [handle] = Array.isArray(example.header_handle) ? example.header_handle : [];
    if (typeof handle !== "string" || handle === "") return missing("example", "HEADER");
    return handle.startsWith("4::")
      ? null
      : refusal("Invalid media handle", "header_handle is none that the resumable upload gave");
  }
  const text = textOf(header.text);
  if (text === null) return missing("text", "HEADER");
  if (text.length > LONGEST.header) return tooLong("HEADER", LONGEST.header);
  const variables = variablesIn(text);
  if (variables.length > 1 || /[\r\n*_~`]/.test(text))
    return refusal(
      "Message header format is incorrect",
      "The message header can't have new lines, formatting characters or more than one variable",
      SUBCODES.header,
    );
  const examples = format === "NAMED" ? example.header_text_named_params : example.header_text;
  return refuseVariables(variables, format, "HEADER") ?? refuseExamples(variables, examples, format, "HEADER");
}

function refuseBody(
  body: WireObject,
  format: TemplateDraft["parameterFormat"],
  longest: number,
): GraphErrorSpec | null {
  const text = textOf(body.text);
  if (text === null || text.trim() === "") return missing("text", "BODY");
  if (text.length > longest) return tooLong("BODY", longest);
  if (/\n{3,}| {5,}/.test(text))
    return refusal(
      "Message body format is incorrect",
      "The message body can't have more than two consecutive new lines or four consecutive spaces",
      SUBCODES.body,
    );
  const variables = variablesIn(text);
  if (/^\s*\{\{[^}]*\}\}|\{\{[^}]*\}\}\s*$/.test(text))
    return refusal(
      "Leading or trailing params",
      "Variables can't be at the start or end of the template.",
      SUBCODES.edges,
    );
  const words = text.replace(VARIABLE, " ").split(/\s+/).filter(Boolean).length;
  if (words < variables.length * WORDS_PER_VARIABLE)
    return refusal(
      "Too many variables for the length",
      "This template has too many variables for its length. Reduce the number of variables or make the message longer.",
      SUBCODES.ratio,
    );
  const example = isObject(body.example) ? body.example : {};
  const positional = Array.isArray(example.body_text) ? (example.body_text[0] as unknown) : undefined;
  const examples = format === "NAMED" ? example.body_text_named_params : positional;
  return refuseVariables(variables, format, "BODY") ?? refuseExamples(variables, examples, format, "BODY");
}

function refuseFooter(footer: WireObject): GraphErrorSpec | null {
  const text = textOf(footer.text);
  if (text === null || text.trim() === "") return missing("text", "FOOTER");
  if (text.length > LONGEST.footer) return tooLong("FOOTER", LONGEST.footer);
  return /\{\{|[\r\n]/.test(text)
    ? refusal(
        "Message footer format is incorrect",
        "The message footer can't have variables or new lines",
        SUBCODES.footer,
      )
    : null;
}

function refuseVariables(
  variables: readonly string[],
  format: TemplateDraft["parameterFormat"],
  where: "HEADER" | "BODY",
): GraphErrorSpec | null {
  const isRight = (name: string, index: number) =>
    format === "NAMED" ? /^[a-z][a-z0-9_]*$/.test(name) : name === String(index + 1);
  return variables.every(isRight)
    ? null
    : refusal(
        `Message ${where.toLowerCase()} format is incorrect`,
        format === "NAMED"
          ? "Named variables have lower-case letters, digits and underscores"
          : "Variables are numbered {{1}}, {{2}}, … without a gap",
        where === "HEADER" ? SUBCODES.header : SUBCODES.body,
      );
}

function refuseExamples(
  variables: readonly string[],
  examples: unknown,
  format: TemplateDraft["parameterFormat"],
  where: "HEADER" | "BODY",
): GraphErrorSpec | null {
  if (variables.length === 0) return null;
  const names =
    format === "NAMED"
      ? objectsOf(examples).map(({ param_name: name }) => String(name))
      : (Array.isArray(examples) ? examples : []).map((_, index) => String(index + 1));
  return variables.every((name) => names.includes(name)) ? null : missing("example", where);
}

function refuseButtons(buttons: readonly WireObject[]): GraphErrorSpec | null {
  if (buttons.length === 0) return missing("buttons", "BUTTONS");
  if (buttons.length > MOST_BUTTONS)
    return refusal("Too many buttons", `A template has at most ${MOST_BUTTONS} buttons`);
  const types = buttons.map(({ type }) => upper(type));
  for (const [type, most] of Object.entries(MOST_OF))
    if (types.filter((one) => one === type).length > most)
      return refusal("Too many buttons", `A template has at most ${most} buttons of type ${type}`);
  const replies = types.filter((type) => type === "QUICK_REPLY").length;
  if (replies > 0 && types.lastIndexOf("QUICK_REPLY") - types.indexOf("QUICK_REPLY") >= replies)
    return refusal("Invalid button order", "Quick reply buttons stand together, before or after the others");
  for (const button of buttons) {
    const refused = refuseButton(button);
    if (refused) return refused;
  }
  return null;
}

function refuseButton(button: WireObject): GraphErrorSpec | null {
  const type = upper(button.type);
  if (!BUTTONS.includes(type)) return refusal("Invalid parameter", `Button of type ${type || "(none)"} is not known`);
  // Its label is Meta's in every language, and longer than another's may be.
  if (type === "REQUEST_CONTACT_INFO") return null;
  const text = textOf(button.text);
  if (text === null && !["COPY_CODE", "OTP"].includes(type)) return missing("text", "BUTTONS");
  if (text !== null && text.length > LONGEST.button) return tooLong("BUTTONS", LONGEST.button);
  if (type === "PHONE_NUMBER" && !/^\+?\d{1,20}$/.test(String(button.phone_number ?? "")))
    return refusal("Invalid phone number", `phone_number has at most ${LONGEST.phone} digits`);
  if (type === "COPY_CODE" && button.example === undefined) return missing("example", "BUTTONS");
  return type === "URL" ? refuseUrl(button) : null;
}

function refuseUrl({ url, example }: WireObject): GraphErrorSpec | null {
  const address = textOf(url);
  if (address === null) return missing("url", "BUTTONS");
  if (address.length > LONGEST.url) return tooLong("BUTTONS", LONGEST.url);
  if (!/^https?:\/\/\S+$/.test(address) || /^https?:\/\/(www\.)?(wa\.me|api\.whatsapp\.com)\//.test(address))
    return refusal("Invalid URL", "A button's URL is a web address, and not one of WhatsApp");
  const variables = variablesIn(address);
  if (variables.length === 0) return null;
  if (variables.length > 1 || !address.endsWith("{{1}}"))
    return refusal("Invalid URL", "A button's URL has at most one variable, at its end");
  const [given] = Array.isArray(example) ? example : [];
  return typeof given === "string" && /^https?:\/\//.test(given) ? null : missing("example", "BUTTONS");
}

function refuseCards({ components, parameterFormat }: TemplateDraft): GraphErrorSpec | null {
  const carousel = components.find(({ type }) => upper(type) === "CAROUSEL");
  if (carousel === undefined) return null;
  const cards = objectsOf(carousel.cards);
  if (cards.length < 2 || cards.length > 10) return refusal("Invalid carousel", "A carousel has 2 to 10 cards");
  for (const card of cards) {
    const refused = refuseParts(objectsOf(card.components), parameterFormat, LONGEST.cardBody);
    if (refused) return refused;
  }
  return null;
}

function refuseAuthentication(components: readonly WireObject[]): GraphErrorSpec | null {
  const body = components.find(({ type }) => upper(type) === "BODY");
  if (body?.text !== undefined)
    return refusal("Invalid parameter", "The text of an authentication template is Meta's own: leave text away");
  const buttons = objectsOf(components.find(({ type }) => upper(type) === "BUTTONS")?.buttons);
  return buttons.some(({ type }) => upper(type) === "OTP") ? null : missing("OTP button", "BUTTONS");
}

/** Why the review says no, which it finds in the text; null: nothing speaks against it. */
export function faultInReview(components: readonly WireObject[]): { reason: string; recommendation: string } | null {
  const text = textOf(components.find(({ type }) => upper(type) === "BODY")?.text) ?? "";
  return /\}\}\s*\{\{/.test(text)
    ? { reason: "Variables stand next to each other", recommendation: "Put words between the variables." }
    : null;
}

/** What a text is about that calls itself a service message and sells something: Meta files it where it belongs. */
export function soundsLikeMarketing(components: readonly WireObject[]): boolean {
  const text = components.map(({ text }) => textOf(text) ?? "").join("\n");
  return /\b(discount|sale|promo(tion)?|special offer|coupon)\b|% off/i.test(text);
}

function missing(field: string, where?: string): GraphErrorSpec {
  return refusal(
    'Message template "components" param is missing expected field(s)',
    where === undefined
      ? `missing expected field(s) (${field})`
      : `component of type ${where} is missing expected field(s) (${field})`,
    SUBCODES.missing,
  );
}

function tooLong(where: string, most: number): GraphErrorSpec {
  return refusal(
    "Character limit exceeded",
    `component of type ${where} has more than ${most} characters`,
    SUBCODES.length,
  );
}

function refusal(userTitle: string, userMessage: string, subcode?: number): GraphErrorSpec {
  return { code: 100, message: "Invalid parameter", userTitle, userMessage, ...(subcode !== undefined && { subcode }) };
}

const VARIABLE = /\{\{\s*([^}]*?)\s*\}\}/g;

function variablesIn(text: string): readonly string[] {
  return [...new Set(Array.from(text.matchAll(VARIABLE), ([, name = ""]) => name))];
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function upper(value: unknown): string {
  return typeof value === "string" ? value.toUpperCase() : "";
}
