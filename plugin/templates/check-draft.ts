/** A template as somebody wrote it, against what Meta takes: checked before Meta is asked, each problem with its path. */
import { type Check, flag, isFields, list, oneOf, optional, text } from "../messages/check-value.ts";
import { LIMITS, type Limit } from "../messages/limits.ts";
import { type Findings, type Place, type Problem, placeIn } from "../messages/problem.ts";
import { matching, oneLine, withoutMarkup } from "../messages/text-rules.ts";
import { variablesIn } from "./approved-template.ts";

export type Draft = {
  readonly name: unknown;
  readonly language: unknown;
  readonly category: unknown;
  readonly parameterFormat: unknown;
  readonly components: unknown;
  /** The sample of a media header comes from a file of the tenant's. */
  readonly hasSample: boolean;
};

type Fields = Readonly<Record<string, unknown>>;
type Format = "NAMED" | "POSITIONAL";
type Rules = { readonly format: Format; readonly body: Limit; readonly hasSample: boolean };

export const CATEGORIES = ["MARKETING", "UTILITY", "AUTHENTICATION"] as const;
const COMPONENTS = ["HEADER", "BODY", "FOOTER", "BUTTONS", "CAROUSEL", "LIMITED_TIME_OFFER"];
const HEADERS = ["TEXT", "IMAGE", "VIDEO", "DOCUMENT", "LOCATION"];
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
const ONCE = ["PHONE_NUMBER", "COPY_CODE", "OTP", "CATALOG", "MPM", "SPM", "VOICE_CALL", "REQUEST_CONTACT_INFO"];
/** Their label is Meta's. */
const WITHOUT_TEXT = ["COPY_CODE", "OTP"];

const name = text(
  LIMITS.templateName,
  matching(/^[a-z0-9_]*$/, "has other characters than a-z, 0-9 and _", "Write it in lower case, with _ for spaces."),
);
const language = text(
  { min: 2, max: 10 },
  matching(/^[a-z]{2,3}(_[A-Z]{2,3})?$/, "is no language of Meta's", "Write it as en, en_US or pt_BR."),
);

/** @see https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components */
export function checkDraft(draft: Draft): readonly Problem[] {
  const findings: Findings = { problems: [], advice: [] };
  const root = placeIn(findings);
  name(draft.name, root.member("name"));
  language(draft.language, root.member("language"));
  oneOf(...CATEGORIES)(draft.category, root.member("category"));
  optional(oneOf("NAMED", "POSITIONAL"))(draft.parameterFormat, root.member("parameterFormat"));
  const place = root.member("components");
  list({ min: 1, max: COMPONENTS.length }, anObject)(draft.components, place);
  if (!Array.isArray(draft.components) || findings.problems.some(({ path }) => path.startsWith("components")))
    return findings.problems;
  const components: readonly Fields[] = draft.components.filter(isFields);
  const types = components.map(({ type }) => upper(type));
  for (const [i, type] of types.entries()) {
    oneOf(...COMPONENTS)(type, place.item(i).member("type"));
    if (types.indexOf(type) !== i) place.item(i).report(`is a second ${type}`, "Give one of each type.");
  }
  if (!types.includes("BODY")) place.report("have no BODY", "Add one: it is the text of the template.");
  const format: Format = draft.parameterFormat === "NAMED" ? "NAMED" : "POSITIONAL";
  const body = types.includes("LIMITED_TIME_OFFER") ? LIMITS.templateOfferBody : LIMITS.templateBody;
  if (draft.category === "AUTHENTICATION") checkAuthentication(components, place);
  else checkParts(components, place, { format, body, hasSample: draft.hasSample });
  const carousel = types.indexOf("CAROUSEL");
  if (carousel !== -1)
    checkCards(components[carousel] as Fields, place.item(carousel).member("cards"), {
      format,
      body: LIMITS.templateCardBody,
      hasSample: false,
    });
  return findings.problems;
}

const anObject: Check = (value, place) => {
  if (!isFields(value)) place.report("is not an object", "Give a component as Meta spells it.");
};

function checkParts(components: readonly Fields[], place: Place, rules: Rules): void {
  for (const [i, component] of components.entries()) {
    const at = place.item(i);
    if (upper(component.type) === "HEADER") checkHeader(component, at, rules);
    if (upper(component.type) === "BODY") checkBody(component, at, rules);
    if (upper(component.type) === "FOOTER")
      text(LIMITS.templateFooter, oneLine, withoutVariables)(component.text, at.member("text"));
    if (upper(component.type) === "BUTTONS") checkButtons(component.buttons, at.member("buttons"));
  }
}

const withoutVariables = (value: string) =>
  variablesIn(value).length === 0 ? null : (["has a variable, which is not filled in here", "Leave it out."] as const);

