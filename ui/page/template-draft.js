/** What a person fills in, and Meta's components: from one to the other and back. Pure. */

/** @typedef {import("./api.js").Component} Component */
/** @typedef {import("./api.js").Template} Template */
/** @typedef {"NONE" | "TEXT" | "IMAGE" | "VIDEO" | "DOCUMENT" | "LOCATION"} HeaderFormat */
/** @typedef {"QUICK_REPLY" | "URL" | "PHONE_NUMBER" | "COPY_CODE"} ButtonType */
/**
 * @typedef {object} DraftButton
 * @property {ButtonType | "OTHER"} type
 * @property {string} text
 * @property {string} url
 * @property {string} example
 * @property {string} phoneNumber
 * @property {Component | null} raw of a type that this form has no fields for; it stays as it is
 */

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
 * @property {boolean} codeWarning of a one-time code, whose text is Meta's: that it is not to be shared
 * @property {string} codeMinutes how long it holds; empty: not said
 * @property {string} codeButton what is written on the button; empty: Meta's own word
 * @property {"NAMED" | "POSITIONAL" | null} format which it has at Meta for good; null: it goes by the text
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
  codeMinutes: 90,
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
  codeWarning: true,
  codeMinutes: "10",
  codeButton: "",
  format: null,
  others: Object.freeze([]),
});

/** @type {(type: ButtonType) => DraftButton} */
export const emptyButton = (type) => ({
  type,
  text: type === "COPY_CODE" ? "Copy offer code" : "",
  url: "",
  example: "",
  phoneNumber: "",
  raw: null,
});

/** The names between double braces, each once, in their order. @param {string} text */
export function variablesOf(text) {
  return [...new Set([...text.matchAll(/\{\{\s*([^{}\s]+)\s*\}\}/g)].map(([, name]) => /** @type {string} */ (name)))];
}

/** @param {Draft} draft @returns {"NAMED" | "POSITIONAL"} */
export function formatOf(draft) {
  return draft.format ?? (variablesIn(draft).some((name) => !NUMBER.test(name)) ? "NAMED" : "POSITIONAL");
}

const NUMBER = /^\d+$/;

/** @param {Draft} draft */
function variablesIn({ body, headerText, header }) {
  return [...variablesOf(body), ...(header === "TEXT" ? variablesOf(headerText) : [])];
}

/**
 * @param {Draft} draft
 * @returns {Component[]}
 */
