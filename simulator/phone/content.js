/** What is inside a bubble, by Meta's message type: what the business posts and what a person writes alike. */
import { formatted } from "./formatting.js";
import { drawInteractive } from "./interactive.js";
import { actionButton, caption, drawPicture, drawVideo, nameOf } from "./parts.js";
import { fillTemplate } from "./template.js";
import { h } from "./tree.js";
import { objectOf, objectsOf, textOf } from "./wire.js";

/**
 * @typedef {import("./tree.js").Drawn} Drawn
 * @typedef {import("./wire.js").Wire} Wire
 * @typedef {import("./parts.js").Scene} Scene
 */

/**
 * @param {Wire} message
 * @param {Scene} scene
 * @returns {readonly Drawn[]}
 */
export function drawContent(message, scene) {
  const type = textOf(message.type) || "text";
  const content = objectOf(message[type]);
  switch (type) {
    case "text":
      return [
        h(
          "div",
          { class: isEmojiAlone(textOf(content.body)) ? "wa-text wa-jumbo" : "wa-text" },
          formatted(textOf(content.body)),
        ),
      ];
    case "image":
      return [drawPicture(content, scene), caption(content)].filter((one) => one !== "");
    case "video":
      return [drawVideo(content, scene), caption(content)].filter((one) => one !== "");
    case "sticker":
      return [h("div", { class: "wa-sticker" }, drawPicture(content, scene, "Sticker"))];
    case "audio":
      return [drawAudio(content, scene)];
    case "document":
      return [drawDocument(content, scene), caption(content)].filter((one) => one !== "");
    case "location":
      return [drawPlace(content)];
    case "contacts":
      return objectsOf(message.contacts).map(drawContact);
    case "reaction":
      return [note(textOf(content.emoji) === "" ? "Took a reaction back" : `Reacted with ${textOf(content.emoji)}`)];
    case "interactive":
      return drawInteractive(content, scene);
    case "template":
      return drawTemplate(content, message, scene);
    case "button":
      return [h("div", { class: "wa-text" }, h("p", { dir: "auto" }, textOf(content.text)))];
    case "order":
      return [
        h(
          "div",
          { class: "wa-text" },
          h("p", {}, h("strong", {}, `Order of ${countOf(content)}`)),
          formatted(textOf(content.text)),
        ),
      ];
    case "system":
      return [note(textOf(content.body) || "Something about this chat has changed")];
    case "unsupported":
      return [note(`A message that the Cloud API cannot show${kindOf(content)}`)];
    default:
      return [note(`A message of type ${type}`)];
  }
}

/**
 * @param {Wire} template
 * @param {Wire} message
 * @param {Scene} scene
 */
function drawTemplate(template, message, scene) {
  const listed = scene.listedOf(message);
  if (listed === null) {
    const values = objectsOf(template.components).flatMap(({ parameters }) =>
      objectsOf(parameters).map((parameter) => textOf(parameter[textOf(parameter.type)])),
    );
    const said = values.filter((value) => value !== "").join(" · ");
    return [
      h(
        "div",
        { class: "wa-text" },
        h("p", { class: "wa-soft" }, `Template ${textOf(template.name)}, ${textOf(objectOf(template.language).code)}`),
        said !== "" && h("p", { dir: "auto" }, said),
      ),
    ];
  }
  const { cards, ...part } = fillTemplate(template, listed);
  const drawnCards = cards.map((card) => h("li", { class: "wa-card" }, ...drawPart(card, scene)));
  return [
    ...drawPart(part, scene),
    ...(drawnCards.length > 0
      ? [h("ul", { class: "wa-cards", "aria-label": "Cards", tabindex: scene.isLive ? 0 : null }, ...drawnCards)]
      : []),
  ];
}

/**
 * @param {import("./template.js").TemplatePart} part
 * @param {Scene} scene
 * @returns {readonly Drawn[]}
 */
function drawPart({ header, body, footer, offer, buttons }, scene) {
  return [
    ...(header ? drawHeader(header, scene) : []),
    h(
      "div",
      { class: "wa-text" },
      offer !== "" && h("p", { class: "wa-offer", dir: "auto" }, offer),
      formatted(body),
      footer !== "" && h("p", { class: "wa-footer", dir: "auto" }, footer),
    ),
    ...buttons.map((button) => {
      switch (button.type) {
        case "URL":
          return actionButton(scene, { icon: "link", label: button.text, url: button.url });
        case "PHONE_NUMBER":
          return actionButton(scene, { icon: "call", label: button.text, url: button.url });
        case "COPY_CODE":
        case "OTP":
          return actionButton(scene, { icon: "copy", label: button.text, action: { do: "copy", text: button.id } });
        case "QUICK_REPLY":
          return actionButton(scene, {
            icon: "reply",
            label: button.text,
            action: { do: "press", kind: "quick-reply", id: button.id },
          });
        case "FLOW":
          return actionButton(scene, { icon: "list", label: button.text, action: { do: "flow" } });
        default:
          return actionButton(scene, { icon: "list", label: button.text || button.type });
      }
    }),
  ];
}

