/** A template with the parameters that were sent: what a person reads, and what there is to press. */
import { objectOf, objectsOf, textOf, upper } from "./wire.js";

/**
 * @typedef {import("./wire.js").Wire} Wire
 * @typedef {{ readonly parameterFormat?: string, readonly components: readonly Wire[] }} Listed a template as the account has it
 * @typedef {{ readonly type: string, readonly text: string, readonly id: string, readonly url: string | null }} TemplateButton
 * @typedef {{ readonly header: { readonly format: string, readonly text: string, readonly content: Wire } | null, readonly body: string, readonly footer: string, readonly offer: string, readonly buttons: readonly TemplateButton[] }} TemplatePart
 */

const VARIABLE = /\{\{\s*(\w+)\s*\}\}/g;

/**
 * @param {Wire} template `template` of a message, as it was posted
 * @param {Listed} listed
 * @returns {TemplatePart & { readonly cards: readonly TemplatePart[] }}
 */
export function fillTemplate(template, listed) {
  const sent = objectsOf(template.components);
  const isNamed = upper(listed.parameterFormat) === "NAMED";
  const sentCards = objectsOf(componentOf(sent, "CAROUSEL")?.cards);
  const cards = objectsOf(componentOf(listed.components, "CAROUSEL")?.cards);
  return {
    ...fillPart(sent, listed.components, isNamed),
    cards: cards.map((card, index) =>
      fillPart(
        objectsOf(sentCards.find((one) => Number(one.card_index) === index)?.components),
        objectsOf(card.components),
        isNamed,
      ),
    ),
  };
}

/**
 * @param {readonly Wire[]} sent
 * @param {readonly Wire[]} approved
 * @param {boolean} isNamed
 * @returns {TemplatePart}
 */
function fillPart(sent, approved, isNamed) {
  const header = componentOf(approved, "HEADER");
  const headerSent = objectsOf(componentOf(sent, "HEADER")?.parameters);
  const format = upper(header?.format) || "TEXT";
  const offer = objectOf(componentOf(approved, "LIMITED_TIME_OFFER")?.limited_time_offer);
  return {
    header: header
      ? {
          format,
          text: fillIn(textOf(header.text), headerSent, isNamed),
          content: objectOf(headerSent[0]?.[format.toLowerCase()]),
        }
      : null,
    body: fillIn(
      textOf(componentOf(approved, "BODY")?.text),
      objectsOf(componentOf(sent, "BODY")?.parameters),
      isNamed,
    ),
    footer: textOf(componentOf(approved, "FOOTER")?.text),
    offer: textOf(offer.text),
    buttons: objectsOf(componentOf(approved, "BUTTONS")?.buttons).map((button, index) =>
      fillButton(
        button,
        sent.find((one) => upper(one.type) === "BUTTON" && Number(one.index) === index),
      ),
    ),
  };
}

/**
 * @param {Wire} button
 * @param {Wire | undefined} sent
 * @returns {TemplateButton}
 */
function fillButton(button, sent) {
  const [parameter] = objectsOf(sent?.parameters);
  const type = upper(button.type);
  const text = textOf(button.text);
  const value = textOf(parameter?.[textOf(parameter?.type)]);
  switch (type) {
    case "URL":
      return { type, text, id: "", url: textOf(button.url).replace(VARIABLE, value) };
    case "PHONE_NUMBER":
      return { type, text, id: "", url: `tel:${textOf(button.phone_number)}` };
    case "COPY_CODE":
      return { type, text: text || "Copy offer code", id: value, url: null };
    case "OTP":
      return { type, text: text || "Copy code", id: value, url: null };
    default:
      return { type, text, id: textOf(parameter?.payload) || text, url: null };
  }
}

/**
 * @param {string} text
 * @param {readonly Wire[]} parameters
 * @param {boolean} isNamed
 */
function fillIn(text, parameters, isNamed) {
  const values = new Map(
    parameters.map((parameter, index) => {
      const content = parameter[textOf(parameter.type)];
      return [
        isNamed ? textOf(parameter.parameter_name) : String(index + 1),
        textOf(content) || textOf(objectOf(content).fallback_value),
      ];
    }),
  );
  return text.replace(VARIABLE, (variable, name) => values.get(name) ?? variable);
}

/**
 * @param {readonly Wire[]} components
 * @param {string} type
 */
function componentOf(components, type) {
  return components.find((component) => upper(component.type) === type);
}