function checkHeader(header: Fields, place: Place, { format, hasSample }: Rules): void {
  const kind = upper(header.format);
  oneOf(...HEADERS)(kind, place.member("format"));
  if (kind === "TEXT") {
    text(LIMITS.templateHeader, oneLine, withoutMarkup)(header.text, place.member("text"));
    if (typeof header.text !== "string") return;
    const variables = distinct(header.text);
    if (variables.length > 1) place.member("text").report("has more than one variable", "Leave at most one.", 1);
    checkVariables(variables, place.member("text"), format);
    checkExamples(variables, header.example, place.member("example"), {
      format,
      named: "header_text_named_params",
      positional: "header_text",
    });
    return;
  }
  if (kind === "LOCATION" || !HEADERS.includes(kind) || hasSample) return;
  const handles = isFields(header.example) ? header.example.header_handle : undefined;
  const handle = Array.isArray(handles) ? handles[0] : undefined;
  const sample = place.member("example");
  if (typeof handle !== "string" || handle === "")
    sample.report("is missing: Meta wants to see a sample", "Give headerMediaId, the id of a file from /media/upload.");
  else if (/^https?:/i.test(handle))
    sample.report(
      "is the address of a sample that Meta has, and is taken once only",
      "Give headerMediaId, the id of a file from /media/upload.",
    );
}

function checkBody(body: Fields, place: Place, { format, body: limit }: Rules): void {
  text(limit)(body.text, place.member("text"));
  if (typeof body.text !== "string") return;
  const at = place.member("text");
  const variables = distinct(body.text);
  if (/^\s*\{\{[^}]*\}\}|\{\{[^}]*\}\}\s*$/.test(body.text))
    at.report("begins or ends with a variable", "Put words, or a full stop, before and after it.");
  if (/\}\}\s*\{\{/.test(body.text)) at.report("has two variables next to each other", "Put words between them.");
  if (/\n{3,}/.test(body.text)) at.report("has more than two line breaks in a row", "Leave at most two.", 2);
  if (/ {5,}/.test(body.text)) at.report("has more than four spaces in a row", "Leave at most four.", 4);
  checkVariables(variables, at, format);
  checkExamples(variables, body.example, place.member("example"), {
    format,
    named: "body_text_named_params",
    positional: "body_text",
  });
}

/** Each once, in the order in which they come; also those that are misspelt. */
function distinct(value: string): readonly string[] {
  return [...new Set(Array.from(value.matchAll(/\{\{\s*([^}]*?)\s*\}\}/g), ([, variable = ""]) => variable))];
}

function checkVariables(variables: readonly string[], place: Place, format: Format): void {
  if (format === "NAMED" && !variables.every((one) => /^[a-z][a-z0-9_]*$/.test(one)))
    place.report(
      "has a variable that is no name",
      "Name each in lower case, as {{first_name}}, or set parameterFormat to POSITIONAL.",
    );
  if (format === "POSITIONAL" && !variables.every((one, i) => one === String(i + 1)))
    place.report(
      "has variables that are not numbered in order",
      "Number them {{1}}, {{2}}, … without a gap, or set parameterFormat to NAMED.",
    );
}

function checkExamples(
  variables: readonly string[],
  example: unknown,
  place: Place,
  { format, named, positional }: { readonly format: Format; readonly named: string; readonly positional: string },
): void {
  if (variables.length === 0) return;
  const given = isFields(example) ? example[format === "NAMED" ? named : positional] : undefined;
  const member = place.member(format === "NAMED" ? named : positional);
  if (format === "NAMED") {
    const names = (Array.isArray(given) ? given : [])
      .filter(isFields)
      .filter((one) => isText(one.example))
      .map((one) => one.param_name);
    const missing = variables.filter((one) => !names.includes(one));
    if (missing.length > 0)
      member.report("lacks an example for a variable", 'Give { "param_name", "example" } for each variable.');
    return;
  }
  // Of the body a list in a list, one set of examples.
  const values: unknown = positional === "body_text" && Array.isArray(given) ? given[0] : given;
  if (!Array.isArray(values) || values.length < variables.length || !values.every(isText))
    member.report(
      "lacks an example for a variable",
      `Give ${variables.length}, in the order of the variables${positional === "body_text" ? ", as a list in a list" : ""}.`,
    );
}

