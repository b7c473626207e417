/** A template as WhatsApp shows it, with its examples filled in. */
import { icon } from "./icons.js";
import { html, nothing } from "./lit.js";
import { examplesOf, variablesOf } from "./template-draft.js";
import { whatsappText } from "./whatsapp-text.js";

/** @typedef {import("./api.js").Component} Component */

/** @type {Readonly<Record<string, string>>} */
const BUTTON_ICONS = { URL: "link", PHONE_NUMBER: "phone", COPY_CODE: "copy", QUICK_REPLY: "reply", OTP: "copy" };
const MOST_BUTTONS = 3;

/** @param {readonly Component[]} components */
export function templatePreview(components) {
  const find = (/** @type {string} */ type) =>
    components.find((one) => String(one.type).toUpperCase() === type) ?? null;
  const header = find("HEADER");
  const body = find("BODY");
  const text = textOf(body?.text);
  const footer = find("FOOTER");
  const buttons = listOf(find("BUTTONS")?.buttons);
  const cards = listOf(find("CAROUSEL")?.cards);
  return html`<div class="wall">
    <div class="bubble">
      ${header === null ? nothing : headerOf(header)}
      ${text === "" ? html`<p class="footer">No text yet</p>` : whatsappText(text, filled(examplesOf(body, variablesOf(text))))}
      ${footer === null ? nothing : html`<p class="footer">${textOf(footer.text)}</p>`}
      <p class="stamp">12:00</p>
      ${buttons.length === 0 ? nothing : keys(buttons)}
    </div>
    ${cards.length === 0 ? nothing : html`<p class="small">and ${cards.length} cards to swipe</p>`}
  </div>`;
}

/** @param {Component} header */
function headerOf(header) {
  const format = String(header.format ?? "TEXT").toUpperCase();
  if (format !== "TEXT")
    return html`<div class="media">${icon(format.toLowerCase())}<span class="unseen">${format.toLowerCase()}</span></div>`;
  const text = textOf(header.text);
  // WhatsApp shows no marks in a header.
  return html`<p class="header">${filled(examplesOf(header, variablesOf(text)))(text)}</p>`;
}

/** @param {Readonly<Record<string, unknown>>[]} buttons */
function keys(buttons) {
  const shown = buttons.length > MOST_BUTTONS ? buttons.slice(0, MOST_BUTTONS - 1) : buttons;
  const labelOf = (/** @type {Readonly<Record<string, unknown>>} */ { type, text }) =>
    textOf(text) || (String(type).toUpperCase() === "OTP" ? "Copy code" : "Copy offer code");
  return html`<ul class="keys">
    ${shown.map((one) => html`<li>${icon(BUTTON_ICONS[String(one.type).toUpperCase()] ?? "link")}${labelOf(one)}</li>`)}
    ${shown.length < buttons.length ? html`<li>${icon("menu")}See all options</li>` : nothing}
  </ul>`;
}

/** Each variable as its example, and seen to be one. @param {Readonly<Record<string, string>>} examples */
function filled(examples) {
  return (/** @type {string} */ text) =>
    text.split(/(\{\{\s*[^{}\s]+\s*\}\})/).map((part, index) => {
      if (index % 2 === 0) return part;
      const name = part.replaceAll(/[{}\s]/g, "");
      return html`<span class="variable">${examples[name] || part}</span>`;
    });
}

/** @param {unknown} value */
function textOf(value) {
  return typeof value === "string" ? value : "";
}

/** @param {unknown} value @returns {Readonly<Record<string, unknown>>[]} */
function listOf(value) {
  return Array.isArray(value) ? value.filter((one) => typeof one === "object" && one !== null) : [];
}