export function componentsOf(draft) {
  if (draft.category === "AUTHENTICATION") return codeComponents(draft);
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

/**
 * Meta writes the texts of these itself.
 * @param {Draft} draft
 * @returns {Component[]}
 */
function codeComponents({ codeWarning, codeMinutes, codeButton }) {
  const text = codeButton.trim();
  return [
    { type: "BODY", add_security_recommendation: codeWarning },
    ...(codeMinutes === "" ? [] : [{ type: "FOOTER", code_expiration_minutes: Number(codeMinutes) }]),
    { type: "BUTTONS", buttons: [{ type: "OTP", otp_type: "COPY_CODE", ...(text === "" ? {} : { text }) }] },
  ];
}

/**
 * What people will see, with Meta's own words where it writes them (in English here, in the template's language there).
 * @param {Draft} draft
 * @returns {Component[]}
 */
export function seenOf(draft) {
  if (draft.category !== "AUTHENTICATION") return componentsOf(draft);
  const { codeWarning, codeMinutes, codeButton } = draft;
  const warning = codeWarning ? " For your security, do not share this code." : "";
  return [
    { type: "BODY", text: `*{{1}}* is your verification code.${warning}`, example: { body_text: [["123456"]] } },
    ...(codeMinutes === "" ? [] : [{ type: "FOOTER", text: `This code expires in ${codeMinutes} minutes.` }]),
    { type: "BUTTONS", buttons: [{ type: "OTP", text: codeButton.trim() || "Copy code" }] },
  ];
}

/**
 * A stored one as people will see it: of a code Meta writes the words, and tells them once it has reviewed it.
 * @param {Template} template
 * @returns {readonly Component[]}
 */
export function shownOf(template) {
  const { category, components } = template;
  const isWritten = components.some(({ type, text }) => String(type).toUpperCase() === "BODY" && textOf(text) !== "");
  return category === "AUTHENTICATION" && !isWritten ? seenOf(draftOf(template)) : components;
}

/** @param {DraftButton} button */
function buttonOf({ type, text, url, example, phoneNumber, raw }) {
  switch (type) {
    case "OTHER":
      return raw;
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
export function draftOf({ wabaId, name, language, category, components, parameterFormat }) {
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
    codeWarning: body?.add_security_recommendation === true,
    codeMinutes: minutesOf(find("FOOTER")),
    codeButton: textOf(listOf(find("BUTTONS")?.buttons)[0]?.text),
    format: parameterFormat === "NAMED" ? "NAMED" : "POSITIONAL",
    others: components.filter((one) => !known.includes(String(one.type).toUpperCase())),
  };
}

/** @param {Component | null} footer */
function minutesOf(footer) {
  const minutes = footer?.code_expiration_minutes;
  return typeof minutes === "number" ? String(minutes) : "";
}

const KNOWN_BUTTONS = ["QUICK_REPLY", "URL", "PHONE_NUMBER", "COPY_CODE"];

/** @param {Readonly<Record<string, unknown>>} button @returns {DraftButton} */
function draftButtonOf(button) {
  const type = /** @type {ButtonType} */ (String(button.type).toUpperCase());
  const { example } = button;
  const isKnown = KNOWN_BUTTONS.includes(type);
  return {
    type: isKnown ? type : "OTHER",
    raw: isKnown ? null : button,
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
  const { name, language } = draft;
  /** @type {Record<string, string>} */
  const problems = {};
  if (!/^[a-z0-9_]+$/.test(name)) problems.name = "Small letters, digits and underscores only, such as order_shipped.";
  if (!/^[a-z]{2,3}(_[A-Z]{2,3})?$/.test(language)) problems.language = "A code of Meta's, such as en, en_GB or pt_BR.";
  return { ...problems, ...(draft.category === "AUTHENTICATION" ? problemsOfCode(draft) : problemsOfText(draft)) };
}

/** @param {Draft} draft @returns {Record<string, string>} */
function problemsOfCode({ codeMinutes }) {
  const isFit =
    codeMinutes === "" ||
    (NUMBER.test(codeMinutes) && Number(codeMinutes) >= 1 && Number(codeMinutes) <= MOST.codeMinutes);
  return isFit ? {} : { codeMinutes: `A whole number from 1 to ${MOST.codeMinutes}, or nothing.` };
}

/** @param {Draft} draft */
function problemsOfText(draft) {
  const { body, header, headerText, headerExample, headerMediaId, examples, buttons } = draft;
  /** @type {Record<string, string>} */
  const problems = {};
  if (body.trim() === "") problems.body = "A template needs a text.";
  else if (/^\s*\{\{|\}\}\s*$/.test(body)) problems.body = "Meta refuses a text that begins or ends with a variable.";
  else if (!fitsFormat(draft)) problems.body = FORMATS[formatOf(draft)];
  for (const variable of variablesOf(body))
    if (!examples[variable]?.trim()) problems[`example:${variable}`] = "Meta's reviewers want an example.";
  if (header === "TEXT" && headerText.trim() === "") problems.headerText = "Write the header, or choose none.";
  if (header === "TEXT" && variablesOf(headerText).length > 0 && headerExample.trim() === "")
    problems.headerExample = "Meta's reviewers want an example.";
  if (["IMAGE", "VIDEO", "DOCUMENT"].includes(header) && headerMediaId === "")
    problems.headerMediaId = "Choose a sample file for Meta's reviewers.";
  buttons.forEach((button, index) => {
    const report = (/** @type {string} */ field, /** @type {string} */ words) => {
      problems[`button:${index}:${field}`] = words;
    };
    if (button.type === "OTHER") return;
    if (button.type !== "COPY_CODE" && button.text.trim() === "") report("text", "A button needs a text.");
    if (button.type === "URL" && !/^https?:\/\/./.test(button.url)) report("url", "A whole address, with https://.");
    if (button.type === "PHONE_NUMBER" && !/^\+?\d{5,20}$/.test(button.phoneNumber))
      report("phoneNumber", "A number with its country code and no spaces, such as +447700900123.");
    if ((button.type === "COPY_CODE" || variablesOf(button.url).length > 0) && button.example.trim() === "")
      report("example", "Meta's reviewers want an example.");
  });
  return problems;
}

const FORMATS = {
  NAMED: "Each variable needs a name in small letters, such as {{first_name}}: names and numbers do not mix.",
  POSITIONAL: "This template numbers its variables: write {{1}}, {{2}} and so on, without a gap.",
};

/** @param {Draft} draft */
function fitsFormat(draft) {
  const names = variablesIn(draft);
  return formatOf(draft) === "NAMED"
    ? names.every((name) => /^[a-z][a-z0-9_]*$/.test(name))
    : names.every((name) => NUMBER.test(name));
}

/** @type {Readonly<Record<string, string>>} */
const FIELDS = {
  name: "name",
  language: "language",
  category: "category",
  parameterFormat: "body",
  components: "body",
  headerMediaId: "headerMediaId",
};
/** @type {Readonly<Record<string, string>>} */
const BUTTON_FIELDS = { text: "text", url: "url", example: "example", phone_number: "phoneNumber" };

/**
 * The field of this form in which what the server has found can be mended; undefined where there is none.
 * @param {string} path as the server names it, such as `components[0].text`
 * @param {readonly Component[]} components as they were sent
 * @returns {string | undefined}
 */
export function fieldOf(path, components) {
  const [, index, rest = ""] = /^components\[(\d+)\]\.?(.*)$/.exec(path) ?? [];
  if (index === undefined) return Object.hasOwn(FIELDS, path) ? FIELDS[path] : undefined;
  const component = components[Number(index)];
  const isMedia = ["IMAGE", "VIDEO", "DOCUMENT"].includes(String(component?.format));
  switch (component?.type) {
    case "HEADER":
      if (rest.startsWith("example")) return isMedia ? "headerMediaId" : "headerExample";
      return rest === "text" ? "headerText" : undefined;
    case "BODY":
      return "body";
    case "FOOTER":
      return rest === "code_expiration_minutes" ? "codeMinutes" : "footer";
    case "BUTTONS": {
      const [, at, member = ""] = /^buttons\[(\d+)\]\.?(\w*)/.exec(rest) ?? [];
      if (at === undefined) return "buttons";
      return Object.hasOwn(BUTTON_FIELDS, member) ? `button:${at}:${BUTTON_FIELDS[member]}` : `button:${at}`;
    }
    default:
      return undefined;
  }
}

/**
 * Why this form cannot hold it; null where it can.
 * @param {Template} template
 */
export function whyNotHere({ category, components }) {
  const find = (/** @type {string} */ type) => components.find((one) => String(one.type).toUpperCase() === type);
  if (category === "AUTHENTICATION") {
    const [button] = listOf(find("BUTTONS")?.buttons);
    // Meta lists the button as an address that says what it does.
    const kind = textOf(button?.otp_type) || (/[?&]otp_type=(\w+)/.exec(textOf(button?.url))?.[1] ?? "COPY_CODE");
    return kind.toUpperCase() === "COPY_CODE"
      ? null
      : "It hands its code to an app of yours, which Meta knows by a signature: change it in WhatsApp Manager.";
  }
  return find("CAROUSEL") === undefined
    ? null
    : "Each card of a carousel would need its picture again: change it in WhatsApp Manager.";
}

/** @param {unknown} value */
function textOf(value) {
  return typeof value === "string" ? value : "";
}

/** @param {unknown} value @returns {Readonly<Record<string, unknown>>[]} */
function listOf(value) {
  return Array.isArray(value) ? value.filter((one) => typeof one === "object" && one !== null) : [];
}
