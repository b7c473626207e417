/** Reading Meta's JSON without believing it: what is not there, or something else, is nothing. */

/** @typedef {Readonly<Record<string, unknown>>} Wire */

/**
 * @param {unknown} value
 * @returns {Wire}
 */
export function objectOf(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? /** @type {Wire} */ (value) : {};
}

/**
 * @param {unknown} value
 * @returns {readonly Wire[]}
 */
export function objectsOf(value) {
  return Array.isArray(value) ? value.map(objectOf) : [];
}

/**
 * @param {unknown} value
 * @returns {string} "" for what is neither text nor a number
 */
export function textOf(value) {
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
}

/** @param {unknown} value */
export function upper(value) {
  return textOf(value).toUpperCase();
}
