/** What a person fills in, and Meta's components: from one to the other and back. Pure. */

/** @typedef {import("./api.js").Component} Component */
/** @typedef {import("./api.js").Template} Template */
/** @typedef {"NONE" | "TEXT" | "IMAGE" | "VIDEO" | "DOCUMENT" | "LOCATION"} HeaderFormat */
/** @typedef {"QUICK_REPLY" | "URL" | "PHONE_NUMBER" | "COPY_CODE"} ButtonType */
/** @typedef {{ type: ButtonType, text: string, url: string, example: string, phoneNumber: string }} DraftButton */

/**
 * @typedef {object} Draft
 * @property {string} wabaId
 * @property {string} name
 * @property {string} language
 * @property {string} category
 * @property {HeaderFormat} header
 * @property {string} headerText
 * @property {string} headerExample
 * @property {string} headerMediaId ours, of the sample that Meta's reviewers see
 * @property {string} body
 * @property {Readonly<Record<string, string>>} examples by the variable's name
 * @property {string} footer
 * @property {readonly DraftButton[]} buttons
 * @property {readonly Component[]} others what this form has no fields for; it stays as it is
 */

/** Meta's, for what can be told before it is asked. @see https://developers.facebook.com/docs/whatsapp/business-management-api/message-templates/components */
export const MOST = Object.freeze({
  name: 512,
  headerText: 60,
  body: 1024,
  footer: 60,
  buttonText: 25,
  url: 2000,
  buttons: 10,
});

/** @type {Draft} */
export const EMPTY = Object.freeze({
  wabaId: "",
  name: "",
  language: "en",
  category: "UTILITY",
  header: "NONE",
  headerText: "",
  headerExample: "",
  headerMediaId: "",
  body: "",
  examples: Object.freeze({}),
  footer: "",
  buttons: Object.freeze([]),
  others: Object.freeze([]),
});

/** @type {(type: ButtonType) => DraftButton} */
export const emptyButton = (type) => ({
  type,
  text: type === "COPY_CODE" ? "Copy offer code" : "",
  url: "",
  example: "",
  phoneNumber: "",
});

/** The names between double braces, each once, in their order. @param {string} text */
export function variablesOf(text) {
  return [...new Set([...text.matchAll(/\{\{\s*([^{}\s]+)\s*\}\}/g)].map(([, name]) => /** @type {string} */ (name)))];
}

/** @param {Draft} draft */
export function formatOf({ body, headerText, header }) {
  const names = [...variablesOf(body), ...(header === "TEXT" ? variablesOf(headerText) : [])];
  return names.some((name) => !/^\d+$/.test(name)) ? "NAMED" : "POSITIONAL";
}

/**
 * @param {Draft} draft
 * @returns {Component[]}
 */
export function componentsOf(draft) {
  const isNamed = formatOf(draft) === "NAMED";
  const { header, headerText, headerExample, body, examples, footer, buttons, others } = draft;
  const [headerVariable] = variablesOf(headerText);
  const names = isNamed ? variablesOf(body) : variablesOf(body).sort((a, b) => Number(a) - Number(b));
  const headers = {
    NONE: [],
    TEXT: [
      {
        type: "HEADER",
        format: "TEXT",
        text: headerText,
        ...(headerVariable === undefined
          ? {}
          : {
              example: isNamed
                ? { header_text_named_params: [{ param_name: headerVariable, example: headerExample }] }
                : { header_text: [headerExample] },
            }),
      },
    ],
    LOCATION: [{ type: "HEADER", format: "LOCATION" }],
  };
  // Its sample goes beside the components: the server turns it into what Meta wants here.
  const media = [{ type: "HEADER", format: header }];
  return [
    ...(header === "NONE" || header === "TEXT" || header === "LOCATION" ? headers[header] : media),
    {
      type: "BODY",
      text: body,
      ...(names.length === 0
        ? {}
        : {
            example: isNamed
              ? { body_text_named_params: names.map((name) => ({ param_name: name, example: examples[name] ?? "" })) }
              : { body_text: [names.map((name) => examples[name] ?? "")] },
          }),
    },
    ...(footer === "" ? [] : [{ type: "FOOTER", text: footer }]),
    ...others,
    ...(buttons.length === 0 ? [] : [{ type: "BUTTONS", buttons: buttons.map(buttonOf) }]),
  ];
}

/** @param {DraftButton} button */
function buttonOf({ type, text, url, example, phoneNumber }) {
  switch (type) {
    case "URL":
      return { type, text, url, ...(variablesOf(url).length === 0 ? {} : { example: [example] }) };
    case "PHONE_NUMBER":
      return { type, text, phone_number: phoneNumber };
    case "COPY_CODE":
      return { type, example };
    case "QUICK_REPLY":
      return { type, text };
  }
}

/**
 * @param {Template} template
 * @returns {Draft}
 */
