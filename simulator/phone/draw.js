/** Messages as WhatsApp shows them, as HTML that needs no script: for reports and for documentation. */
import { drawMessage } from "./bubble.js";
import { h, toHtml } from "./tree.js";
import { objectOf, textOf } from "./wire.js";

/**
 * @typedef {import("./wire.js").Wire} Wire
 *
 * @typedef {object} DrawOptions
 * @property {readonly (import("./template.js").Listed & { readonly name: string, readonly language: string })[]} [templates]
 *   the account's templates; a message that is made from another one shows its name and its parameters
 */

/**
 * Draws messages of Meta's shape in one column: what the business posts to `/messages` on the left, what a person writes
 * (it has a `from`) on the right. Read receipts are left out. Nothing in a message can become markup.
 *
 * @param {readonly Wire[]} messages bodies of sends, and messages of webhooks
 * @param {DrawOptions} [options]
 * @returns {string} one `<div class="wa-chat">`; it wants {@link PHONE_CSS} on its page
 */
export function drawMessages(messages, { templates = [] } = {}) {
  /** @type {import("./parts.js").Scene} */
  const scene = {
    isLive: false,
    fileOf: () => null,
    listedOf({ template }) {
      const { name, language } = objectOf(template);
      const { code } = objectOf(language);
      return templates.find((one) => one.name === name && one.language === code) ?? null;
    },
  };
  const drawn = messages.filter(isMessage).map((message, index) => {
    const quoted = textOf(objectOf(message.context).message_id) || textOf(objectOf(message.context).id);
    return drawMessage(
      {
        wamid: textOf(message.id) || String(index),
        isMine: message.from !== undefined || message.from_user_id !== undefined,
        message,
        time: "",
        ticks: null,
        quoted: quoted === "" ? null : quoteOf(messages, quoted),
      },
      scene,
    );
  });
  return toHtml(h("div", { class: "wa-chat" }, ...drawn));
}

/**
 * @param {readonly Wire[]} messages
 * @param {string} wamid
 */
function quoteOf(messages, wamid) {
  const found = messages.find(({ id }) => id === wamid);
  const text = found === undefined ? "a message" : shownText(found);
  return { name: found === undefined ? "Quoted" : found.from === undefined ? "Business" : "Person", text };
}

/**
 * One line of a message: its words, or what it is.
 * @param {Wire} message
 */
export function shownText(message) {
  const type = textOf(message.type) || "text";
  const content = objectOf(message[type]);
  const said = [
    content.body,
    objectOf(content.body).text,
    content.caption,
    content.text,
    objectOf(content.button_reply).title,
    objectOf(content.list_reply).title,
    content.filename,
    content.name,
  ].find((one) => typeof one === "string" && one !== "");
  if (typeof said === "string") return said;
  return content.voice === true ? "Voice message" : (NAMES[type] ?? type);
}

/** @type {Readonly<Record<string, string>>} */
const NAMES = {
  image: "Picture",
  video: "Video",
  audio: "Audio",
  document: "Document",
  sticker: "Sticker",
  location: "Location",
  contacts: "Contact",
  reaction: "Reaction",
  interactive: "Form",
  template: "Template",
};

/** @param {Wire} body */
function isMessage(body) {
  return body.status !== "read";
}

export { PHONE_CSS } from "./style.js";