/**
 * @param {NonNullable<import("./template.js").TemplatePart["header"]>} header
 * @param {Scene} scene
 * @returns {readonly Drawn[]}
 */
function drawHeader({ format, text, content }, scene) {
  switch (format) {
    case "IMAGE":
      return [drawPicture(content, scene)];
    case "VIDEO":
      return [drawVideo(content, scene)];
    case "DOCUMENT":
      return [drawDocument(content, scene)];
    case "LOCATION":
      return [drawPlace(content)];
    default:
      return [h("div", { class: "wa-text" }, h("p", { class: "wa-header", dir: "auto" }, text))];
  }
}

/**
 * @param {Wire} audio
 * @param {Scene} scene
 */
function drawAudio(audio, scene) {
  const file = scene.fileOf(audio);
  const isVoice = audio.voice === true;
  const what = isVoice ? "Voice message" : "Audio";
  // That a voice message was played is told: also one whose sound is not at hand can be.
  const isPlayable = isVoice && scene.isLive;
  const icon = (/** @type {string} */ name) => h("span", { class: `wa-icon wa-icon-${name}`, "aria-hidden": "true" });
  const isPlayed = scene.isPlayed === true;
  return h(
    "div",
    { class: "wa-audio" },
    isPlayable && !file && !isPlayed
      ? h(
          "button",
          { type: "button", class: "wa-play", "data-do": "play", "aria-label": "Play the voice message" },
          icon("play"),
        )
      : icon(isVoice ? "microphone" : "music"),
    file
      ? h("audio", {
          src: file.url,
          controls: true,
          preload: "metadata",
          "aria-label": what,
          "data-do": isPlayable ? "play" : null,
        })
      : h("span", { class: "wa-wave", role: "img", "aria-label": `${what}, ${isPlayed ? "played" : "no sound"}` }),
  );
}

/**
 * @param {Wire} document
 * @param {Scene} scene
 */
function drawDocument(document, scene) {
  const file = scene.fileOf(document);
  const name = textOf(document.filename) || (typeof document.link === "string" ? nameOf(document.link) : "Untitled");
  const kind = name.includes(".") ? name.split(".").at(-1)?.slice(0, 4).toUpperCase() : "FILE";
  const inside = [
    h("span", { class: "wa-file-kind", "aria-hidden": "true" }, kind),
    h("span", { class: "wa-file-name", dir: "auto" }, name, file && h("span", { class: "wa-soft" }, sizeOf(file.size))),
  ];
  return file && scene.isLive
    ? h("a", { class: "wa-file", href: file.url, download: name, "aria-label": `Save ${name}` }, ...inside)
    : h("div", { class: "wa-file" }, ...inside);
}

/** @param {Wire} place */
function drawPlace({ latitude, longitude, name, address }) {
  const where = `${textOf(latitude)}, ${textOf(longitude)}`;
  return h(
    "div",
    { class: "wa-place" },
    h(
      "div",
      { class: "wa-map", role: "img", "aria-label": `Map at ${where}` },
      h("span", { class: "wa-icon wa-icon-pin" }),
    ),
    h(
      "div",
      { class: "wa-text" },
      textOf(name) !== "" && h("p", { dir: "auto" }, h("strong", {}, textOf(name))),
      textOf(address) !== "" && h("p", { dir: "auto" }, textOf(address)),
      h("p", { class: "wa-soft" }, where),
    ),
  );
}

/** @param {Wire} contact */
function drawContact(contact) {
  const name = textOf(objectOf(contact.name).formatted_name) || "Somebody";
  const phones = objectsOf(contact.phones).map(({ phone }) => textOf(phone));
  return h(
    "div",
    { class: "wa-contact" },
    h("span", { class: "wa-avatar", "aria-hidden": "true" }, [...name][0]?.toUpperCase()),
    h("span", {}, h("strong", { dir: "auto" }, name), ...phones.map((phone) => h("span", { class: "wa-soft" }, phone))),
  );
}

/** @param {Wire} order */
function countOf(order) {
  const count = objectsOf(order.product_items).length;
  return count === 1 ? "one product" : `${count} products`;
}

/** @param {Wire} unsupported */
function kindOf({ type }) {
  return textOf(type) === "" ? "" : ` (${textOf(type)})`;
}

/** Up to three, which WhatsApp shows large. @param {string} text */
function isEmojiAlone(text) {
  const characters =
    text.length > 60 ? [] : [...new Intl.Segmenter().segment(text.replaceAll(" ", ""))].map(({ segment }) => segment);
  return (
    characters.length > 0 &&
    characters.length <= 3 &&
    characters.every((one) => /\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|\u20e3/u.test(one))
  );
}

/** @param {string} text */
function note(text) {
  return h("div", { class: "wa-text" }, h("p", { class: "wa-note", dir: "auto" }, text));
}

/** @param {number} size */
function sizeOf(size) {
  if (size < 1024) return `${size} bytes`;
  return size < 1024 * 1024 ? `${Math.round(size / 1024)} kB` : `${(size / 1024 / 1024).toFixed(1)} MB`;
}
