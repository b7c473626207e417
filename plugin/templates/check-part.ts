/** The header, body and buttons of a template or of one of its cards, against what is to be filled into them. */
import type { TemplateParams, TemplateValues } from "../contract.ts";
import { has } from "../messages/has.ts";
import { LIMITS, type Limit } from "../messages/limits.ts";
import type { Place } from "../messages/problem.ts";
import type { KnownTemplate } from "../ports.ts";
import { type ApprovedHeader, fillIn, type TemplatePart, type VariableText } from "./approved-template.ts";
import { isPositional, namedValues, textOf } from "./template-values.ts";

type Given = Pick<TemplateParams, "header" | "body" | "buttons">;
type Rules = { readonly format: KnownTemplate["parameterFormat"]; readonly bodyLimit: Limit };

export function checkPart(given: Given, part: TemplatePart, place: Place, { format, bodyLimit }: Rules): void {
  checkHeader(given.header, part.header, place.member("header"), format);
  checkValues(given.body, part.body, place.member("body"), { format, limit: bodyLimit });
  checkButtons(given.buttons ?? [], part.buttons, place.member("buttons"));
}

function checkHeader(
  given: Given["header"],
  approved: ApprovedHeader | null,
  place: Place,
  format: Rules["format"],
): void {
  const kind = given === undefined ? null : kindOf(given);
  if (approved === null) {
    if (kind !== null) place.report("is nothing that this template has", "Leave it out.");
  } else if (approved.kind === "other")
    place.report(
      "is of a kind that has no parameters here",
      "Send another template: a header can be a text, an image, a video, a document, a location or a product.",
    );
  else if (approved.kind !== "text") checkKind(kind, approved.kind, place);
  else if (kind !== null && kind !== "text") place.report("is a text in this template", "Give its text.");
  else {
    const values = given !== undefined && has(given, "text") ? given.text : undefined;
    checkValues(values, approved, place.member("text"), { format, limit: LIMITS.templateHeader });
  }
}

function checkKind(given: string | null, approved: string, place: Place): void {
  if (given === approved) return;
  place.report(
    given === null ? `is missing: the template has one of the kind ${approved}` : `is not ${approved}, as approved`,
    `Give the ${approved} each time: the one it was approved with is an example only.`,
  );
}

function kindOf(header: NonNullable<Given["header"]>): Exclude<ApprovedHeader["kind"], "other"> {
  if (has(header, "text")) return "text";
  if (has(header, "product")) return "product";
  return has(header, "location") ? "location" : header.media;
}

function checkValues(
  values: TemplateValues | undefined,
  { text, variables }: VariableText,
  place: Place,
  { format, limit }: { readonly format: Rules["format"]; readonly limit: Limit },
): void {
  const given = namedValues(values);
  const names = variables.join(", ");
  if (variables.length === 0) {
    if (given.length > 0) place.report("has values, and this template no variables for them", "Leave it out.");
  } else if (values === undefined)
    place.report(`is missing, for the variables ${names}`, "Give each of them a value.", variables.length);
  else if (format === "NAMED" && isPositional(values))
    place.report("is a list, and the variables have names", `Give an object with ${names}.`);
  else if (format !== "NAMED" && !isPositional(values))
    place.report("is an object, and the variables have numbers", "Give a list, in the order of the numbers.");
  else if (
    format === "NAMED" ? checkNames(given, variables, place) : checkCount(given.length, variables.length, place)
  ) {
    const filled = fillIn(text, new Map(given.map(({ variable, value }) => [variable, textOf(value)])));
    if (filled.length > limit.max)
      place.report(
        `makes it longer than ${limit.max} UTF-16 units, filled in`,
        "Shorten the values, or the text of the template.",
        limit.max,
      );
  }
}

function checkCount(given: number, needed: number, place: Place): boolean {
  if (given === needed) return true;
  place.report(
    `has ${given < needed ? "fewer" : "more"} values than the template has variables: ${needed}`,
    "Give one for each, in the order of their numbers.",
    needed,
  );
  return false;
}

function checkNames(
  given: readonly { readonly variable: string }[],
  variables: readonly string[],
  place: Place,
): boolean {
  const names = given.map(({ variable }) => variable);
  const missing = variables.filter((variable) => !names.includes(variable));
  const unknown = names.filter((name) => !variables.includes(name));
  for (const name of missing) place.member(name).report("is missing", "Give this variable a value.");
  for (const name of unknown)
    place.member(name).report("is no variable of this template", `Leave it out; it has ${variables.join(", ")}.`);
  return missing.length === 0 && unknown.length === 0;
}

function checkButtons(given: NonNullable<Given["buttons"]>, approved: TemplatePart["buttons"], place: Place): void {
  given.forEach(({ index, kind }, at) => {
    const takes = approved[index]?.takes;
    if (takes === undefined)
      place.item(at).member("index").report("is beyond the buttons of this template", "Count its buttons from 0.");
    else if (takes !== kind)
      place
        .item(at)
        .member("kind")
        .report(
          "is not what this button takes",
          takes === null ? "Leave the button out: it takes nothing." : `Give it as ${takes}.`,
        );
  });
  approved.forEach(({ takes, isRequired }, index) => {
    if (isRequired && !given.some((button) => button.index === index))
      place.report(`has nothing for button ${index}`, `Give that button its ${takes}.`);
  });
}
