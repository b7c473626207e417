/** Makes elements of drawings and keeps the focus where it was. Text goes in as text. */

import { toHtml } from "./tree.js";

/** @typedef {import("./tree.js").Drawn} Drawn */

/**
 * @param {Drawn} drawn
 * @returns {Node}
 */
export function toNode(drawn) {
  return typeof drawn === "string" ? document.createTextNode(drawn) : toElement(drawn);
}

/**
 * @param {import("./tree.js").Tag} drawn
 * @returns {HTMLElement}
 */
export function toElement({ tag, attributes, children }) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value === true ? "" : value);
  element.append(...children.map(toNode));
  return element;
}

/** @type {WeakMap<Element, string>} */
const shown = new WeakMap();

/** The button that the pointer is down on: exchanged under it, it would lose the press. @type {Element | null} */
let pressed = null;
/** What is shown once the pointer is up. @type {Map<Element, readonly Drawn[]>} */
const putOff = new Map();

/** From now on no button is exchanged under the pointer. */
export function watchPointer() {
  document.addEventListener(
    "pointerdown",
    ({ target }) => {
      pressed = target instanceof Element ? target.closest("button") : null;
    },
    true,
  );
  for (const type of ["pointerup", "pointercancel", "contextmenu"])
    document.addEventListener(
      type,
      () => {
        pressed = null;
        // The click is first.
        setTimeout(showPutOff);
      },
      true,
    );
}

function showPutOff() {
  const all = [...putOff];
  putOff.clear();
  for (const [place, drawn] of all) show(place, drawn);
}

/**
 * Shows another drawing in a place; whatever had the focus there, has it again by its `data-key`. The same drawing again
 * changes nothing, so that an open menu stays open.
 * @param {Element} place
 * @param {readonly Drawn[]} drawn
 */
export function show(place, drawn) {
  putOff.delete(place);
  if (place.contains(pressed)) return void putOff.set(place, drawn);
  const html = drawn.map(toHtml).join("");
  if (shown.get(place) === html) return;
  shown.set(place, html);
  const active = document.activeElement;
  const key = active instanceof HTMLElement && place.contains(active) ? active.dataset.key : undefined;
  place.replaceChildren(...drawn.map(toNode));
  if (key === undefined) return;
  const again = place.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (again instanceof HTMLElement) again.focus({ preventScroll: true });
}

/** The next drawing is shown even when it is the same: what was clicked there has not come true. @param {Element} place */
export function forget(place) {
  shown.delete(place);
}

/**
 * @param {string} selector
 * @param {ParentNode} within
 * @returns {HTMLElement}
 */
export function find(selector, within = document) {
  const found = within.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`The page has no ${selector}.`);
  return found;
}