export function draftOf({ wabaId, name, language, category, components }) {
  const find = (/** @type {string} */ type) =>
    components.find((one) => String(one.type).toUpperCase() === type) ?? null;
  const header = find("HEADER");
  const body = find("BODY");
  const known = ["HEADER", "BODY", "FOOTER", "BUTTONS"];
  const bodyText = textOf(body?.text);
  const headerText = textOf(header?.text);
  const format = /** @type {HeaderFormat} */ (header === null ? "NONE" : String(header.format ?? "TEXT").toUpperCase());
  return {
    ...EMPTY,
    wabaId,
    name,
    language,
    category: category ?? "UTILITY",
    header: format,
    headerText,
    headerExample: Object.values(examplesOf(header, variablesOf(headerText)))[0] ?? "",
    body: bodyText,
    examples: examplesOf(body, variablesOf(bodyText)),
    footer: textOf(find("FOOTER")?.text),
    buttons: listOf(find("BUTTONS")?.buttons).map(draftButtonOf),
    others: components.filter((one) => !known.includes(String(one.type).toUpperCase())),
  };
}

/** @param {Readonly<Record<string, unknown>>} button */
function draftButtonOf(button) {
  const type = /** @type {ButtonType} */ (String(button.type).toUpperCase());
  const { example } = button;
  return {
    type,
    text: textOf(button.text),
    url: textOf(button.url),
    example: textOf(Array.isArray(example) ? example[0] : example),
    phoneNumber: textOf(button.phone_number),
  };
}

/**
 * The examples that Meta has, by the variable's name.
 * @param {Component | null} component
 * @param {readonly string[]} names
 * @returns {Record<string, string>}
 */
export function examplesOf(component, names) {
  const example = /** @type {Readonly<Record<string, unknown>>} */ (component?.example ?? {});
  const named = listOf(example.body_text_named_params ?? example.header_text_named_params);
  if (named.length > 0) return Object.fromEntries(named.map((one) => [textOf(one.param_name), textOf(one.example)]));
  const rows = /** @type {unknown[]} */ (
    Array.isArray(example.body_text) ? (example.body_text[0] ?? []) : (example.header_text ?? [])
  );
  const values = Array.isArray(rows) ? rows : [rows];
  return Object.fromEntries(
    names.map((name, index) => [name, textOf(values[/^\d+$/.test(name) ? Number(name) - 1 : index])]),
  );
}

/**
 * What can be told without asking anybody; the server looks at all of it once more.
 * @param {Draft} draft
 * @returns {Readonly<Record<string, string>>} by the field
 */
export function problemsOf(draft) {
  const { name, language, body, header, headerText, headerExample, headerMediaId, examples, buttons } = draft;
  /** @type {Record<string, string>} */
  const problems = {};
  if (!/^[a-z0-9_]+$/.test(name)) problems.name = "Small letters, digits and underscores only, such as order_shipped.";
  if (!/^[a-z]{2,3}(_[A-Za-z]{2,4})?$/.test(language))
    problems.language = "A code of Meta's, such as en, en_GB or pt_BR.";
  if (body.trim() === "") problems.body = "A template needs a text.";
  else if (/^\s*\{\{|\}\}\s*$/.test(body)) problems.body = "Meta refuses a text that begins or ends with a variable.";
  for (const variable of variablesOf(body))
    if (!examples[variable]?.trim()) problems[`example:${variable}`] = "Meta's reviewers want an example.";
  if (header === "TEXT" && headerText.trim() === "") problems.headerText = "Write the header, or choose none.";
  if (header === "TEXT" && variablesOf(headerText).length > 0 && headerExample.trim() === "")
    problems.headerExample = "Meta's reviewers want an example.";
  if (["IMAGE", "VIDEO", "DOCUMENT"].includes(header) && headerMediaId === "")
    problems.headerMediaId = "Choose a sample file for Meta's reviewers.";
  buttons.forEach((button, index) => {
    if (button.type !== "COPY_CODE" && button.text.trim() === "")
      problems[`button:${index}`] = "A button needs a text.";
    else if (button.type === "URL" && !/^https?:\/\/./.test(button.url))
      problems[`button:${index}`] = "A whole address, with https://.";
    else if (button.type === "PHONE_NUMBER" && !/^\+?[\d\s-]{5,20}$/.test(button.phoneNumber))
      problems[`button:${index}`] = "A number with its country code.";
    else if ((button.type === "COPY_CODE" || variablesOf(button.url).length > 0) && button.example.trim() === "")
      problems[`button:${index}`] = "Meta's reviewers want an example.";
  });
  return problems;
}

/** @param {unknown} value */
function textOf(value) {
  return typeof value === "string" ? value : "";
}

/** @param {unknown} value @returns {Readonly<Record<string, unknown>>[]} */
function listOf(value) {
  return Array.isArray(value) ? value.filter((one) => typeof one === "object" && one !== null) : [];
}
