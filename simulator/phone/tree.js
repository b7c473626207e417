/** A drawing as plain data: a server writes it as HTML, a browser makes elements of it, and text is text in both. */

/**
 * @typedef {string | Tag} Drawn
 * @typedef {{ readonly tag: string, readonly attributes: Readonly<Record<string, string | true>>, readonly children: readonly Drawn[] }} Tag
 * @typedef {Drawn | null | undefined | false | readonly (Drawn | null | undefined | false)[]} Child
 */

/**
 * @param {string} tag
 * @param {Readonly<Record<string, string | number | boolean | null | undefined>>} attributes `true` sets the bare
 *   attribute, `false`, null and undefined set none
 * @param {readonly Child[]} children
 * @returns {Tag}
 */
export function h(tag, attributes = {}, ...children) {
  /** @type {Record<string, string | true>} */
  const kept = {};
  for (const [name, value] of Object.entries(attributes))
    if (value === true) kept[name] = true;
    else if (value !== false && value !== null && value !== undefined) kept[name] = String(value);
  return { tag, attributes: kept, children: children.flat().filter(isDrawn) };
}

const VOID = ["img", "input", "br"];

/**
 * @param {Drawn} drawn
 * @returns {string} HTML; everything that is text in the drawing is text in it
 */
export function toHtml(drawn) {
  if (typeof drawn === "string") return escaped(drawn);
  const attributes = Object.entries(drawn.attributes).map(([name, value]) =>
    value === true ? ` ${name}` : ` ${name}="${escaped(value)}"`,
  );
  const open = `<${drawn.tag}${attributes.join("")}>`;
  return VOID.includes(drawn.tag) ? open : `${open}${drawn.children.map(toHtml).join("")}</${drawn.tag}>`;
}

/**
 * An address that a link or a picture may have; null for one that could run something.
 * @param {unknown} value
 */
export function safeUrl(value) {
  return typeof value === "string" && /^(https?:\/\/|tel:|mailto:)/i.test(value) ? value : null;
}

/** @param {string} text */
function escaped(text) {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/**
 * @param {Drawn | null | undefined | false} child
 * @returns {child is Drawn}
 */
function isDrawn(child) {
  return child !== null && child !== undefined && child !== false && child !== "";
}
