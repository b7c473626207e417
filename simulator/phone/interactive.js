/** Interactive messages: buttons, lists, cards and forms that are offered, and what a person answered. */
import { formatted } from "./formatting.js";
import { actionButton, drawPicture, drawVideo } from "./parts.js";
import { h } from "./tree.js";
import { objectOf, objectsOf, textOf } from "./wire.js";

/**
 * @typedef {import("./tree.js").Drawn} Drawn
 * @typedef {import("./wire.js").Wire} Wire
 * @typedef {import("./parts.js").Scene} Scene
 */

/**
 * @param {Wire} interactive
 * @param {Scene} scene
 * @returns {readonly Drawn[]}
 */
export function drawInteractive(interactive, scene) {
  const type = textOf(interactive.type);
  const action = objectOf(interactive.action);
  const parameters = objectOf(action.parameters);
  switch (type) {
    case "button_reply":
      return [answer(textOf(objectOf(interactive.button_reply).title))];
    case "list_reply": {
      const { title, description } = objectOf(interactive.list_reply);
      return [answer(textOf(title), textOf(description))];
    }
    case "nfm_reply":
      return [drawForm(objectOf(interactive.nfm_reply))];
    case "call_permission_reply": {
      const { response } = objectOf(interactive.call_permission_reply);
      return [answer(response === "accept" ? "You may call me" : "Please do not call me")];
    }
    case "button":
      return [...frame(interactive, scene), ...replies(action, scene)];
    case "list":
      return [
        ...frame(interactive, scene),
        actionButton(scene, { icon: "list", label: textOf(action.button), action: { do: "list" } }),
        ...(scene.isLive ? [] : [openList(action)]),
      ];
    case "cta_url":
      return [
        ...frame(interactive, scene),
        actionButton(scene, { icon: "link", label: textOf(parameters.display_text), url: textOf(parameters.url) }),
      ];
    case "flow":
      return [
        ...frame(interactive, scene),
        actionButton(scene, { icon: "form", label: textOf(parameters.flow_cta), action: { do: "flow" } }),
      ];
    case "location_request_message":
      return asked(interactive, scene, { icon: "pin", label: "Send location", do: "location" });
    case "address_message":
      return asked(interactive, scene, { icon: "form", label: "Provide address", do: "address" });
    case "request_contact_info":
      return asked(interactive, scene, { icon: "person", label: "Share contact info", do: "contact" });
    case "call_permission_request":
      return asked(interactive, scene, { icon: "call", label: "Choose preference", do: "permission" });
    case "voice_call":
      return [
        ...frame(interactive, scene),
        actionButton(scene, { icon: "call", label: textOf(parameters.display_text) || "Call now" }),
      ];
    case "product":
      return [...frame(interactive, scene), actionButton(scene, { icon: "list", label: "View" })];
    case "product_list":
      return [...frame(interactive, scene), actionButton(scene, { icon: "list", label: "View items" })];
    case "catalog_message":
      return [...frame(interactive, scene), actionButton(scene, { icon: "list", label: "View catalog" })];
    case "carousel":
      return [
        ...frame(interactive, scene),
        h(
          "ul",
          { class: "wa-cards", "aria-label": "Cards", tabindex: scene.isLive ? 0 : null },
          ...objectsOf(action.cards).map((card) => drawCard(card, scene)),
        ),
      ];
    default:
      return [...frame(interactive, scene), actionButton(scene, { icon: "list", label: type || "interactive" })];
  }
}

/**
 * @param {Wire} interactive
 * @param {Scene} scene
 * @param {{ readonly icon: string, readonly label: string, readonly do: string }} button
 */
function asked(interactive, scene, { icon, label, do: what }) {
  return [...frame(interactive, scene), actionButton(scene, { icon, label, action: { do: what } })];
}

/**
 * @param {Wire} interactive
 * @param {Scene} scene
 * @returns {readonly Drawn[]}
 */
function frame(interactive, scene) {
  const header = objectOf(interactive.header);
  const type = textOf(header.type);
  const media = objectOf(header[type]);
  const body = textOf(objectOf(interactive.body).text);
  const footer = textOf(objectOf(interactive.footer).text);
  /** @type {Drawn[]} */
  const drawn = [];
  if (type === "image") drawn.push(drawPicture(media, scene));
  if (type === "video") drawn.push(drawVideo(media, scene));
  if (type === "document")
    drawn.push(
      h("div", { class: "wa-file" }, h("span", { class: "wa-file-name" }, textOf(media.filename) || "Untitled")),
    );
  const texts = [
    type === "text" && h("p", { class: "wa-header", dir: "auto" }, textOf(header.text)),
    ...formatted(body),
    footer !== "" && h("p", { class: "wa-footer", dir: "auto" }, footer),
  ];
  if (body !== "" || footer !== "" || type === "text") drawn.push(h("div", { class: "wa-text" }, ...texts));
  return drawn;
}

/**
 * @param {Wire} action
 * @param {Scene} scene
 */
function replies({ buttons }, scene) {
  return objectsOf(buttons).map((button) => {
    const reply = objectOf(button.reply ?? button.quick_reply);
    return actionButton(scene, {
      icon: "reply",
      label: textOf(reply.title),
      action: { do: "press", kind: "button", id: textOf(reply.id) },
    });
  });
}

/**
 * @param {Wire} card
 * @param {Scene} scene
 */
function drawCard(card, scene) {
  const action = objectOf(card.action);
  const { display_text: label, url } = objectOf(action.parameters);
  const link =
    textOf(url) === "" ? [] : [actionButton(scene, { icon: "link", label: textOf(label), url: textOf(url) })];
  return h("li", { class: "wa-card" }, ...frame(card, scene), ...replies(action, scene), ...link);
}

/** The sheet that opens, drawn under the message where nobody can open it. @param {Wire} action */
function openList(action) {
  return h(
    "div",
    { class: "wa-sheet" },
    ...objectsOf(action.sections).flatMap((section) => [
      textOf(section.title) !== "" && h("p", { class: "wa-soft", dir: "auto" }, textOf(section.title)),
      ...objectsOf(section.rows).map(({ title, description }) =>
        h(
          "div",
          { class: "wa-row" },
          h("span", { dir: "auto" }, textOf(title)),
          textOf(description) !== "" && h("span", { class: "wa-soft", dir: "auto" }, textOf(description)),
        ),
      ),
    ]),
  );
}

/** @param {Wire} reply */
function drawForm({ name, body, response_json: json }) {
  const fields = Object.entries(parsed(textOf(json))).filter(([field]) => field !== "flow_token");
  return h(
    "div",
    { class: "wa-text" },
    h("p", {}, h("strong", {}, name === "address_message" ? "Address" : textOf(body) || "Sent")),
    ...fields.map(([field, value]) =>
      h("p", { dir: "auto" }, `${field}: ${typeof value === "object" ? JSON.stringify(value) : value}`),
    ),
  );
}

/** @param {string} json */
function parsed(json) {
  try {
    return objectOf(JSON.parse(json));
  } catch {
    // Meta promises JSON; whoever made this message by hand did not.
    return {};
  }
}

/**
 * @param {string} title
 * @param {string} description
 */
function answer(title, description = "") {
  return h(
    "div",
    { class: "wa-text" },
    h("p", { dir: "auto" }, title),
    description !== "" && h("p", { class: "wa-soft", dir: "auto" }, description),
  );
}
