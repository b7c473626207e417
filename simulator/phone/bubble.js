/** A message with everything around it: its bubble, the quoted one, the time, the ticks, the reactions. */
import { drawContent } from "./content.js";
import { formattedLine } from "./formatting.js";
import { h } from "./tree.js";
import { objectOf, textOf } from "./wire.js";

/**
 * @typedef {import("./tree.js").Drawn} Drawn
 * @typedef {import("./wire.js").Wire} Wire
 * @typedef {import("./parts.js").Scene} Scene
 *
 * @typedef {object} Shown one message of a chat, as the person sees it
 * @property {string} wamid
 * @property {boolean} isMine by the person whose phone it is
 * @property {Wire} message
 * @property {string} time "" for none
 * @property {string | null} ticks `sent`, `delivered`, `read`; null for a message that has none
 * @property {string} [failure] why the person never gets it
 * @property {{ readonly name: string, readonly text: string } | null} [quoted]
 * @property {readonly string[]} [reactions]
 * @property {boolean} [isEdited]
 * @property {boolean} [isDeleted]
 * @property {string} [author] who of the business wrote it, when it was not the API
 */

/**
 * @param {Shown} shown
 * @param {Scene} scene
 * @param {readonly Drawn[]} tools what the page puts beside the bubble
 */
export function drawMessage(shown, scene, tools = []) {
  const { isMine, message, failure, reactions = [], isDeleted = false } = shown;
  const type = textOf(message.type) || "text";
  if (type === "system") return h("div", { class: "wa-system" }, ...drawContent(message, scene));
  const isBare = type === "sticker" && !isDeleted;
  const kinds = [
    isMine ? "wa-out" : "wa-in",
    isBare && "wa-bare",
    failure !== undefined && "wa-failed",
    shown.isEdited === true && !isDeleted && "wa-edited",
    isWide(message) && !isDeleted && "wa-wide",
  ];
  const inside = isDeleted
    ? [
        h(
          "div",
          { class: "wa-text" },
          h("p", { class: "wa-note" }, isMine ? "You deleted this message" : "This message was deleted"),
        ),
      ]
    : drawContent(message, scene);
  const { first, buttons } = apart(inside);
  return h(
    "div",
    { class: `wa-message ${kinds.filter((kind) => kind !== false).join(" ")}` },
    h(
      "div",
      { class: "wa-bubble", "data-type": type },
      shown.author !== undefined && h("p", { class: "wa-author", dir: "auto" }, shown.author),
      shown.quoted &&
        h(
          "div",
          { class: "wa-quoted" },
          h("strong", {}, shown.quoted.name),
          h("span", { dir: "auto" }, formattedLine(shown.quoted.text)),
        ),
      ...first,
      h(
        "p",
        { class: "wa-meta" },
        shown.isEdited === true && !isDeleted && "Edited ",
        shown.time !== "" && h("time", {}, shown.time),
        shown.ticks !== null && drawTicks(shown.ticks),
      ),
      ...buttons,
      failure !== undefined && h("p", { class: "wa-failure", role: "note" }, failure),
    ),
    ...tools,
    reactions.length > 0 &&
      h("p", { class: "wa-reactions", "aria-label": `Reactions: ${reactions.join(" ")}` }, reactions.join("")),
  );
}

/** The time stands under the words and above the buttons. @param {readonly Drawn[]} inside */
function apart(inside) {
  const isBelow = (/** @type {Drawn} */ one) =>
    typeof one !== "string" && /^wa-(button|sheet|cards)$/.test(textOf(one.attributes.class));
  const at = inside.findIndex(isBelow);
  return at === -1 ? { first: inside, buttons: [] } : { first: inside.slice(0, at), buttons: inside.slice(at) };
}

/** @param {string} ticks */
function drawTicks(ticks) {
  const told = { accepted: "On its way", sent: "Sent", delivered: "Delivered", read: "Read", failed: "Not delivered" };
  const label = told[/** @type {keyof typeof told} */ (ticks)] ?? ticks;
  return h("span", { class: `wa-ticks wa-ticks-${ticks}`, role: "img", "aria-label": label, title: label });
}

/** What has a width of its own, so that its buttons do not depend on its words. @param {Wire} message */
function isWide(message) {
  const type = textOf(message.type);
  const interactive = textOf(objectOf(message.interactive).type);
  return (
    ["image", "video", "audio", "document", "location", "contacts", "template"].includes(type) ||
    (type === "interactive" && !/_reply$/.test(interactive))
  );
}