function checkButtons(given: unknown, place: Place): void {
  list({ min: 1, max: LIMITS.templateButtons.max }, checkButton)(given, place);
  if (!Array.isArray(given)) return;
  const types = given.map((button) => (isFields(button) ? upper(button.type) : ""));
  for (const type of ONCE)
    if (types.filter((one) => one === type).length > 1) place.report(`have more than one ${type}`, "Leave one.", 1);
  if (types.filter((one) => one === "URL").length > LIMITS.templateUrlButtons.max)
    place.report(
      "have too many addresses",
      `Leave at most ${LIMITS.templateUrlButtons.max}.`,
      LIMITS.templateUrlButtons.max,
    );
  const replies = types.filter((one) => one === "QUICK_REPLY").length;
  if (replies > 0 && types.lastIndexOf("QUICK_REPLY") - types.indexOf("QUICK_REPLY") >= replies)
    place.report("mix quick replies with others", "Put all quick replies together, before or after the others.");
}

const checkButton: Check = (value, place) => {
  if (!isFields(value)) return place.report("is not an object", "Give a button as Meta spells it.");
  const type = upper(value.type);
  oneOf(...BUTTONS)(type, place.member("type"));
  // Of this one it is Meta's in every language, and longer than another's may be.
  if (type === "REQUEST_CONTACT_INFO") return;
  const label = text(LIMITS.templateButtonText, oneLine, withoutVariables);
  (WITHOUT_TEXT.includes(type) ? optional(label) : label)(value.text, place.member("text"));
  if (type === "PHONE_NUMBER")
    text(LIMITS.templatePhone, matching(/^\+?\d+$/, "is no phone number", "Write it as +447700900123."))(
      value.phone_number,
      place.member("phone_number"),
    );
  if (type === "COPY_CODE") {
    const example = Array.isArray(value.example) ? value.example[0] : value.example;
    text(LIMITS.couponCode)(example, place.member("example"));
  }
  if (type === "URL") checkUrl(value, place);
};

function checkUrl({ url, example }: Fields, place: Place): void {
  const at = place.member("url");
  text(LIMITS.templateUrl)(url, at);
  if (typeof url !== "string" || url === "") return;
  if (!/^https?:\/\/\S+$/i.test(url)) at.report("is no web address", "Give a whole address that begins with https://.");
  if (/^https?:\/\/(www\.)?(wa\.me|(api|chat)\.whatsapp\.com)(\/|$)/i.test(url))
    at.report("leads into WhatsApp, which Meta refuses here", "Lead to a page of your own.");
  const variables = distinct(url);
  if (variables.length === 0) return;
  if (variables.length > 1 || !/\{\{1\}\}$/.test(url))
    at.report("has a variable elsewhere than at its end", "Write at most one, {{1}}, at the end.");
  const given: unknown = Array.isArray(example) ? example[0] : example;
  if (typeof given !== "string" || !/^https?:\/\/\S+$/i.test(given))
    place.member("example").report("is missing", "Give the whole address with the variable filled in, in a list.");
}

function checkCards({ cards }: Fields, place: Place, rules: Rules): void {
  list(LIMITS.templateCards, (card, at) => {
    if (!isFields(card) || !Array.isArray(card.components))
      return at.member("components").report("is not a list", "Give the components of the card.");
    checkParts(card.components.filter(isFields), at.member("components"), rules);
  })(cards, place);
}

/** Meta writes their texts by itself. */
function checkAuthentication(components: readonly Fields[], place: Place): void {
  for (const [i, component] of components.entries()) {
    const type = upper(component.type);
    if (type === "BODY") {
      if (component.text !== undefined)
        place.item(i).member("text").report("is Meta's own in this category", "Leave it out.");
      optional(flag)(component.add_security_recommendation, place.item(i).member("add_security_recommendation"));
    }
    if (type === "FOOTER") checkExpiry(component, place.item(i));
    if (type !== "BODY" && type !== "FOOTER" && type !== "BUTTONS")
      place.item(i).report("is not taken in this category", "Leave it out.");
  }
  const buttons = components.find(({ type }) => upper(type) === "BUTTONS")?.buttons;
  const hasCode = Array.isArray(buttons) && buttons.some((button) => isFields(button) && upper(button.type) === "OTP");
  if (!hasCode)
    place.report(
      "have no OTP button",
      'Add { "type": "BUTTONS", "buttons": [{ "type": "OTP", "otp_type": "COPY_CODE" }] }.',
    );
}

function checkExpiry({ text: words, code_expiration_minutes: minutes }: Fields, place: Place): void {
  if (words !== undefined) place.member("text").report("is Meta's own in this category", "Leave it out.");
  if (!Number.isInteger(minutes) || (minutes as number) < 1 || (minutes as number) > LIMITS.templateCodeMinutes.max)
    place
      .member("code_expiration_minutes")
      .report(
        `is no whole number from 1 to ${LIMITS.templateCodeMinutes.max}`,
        "Give one, or no FOOTER.",
        LIMITS.templateCodeMinutes.max,
      );
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value.trim() !== "";
}

function upper(value: unknown): string {
  return typeof value === "string" ? value.toUpperCase() : "";
}
