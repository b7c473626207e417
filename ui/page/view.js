/** What every view is: an element in the page's own tree, so that one sheet and one set of ids serves all of them. */
import { LitElement } from "./lit.js";
import { Standing } from "./standing.js";

/** @typedef {import("./api.js").PageApi} PageApi */
/** @typedef {import("./place.js").Place} Place */

/**
 * @typedef {object} Surroundings
 * @property {PageApi} api
 * @property {ReadonlySet<import("./place.js").Permission>} may
 * @property {(text: string) => void} say tells a screen reader
 * @property {(place: string) => void} go
 */

export class View extends LitElement {
  static properties = { place: { attribute: false } };

  constructor() {
    super();
    /** @type {Place} */
    this.place = { view: "", id: null, action: null, query: {} };
    /** Set by the page before the view is shown. */
    this.around = /** @type {Surroundings} */ (/** @type {unknown} */ (null));
    new Standing(this, () => this.querySelector("h1"));
  }

  createRenderRoot() {
    return this;
  }

  get api() {
    return this.around.api;
  }

  /** Whether the person may change things here, and not only look. */
  get mayOperate() {
    return this.around.may.has("operate");
  }

  /** Whether one of the list is shown in it, and not instead of it. */
  get opensInPlace() {
    return false;
  }

  /** Something of what this view may show has changed. @param {import("./api.js").Changes} _changes */
  changed(_changes) {}

  /**
   * Narrows a list; the address says so, and is one step back.
   * @param {Readonly<Record<string, string | null>>} query
   * @returns {Readonly<Record<string, string | null>>}
   */
  narrowed(query) {
    return { ...this.place.query, ...query };
  }
}
